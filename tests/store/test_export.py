from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from support.runs import make_run

from smoltrace.errors import StoreError
from smoltrace.records.otlp import from_otlp_json
from smoltrace.store.export import export
from smoltrace.store.read import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(make_run(tmp_path / "store"))


def load(folder: Path, name: str) -> object:
    return orjson.loads((folder / name).read_bytes())


def test_json_has_the_five_documents(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"

    files = export(run, "json", out)

    assert sorted(path.name for path in files) == [
        *("leaderboard_row.json", "metadata.json", "metrics.json", "results.json", "traces.json")
    ]
    results, traces, metrics = load(out, "results.json"), load(out, "traces.json"), load(out, "metrics.json")
    assert [row["test_id"] for row in results] == ["t1", "t2", "t3"]  # type: ignore[attr-defined]
    assert results[0]["gen_ai.usage.cost.total"] == 0.00135  # type: ignore[index]
    assert results[0]["expected"] == {"tool": "get_weather"}  # type: ignore[index]
    assert isinstance(results[0]["enhanced_trace_info"], str)  # type: ignore[index]
    assert traces[0]["spans"][0]["attributes"] == {}  # type: ignore[index]
    assert traces[0]["spans"][0]["resource"]["run_id"] == "made"  # type: ignore[index]
    assert set(metrics) == {"run_id", "resourceMetrics", "aggregates"}  # type: ignore[call-overload]
    assert load(out, "leaderboard_row.json")["total_tokens"] == 990  # type: ignore[index]
    metadata = load(out, "metadata.json")
    assert (metadata["num_results"], metadata["num_traces"]) == (3, 3)  # type: ignore[index]
    assert metadata["run"]["versions"]["smolagents"] == "1.26.0"  # type: ignore[index]


def test_gpu_series_of_the_journal_are_exported(run: Run, tmp_path: Path) -> None:
    run.directory.metrics_journal.write_text('{"resourceMetrics":[{"n":1}]}\n{"resourceMetrics":[{"n":2}]}\n')

    export(run, "json", tmp_path)

    assert load(tmp_path, "metrics.json")["resourceMetrics"] == [{"n": 1}, {"n": 2}]  # type: ignore[index]


def test_json_lines_have_one_row_a_line(run: Run, tmp_path: Path) -> None:
    files = export(run, "jsonl", tmp_path / "out")

    lines = {path.stem: path.read_bytes().splitlines() for path in files}
    assert {name: len(found) for name, found in lines.items() if name != "points"} == {
        "results": 3,
        "traces": 3,
        "spans": 24,
        "metrics": 1,
        "leaderboard": 1,
    }
    assert orjson.loads(lines["spans"][3])["attributes"]["gen_ai.request.model"] == "m"


def test_csv_can_be_read_back(run: Run, tmp_path: Path) -> None:
    export(run, "csv", tmp_path)

    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["test_id"] for row in rows] == ["t1", "t2", "t3"]
    assert float(rows[0]["gen_ai.usage.cost.total"]) == 0.00135
    assert rows[0]["tools_used"] == '["get_weather"]'
    assert rows[0]["gpu_energy_wh"] == ""
    with (tmp_path / "traces.csv").open(newline="") as file:
        assert "spans" not in next(csv.reader(file))


def test_parquet_is_the_finished_files_and_the_leaderboard_row(run: Run, tmp_path: Path) -> None:
    export(run, "parquet", tmp_path / "out")

    for name in ("results", "traces", "spans", "metrics", "points"):
        exported = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert exported.equals(pq.read_table(run.directory.parquet(name)))
    assert pq.read_table(tmp_path / "out" / "leaderboard.parquet")["run_id"].to_pylist() == ["made"]


def test_otlp_lines_hold_every_span(run: Run, tmp_path: Path) -> None:
    (file,) = export(run, "otlp", tmp_path / "out")

    spans = [span for line in file.read_bytes().splitlines() for span in from_otlp_json(line)]
    assert len(spans) == 24
    assert {span.resource["run_id"] for span in spans} == {"made"}


def test_a_run_without_results_is_exported_as_empty_lists(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path / "store", []))

    for kind in ("json", "jsonl", "csv", "parquet", "otlp"):
        export(run, kind, tmp_path / "out")

    assert load(tmp_path / "out", "results.json") == []


def test_exporting_again_replaces_the_files(run: Run, tmp_path: Path) -> None:
    export(run, "json", tmp_path / "out")
    before = (tmp_path / "out" / "results.json").read_bytes()
    (tmp_path / "out" / "results.json").write_text("old")

    export(run, "json", tmp_path / "out")

    assert (tmp_path / "out" / "results.json").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="Cannot make"):
        export(run, "json", tmp_path / "file" / "out")
