from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.board_rows import put_row
from support.run_states import commit_all, going_on
from support.runs import execution, failed, make_run

from smoltrace.errors import UsageError
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.data import search as searching
from smoltrace.viewer.data.board import Board
from smoltrace.viewer.data.search import search, snippet


def found_in(store: Store | Board, q: str, limit: int = 50) -> list[tuple[str, str, str]]:
    return [(test["run_id"], test["test_case_uid"], test["where"]) for test in search(store, q, limit)["tests"]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    make_run(tmp_path, [execution(1), failed(2, prompt="Add 2 and 40", error="It said: Boom!")], run_id="made")
    return Store(tmp_path)


def test_tests_are_found_by_their_id_prompt_answer_and_error(store: Store) -> None:
    board = Board(store)
    assert found_in(store, "T1") == found_in(board, "t1") == [("made", "tool:t1:1", "id")]
    assert found_in(board, "weather rome") == [("made", "tool:t1:1", "prompt")]
    assert found_in(board, "boom") == [("made", "tool:t2:1", "error")]
    assert found_in(board, "sunny")[0][2] == "answer"
    trace_id = next(Run(store.run("made")).results())["trace_id"]
    assert found_in(board, trace_id) == [("made", "tool:t1:1", "id")]
    assert found_in(board, "weather boom") == []
    told = search(board, "weather rome")["tests"][0]
    assert (told["snippet"], told["model"], told["trace_id"]) == ("What is the weather in Rome?", "m", trace_id)


def test_runs_are_found_by_what_they_tell_of_themselves(store: Store) -> None:
    put_row(store, "mine", notes="a nightly one", model="maker/nice")
    found = search(Board(store), "nightly NICE")
    assert [(run["run_id"], run["model"]) for run in found["runs"]] == [("mine", "maker/nice")]
    assert (found["tests"], found["searched_runs"], found["of_runs"], found["truncated"]) == ([], 2, 2, False)


def test_a_run_that_goes_on_is_searched_too(store: Store) -> None:
    with going_on(store.path) as (_, journal):
        commit_all(journal, [execution(1, prompt="Where is the needle?")])
        assert found_in(store, "needle") == [("live", "tool:t1:1", "prompt")]


def test_more_than_was_asked_for_is_announced(store: Store) -> None:
    found = search(store, "tool", limit=1)
    assert (len(found["tests"]), found["truncated"]) == (1, True)
    assert search(store, "tool", limit=2)["truncated"] is False


def test_too_little_time_is_announced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(store.path, [execution(1)], run_id="other")
    monkeypatch.setattr(searching, "SECONDS", -1.0)
    monkeypatch.setattr(searching, "_TOGETHER", 1)
    found = search(store, "rome")
    assert (found["searched_runs"], found["of_runs"], found["truncated"]) == (1, 2, True)


def test_what_is_broken_hides_nothing_else(store: Store) -> None:
    shutil.copytree(store.runs_path / "made", store.runs_path / "worse")
    put_row(store, "worse")
    (store.runs_path / "worse" / "results.parquet").write_bytes(b"broken")
    put_row(store, "row-only")
    found = search(store, "boom")
    assert [test["run_id"] for test in found["tests"]] == ["made"]
    assert (found["searched_runs"], found["of_runs"], found["truncated"]) == (2, 3, True)


def test_signs_mean_themselves(store: Store) -> None:
    board = Board(store)
    assert found_in(board, "%") == found_in(board, "_a_") == found_in(board, "'; DROP TABLE f; --") == []
    assert found_in(board, "rome?") == [("made", "tool:t1:1", "prompt")]


def test_nothing_to_search_for_is_said(store: Store) -> None:
    with pytest.raises(UsageError, match="nothing to search for"):
        search(store, "  ")


def test_a_snippet_is_the_text_around_what_was_found() -> None:
    text = "a " * 200 + "The  needle\nin here" + " b" * 200
    assert "The needle in here" in snippet(text, ["needle", "in"])
    assert len(snippet(text, ["needle"])) < 150
    assert snippet("needle", ["needle"]) == "needle"
    assert snippet("İstanbul and Rome", ["rome"]) == "İstanbul and Rome"


def test_a_journal_is_read_no_further_than_there_is_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SECONDS", 0.0)
    with going_on(store.path) as (_, journal):
        commit_all(journal, [execution(3), execution(4), execution(5)])
        told = search(store, "t3")
    assert [test["test_case_uid"] for test in told["tests"] if test["run_id"] == "live"] == ["tool:t3:1"]
    assert told["truncated"]
    assert told["searched_runs"] < told["of_runs"] == 2


def test_no_more_is_looked_for_than_a_store_can_be_asked_at_once(store: Store) -> None:
    with pytest.raises(UsageError, match="300 characters"):
        search(store, "x" * 300)
