"""The page of a run: its headlines, its time line with the GPU lanes, its tests, and everything that filters them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.pages import kind_of, query_of, settle, target_of, wait_for, wait_for_query

import smoltrace

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    OpenPage = Callable[..., Page]

WHERE = ("server", "site", "file")
"""Where the pages come from: tests of all but the first are slow ones."""

GPU, FOUR_GPUS, API, UNPRICED, BROKEN = (
    "sample-03-llama-8b",
    "sample-04-llama-70b",
    "sample-01-large",
    "sample-05-preview",
    "sample-06-demo-interrupted",
)
ROWS = "[...document.querySelectorAll('.tests tr.vt-row')]"


def open_run(open_page: OpenPage, run: str, query: str = "", **options: Any) -> Page:
    page = open_page(f"run.html?id={run}{query}", **options)
    wait_for(page, "() => document.querySelector('.tests-told')?.textContent")
    wait_for(page, "() => !document.querySelector('.strip-note').textContent.includes('reading')")
    settle(page)
    return page


def headline(page: Page, key: str) -> str:
    """A headline's number with all that belongs to it, and the line below."""
    text = page.locator(f"[data-headline={key}]").inner_text()
    return re.sub(r"[\s\u2009]+", " ", text)


def shown(page: Page) -> list[str]:
    """The tests in the table, from the top."""
    settle(page)
    names: list[str] = page.evaluate(
        f"() => {ROWS}.sort((a, b) => a.dataset.index - b.dataset.index).map("
        "(row) => row.querySelector('.rt-id').title)"
    )
    return names


def results(store: Path, run: str) -> dict[str, dict[str, Any]]:
    return {row["test_case_uid"]: row for row in smoltrace.load_run(run, store).results()}


def strip_point(page: Page, share: float, down: float = 30) -> tuple[float, float]:
    """A point of the strip: so far from the left end of its axis to the right one, so many px from its top."""
    box = page.locator(".brush").bounding_box()
    left, right = (page.locator(f".brush-{end}").bounding_box() for end in ("start", "end"))
    assert box is not None and left is not None and right is not None
    ends = [edge["x"] + 5 for edge in (left, right)]
    return ends[0] + share * (ends[1] - ends[0]), box["y"] + down


def times_of_axis(page: Page) -> list[str]:
    return page.locator(".strip-axis span").all_inner_texts()


def drag(page: Page, start: float, end: float) -> None:
    page.mouse.move(*strip_point(page, start))
    page.mouse.down()
    page.mouse.move(*strip_point(page, (start + end) / 2))
    page.mouse.move(*strip_point(page, end))
    page.mouse.up()
    settle(page)


def test_the_headlines_are_the_numbers_of_the_leaderboard_row_and_what_it_ran_with_is_a_press_away(
    open_page: OpenPage, store: Path
) -> None:
    row = smoltrace.load_run(GPU, store).leaderboard_row()
    page = open_run(open_page, GPU)
    low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
    assert f"{row['success_rate']:.1f} %" in headline(page, "success")
    assert f"{low:.1f}–{high:.1f}, n {row['num_tests']}" in headline(page, "success")
    exact = page.locator("[data-headline=energy] .fig").get_attribute("title") or ""
    assert float(exact.removesuffix(" Wh")) == pytest.approx(row["total_gpu_energy_wh"], rel=1e-11)
    assert "est." in headline(page, "cost") and "electricity, $0.12/kWh" in headline(page, "cost")
    assert "measured" in headline(page, "energy")
    assert "56 g/kWh, FRA grid" in headline(page, "co2")
    assert f"{row['total_tokens'] / 1000:.1f}k" in headline(page, "tokens")
    assert headline(page, "failures").startswith(f"Failures {row['failed_tests']} ")
    assert page.locator("h1").inner_text() == "Llama-3.1-8B"
    assert "completed" in page.locator(".title-after").inner_text()
    facts = page.locator("#run-facts")
    assert facts.is_hidden()
    page.get_by_role("button", name="Everything it ran with").click()
    text = facts.inner_text()
    for told in ("FRA", "56 g CO₂e/kWh", "Ember via Our World in Data", "$0.12/kWh (default)", "NVIDIA L4", "0.1.0"):
        assert told in text, told
    page.keyboard.press("i")
    assert facts.is_hidden()


def test_what_is_unknown_has_a_reason_and_is_never_zero(open_page: OpenPage) -> None:
    page = open_run(open_page, UNPRICED)
    assert "≥" in headline(page, "cost") and "unpriced" in headline(page, "cost")
    for key in ("energy", "co2"):
        assert "—" in headline(page, key) and "no GPU" in headline(page, key)


def test_the_crosshair_tells_the_values_of_all_lanes_and_lanes_are_chosen(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    assert page.locator(".timeline h2").inner_text() == "GPU 0"
    titles = page.locator(".lane-label b").all_inner_texts()
    assert titles == ["Utilisation", "Memory", "Power", "CO₂e, total"]
    page.mouse.move(*strip_point(page, 0.3))
    page.mouse.move(*strip_point(page, 0.5))
    tags = page.locator(".cross-tag").all_inner_texts()
    assert [tag.split()[-1] for tag in tags[:-1]] == ["%", "GiB", "W", "g"]
    assert re.search(r"\d s · \w+", tags[-1])
    page.mouse.move(10, 10)
    assert page.locator(".cross").is_hidden()
    page.get_by_role("button", name="4 of 7 lanes").click()
    page.get_by_role("menuitemcheckbox", name="Temperature").click()
    page.get_by_role("menuitemcheckbox", name="Memory").click()
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator(".lane-label b").all_inner_texts() == ["Utilisation", "Temperature", "Power", "CO₂e, total"]
    assert query_of(page)["lanes"] == "utilisation,temperature,power,co2"


def test_several_gpus_are_seen_together_alone_or_beside_each_other(open_page: OpenPage) -> None:
    page = open_run(open_page, FOUR_GPUS)
    assert page.locator(".timeline h2").inner_text() == "4 GPUs"
    assert "sum" in page.locator("[data-lane=power]").inner_text()
    page.mouse.move(*strip_point(page, 0.4))
    assert re.match(r"\d+ % \(\d+–\d+\)", page.locator(".cross-tag").first.inner_text())
    page.get_by_role("button", name="All together").click()
    page.get_by_role("menuitemcheckbox", name="Power of each").click()
    settle(page)
    assert page.locator(".lane-label b").all_inner_texts() == ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]
    page.get_by_role("button", name="Power of each").click()
    page.get_by_role("menuitemcheckbox", name="GPU 2").first.click()
    settle(page)
    assert page.locator(".timeline h2").inner_text() == "GPU 2" and query_of(page)["gpu"] == "2"


def test_without_a_gpu_one_line_says_why_and_the_tests_keep_their_time_line(open_page: OpenPage) -> None:
    page = open_run(open_page, API)
    assert "no GPU" in page.locator(".strip-note").inner_text()
    assert page.locator(".lane-end").count() == 0
    box = page.locator(".strip-plot").bounding_box()
    assert box is not None and box["height"] < 160
    assert "side by side" in page.locator(".strip-labels").inner_text()


def test_dragging_over_the_strip_filters_the_tests_and_zooming_shows_the_window_alone(
    open_page: OpenPage, store: Path
) -> None:
    page = open_run(open_page, GPU)
    drag(page, 0.02, 0.2)
    window = [int(query_of(page)[name]) for name in ("from", "to")]
    expected = running_in(store, GPU, *window)
    assert 0 < len(expected) < 9 and set(shown(page)) == expected
    assert f"{len(expected)} test" in page.locator(".strip-window").inner_text()
    whole = times_of_axis(page)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom out").wait_for()
    settle(page)
    assert times_of_axis(page) != whole
    page.get_by_role("button", name="Zoom out").click()
    settle(page)
    assert times_of_axis(page) == whole
    page.get_by_role("button", name="Clear", exact=True).click()
    assert len(shown(page)) == 9 and "from" not in query_of(page)


@pytest.mark.server
def test_zooming_asks_the_server_for_finer_lanes(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    drag(page, 0.02, 0.2)
    window = [int(query_of(page)[name]) for name in ("from", "to")]
    with page.expect_response("**/gpu?**") as answer:
        page.get_by_role("button", name="Zoom in").click()
    asked = parse_qs(urlsplit(answer.value.url).query)
    assert [float(asked[name][0]) for name in ("from", "to")] == window
    with page.expect_response("**/gpu?**"):
        page.get_by_role("button", name="Zoom out").click()


def running_in(store: Path, run: str, start: float, end: float) -> set[str]:
    """The tests that ran at any time of a window, ms from the run's beginning."""
    found = smoltrace.load_run(run, store)
    origin = datetime.fromisoformat(found.manifest["started_at"])
    times = {
        row["test_case_uid"]: [(row[name] - origin).total_seconds() * 1000 for name in ("start_time", "end_time")]
        for row in found.results()
    }
    return {uid for uid, (began, ended) in times.items() if began < end and ended > start}


def test_the_window_moves_by_keys_and_a_copied_address_shows_the_same(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    end = page.get_by_role("slider", name="End of the time window")
    end.focus()
    for _ in range(8):
        end.press("Shift+ArrowLeft")
    settle(page)
    few = shown(page)
    assert 0 < len(few) < 9 and end.get_attribute("aria-valuetext")
    again = open_run(open_page, GPU, f"&{page.url.partition('?')[2].partition('&')[2]}")
    assert shown(again) == few
    end.press("Escape")
    assert len(shown(page)) == 9


def test_failures_are_counted_by_class_category_and_status_and_filter_the_table(
    open_page: OpenPage, store: Path
) -> None:
    rows = results(store, GPU)
    page = open_run(open_page, GPU)
    panel = page.get_by_role("region", name="Failures")
    counts = dict(text.split("\n")[:2] for text in panel.locator("li").all_inner_texts())
    assert counts == {"Wrong answer": "3", "Tool error": "2", "Timeout": "1", "Unreadable output": "1"}
    panel.get_by_role("button", name="Tool error").click()
    assert set(shown(page)) == {uid for uid, row in rows.items() if row["error_type"] == "tool_error"}
    assert query_of(page)["error"] == "tool_error"
    panel.get_by_role("button", name="Wrong answer").click()
    assert len(shown(page)) == 5
    page.get_by_role("button", name="Remove the filter Tool error").click()
    assert len(shown(page)) == 3
    panel.get_by_role("button", name="Show all again").click()
    panel.get_by_role("button", name="Category").click()
    panel.get_by_role("button", name="time").first.click()
    assert set(shown(page)) == {uid for uid, row in rows.items() if row["category"] == "time"}


def test_the_table_tells_what_came_and_why_it_failed_and_is_sorted_searched_and_split(
    open_page: OpenPage, store: Path
) -> None:
    rows = results(store, GPU)
    page = open_run(open_page, GPU)
    timeout = row_of(page, "code:time_utc:1").inner_text()
    assert "no answer" in timeout and "Timeout" in timeout
    wrong = row_of(page, "tool:weather_paris:1").inner_text()
    assert "It is 18 °C and sunny in Paris." in wrong and "Wrong answer" in wrong
    assert page.get_by_role("columnheader", name="$").inner_text().split() == ["$", "est."]
    table = page.get_by_role("table", name="Tests")
    assert shown(page) == list(rows)
    table.get_by_role("button", name="Tokens").click()
    table.get_by_role("button", name="Tokens").click()
    tokens = [rows[uid]["gen_ai.usage.total_tokens"] for uid in shown(page)]
    assert tokens == sorted(tokens, reverse=True)
    assert table.get_by_role("columnheader", name="Tokens").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Failed 7").click()
    assert all(not rows[uid]["success"] for uid in shown(page))
    page.keyboard.press("x")
    page.keyboard.press("f")
    page.keyboard.type("paris sunny")
    wait_for(page, f"() => {ROWS}.length === 2")
    assert query_of(page)["q"] == "paris sunny"
    page.keyboard.type(" nowhere")
    page.get_by_role("button", name="Show all tests").click()
    assert len(shown(page)) == 9 and "q" not in query_of(page)


def row_of(page: Page, uid: str) -> Locator:
    return page.locator("tr.vt-row").filter(has=page.locator(f'[title="{uid}"]'))


def test_a_row_opens_the_whole_test_beside_the_table(open_page: OpenPage, store: Path) -> None:
    row = results(store, GPU)["tool:weather_umbrella:1"]
    page = open_run(open_page, GPU)
    row_of(page, "tool:weather_umbrella:1").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("heading", name="Prompt").wait_for()
    text = sheet.inner_text()
    for told in (row["prompt"], row["response"], row["error"], "Tool error", "yes, light rain", "keywords"):
        assert told in text, told
    assert query_of(page)["test"] == "tool:weather_umbrella:1"
    link = sheet.get_by_role("link", name="Open the trace")
    assert target_of(link) == ("trace", {"run": GPU, "trace": row["trace_id"]})
    sheet.get_by_role("button", name="Next test").click()
    wait_for(page, "() => document.querySelector('.sheet h2').textContent === 'arithmetic_product'")
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0 and "test" not in query_of(page)


def test_keys_walk_the_tests_open_them_and_lead_to_the_trace(open_page: OpenPage, store: Path) -> None:
    rows = list(results(store, GPU).values())
    page = open_run(open_page, GPU, allow=(r".*",))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("heading", name="Verdicts").wait_for()
    assert query_of(page)["test"] == rows[1]["test_case_uid"]
    page.keyboard.press("j")
    wait_for_query(page, test=rows[2]["test_case_uid"])
    page.keyboard.press("?")
    assert "Open the trace of the test" in page.locator(".keys").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    wait_for_query(page, run=GPU, trace=rows[2]["trace_id"])


def test_pointing_at_a_row_marks_its_band_and_pressing_a_band_opens_its_test(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    row_of(page, "code:time_utc:1").hover()
    settle(page)
    marked = "() => [...document.querySelectorAll('.strip-canvas')][1].getContext('2d').getImageData(0, 0, 1440, 300)"
    assert page.evaluate(f"() => ({marked})().data.some((value) => value > 0)")
    bottom = page.locator(".lane-text", has_text="Tests").bounding_box()
    top = page.locator(".brush").bounding_box()
    assert bottom is not None and top is not None
    x, y = strip_point(page, 0.8, bottom["y"] - top["y"] + 8)
    page.mouse.click(x, y)
    page.get_by_role("dialog").wait_for()
    assert query_of(page)["test"] == "code:time_utc:1"


def test_an_interrupted_run_says_so_and_gives_the_command_that_goes_on_with_it(
    open_page: OpenPage, store: Path
) -> None:
    page = open_run(open_page, BROKEN)
    planned = smoltrace.load_run(BROKEN, store).manifest["num_tests"]
    assert f"incomplete, 5 of {planned}" in page.locator(".title-after").inner_text()
    note = page.locator(".resume").inner_text()
    assert f"{planned - 5} of {planned} tests have not run" in note
    assert f"smoltrace resume {BROKEN}" in note and str(store) in note
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".resume").get_by_role("button", name="Copy").click()
    wait_for(page, "() => document.querySelector('.resume .answer')?.textContent === 'Copied'")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("smoltrace resume")


def test_columns_are_chosen_and_the_table_is_taken_away_as_shown(open_page: OpenPage, store: Path) -> None:
    rows = results(store, GPU)
    page = open_run(open_page, GPU, "&success=failed")
    page.get_by_role("button", name=re.compile("Columns")).click()
    page.get_by_role("menuitemcheckbox", name="Difficulty").click()
    page.get_by_role("menuitemcheckbox", name="Task").click()
    page.keyboard.press("Escape")
    heads = page.get_by_role("columnheader").all_inner_texts()
    assert "Difficulty" in heads and "Task" not in heads and "difficulty" in query_of(page)["cols"]
    page.get_by_role("button", name="Download").click()
    menu = page.get_by_role("dialog", name="Download")
    with page.expect_download() as made:
        menu.get_by_role("button", name="the table as CSV").click()
    text = Path(made.value.path()).read_text()
    table = list(csv.DictReader(io.StringIO(text)))
    assert [line["test_case_uid"] for line in table] == [uid for uid, row in rows.items() if not row["success"]]
    assert [line["gen_ai.usage.total_tokens"] for line in table] == [
        str(rows[line["test_case_uid"]]["gen_ai.usage.total_tokens"]) for line in table
    ]


def test_runs_of_the_same_tasks_are_offered_for_comparison(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    page.get_by_role("button", name="Compare with…").click()
    menu = page.get_by_role("dialog", name="Compare with")
    if kind_of(page) == "inline":
        menu.get_by_text("No other run has the same tasks.").wait_for()
        return
    place, asked = target_of(menu.get_by_role("link", name=re.compile("Llama-3.3-70B")).first)
    assert place == "compare" and asked["runs"].startswith(f"{GPU},sample-")


def test_the_data_sets_that_there_are_can_be_downloaded(open_page: OpenPage, store: Path) -> None:
    page = open_run(open_page, GPU)
    page.get_by_role("button", name="Download").click()
    menu = page.get_by_role("dialog", name="Download")
    links, kind = menu.get_by_role("link"), kind_of(page)
    assert links.count() == {"live": 15, "static": 5, "inline": 0}[kind]
    if kind != "live":
        assert f"smoltrace export {GPU} --format csv -o " in menu.inner_text()
    if kind != "inline":
        with page.expect_download() as made:
            menu.get_by_role("link", name="results as Parquet").click()
        file = smoltrace.load_run(GPU, store).directory.parquet("results")
        assert Path(made.value.path()).read_bytes() == file.read_bytes()
        assert made.value.suggested_filename == f"{GPU}-results.parquet"
    if kind == "live":
        with page.expect_download() as made:
            menu.get_by_role("link", name="results as JSON").click()
        assert len(json.loads(Path(made.value.path()).read_text())) == 9


@pytest.mark.server
def test_a_run_of_many_tests_is_read_page_by_page_and_only_rows_in_sight_are_made(open_page: OpenPage) -> None:
    asked: list[int] = []
    page = open_page(f"run.html?id={GPU}", prepare=lambda made: made.route("**/tests?**", many_tests(asked)))
    wait_for(page, "() => document.querySelector('.tests-told')?.textContent.includes('10')")
    wait_for(page, "() => document.querySelector('.tests-told').textContent.replace(/\\s/g, '').startsWith('10000')")
    assert asked == [0, 2000, 4000, 6000, 8000]
    assert page.evaluate("() => document.querySelectorAll('*').length") < 2000
    page.keyboard.press("j")
    page.keyboard.press("End")
    assert shown(page)[-1] == "tool:t9999:1"


def many_tests(asked: list[int]) -> Callable[[Any], None]:
    """Ten thousand made-up tests, in pages as the server makes them."""

    def answer(route: Any) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start, count = int(query["start"][0]), int(query["count"][0])
        asked.append(start)
        numbers = range(start, min(start + count, 10_000))
        names = ("category", "difficulty", "prompt", "expected", "response", "error", "error_type", "trace_id")
        columns: dict[str, list[Any]] = {name: [None for _ in numbers] for name in names}
        columns |= {
            "test_case_uid": [f"tool:t{n}:1" for n in numbers],
            "test_id": [f"t{n}" for n in numbers],
            "agent_type": ["tool" for _ in numbers],
            "attempt": [1 for _ in numbers],
            "status": ["failed" if n % 7 == 0 else "completed" for n in numbers],
            "success": [n % 7 != 0 for n in numbers],
            "steps": [n % 5 for n in numbers],
            "execution_time_ms": [50.0 for _ in numbers],
            "gen_ai.usage.total_tokens": list(numbers),
            "_start_ms": [n * 10.0 for n in numbers],
            "_end_ms": [n * 10.0 + 50 for n in numbers],
        }
        following = start + count if start + count < 10_000 else None
        body = {"version": "1", "start": start, "next": following, "count": len(numbers), "columns": columns}
        route.fulfill(json=body)

    return answer


def test_axe_finds_nothing_wrong_in_either_theme(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_run(open_page, GPU, "&error=tool_error&from=1000&to=60000")
    page.get_by_role("button", name="Everything it ran with").click()
    row_of(page, "tool:weather_umbrella:1").click()
    page.get_by_role("dialog").get_by_role("heading", name="Prompt").wait_for()
    axe(page)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name="Dark").click()
    axe(page)


def test_a_phone_shows_everything_in_one_column(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_run(open_page, BROKEN, width=390, height=844)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert len(shown(page)) == 5
    sort = page.get_by_role("button", name="Sort")
    sort.scroll_into_view_if_needed()
    settle(page)
    sort.click()
    for _ in range(2):
        page.get_by_role("menuitemcheckbox", name="Duration").click()
    page.keyboard.press("Escape")
    assert query_of(page)["sort"] == "-duration"
    page.locator("tr.vt-row").first.click()
    page.get_by_role("dialog").get_by_role("heading", name="Prompt").wait_for()
    sheet = page.get_by_role("dialog").bounding_box()
    assert sheet is not None and sheet["width"] == 390 and sheet["y"] > 200
    axe(page)


def test_a_run_that_is_not_there_is_told_in_words(open_page: OpenPage) -> None:
    page = open_page("run.html?id=no-such-run", allow=(r"status 404", r"404"))
    assert "Not found" in page.get_by_role("alert").inner_text()
    nameless = open_page("run.html")
    assert "Choose one from Runs." in nameless.get_by_role("alert").inner_text()
