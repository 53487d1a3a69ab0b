"""The tests of a run as its page has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.killed import TORN
from support.run_states import commit_all, going_on, killed, without_journals
from support.runs import execution, failed, make_run

from smoltrace.errors import UsageError
from smoltrace.store.read import Run
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.rows import ADDED, LIGHT, expected_text
from smoltrace.viewer.data.tests import run_test, run_tests, test_text

NUMBERS = [name for name in LIGHT if name not in ("prompt", "expected", "response", "error")]


def by_uid(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    columns = page["columns"]
    return {uid: {name: columns[name][i] for name in columns} for i, uid in enumerate(columns["test_case_uid"])}


def stored(run: Run) -> dict[str, dict[str, Any]]:
    table = pq.read_table(run.directory.parquet("results"), columns=list(LIGHT))
    return {row["test_case_uid"]: row for row in table.to_pylist()}


@pytest.mark.parametrize("name", ["large", "small", "llama-8b", "llama-70b", "preview", "demo-interrupted"])
def test_every_number_is_that_of_the_finished_file(samples: dict[str, Run], name: str) -> None:
    run = samples[name]
    page, file = by_uid(run_tests(run)), stored(run)
    assert page.keys() == file.keys()
    assert all(page[uid][column] == file[uid][column] for uid in file for column in NUMBERS)


def test_every_number_of_a_run_that_took_place_is_that_of_its_file(real: Run) -> None:
    page, file = by_uid(run_tests(real)), stored(real)
    assert [{n: row[n] for n in NUMBERS} for row in page.values()] == [
        {n: file[uid][n] for n in NUMBERS} for uid in page
    ]


@pytest.mark.parametrize("name", ["small", "llama-8b", "llama-70b", "preview"])
def test_a_killed_run_tells_the_same_from_its_journal(samples: dict[str, Run], name: str, tmp_path: Path) -> None:
    dead = run_tests(killed(samples[name], tmp_path))
    alive = run_tests(samples[name])
    assert dead["columns"] == alive["columns"]


def test_files_without_a_journal_tell_the_same(samples: dict[str, Run], tmp_path: Path) -> None:
    told = run_tests(without_journals(samples["llama-8b"], tmp_path))
    assert by_uid(told) == by_uid(run_tests(samples["llama-8b"]))
    assert told["columns"]["test_index"] == sorted(told["columns"]["test_index"])


def test_pages_put_together_are_the_whole(samples: dict[str, Run]) -> None:
    run, found, start = samples["large"], [], 0
    while start is not None:
        page = run_tests(run, start, 3)
        assert page["start"] == start
        found += page["columns"]["test_case_uid"]
        start = page["next"]
    assert found == run_tests(run)["columns"]["test_case_uid"]
    assert run_tests(run, 10_000)["count"] == 0


@pytest.mark.parametrize(("start", "count"), [(-1, 10), (0, 0), (0, 10**9)])
def test_a_page_that_cannot_be_is_refused(samples: dict[str, Run], start: int, count: int) -> None:
    with pytest.raises(UsageError):
        run_tests(samples["large"], start, count)


def test_the_tests_of_a_run_that_goes_on_only_come_to_the_end(tmp_path: Path) -> None:
    readings = Readings()
    with going_on(tmp_path) as (run, journal):
        assert run_tests(run, readings=readings)["count"] == 0
        commit_all(journal, [execution(3), execution(1)])
        first = run_tests(run, readings=readings)
        assert first["columns"]["test_id"] == ["t3", "t1"]
        with run.directory.results_journal.open("ab") as file:
            file.write(TORN)
        assert run_tests(run, readings=readings)["columns"] == first["columns"]
    with open_again(run) as journal:
        commit_all(journal, [failed(2)])
        more = run_tests(run, first["count"], readings=readings)
        assert (more["start"], more["columns"]["test_id"], more["next"]) == (2, ["t2"], None)
        assert more["version"] != first["version"]
        whole = run_tests(run, readings=readings)["columns"]["test_id"]
        assert whole == ["t3", "t1", "t2"]


def open_again(run: Run) -> Any:
    from smoltrace.store.journal import Journal

    return Journal(run.directory)


def test_a_finished_run_keeps_the_order_of_its_journal(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(2), execution(3), execution(1)]))
    assert run_tests(run)["columns"]["test_id"] == ["t2", "t3", "t1"]


def test_a_journal_that_is_another_one_is_read_anew(tmp_path: Path) -> None:
    readings = Readings()
    run = Run(make_run(tmp_path, [execution(1), execution(2)], finish=False))
    run_tests(run, readings=readings)
    lines = run.directory.results_journal.read_bytes().splitlines(keepends=True)
    run.directory.results_journal.write_bytes(lines[1])
    assert run_tests(run, readings=readings)["columns"]["test_id"] == ["t2"]


def test_of_two_lines_of_one_test_the_last_counts_in_the_place_of_the_first(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(1), execution(2)], finish=False))
    again = failed(1)
    with open_again(run) as journal:
        commit_all(journal, [again])
    columns = run_tests(run)["columns"]
    assert (columns["test_id"], columns["success"]) == (["t1", "t2"], [False, True])


def test_times_are_told_from_the_start_of_the_run(samples: dict[str, Run]) -> None:
    columns = run_tests(samples["small"])["columns"]
    assert all(0 <= start < end for start, end in zip(columns["_start_ms"], columns["_end_ms"], strict=True))
    for start, end, took in zip(columns["_start_ms"], columns["_end_ms"], columns["execution_time_ms"], strict=True):
        assert end - start == pytest.approx(took, abs=1e-5)


def test_long_texts_are_cut_and_say_so(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(1, prompt="p" * 300, response="r" * 200)]))
    columns = run_tests(run)["columns"]
    assert columns["prompt"] == ["p" * 200 + "…"]
    assert columns["response"] == ["r" * 200]


def test_a_test_without_a_gpu_says_so(samples: dict[str, Run]) -> None:
    energy = run_tests(samples["preview"])["columns"]["_energy"][0]
    assert (energy["value"], energy["reason"]) == (None, "no GPU")


def test_the_energy_of_a_test_is_settled_when_the_run_has_ended(tmp_path: Path) -> None:
    metering = {"devices": [{"kind": "gpu", "id": "0", "uuid": "GPU-0", "name": "Test GPU"}]}
    with going_on(tmp_path, metering=metering) as (run, journal):
        commit_all(journal, [execution(1)])
        assert run_tests(run)["columns"]["_energy"][0]["reason"] == "the run is not finished"


def test_a_cost_that_is_unknown_says_of_how_many_calls(samples: dict[str, Run]) -> None:
    costs = [cost for cost in run_tests(samples["preview"])["columns"]["_cost"] if cost["value"] is None]
    assert costs
    assert all(cost["reason"].startswith("price unknown: ") for cost in costs)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (None, None),
        ({}, None),
        ({"expected_answer": 42}, "42"),
        ({"expected_answer": ["Cairo", "Rome"]}, "Cairo, Rome"),
        ({"expected_keywords": ["12", "cloudy"], "expected_tool": "get_weather"}, "12, cloudy; tool get_weather"),
        ({"expected_keywords": ["a", "b"], "keyword_match": "any"}, "any of a, b"),
        ({"expected_tool": "calculator", "expected_tool_calls": 2}, "tool calculator × 2"),
        ({"expected_tool_calls": 3}, "any tool × 3"),
        ({"rubric": {"kind": True}}, "rubric: kind: true"),
        ("no JSON", "no JSON"),
        ([[[[[[[[["deep"]]]]]]]]], "…"),
    ],
)
def test_what_is_expected_reads_as_one_line(expected: Any, text: str | None) -> None:
    assert expected_text(expected) == text


def test_one_test_has_every_column_of_its_row(samples: dict[str, Run]) -> None:
    run = samples["llama-8b"]
    table = pq.read_table(run.directory.parquet("results")).to_pylist()
    for row in table:
        found = run_test(run, row["test_case_uid"])
        told = found["row"]
        assert list(told) == list(row)
        for name, value in row.items():
            if name in ("expected", "scores", "tool_calls", "enhanced_trace_info"):
                assert told[name] == (None if value is None else json.loads(value))
            elif name in ("evaluation_date", "start_time", "end_time"):
                assert told[name] == pytest.approx(value.timestamp() * 1e3, abs=1e-3)
            else:
                assert told[name] == value
        assert set(found) == {"row", "_start_ms", "_end_ms", "_cost", "_energy", "steps"}


def test_one_test_is_the_same_from_the_journal(samples: dict[str, Run], tmp_path: Path) -> None:
    run = samples["llama-70b"]
    dead = killed(run, tmp_path)
    for uid in run_tests(run)["columns"]["test_case_uid"]:
        assert run_test(dead, uid) == run_test(run, uid)


def test_a_long_text_is_given_whole_by_its_ref(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(1, response="x" * 50_000 + "end")]))
    cut = run_test(run, "tool:t1:1")["row"]["response"]
    assert (len(cut["cut"]), cut["chars"]) == (20_000, 50_003)
    assert test_text(run, "tool:t1:1", cut["ref"]) == {"text": "x" * 50_000 + "end"}
    with pytest.raises(UsageError):
        test_text(run, "tool:t1:1", "0" * 32)


def test_names_are_texts_however_long_somebody_made_them(tmp_path: Path) -> None:
    long = "n" * 30_000
    run = Run(make_run(tmp_path, [failed(1, error_type=long, category=long, error=long, test_id=long)]))
    row = run_test(run, f"tool:{long}:1")["row"]
    assert row["category"] == row["error_type"] == "n" * 2_000 + "…"
    assert row["test_id"] == long
    assert row["error"]["chars"] == 30_000


def test_a_test_that_is_not_there_is_refused(samples: dict[str, Run]) -> None:
    with pytest.raises(UsageError, match="no finished test 'tool:none:1'"):
        run_test(samples["small"], "tool:none:1")


def test_a_page_has_the_columns_that_it_promises(real: Run) -> None:
    page = run_tests(real)
    assert list(page["columns"]) == [*LIGHT, *ADDED]
    assert {len(values) for values in page["columns"].values()} == {page["count"]}
