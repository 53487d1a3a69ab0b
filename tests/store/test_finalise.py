from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from support.runs import NO_PRICES, commit, execution, failed, make_run, manifest, trace_of

from smoltrace.errors import StoreError
from smoltrace.records.schema import METRICS, POINTS, RESULTS, SPANS, TRACES, arrow_schema
from smoltrace.store import parquet
from smoltrace.store.finalise import finalise, is_finalised
from smoltrace.store.journal import Journal
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.read import Run

FINISHED = (RESULTS, TRACES, SPANS, METRICS, POINTS)


def contents(run_dir: RunDir) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run_dir.path.iterdir())}


def test_every_file_is_there_with_its_whole_schema(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)

    assert set(contents(run_dir)) == {
        *(".lock", "run.json", "results.jsonl", "traces.jsonl", "summary.json"),
        *(f"{dataset.name}.parquet" for dataset in FINISHED),
    }
    for dataset in FINISHED:
        assert pq.read_schema(run_dir.parquet(dataset.name)).remove_metadata() == arrow_schema(dataset)


def test_all_files_tell_the_same(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)

    results = pq.read_table(run_dir.parquet("results")).to_pylist()
    traces = pq.read_table(run_dir.parquet("traces")).to_pylist()
    spans = pq.read_table(run_dir.parquet("spans")).to_pylist()
    assert [row["test_id"] for row in results] == ["t1", "t2", "t3"]
    assert [row["trace_id"] for row in traces] == [row["trace_id"] for row in results]
    assert (
        sum(row["input_tokens"] or 0 for row in spans) == 900 == sum(r["gen_ai.usage.prompt_tokens"] for r in results)
    )
    assert sum(row["total_tokens"] for row in traces) == 990
    assert sum(len(row["spans"]) for row in traces) == len(spans) == 24
    assert sum(row["cost_usd"] or 0 for row in spans) == pytest.approx(sum(row["total_cost_usd"] for row in traces))
    assert {row["run_id"] for row in [*results, *traces, *spans]} == {"made"}


def test_results_are_in_the_order_of_the_plan_whatever_finished_first(tmp_path: Path) -> None:
    tests = [execution(n) for n in (3, 1, 2)]

    run_dir = make_run(tmp_path, tests)

    assert pq.read_table(run_dir.parquet("results"))["test_index"].to_pylist() == [0, 1, 2]
    assert make_run(tmp_path, tests[::-1], run_id="other").parquet("spans").exists()


def test_finalising_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    before = contents(run_dir)

    finalise(run_dir)

    assert contents(run_dir) == before


def test_the_order_in_which_tests_finished_changes_no_finished_file(tmp_path: Path) -> None:
    tests = [execution(1), execution(2), failed(3, "timeout")]

    one, other = make_run(tmp_path / "one", tests), make_run(tmp_path / "other", tests[::-1])

    for name in ("results", "traces", "spans", "metrics", "points"):
        assert one.parquet(name).read_bytes() == other.parquet(name).read_bytes()
    assert one.summary_file.read_bytes() == other.summary_file.read_bytes()


def test_batches_change_no_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = [execution(n) for n in range(1, 8)]
    whole = make_run(tmp_path / "whole", tests)
    monkeypatch.setattr(parquet, "BATCH_ROWS", 10)
    parts = make_run(tmp_path / "parts", tests)

    assert pq.ParquetFile(parts.parquet("spans")).num_row_groups > 1
    for dataset in FINISHED:
        read = [pq.read_table(run.parquet(dataset.name)) for run in (whole, parts)]
        assert read[0].equals(read[1])


def test_an_incomplete_run_is_finalised_and_kept_off_the_leaderboard(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1)], status="incomplete", num_tests=5)

    summary = finalise(run_dir)

    assert (summary.status, summary.finished, summary.planned) == ("incomplete", 1, 5)
    assert summary.leaderboard["num_tests"] == 1
    assert not (tmp_path / "leaderboard" / "rows" / "made.json").exists()


def test_a_run_that_was_completed_later_gets_its_row(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1)], status="incomplete", num_tests=2)
    with Journal(run_dir) as journal:
        commit(journal, execution(2))
    run_dir.write_manifest({**run_dir.manifest(), "status": "completed"})

    assert finalise(run_dir).finished == 2
    row = orjson.loads((tmp_path / "leaderboard" / "rows" / "made.json").read_bytes())
    assert row["num_tests"] == 2
    assert row["total_cost_usd"] == "0.002700"


def test_a_run_without_any_result_is_finalised(tmp_path: Path) -> None:
    run_dir = Store(tmp_path).create("empty", manifest(status="incomplete"))

    summary = finalise(run_dir)

    assert summary.finished == 0
    assert pq.read_table(run_dir.parquet("results")).num_rows == 0
    assert pq.read_table(run_dir.parquet("metrics")).num_rows == 1


def test_statuses_and_calls_are_counted(tmp_path: Path) -> None:
    tests = [execution(1), failed(2), failed(3, "timeout"), execution(4, price_book=NO_PRICES)]

    summary = finalise(make_run(tmp_path, tests))

    assert summary.statuses == {"completed": 2, "failed": 1, "timeout": 1}
    assert summary.llm_calls == 8
    assert summary.leaderboard["unpriced_calls"] == 2


def test_the_journal_is_left_as_it_is(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, finish=False)
    before = contents(run_dir)

    finalise(run_dir)

    assert {name: content for name, content in contents(run_dir).items() if name in before} == before


def test_a_result_whose_trace_is_lost_keeps_its_numbers(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, finish=False)
    lines = run_dir.traces_journal.read_bytes().splitlines(keepends=True)
    run_dir.traces_journal.write_bytes(b"".join(lines[:2]))

    finalise(run_dir)

    assert pq.read_table(run_dir.parquet("results")).num_rows == 3
    assert pq.read_table(run_dir.parquet("traces")).num_rows == 2


def test_a_damaged_trace_is_told(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1)], finish=False)
    line = run_dir.traces_journal.read_bytes()
    run_dir.traces_journal.write_bytes(line[:-200] + b"\n")

    with pytest.raises(StoreError, match=r"traces\.jsonl, byte 0: damaged"):
        finalise(run_dir)
    assert not run_dir.parquet("results").exists()


def test_text_that_utf8_cannot_hold_does_not_stop_a_run(tmp_path: Path) -> None:
    spans = trace_of(1)
    spans[0].attributes["odd"] = "half \ud83d of a pair"  # type: ignore[index]

    run_dir = make_run(tmp_path, [execution(1, spans=spans, response="\ud83d", prompt="\x00")])

    assert [row["response"] for row in Run(run_dir).results()] == ["�"]


def test_a_run_outside_a_store_is_finalised_where_it_lies(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "store", finish=False)
    moved = RunDir(run_dir.path.rename(tmp_path / "elsewhere"))

    finalise(moved)

    assert moved.parquet("results").exists()
    assert not (tmp_path / "leaderboard").exists()


def test_the_files_open_in_the_usual_tools(tmp_path: Path) -> None:
    import duckdb
    import pandas as pd
    import polars as pl

    run_dir = make_run(tmp_path)

    for dataset in FINISHED:
        path = str(run_dir.parquet(dataset.name))
        columns = list(dataset.names)
        assert list(pd.read_parquet(path).columns) == columns
        assert pl.read_parquet(path).columns == columns
        described = duckdb.sql(f"describe select * from '{path}'").fetchall()
        assert [column[0] for column in described] == columns
    spans = str(run_dir.parquet("spans"))
    assert duckdb.sql(f"select sum(input_tokens) from '{spans}'").fetchall() == [(900,)]
    assert pl.read_parquet(spans)["input_tokens"].sum() == 900


def test_the_files_open_as_hub_datasets(tmp_path: Path) -> None:
    import datasets

    run_dir = make_run(tmp_path)

    for dataset in FINISHED:
        files = {"train": str(run_dir.parquet(dataset.name))}
        loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
        assert loaded.column_names == list(dataset.names)
        assert loaded.num_rows >= 1
        assert loaded[0]["run_id"] == "made"


def test_a_run_is_finalised_when_all_its_files_are_of_its_journal(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, finish=False)
    assert not is_finalised(run_dir)
    finalise(run_dir)
    assert is_finalised(run_dir)

    row = tmp_path / "leaderboard" / "rows" / "made.json"
    for file in (row, run_dir.summary_file, *(run_dir.parquet(dataset.name) for dataset in FINISHED)):
        file.unlink()
        assert not is_finalised(run_dir)
        finalise(run_dir)
        assert is_finalised(run_dir)

    with Journal(run_dir) as journal:
        commit(journal, execution(4))
    assert not is_finalised(run_dir)


@pytest.mark.parametrize("status", ["running", "incomplete"])
def test_a_run_that_is_not_whole_is_not_finalised(tmp_path: Path, status: str) -> None:
    assert not is_finalised(make_run(tmp_path, status=status))
