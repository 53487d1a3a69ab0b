"""The header of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.run_states import commit_all, copied, going_on, killed, without_journals
from support.runs import NO_PRICES, chat, execution, failed, make_run, span

from smoltrace.errors import RunNotFoundError
from smoltrace.records.schema import LEADERBOARD
from smoltrace.store.read import Run
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.runs import run_header


def row_of_leaderboard(run: Run) -> dict[str, Any]:
    store = run.directory.store
    assert store is not None
    rows = pq.read_table(store.leaderboard_path / "leaderboard.parquet").to_pylist()
    return next(row for row in rows if row["run_id"] == run.id)


@pytest.mark.parametrize("name", ["large", "small", "llama-8b", "llama-70b", "preview"])
def test_the_row_is_that_of_the_leaderboard(samples: dict[str, Run], name: str) -> None:
    header, row = run_header(samples[name])["row"], row_of_leaderboard(samples[name])
    assert list(header)[: len(row)] == list(LEADERBOARD.names)
    for column, value in row.items():
        if column in ("tags", "error_types"):
            assert header[column] == json.loads(value)
        elif column == "evaluation_date":
            assert header[column] == value.timestamp() * 1e3
        else:
            assert header[column] == value


def test_what_is_counted_adds_up(samples: dict[str, Run]) -> None:
    for run in samples.values():
        header = run_header(run)
        assert sum(header["statuses"].values()) == header["_finished"] == header["row"]["num_tests"]
        assert {e["error_type"]: e["count"] for e in header["errors"]} == header["row"]["error_types"]


def test_a_finished_run(samples: dict[str, Run]) -> None:
    header = run_header(samples["llama-8b"])
    assert (header["_status"], header["_finished"], header["_planned"]) == ("completed", 7, 7)
    assert header["_t0_ns"] == "1767690000000000000"
    assert header["_t0_unix_ms"] == 1767690000000.0
    assert header["end_ms"] == pytest.approx(header["row"]["wall_time_ms"], abs=0.01)
    assert [gpu["name"] for gpu in header["gpus"]] == ["NVIDIA L4"]
    assert header["reasons"] == dict.fromkeys(("cost", "energy", "co2", "gpu", "tokens"))
    assert header["manifest"]["command_resume"] is None
    assert header["manifest"]["footprint"]["country"] == "FRA"
    assert header["store_name"] == "store"
    assert header["row"]["_cost"]["kind"] == "electricity"
    assert len(header["row"]["_spark"]) <= 60


def test_a_run_that_was_interrupted_says_how_it_goes_on(samples: dict[str, Run]) -> None:
    run = samples["demo-interrupted"]
    header = run_header(run)
    assert header["_status"] == "incomplete"
    assert header["_finished"] < header["_planned"]
    store = run.directory.store
    assert store is not None
    assert header["manifest"]["command_resume"] == f"smoltrace resume {run.id} --store {store.path}"


def test_a_killed_run_is_told_as_it_was_left(samples: dict[str, Run], tmp_path: Path) -> None:
    whole = run_header(samples["llama-8b"])
    header = run_header(killed(samples["llama-8b"], tmp_path))
    assert (header["_status"], header["_finished"], header["manifest"]["status"]) == ("incomplete", 7, "incomplete")
    for name in ("total_tokens", "total_cost_usd", "total_gpu_energy_wh", "success_rate"):
        assert header["row"][name] == whole["row"][name]


def test_files_without_journals_and_summary_are_enough(samples: dict[str, Run], tmp_path: Path) -> None:
    run = without_journals(samples["small"], tmp_path)
    run.directory.summary_file.unlink()
    header, whole = run_header(run), run_header(samples["small"])
    assert header["row"]["total_tokens"] == whole["row"]["total_tokens"]
    assert header["row"]["total_cost_usd"] == whole["row"]["total_cost_usd"]
    assert (header["_status"], header["_finished"]) == ("completed", whole["_finished"])


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    readings = Readings()
    with going_on(tmp_path, planned=5) as (run, journal):
        empty = run_header(run, readings=readings)
        assert (empty["_status"], empty["_finished"], empty["_planned"]) == ("running", 0, 5)
        assert empty["reasons"]["tokens"] == empty["reasons"]["cost"] == "no test finished"
        commit_all(journal, [execution(1), failed(2, "timeout")])
        header = run_header(run)
        assert (header["_finished"], header["row"]["num_tests"]) == (2, 2)
        assert header["statuses"] == {"completed": 1, "timeout": 1}
        assert header["errors"] == [{"error_type": "timeout", "count": 1}]
        assert header["version"] != empty["version"]
    assert run_header(run)["_status"] == "incomplete"


def test_a_price_that_is_unknown_is_told_with_its_calls(samples: dict[str, Run], tmp_path: Path) -> None:
    header = run_header(samples["preview"])
    row = header["row"]
    assert row["total_cost_usd"] is None
    assert header["reasons"]["cost"].startswith(f"price unknown: {row['unpriced_calls']} of ")
    calls = [span(1, 1, None, "test", (0, 50)), chat(1, 2, 1, (1, 2), None)]
    silent = Run(make_run(tmp_path, [execution(1, spans=calls, price_book=NO_PRICES)]))
    assert run_header(silent)["reasons"]["tokens"] == "no call told its tokens"


def test_a_run_without_calls_says_so(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(1, spans=[span(1, 1, None, "test", (0, 50))])]))
    reasons = run_header(run)["reasons"]
    assert reasons == {
        "cost": "no call to a model",
        "energy": "no GPU",
        "co2": "no GPU",
        "gpu": "no GPU",
        "tokens": "no call to a model",
    }


def test_emissions_without_a_country_say_what_is_missing(samples: dict[str, Run], tmp_path: Path) -> None:
    run = copied(samples["llama-8b"], tmp_path)
    manifest = run.directory.manifest()
    manifest["footprint"] |= {"country": None, "carbon_intensity_g_per_kwh": None}
    run.directory.manifest_file.write_text(json.dumps(manifest))
    for file in (*run.path.glob("*.parquet"), run.directory.summary_file):
        file.unlink()
    header = run_header(run)
    assert header["row"]["total_gpu_energy_wh"] is not None
    assert header["reasons"]["co2"] == "carbon intensity unknown: the run names no country"
    assert header["reasons"]["energy"] is None


def test_energy_that_was_measured_in_part_says_in_which(samples: dict[str, Run], tmp_path: Path) -> None:
    run = copied(samples["llama-8b"], tmp_path)
    lines = run.directory.metrics_journal.read_bytes().splitlines(keepends=True)
    run.directory.metrics_journal.write_bytes(b"".join(lines[:20]))
    for file in (*run.path.glob("*.parquet"), run.directory.summary_file):
        file.unlink()
    header = run_header(run)
    assert header["row"]["total_gpu_energy_wh"] is None
    told = header["reasons"]["energy"]
    assert told.startswith("measured in part: ")
    assert told.endswith(" of 7 tests ran while no GPU was read")


def test_a_manifest_that_says_little_is_enough(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1), execution(2)])
    run_dir.manifest_file.write_text(json.dumps({"run_id": "made", "metering": 7, "config": [], "footprint": None}))
    header = run_header(Run(run_dir))
    assert header["_t0_ns"] == "1750000000000000000"
    assert (header["_status"], header["_finished"], header["gpus"]) == ("completed", 2, [])


def test_a_run_that_is_gone_is_not_found(samples: dict[str, Run], tmp_path: Path) -> None:
    run = copied(samples["small"], tmp_path)
    shutil.rmtree(run.path)
    with pytest.raises(RunNotFoundError, match="is gone"):
        run_header(run)
