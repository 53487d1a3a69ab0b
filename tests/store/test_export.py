from __future__ import annotations

import csv
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from support.disks import mounted, unwritable
from support.large_run import make_large_run
from support.runs import execution, failed, make_run, trace_of

from smoltrace.books import names
from smoltrace.errors import StoreError
from smoltrace.records.gpu_metrics import gpu_rows
from smoltrace.records.otlp import from_otlp_json
from smoltrace.records.schema import METRICS
from smoltrace.store.export import export
from smoltrace.store.parquet import write_rows
from smoltrace.store.read import Run

KINDS = ("json", "jsonl", "csv", "parquet", "otlp")
TOOLS = {names.TOOL_DEFINITIONS: '[{"name":"get_weather"}]'}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(make_run(tmp_path / "store"))


def load(folder: Path, name: str) -> object:
    return orjson.loads((folder / name).read_bytes())


def test_json_has_the_five_documents(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, *others = trace_of(1)
    offered = [first, replace(others[2], attributes={**others[2].attributes, **TOOLS}), *others[:2], *others[3:]]
    run = Run(make_run(tmp_path / "store", [execution(1, spans=offered), execution(2), failed(3)]))

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
    assert traces[0]["llm.tools"] == '[{"name":"get_weather"}]'  # type: ignore[index]
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


def test_csv_cells_are_what_the_run_says_to_the_letter(tmp_path: Path) -> None:
    said = ["=1+1", "-2 + 3", "@here", "+49", 'a "quote", a comma', "line\nline", "alone\rhere", "both\r\nhere", " x "]
    run = Run(make_run(tmp_path / "store", [execution(n, response=text) for n, text in enumerate(said, start=1)]))

    export(run, "csv", tmp_path)

    with (tmp_path / "results.csv").open(newline="") as file:
        assert [row["response"] for row in csv.DictReader(file)] == said


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


def written(folder: Path) -> dict[str, object]:
    """What the files hold; of CSV its cells, where 0.10 and 0.1 are the same."""
    return {path.name: cells(path) if path.suffix == ".csv" else path.read_bytes() for path in folder.iterdir()}


def cells(path: Path) -> list[list[str | float]]:
    with path.open(newline="") as file:
        return [
            [float(cell) if re.fullmatch(r"\d+(\.\d+)?", cell) else cell for cell in row] for row in csv.reader(file)
        ]


def test_a_run_without_its_journal_gives_the_same_files(run: Run, tmp_path: Path) -> None:
    for kind in KINDS:
        export(run, kind, tmp_path / "before" / kind)
    for journal in (run.directory.results_journal, run.directory.traces_journal):
        journal.unlink()

    for kind in KINDS:
        export(Run(run.directory), kind, tmp_path / "after" / kind)
        assert written(tmp_path / "after" / kind) == written(tmp_path / "before" / kind), kind


def test_gpu_series_of_a_run_without_its_journal_are_made_from_its_rows(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path / "store", [execution(1)]))
    reading = {
        "run_id": "made",
        "service_name": "smoltrace",
        "timestamp_unix_nano": "1750000000000000000",
        "gpu_id": "0",
        "gpu_name": "H200",
        "gpu_power_watts": 310.5,
    }
    write_rows(run.directory.parquet("metrics"), METRICS, [reading])
    for journal in (run.directory.results_journal, run.directory.traces_journal):
        journal.unlink()

    export(Run(run.directory), "json", tmp_path)
    export(Run(run.directory), "otlp", tmp_path)

    told = load(tmp_path, "metrics.json")["resourceMetrics"]  # type: ignore[index]
    assert told == orjson.loads((tmp_path / "metrics.otlp.jsonl").read_bytes())["resourceMetrics"]
    (row,) = gpu_rows(told)
    assert (row["gpu_name"], row["gpu_power_watts"], row["run_id"]) == ("H200", 310.5, "made")


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"Cannot make .*choose another folder\.$"):
        export(run, "json", tmp_path / "file" / "out")


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_a_folder_that_nobody_may_write_to_is_told(run: Run, tmp_path: Path, kind: str) -> None:
    with (
        unwritable(tmp_path / "closed") as folder,
        pytest.raises(StoreError, match=r"Cannot write .*another folder\.$"),
    ):
        export(run, kind, folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_told_and_leaves_no_half_file(run: Run, tmp_path: Path, kind: str) -> None:
    with mounted(tmp_path / "small", "size=4k") as folder:
        with pytest.raises(StoreError, match=r"The disk is full: free some space, or choose another folder\.$"):
            export(run, kind, folder)
        assert not [path for path in folder.iterdir() if path.suffix == ".tmp"]


# The most memory in kB; what getrusage says includes the parent's.
CHILD = """
import sys
from pathlib import Path
from smoltrace.store.export import export
from smoltrace.store.read import load_run
export(load_run(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3]))
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
def test_a_large_run_is_exported_with_flat_memory(tmp_path: Path) -> None:
    path = make_large_run(tmp_path / "store", "large", 2_000, 50)
    for kinds in (("json", "csv", "parquet", "otlp"), ("json", "parquet", "otlp")):
        for kind in kinds:
            command = [sys.executable, "-c", CHILD, str(path), kind, str(tmp_path / "out")]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
            assert int(done.stdout) < 300_000, kind
        for name in ("results.jsonl", "traces.jsonl"):
            (path / name).unlink(missing_ok=True)
