from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.board_rows import board_row, put_row, snapshot_of
from support.run_states import commit_all, going_on
from support.runs import execution

from smoltrace.errors import UsageError
from smoltrace.store.layout import Store
from smoltrace.viewer.data import chart as charts
from smoltrace.viewer.data.board import Board
from smoltrace.viewer.data.database import Database
from smoltrace.viewer.data.query import AXES, Query
from smoltrace.viewer.data.selection import select


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(Store(tmp_path), patience=0)


def put(board: Board, run_id: str, right: int, cost: str | None, **more: Any) -> None:
    amount = None if cost is None else Decimal(cost)
    put_row(board.store, run_id, right, total_cost_usd=amount, avg_cost_per_test_usd=amount, **more)


def point(chart: dict[str, Any], run_id: str) -> dict[str, Any]:
    return next(point for point in chart["points"] if point["run_id"] == run_id)


def test_points_frontier_and_band(board: Board) -> None:
    put(board, "cheap", 40, "0.001")
    put(board, "worse", 30, "0.002")
    put(board, "good", 70, "0.01", agent_type="code")
    put(board, "equal", 70, "0.01")
    put(board, "best", 90, "0.5")
    chart = board.chart(Query())
    assert chart["frontier"] == ["cheap", "equal", "good", "best"]
    assert [each["run_id"] for each in chart["points"] if each["dominated"]] == ["worse"]
    assert (chart["axis"], chart["unit"], chart["not_shown"], chart["unplaced"]) == ("cost", "USD", 0, [])
    good = point(chart, "good")
    assert (good["x"], good["y"], good["n"], good["agent_type"], good["kind"]) == (0.01, 70.0, 100, "code", "measured")
    best = point(chart, "best")
    assert (chart["best"], chart["band"]) == ("best", [best["ci_low"], best["ci_high"]])


def test_what_has_no_place_says_why(board: Board) -> None:
    put(board, "known", 50, "0.01", total_gpu_energy_wh=7.0, country="FRA")
    put(board, "unknown", 60, None, unpriced_calls=3, cost_known_usd=Decimal(2))
    put(board, "free", 70, "0")
    put(board, "electricity", 80, "0", electricity_cost_usd=Decimal("0.5"))
    chart = board.chart(Query())
    told = {each["run_id"]: (each["strip"], each["why"], each["bound"]) for each in chart["unplaced"]}
    assert told == {
        "free": ("free", "free: declared 0", None),
        "unknown": ("unknown", "price unknown: 3 calls", 0.02),
    }
    electricity = point(chart, "electricity")
    assert (electricity["x"], electricity["est"], electricity["kind"]) == (0.005, True, "electricity")
    # The best run's interval spans the strip too, so it may be of a run in it.
    assert chart["best"] == "electricity"

    energy = board.chart(Query(), "energy")
    assert [each["x"] for each in energy["points"]] == [0.07]
    assert {each["why"] for each in energy["unplaced"]} == {"no GPU"}
    co2 = board.chart(Query(), "co2")
    assert {each["run_id"]: each["why"] for each in co2["unplaced"]}["known"] == "no carbon intensity"


def test_nothing_measured_has_no_place_on_a_log_axis(board: Board) -> None:
    put(board, "zero", 50, "0.01", total_gpu_energy_wh=0.0, avg_tokens_per_test=0.0)
    put(board, "none", 50, "0.01")
    energy = {each["run_id"]: (each["strip"], each["why"]) for each in board.chart(Query(), "energy")["unplaced"]}
    assert energy == {"zero": ("free", "0 Wh"), "none": ("unknown", "no GPU")}
    tokens = {each["run_id"]: each["why"] for each in board.chart(Query(), "tokens")["unplaced"]}
    assert tokens == {"zero": "0 tokens", "none": "tokens unknown"}


def test_cards_name_the_best_the_cheapest_as_good_and_the_most_frugal(board: Board) -> None:
    put(board, "best", 90, "0.5", total_gpu_energy_wh=900.0)
    put(board, "as-good", 85, "0.1", energy_estimated_wh_min=1.0, energy_estimated_wh_max=2.0)
    put(board, "cheap", 30, "0.001", total_gpu_energy_wh=300.0)
    put(board, "free", 88, "0")
    cards = board.chart(Query())["cards"]
    assert {name: card["run_id"] for name, card in cards.items()} == {
        "best": "best", "cheapest": "as-good", "energy": "cheap",
    }  # fmt: skip
    assert cards["cheapest"]["why"] == "its interval overlaps that of the best run"
    assert cards["best"]["row"]["_rank"] == [1, 3]
    only = board.chart(Query.parse({"q": "as-good"}))["cards"]
    assert (only["energy"]["row"]["_energy"]["est"], only["cheapest"]["why"]) == (True, "the best run")
    nothing = board.chart(Query.parse({"q": "nothing like it"}))
    assert (nothing["cards"], nothing["best"]) == ({"best": None, "cheapest": None, "energy": None}, None)


def test_three_tests_that_went_well_crown_no_run(board: Board) -> None:
    with going_on(board.store.path, planned=100) as (_, journal):
        commit_all(journal, [execution(1), execution(2)])
        alone = board.chart(Query.parse({"tasks": "all"}))
        assert (alone["best"], alone["frontier"]) == ("live", ["live"])
        put(board, "whole", 60, "0.01")
        both = board.chart(Query.parse({"tasks": "all"}))
    assert (both["best"], both["frontier"]) == ("whole", ["whole"])
    live = point(both, "live")
    assert (live["y"], live["status"], live["frontier"], live["dominated"]) == (100.0, "running", False, False)


def test_what_is_left_out_is_told(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MOST_POINTS", 2)
    monkeypatch.setattr(charts, "MOST_UNPLACED", 1)
    for number in range(4):
        put(board, f"placed{number}", 90 - number, f"0.{9 - number}")
    put(board, "cheapest", 5, "0.001")
    for number in range(3):
        put(board, f"beside{number}", 50, None, unpriced_calls=1)
    put_row(board.store, "unrated", tests=0)
    chart = board.chart(Query())
    shown = {each["run_id"] for each in chart["points"]}
    assert shown >= {"placed0", "placed1", *chart["frontier"]}
    assert len(shown) + chart["not_shown"] == 5
    assert (len(chart["unplaced"]), chart["unplaced_not_shown"], chart["no_result"]) == (1, 2, 1)


def test_an_axis_may_stand_in_the_query_and_no_other_is_known(board: Board) -> None:
    assert board.chart(Query.parse({"axis": "tokens"}))["axis"] == "tokens"
    assert {board.chart(Query(), axis)["axis"] for axis in AXES} == set(AXES)
    with pytest.raises(UsageError):
        board.chart(Query(), "joy")


DATABASE = Database()
runs = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6), st.booleans()), min_size=1, max_size=14)


@given(runs)
def test_no_run_of_the_frontier_is_dominated_and_every_other_is(told: list[tuple[int, int, bool]]) -> None:
    rows = [
        board_row(f"r{place:02}", right, 6, avg_tokens_per_test=float(tokens))
        for place, (right, tokens, _) in enumerate(told)
    ]
    states = [3 if whole else 1 for *_, whole in told]
    snapshot = snapshot_of(DATABASE, rows, states)
    with DATABASE.asking() as asking:
        select(asking, snapshot, Query(), charts.chart_columns("tokens"), once=False)
        found = charts.find(asking, "tokens")
    chart = charts.drawn(snapshot.frame, found, "tokens", lambda _: None)

    points = {each["run_id"]: each for each in chart["points"]}
    basis = [each for each in points.values() if each["status"] == "completed"] or [*points.values()]
    assert len(points) == len(rows)
    for each in points.values():
        x, y = each["x"], each["y"]
        dominated = any(other["x"] <= x and other["y"] >= y and (other["x"], other["y"]) != (x, y) for other in basis)
        assert each["dominated"] == dominated
        assert each["frontier"] == (each in basis and not dominated)
    assert chart["frontier"] == sorted(
        (run_id for run_id, each in points.items() if each["frontier"]),
        key=lambda run_id: (points[run_id]["x"], run_id),
    )
    assert points[chart["best"]]["y"] == max(each["y"] for each in basis)
