from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.board_rows import DAY, TASKS, board_row, put_row, snapshot_of

from smoltrace.errors import UsageError
from smoltrace.records.schema import LEADERBOARD
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.data.board import Board
from smoltrace.viewer.data.database import Database
from smoltrace.viewer.data.ordering import places, sort_columns
from smoltrace.viewer.data.query import Query
from smoltrace.viewer.data.selection import facets_of, select
from smoltrace.viewer.data.shape import to_json


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "my runs")


@pytest.fixture
def board(store: Store) -> Board:
    return Board(store, patience=0)


@pytest.fixture(scope="module")
def of_samples(samples: dict[str, Run]) -> Board:
    store = next(iter(samples.values())).directory.store
    assert store is not None
    return Board(store)


def ids(board: Board, **asked: Any) -> list[str]:
    return [row["run_id"] for row in board.page(Query.parse(asked))["rows"]]


def page(board: Board, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = board.page(Query.parse(asked))
    return found


def row_of(board: Board, run_id: str) -> dict[str, Any]:
    return next(row for row in page(board, tasks="all")["rows"] if row["run_id"] == run_id)


def counts(found: dict[str, Any], facet: str) -> dict[str, int]:
    return {each["value"]: each["count"] for each in found["facets"][facet]}


def test_an_empty_store_says_how_to_fill_it(store: Store, board: Board) -> None:
    info = board.store_info()
    assert (info["name"], info["runs"], info["live"], info["sample"]) == ("my runs", 0, 0, False)
    assert info["hint"] == f"smoltrace eval --store '{store.path}'"
    found = page(board)
    assert (found["total"], found["rows"], found["tasks"], found["task_sets"]) == (0, [], None, [])
    assert board.chart(Query())["points"] == []


def test_the_hint_names_no_store_where_that_is_the_usual_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOLTRACE_STORE", str(store.path))
    assert Board(store).store_info()["hint"] == "smoltrace eval"


def test_every_number_is_that_of_the_parquet_file(samples: dict[str, Run], of_samples: Board) -> None:
    store = samples["large"].directory.store
    assert store is not None
    kept = {row["run_id"]: row for row in pq.read_table(store.leaderboard_path / "leaderboard.parquet").to_pylist()}
    shown = json.loads(to_json(page(of_samples, tasks="all")))["rows"]
    assert {row["run_id"] for row in shown} == {*kept, samples["demo-interrupted"].id}
    for row in shown:
        for name, value in kept.get(row["run_id"], {}).items():
            if LEADERBOARD.by_name[name].type == "json":
                assert row[name] == json.loads(value)
            elif name == "evaluation_date":
                assert row[name] == value.timestamp() * 1000
            else:
                assert row[name] == value, name


def test_a_run_without_a_row_is_shown_as_it_stands(samples: dict[str, Run], of_samples: Board) -> None:
    run = samples["demo-interrupted"]
    row = row_of(of_samples, run.id)
    summary = run.summary()
    assert (row["_status"], row["_finished"], row["_planned"]) == (
        "incomplete",
        summary.finished,
        run.manifest["num_tests"],
    )
    assert row["success_rate"] == summary.leaderboard["success_rate"]
    assert row["total_cost_usd"] == float(summary.leaderboard["total_cost_usd"])
    assert (row["unpriced_calls"], row["_cost"]["calls"]) == (0, None)


def test_a_sample_store_says_that_it_is_one(samples: dict[str, Run], of_samples: Board, board: Board) -> None:
    assert of_samples.store_info()["sample"] is True
    assert of_samples.store_info()["runs"] == len(samples)
    put_row(board.store, "mine", tags=None)
    assert board.store_info()["sample"] is False


def test_a_gpu_has_a_line_and_what_has_none_says_why(samples: dict[str, Run], of_samples: Board) -> None:
    measured, priced = row_of(of_samples, samples["llama-8b"].id), row_of(of_samples, samples["large"].id)
    assert 0 < len(measured["_spark"]) <= 60
    assert measured["_spark_reason"] is None
    assert (priced["_spark"], priced["_spark_reason"]) == (None, "no GPU")
    assert (priced["_energy"]["est"], measured["_energy"]["est"]) == (True, False)


def test_an_unpriced_run_tells_of_how_many_calls(samples: dict[str, Run], of_samples: Board) -> None:
    cost = row_of(of_samples, samples["preview"].id)["_cost"]
    calls = samples["preview"].summary().llm_calls
    assert cost["value"] is None
    assert cost["reason"] == f"price unknown: {cost['unpriced']} of {calls} calls"
    beside = {each["run_id"]: each["why"] for each in of_samples.chart(Query(tasks="all"))["unplaced"]}
    assert beside[samples["preview"].id] == cost["reason"]
    assert cost["bound"] > 0


def test_the_task_set_of_most_runs_is_shown_first(board: Board) -> None:
    old, new = "b" * 64, "c" * 64
    for run_id, tasks, day in (("a", old, 0), ("b", old, 0), ("c", new, 3), ("d", new, 1), ("e", TASKS, 9)):
        put_row(board.store, run_id, dataset_fingerprint=tasks, evaluation_date=DAY + timedelta(days=day))
    found = page(board)
    assert found["tasks"] == new
    assert ids(board) == ["c", "d"]
    assert ids(board, tasks=old[:8]) == ["a", "b"]
    assert len(ids(board, tasks="all")) == 5
    assert [each["runs"] for each in found["task_sets"]] == [2, 2, 1]
    with pytest.raises(UsageError, match=r"no run has these tasks. There are: cccccccc \(basics\)"):
        ids(board, tasks="12345678")


def test_runs_of_several_task_sets_have_no_ranks(board: Board) -> None:
    put_row(board.store, "a", 90)
    put_row(board.store, "b", 10)
    assert [row["_rank"] for row in page(board, tasks="all")["rows"]] == [[1, 1], [2, 2]]
    put_row(board.store, "c", 50, dataset_fingerprint="b" * 64)
    told = [(row["_rank"], row["_rank_reason"]) for row in page(board, tasks="all", sort="_rank")["rows"]]
    assert told == [(None, "several task sets")] * 3
    assert [row["_rank"] for row in page(board, sort="_rank")["rows"]] == [[1, 1], [2, 2]]


def test_ranks_are_among_the_runs_that_are_shown(board: Board) -> None:
    for run_id, right in (("a", 95), ("b", 60), ("c", 55), ("d", 5)):
        put_row(board.store, run_id, right, agent_type="code" if run_id == "a" else "tool")
    put_row(board.store, "e", tests=0, agent_type="tool")
    ranks = {row["run_id"]: row["_rank"] for row in page(board)["rows"]}
    assert ranks == {"a": [1, 1], "b": [2, 3], "c": [2, 3], "d": [4, 4], "e": None}
    ranks = {row["run_id"]: row["_rank"] for row in page(board, agent="tool")["rows"]}
    assert ranks == {"b": [1, 2], "c": [1, 2], "d": [3, 3], "e": None}
    assert row_of(board, "e")["_rank_reason"] == "no test finished"
    assert ids(board, sort="_rank") == ["a", "b", "c", "d", "e"]
    assert ids(board, sort="-_rank") == ["d", "b", "c", "a", "e"]


def test_a_number_is_sorted_as_a_number_and_nothing_comes_last(board: Board) -> None:
    for run_id, cost in (("a", "0.0009"), ("b", "10"), ("c", "9"), ("d", "0.00000000001")):
        put_row(board.store, run_id, total_cost_usd=Decimal(cost), avg_cost_per_test_usd=Decimal(cost))
    put_row(board.store, "e", total_cost_usd=None, avg_cost_per_test_usd=None, unpriced_calls=1)
    assert ids(board, sort="total_cost_usd") == ids(board, sort="_cost") == ["d", "a", "c", "b", "e"]
    assert ids(board, sort="-total_cost_usd") == ids(board, sort="-_cost") == ["b", "c", "a", "d", "e"]


def test_equal_runs_are_shown_newest_first_and_then_by_their_ids(board: Board) -> None:
    for run_id, days in (("b", 0), ("a", 0), ("d", 2), ("c", None)):
        put_row(board.store, run_id, evaluation_date=None if days is None else DAY + timedelta(days=days))
    assert ids(board) == ["d", "a", "b", "c"]
    assert ids(board, sort="run_id") == ["a", "b", "c", "d"]


def test_pages_put_together_are_all_runs_in_order(board: Board) -> None:
    for number in range(7):
        put_row(board.store, f"r{number}", number * 10, model=f"m{number % 2}")
    for asked in ({}, {"group": "model"}, {"sort": "model,-success_rate"}):
        whole = ids(board, **asked)
        pieces = [run_id for offset in range(0, 9, 3) for run_id in ids(board, offset=str(offset), limit="3", **asked)]
        assert pieces == whole == board.run_ids(Query.parse({**asked, "offset": "2", "limit": "1"}))
        assert len(whole) == 7
    assert page(board, offset="100")["total"] == 7


def test_a_group_stands_where_its_best_run_does(board: Board) -> None:
    for run_id, model, right in (("a", "x", 10), ("b", "y", 50), ("c", "x", 90), ("d", None, 95), ("e", "y", 60)):
        put_row(board.store, run_id, right, model=model)
    rows = page(board, group="model")["rows"]
    assert [row["run_id"] for row in rows] == ["d", "c", "a", "e", "b"]
    assert [(row["_group"]["model"], row["_group"]["runs"], row["_group"]["first"]) for row in rows] == [
        (None, 1, True), ("x", 2, True), ("x", 2, False), ("y", 2, True), ("y", 2, False),
    ]  # fmt: skip
    assert "_group" not in page(board)["rows"][0]


def test_filters_are_or_within_a_name_and_and_between_names(board: Board) -> None:
    free = {"total_cost_usd": Decimal(0), "avg_cost_per_test_usd": Decimal(0)}
    unknown = {"total_cost_usd": None, "avg_cost_per_test_usd": None, "unpriced_calls": 2}
    put_row(board.store, "a", model="m", agent_type="tool", tags='{"team":"x","n":1}', country="FRA", **free)
    put_row(board.store, "b", model="m", agent_type="code", tags='{"team":"y"}', **unknown)
    put_row(board.store, "c", model="n", agent_type="code", tags=None, provider=None)
    put_row(
        board.store, "d", model="n", agent_type="both", tags='{"team":"y"}', electricity_cost_usd=Decimal(1), **free
    )
    assert ids(board, model="m", agent="code") == ["b"]
    assert ids(board, agent=["tool", "both"]) == ["a", "d"]
    assert ids(board, price="free") == ["a"]
    assert ids(board, price=["known", "unknown"]) == ["b", "c", "d"]
    assert ids(board, tag=["team=x", "nothing=here"]) == ["a"]
    assert ids(board, tag=["n=1", "team=y"]) == ["a", "b", "d"]
    assert ids(board, provider="litellm", country="FRA", status="completed") == ["a"]
    assert ids(board, model="it's") == []
    assert ids(board, tag="team=it's") == []


def test_a_facet_counts_what_choosing_another_value_would_show(board: Board) -> None:
    for run_id, model, agent, tags in (
        ("a", "m", "tool", '{"team":"x"}'),
        ("b", "m", "code", '{"team":"y"}'),
        ("c", "n", "code", '{"team":"x","n":3}'),
    ):
        put_row(board.store, run_id, model=model, agent_type=agent, tags=tags)
    found = page(board, agent="code", tag="team=x")
    assert (found["total"], [row["run_id"] for row in found["rows"]]) == (1, ["c"])
    assert counts(found, "agent_type") == {"tool": 1, "code": 1}
    assert counts(found, "model") == {"n": 1}
    assert counts(found, "tags") == {"team=x": 1, "team=y": 1, "n=3": 1}
    assert counts(found, "status") == {"completed": 1}
    assert counts(page(board), "price") == {"known": 3}


def test_more_values_than_are_told_are_told_of(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoltrace.viewer.data.selection.MOST_VALUES", 2)
    for number in range(5):
        put_row(board.store, f"r{number}", model=f"m{number}")
    found = page(board)
    assert (len(found["facets"]["model"]), found["facets_more"]) == (2, {"model": 3})


def test_words_are_looked_for_in_what_a_run_tells_of_itself(board: Board) -> None:
    put_row(board.store, "alpha", notes="The QUICK run: 100% of it", hardware="1 × NVIDIA L4")
    put_row(board.store, "beta", model="maker/quick_one")
    assert ids(board, q="quick") == ["alpha", "beta"]
    assert ids(board, q="quick ALPHA") == ["alpha"]
    assert ids(board, q="100% nvidia") == ["alpha"]
    assert ids(board, q="quick_one") == ["beta"]
    assert ids(board, q="it's \\ % _ \x00 \ud800") == []


def test_days_are_whole_and_in_utc(board: Board) -> None:
    start = DAY.replace(hour=0)
    for run_id, moment in (
        ("a", start - timedelta(microseconds=1)),
        ("b", start),
        ("c", start + timedelta(days=1) - timedelta(microseconds=1)),
        ("d", start + timedelta(days=1)),
        ("e", None),
    ):
        put_row(board.store, run_id, evaluation_date=moment)
    day = f"{start:%Y-%m-%d}"
    assert ids(board, since=day, until=day) == ["c", "b"]
    assert ids(board, since=day) == ["d", "c", "b"]
    assert ids(board, until=day) == ["c", "b", "a"]


def test_answers_follow_the_store(board: Board) -> None:
    put_row(board.store, "a", 10)
    first = page(board)
    put_row(board.store, "b", 20)
    second = page(board)
    assert (first["total"], second["total"]) == (1, 2)
    assert first["version"] != second["version"] == board.version()
    assert counts(second, "status") == {"completed": 2}


def test_a_run_whose_files_are_gone_keeps_its_row(board: Board, samples: dict[str, Run], tmp_path: Path) -> None:
    shutil.copytree(samples["large"].path.parent.parent, tmp_path / "copy")
    store = Store(tmp_path / "copy")
    shutil.rmtree(store.runs_path)
    rows = {row["run_id"]: row for row in page(Board(store), tasks="all")["rows"]}
    assert rows[samples["llama-8b"].id]["_spark_reason"] == "the readings are not in the store"
    assert rows[samples["preview"].id]["_cost"]["calls"] is None


def test_readings_that_cannot_be_read_spoil_no_other(samples: dict[str, Run], tmp_path: Path) -> None:
    shutil.copytree(samples["large"].path.parent.parent, tmp_path / "copy")
    store = Store(tmp_path / "copy")
    (store.runs_path / samples["llama-8b"].id / "metrics.parquet").write_bytes(b"broken")
    (store.runs_path / samples["preview"].id / "summary.json").write_text("{")
    rows = {row["run_id"]: row for row in page(Board(store), tasks="all")["rows"]}
    assert rows[samples["llama-8b"].id]["_spark_reason"] == "the readings cannot be read"
    assert rows[samples["llama-70b"].id]["_spark"]
    assert rows[samples["preview"].id]["_cost"]["unpriced"] > 0


def test_many_threads_ask_at_once(board: Board) -> None:
    for number in range(20):
        put_row(board.store, f"r{number:02}", number)
    asked = [{}, {"group": "model"}, {"q": "r1"}, {"sort": "_rank"}, {"tag": "a=b"}, {"sort": "hardware"}]
    expected = [ids(board, **each) for each in asked]
    wrong: list[object] = []

    def ask(place: int) -> None:
        for turn in range(6):
            at = (place + turn) % len(asked)
            try:
                if ids(board, **asked[at]) != expected[at]:
                    wrong.append(asked[at])
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


DATABASE = Database()


def ordered(rows: list[dict[str, Any]], asked: dict[str, str]) -> Iterator[str]:
    snapshot, query = snapshot_of(DATABASE, rows), Query.parse({"tasks": "all", "limit": "500", **asked})
    with DATABASE.asking() as asking:
        select(asking, snapshot, query, sort_columns(query), once=False)
        found = places(asking, snapshot.frame, query, facets_of(asking, snapshot, query).ranks)
    return (rows[place.i]["run_id"] for place in found)


values = {
    "num_tests": st.integers(1, 3),
    "p95_duration_ms": st.none() | st.integers(0, 3).map(float),
    "hardware": st.none() | st.sampled_from(["a", "B", "é", "😀", "10", "9"]),
    "model": st.none() | st.sampled_from(["a", "B", "～", "😀", "10", "9"]),
}


@given(
    st.lists(st.fixed_dictionaries(values), min_size=1, max_size=12),
    st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3, unique=True),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_the_order_is_that_of_the_values_with_unknown_ones_last(
    told: list[dict[str, Any]], names: list[str], down: list[bool]
) -> None:
    rows = [board_row(f"r{place:02}", right=0) | each for place, each in enumerate(told)]
    expected = sorted(rows, key=lambda row: row["run_id"])
    for name, downwards in reversed(list(zip(names, down, strict=False))):
        known = [row for row in expected if row[name] is not None]
        # `reverse` keeps equal ones in their order.
        known.sort(key=lambda row: row[name], reverse=downwards)
        expected = known + [row for row in expected if row[name] is None]
    sort = ",".join(f"{'-' if downwards else ''}{name}" for name, downwards in zip(names, down, strict=False))
    assert list(ordered(rows, {"sort": sort})) == [row["run_id"] for row in expected]
