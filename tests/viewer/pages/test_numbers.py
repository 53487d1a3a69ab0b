"""Every number that the screens show is that of the Parquet files, read here by pyarrow alone and written down anew."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from support import written
from support.command import smoltrace_here
from support.pages import settle, wait_for
from support.places import made_once, served
from support.shown import (
    COLUMNS,
    CUT,
    MADE,
    OWN,
    Place,
    Row,
    cells_of,
    check,
    check_amount,
    check_cost,
    headline,
    mean,
    ordered,
    percentile,
    wilson,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    OpenPage = Callable[..., Page]

pytestmark = pytest.mark.slow

GPU, API, UNPRICED, BROKEN = "sample-03-llama-8b", "sample-01-large", "sample-05-preview", "sample-06-demo-interrupted"
SMALL = "sample-02-small"


@pytest.fixture(scope="session")
def samples(store: Path, live_url: str) -> Place:
    return Place(store, live_url)


@pytest.fixture(scope="session")
def real(pages_folder: Path) -> Iterator[Place]:
    """One run of the demonstration model, by the command line."""

    def make(folder: Path) -> None:
        folder.mkdir()
        done = smoltrace_here("eval", "--store", folder / "store", "--limit", "3", "--quiet", cwd=folder)
        assert done.returncode == 0, done.stderr

    store = made_once(pages_folder / "real", make) / "store"
    with served(store) as home:
        yield Place(store, home)


@pytest.fixture(params=["samples", "real"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def per_test(row: Row, name: str) -> float | None:
    return None if row[name] is None else row[name] / row["num_tests"]


def broken_off(place: Place) -> dict[str, Row]:
    """What the tests of runs without a row of their own add up to."""
    found = {}
    for folder in (place.store / "runs").iterdir():
        if folder.name in place.board():
            continue
        rows = place.rows(folder.name)
        passed = sum(row["success"] for row in rows)
        low, high = wilson(passed, len(rows))
        found[folder.name] = {
            "num_tests": len(rows),
            "successful_tests": passed,
            "failed_tests": len(rows) - passed,
            "success_rate": 100 * passed / len(rows),
            "success_rate_ci_low": low,
            "success_rate_ci_high": high,
            "total_tokens": sum(row["gen_ai.usage.total_tokens"] or 0 for row in rows),
            "p50_duration_ms": median(row["execution_time_ms"] for row in rows),
            "total_duration_ms": sum(row["execution_time_ms"] for row in rows),
            "avg_steps": sum(row["steps"] for row in rows) / len(rows),
        }
    return found


def test_every_cell_of_the_leaderboard(open_page: OpenPage, place: Place) -> None:
    keys = ",".join([*MADE, *(key for _, key, _ in COLUMNS)])
    page = open_page(place.url(f"index.html?cols={keys}"), height=2_000, width=10_000)
    wait_for(page, "() => document.querySelector('.board-table tbody tr.vt-row')")
    shown, board, broken = cells_of(page, ".board-table table"), place.board(), broken_off(place)
    assert shown.keys() == {*board, *broken}
    for run, row in {**board, **broken}.items():
        for head, key, write in COLUMNS:
            if key in row:
                check(f"{run}, {head}", shown[run][head], write(row[key]))
        low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
        check(run, shown[run]["95 % interval"], written.interval(low, high))
        others = [*board.values(), *broken.values()]
        best = 1 + sum(other["success_rate_ci_low"] > high for other in others)
        worst = len(others) - sum(other["success_rate_ci_high"] < low for other in others)
        check(run, shown[run]["Rank"], f"{best}–{worst}" if best < worst else str(best))
    for run, row in board.items():
        check_made(run, shown[run], row)


def check_made(run: str, cells: dict[str, Row], row: Row) -> None:
    """The columns that are made of several."""
    known, bound = row["avg_cost_per_test_usd"], per_test(row, "cost_known_usd")
    check_cost(run, cells["$ / test"], known, bound, per_test(row, "electricity_cost_usd"))
    for head, measured, estimated in (
        ("Wh / test", "total_gpu_energy_wh", "energy_estimated_wh"),
        ("g CO₂e", "co2_emissions_g", "co2_estimated_g"),
    ):
        amounts = (per_test(row, name) for name in (measured, f"{estimated}_min", f"{estimated}_max"))
        check_amount(f"{run}, {head}", cells[head], *amounts)
    started = datetime.fromisoformat(cells["Started"]["title"])
    assert 0 <= (row["evaluation_date"] - started).total_seconds() < 0.001
    for head, key, joint in (("Tags", "tags", "="), ("Error classes", "error_types", " ")):
        pairs = json.loads(row[key] or "{}").items()
        check(f"{run}, {head}", cells[head], ", ".join(f"{name}{joint}{value}" for name, value in pairs) or None)


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_no_number_is_cut(open_page: OpenPage, samples: Place, width: int) -> None:
    for address in ("index.html", f"run.html?id={GPU}", f"run.html?id={API}", "runs.html", f"traces.html?run={API}"):
        page = open_page(samples.url(address), width=width)
        wait_for(page, "() => document.querySelector('tr.vt-row')")
        settle(page)
        assert page.evaluate(CUT) == [], address


# --- A run ----------------------------------------------------------------------------------------------------------

TESTS = "status,test,agent,attempt,category,difficulty,answer,steps,calls,tokens,cost,energy,co2,duration,start,error"
OF_TEST = [
    ("Agent", "agent_type", written.plain),
    ("Try", "attempt", written.count),
    ("Category", "category", written.plain),
    ("Difficulty", "difficulty", written.plain),
    ("Steps", "steps", written.count),
    ("Calls", "llm_calls", written.count),
    ("Tokens", "gen_ai.usage.total_tokens", written.tokens),
    ("Duration", "execution_time_ms", written.duration),
]


def runs_of(place: Place) -> list[str]:
    known = [GPU, API, UNPRICED, BROKEN]
    return known if GPU in place.board() else list(place.board())


def test_every_cell_of_the_tests_of_a_run(open_page: OpenPage, place: Place) -> None:
    for run in runs_of(place):
        page = open_page(place.url(f"run.html?id={run}&cols={TESTS}"), height=2_000, width=2_400)
        wait_for(page, "() => document.querySelector('.tests tr.vt-row')")
        shown, rows = cells_of(page, ".tests table"), place.rows(run)
        assert shown.keys() == {row["test_case_uid"] for row in rows}
        began = datetime.fromisoformat(json.loads((place.store / "runs" / run / "run.json").read_text())["started_at"])
        for row in rows:
            cells = shown[row["test_case_uid"]]
            for head, key, write in OF_TEST:
                check(f"{run}, {row['test_case_uid']}, {head}", cells[head], write(row[key]))
            check_test(f"{run}, {row['test_case_uid']}", cells, row)
            started = int(row["start_time_unix_nano"]) - round(began.timestamp() * 1e6) * 1000
            check(run, cells["Started"], written.duration(max(started, 0) / 1e6))


def check_test(where: str, cells: dict[str, Row], row: Row) -> None:
    """Cost, energy and emissions. Where all of a column are estimates, its head says so, and not each cell."""
    heads = {head.split(" est.")[0]: head for head in cells}
    for head in ("$", "Wh", "g CO₂e"):
        cells[heads[head]]["est"] |= heads[head].endswith("est.") and not cells[heads[head]]["none"]
    known, bound = row["gen_ai.usage.cost.total"], row["cost_known_usd"]
    check_cost(where, cells[heads["$"]], known, bound, row["power_cost_usd"])
    for head, measured, estimated in (
        ("Wh", "gpu_energy_wh", "energy_estimated_wh"),
        ("g CO₂e", "co2_emissions_g", "co2_estimated_g"),
    ):
        amounts = (row[name] for name in (measured, f"{estimated}_min", f"{estimated}_max"))
        check_amount(f"{where}, {head}", cells[heads[head]], *amounts)


def test_the_headlines_of_a_run(open_page: OpenPage, place: Place) -> None:
    for run, row in place.board().items():
        if GPU in place.board() and run not in (GPU, API, UNPRICED):
            continue
        page = open_page(place.url(f"run.html?id={run}"))
        wait_for(page, "() => document.querySelector('[data-headline=failures] .fig')")
        success = headline(page, "success")
        check(run, success, written.percent(row["success_rate"]))
        low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
        assert success["note"] == f"{written.interval(low, high)}, n {row['num_tests']}"
        cost = headline(page, "cost")
        cost["title"] += f", {cost['note']}"
        check_cost(run, cost, row["total_cost_usd"], row["cost_known_usd"], row["electricity_cost_usd"])
        check_energy(run, headline(page, "energy"), row, "total_gpu_energy_wh", "energy_estimated_wh", "Wh")
        check_energy(run, headline(page, "co2"), row, "co2_emissions_g", "co2_estimated_g", "g")
        time, used, failed = (headline(page, key) for key in ("duration", "tokens", "failures"))
        check(run, time, written.duration(row["wall_time_ms"]))
        middle, most = (written.duration(row[f"{name}_duration_ms"]) for name in ("p50", "p95"))
        assert time["note"] == f"p50 {middle} · p95 {most}"
        check(run, used, written.tokens(row["total_tokens"]))
        into, out = (written.tokens(row[f"total_{name}_tokens"]) for name in ("prompt", "completion"))
        assert used["note"] == f"in {into} · out {out}"
        assert used["title"] == f"{row['total_tokens']} tokens"
        check(run, failed, written.count(row["failed_tests"]))


def check_energy(run: str, cell: Row, row: Row, measured: str, estimated: str, unit: str) -> None:
    low, high = row[f"{estimated}_min"], row[f"{estimated}_max"]
    if row[measured] is not None:
        check(run, cell, written.quantity(row[measured]))
        assert cell["unit"] == unit
        assert float(cell["title"].split(" ")[0]) == pytest.approx(row[measured], rel=1e-11)
    elif low is not None:
        check(run, cell, f"{written.quantity(low)}–{written.quantity(high)}", est=True)
    else:
        check(run, cell, None, reason="no GPU")
        assert cell["note"] == cell["title"]


# --- A trace --------------------------------------------------------------------------------------------------------

SPANS = """() => [...document.querySelectorAll('.tr-row')]
  .filter((row) => row.getClientRects().length > 0)
  .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
  .map((row) => {
    const text = (name) => row.querySelector(name)?.textContent.trim() ?? '';
    const why = (name) => row.querySelector(name)?.getAttribute('aria-label') ?? '';
    return {
      name: text('.tr-name'),
      time: why('.tr-time'),
      tokens: text('.tr-tokens'), noTokens: why('.tr-tokens'),
      cost: text('.tr-cost'), noCost: why('.tr-cost'),
      energy: text('.tr-energy'), noEnergy: why('.tr-energy'),
      hidden: [...row.closest('.tg').classList].filter((name) => name.startsWith('no-')),
    };
  })"""


def check_span(where: str, shown: Row, span: Row, sums: Mapping[str, float | None], cost: str) -> None:
    """Each figure, or a dash and why there is none. `cost` is the column that tells what the span cost."""
    into, out = written.tokens(sums["input_tokens"]), written.tokens(sums["output_tokens"])
    expected = {
        "tokens": None if into is None and out is None else f"{into or '—'} / {out or '—'}",
        "cost": written.money(sums[cost]),
        "energy": written.quantity(sums["gpu_energy_wh"]),
    }
    for name, text in expected.items():
        if f"no-{name}" in shown["hidden"]:
            continue
        told = shown[name].removeprefix("≥ ")
        assert told == (text or "—"), f"{where}, {name}: {told} instead of {text}"
        why = "price unknown" if name == "cost" and cost == "cost_usd" and into is not None else ""
        reason = shown[f"no{name.title()}"]
        assert text is not None or (reason and why in reason), f"{where}: {reason!r} is why there is no {name}"
    took = (span["end_time"] - span["start_time"]) / 1e6
    assert written.duration(took) in shown["time"].split(", "), f"{where}: {shown['time']} instead of {took} ms"


def test_every_row_of_some_traces(open_page: OpenPage, place: Place) -> None:
    for run in runs_of(place):
        spans = defaultdict(list)
        for span in place.rows(run, "spans"):
            spans[span["trace_id"]].append(span)
        rows = place.rows(run)
        for row in rows[:1] if run != UNPRICED else [each for each in rows if each["unpriced_calls"]][:1]:
            found, cost = spans[row["trace_id"]], cost_column(row)
            for mode in ("total", "self"):
                address = f"trace.html?run={run}&trace={row['trace_id']}&mode={mode}&gaps=0"
                page = open_page(place.url(address), height=1_400)
                settle(page)
                shown, tree = page.evaluate(SPANS), ordered(found)
                assert len(shown) == len(tree)
                bounds = [cells["cost"].startswith("≥") for cells in shown]
                assert any(bounds) == (run == UNPRICED and mode == "total"), f"{run}, {mode}"
                for cells, (span, sums) in zip(shown, tree, strict=True):
                    assert cells["name"].lower() in span["name"].lower()
                    where = f"{run}, {span['name']}, {mode}"
                    if mode == "total":
                        check_span(where, cells, span, sums, cost)
                    else:
                        check_own(where, cells, span, cost)
            check_sums(page, row, found)


def cost_column(test: Row) -> str:
    """Where calls cost nothing, the electricity that was used is the cost of a test and of its spans."""
    is_electricity = test["gen_ai.usage.cost.total"] == 0 and test["power_cost_usd"] is not None
    return "power_cost_usd" if is_electricity else "cost_usd"


def check_own(where: str, cells: Row, span: Row, cost: str) -> None:
    sums = {name: span[name] for name in OWN}
    cells = {**cells, "time": str(written.duration((span["end_time"] - span["start_time"]) / 1e6))}
    check_span(where, cells, span, sums, cost)


def check_sums(page: Page, row: Row, spans: Sequence[Row]) -> None:
    """What the spans used is what the test used, and what stands above the tree."""

    def total(name: str) -> float:
        return math.fsum(span[name] or 0 for span in spans)

    assert total("input_tokens") == row["gen_ai.usage.prompt_tokens"]
    assert total("output_tokens") == row["gen_ai.usage.completion_tokens"]
    assert total("cost_usd") == pytest.approx(row["cost_known_usd"])
    assert total("gpu_energy_wh") == pytest.approx(row["gpu_energy_wh"] or 0)
    title = page.locator(".title-row").text_content() or ""
    used = " / ".join(str(written.tokens(row[f"gen_ai.usage.{name}_tokens"])) for name in ("prompt", "completion"))
    assert f"{used} tok" in title
    assert str(written.duration(row["execution_time_ms"])) in title
    cost = row["gen_ai.usage.cost.total"]
    if cost is None:
        assert f"≥\u00a0{written.money(row['cost_known_usd'])}" in title
    else:
        assert str(written.money(cost or row["power_cost_usd"] or 0.0)) in title


# --- A comparison ---------------------------------------------------------------------------------------------------


def paired(one: Sequence[Row], two: Sequence[Row], key: str) -> list[tuple[Any, Any]]:
    """The values of the executions that both runs have."""
    first, second = ({(r["agent_type"], r["test_id"], r["attempt"]): r for r in rows} for rows in (one, two))
    return [(first[name][key], second[name][key]) for name in first if name in second]


def signed(value: float, text: str | None) -> str:
    """A difference has its sign, but for none."""
    size = str(text)
    return size if not any(digit in size for digit in "123456789") else ("+" if value > 0 else "−") + size


def test_the_values_and_differences_of_a_comparison(open_page: OpenPage, samples: Place) -> None:
    page = open_page(samples.url(f"compare.html?runs={SMALL},{API}"), width=1_600)
    wait_for(page, "() => document.querySelector('tr[data-metric=success] .cmp-diff')")
    one, two = samples.rows(SMALL), samples.rows(API)

    def cells(metric: str) -> list[str]:
        row = page.locator(f"tr[data-metric={metric}]")
        return [*row.locator(".digits").all_text_contents(), row.locator(".cmp-diff").inner_text()]

    for metric, key, middle, write in (
        ("duration", "execution_time_ms", median, written.duration),
        ("tokens", "gen_ai.usage.total_tokens", mean, written.tokens),
        ("steps", "steps", mean, lambda value: written.fixed(value, 1)),
    ):
        pairs = paired(one, two, key)
        first, second = (middle([pair[side] for pair in pairs]) for side in (0, 1))
        size = written.quantity if metric == "steps" else write
        difference = signed(second - first, size(abs(second - first)))
        assert cells(metric) == [write(first), write(second), difference], metric
        aside = percentile([pair[0] for pair in pairs], 0.95)
        told = write(aside) if metric != "steps" else written.count(aside)
        assert page.locator(f"tr[data-metric={metric}] .cmp-aside").inner_text() == f"p95 {told}"
    board = samples.board()
    for metric, column, write in (
        ("errors", "error_rate", written.percent),
        ("calls", "avg_tool_calls_per_test", lambda value: written.fixed(value, 1)),
    ):  # all tests are compared, so a run has what its row has
        assert cells(metric)[:2] == [write(board[run][column]) for run in (SMALL, API)], metric
    check_rates(page, paired(one, two, "success"))
    check_unpriced(page, one, two)


def check_rates(page: Page, pairs: Sequence[tuple[bool, bool]]) -> None:
    row = page.locator("tr[data-metric=success]")
    rates = [100 * sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1)]
    assert row.locator(".digits").all_text_contents() == [written.percent(rate) for rate in rates]
    gap = rates[1] - rates[0]
    assert row.locator(".cmp-diff").inner_text() == signed(gap, f"{written.fixed(abs(gap), 1)} pp")
    better, worse = sum(b and not a for a, b in pairs), sum(a and not b for a, b in pairs)
    assert row.locator(".cmp-changes").inner_text() == f"{better} improved · {worse} regressed"
    low, high = wilson(sum(a for a, _ in pairs), len(pairs))
    assert row.locator(".cmp-aside").inner_text() == f"{written.interval(low, high)}, n {len(pairs)}"


def check_unpriced(page: Page, one: Sequence[Row], two: Sequence[Row]) -> None:
    """A mean with an unpriced call is a bound; estimates are marked; the whole cost is told beside."""
    for run, rows, cell in ((SMALL, one, 0), (API, two, 1)):
        figure = page.locator("tr[data-metric=cost] td").nth(cell).locator(".digits").inner_text()
        known = mean([row["cost_known_usd"] for row in rows])
        whole = all(row["gen_ai.usage.cost.total"] is not None for row in rows)
        assert figure == ("" if whole else "≥\u00a0") + str(written.money(known)), run
    energy = page.locator("tr[data-metric=energy] td").nth(1)
    middle = mean([(row["energy_estimated_wh_min"] + row["energy_estimated_wh_max"]) / 2 for row in two])
    assert energy.locator(".digits").inner_text() == written.quantity(middle)
    assert energy.locator(".est").count() == 1
