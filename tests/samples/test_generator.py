from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.disks import unwritable

from smoltrace.samples.generator import API_FILE, GPU_FILE, api_document, gpu_document, write_documents
from smoltrace.utils import aggregate_gpu_metrics, compute_leaderboard_row, flatten_metrics_for_hf

ROOT = Path(__file__).parents[2]
COLUMNS = {
    "run_id", "service_name", "timestamp", "timestamp_unix_nano", "gpu_id", "gpu_name", "co2_emissions_gco2e",
    "power_cost_usd", "gpu_utilization_percent", "gpu_memory_used_mib", "gpu_memory_total_mib",
    "gpu_temperature_celsius", "gpu_power_watts",
}  # fmt: skip


def instruments(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (resource_metrics,) = document["resourceMetrics"]
    (scope,) = resource_metrics["scopeMetrics"]
    assert scope["scope"]["name"] == "genai.gpu"
    return {metric["name"]: metric for metric in scope["metrics"]}


def test_a_gpu_run_has_the_seven_instruments_with_twelve_points_ten_seconds_apart() -> None:
    found = instruments(gpu_document())

    assert {name: metric["unit"] for name, metric in found.items()} == {
        "gen_ai.gpu.utilization": "%",
        "gen_ai.gpu.memory.used": "MiB",
        "gen_ai.gpu.memory.total": "MiB",
        "gen_ai.gpu.temperature": "Cel",
        "gen_ai.gpu.power": "W",
        "gen_ai.co2.emissions": "gCO2e",
        "gen_ai.power.cost": "USD",
    }
    for name, metric in found.items():
        is_sum = name in ("gen_ai.co2.emissions", "gen_ai.power.cost")
        data = metric["sum"] if is_sum else metric["gauge"]
        times = [int(point["timeUnixNano"]) for point in data["dataPoints"]]
        assert [after - before for before, after in pairwise(times)] == [10_000_000_000] * 11
        assert not is_sum or (data["isMonotonic"] and data["aggregationTemporality"] == 2)


@pytest.mark.parametrize("gpus", [1, 4])
def test_it_flattens_to_the_documented_columns_and_every_one_is_filled(gpus: int) -> None:
    rows = flatten_metrics_for_hf(gpu_document(gpus=gpus))

    assert len(rows) == 12 * gpus
    assert {row["gpu_id"] for row in rows} == {str(index) for index in range(gpus)}
    for row in rows:
        assert set(row) == COLUMNS
        assert None not in row.values()
        assert 0 <= row["gpu_utilization_percent"] <= 100
        assert 0 < row["gpu_memory_used_mib"] < row["gpu_memory_total_mib"]


def test_emissions_and_cost_follow_from_the_power_of_each_gpu() -> None:
    rows = flatten_metrics_for_hf(gpu_document(seed=3, gpus=2))

    for gpu in ("0", "1"):
        own = [row for row in rows if row["gpu_id"] == gpu]
        kwh = 0.0
        assert own[0]["co2_emissions_gco2e"] == own[0]["power_cost_usd"] == 0
        for before, after in pairwise(own):
            kwh += (before["gpu_power_watts"] + after["gpu_power_watts"]) / 2 * 10 / 3_600_000
            assert after["co2_emissions_gco2e"] == pytest.approx(kwh * 475, rel=1e-6)
            assert after["power_cost_usd"] == pytest.approx(kwh * 0.12, rel=1e-6)


def test_several_gpus_add_up() -> None:
    document = gpu_document(gpus=4)
    last = flatten_metrics_for_hf(document)[-4:]

    totals = aggregate_gpu_metrics(document["resourceMetrics"])

    assert totals["co2_total"] == pytest.approx(sum(row["co2_emissions_gco2e"] for row in last))
    assert totals["memory_total"] == 4 * 81_920


def test_the_same_seed_makes_the_same_document() -> None:
    assert gpu_document(seed=7) == gpu_document(seed=7)
    assert gpu_document(seed=7) != gpu_document(seed=8)
    assert gpu_document(run_id="mine")["run_id"] == "mine"


def test_an_api_run_has_no_series() -> None:
    document = api_document(run_id="r")

    assert document == {"run_id": "r", "resourceMetrics": [], "aggregates": []}
    assert flatten_metrics_for_hf(document) == []


def test_the_leaderboard_row_of_the_documented_functions_takes_both_documents() -> None:
    rows = [
        compute_leaderboard_row("m", {}, [], document, "tasks", "me/r", "me/t", "me/m")
        for document in (gpu_document(), api_document())
    ]

    assert rows[0]["co2_emissions_g"] > 0
    assert rows[0]["gpu_utilization_avg"] > 0
    assert (rows[1]["co2_emissions_g"], rows[1]["gpu_utilization_avg"]) == (0, None)


def test_both_documents_are_written_as_files(tmp_path: Path) -> None:
    files = write_documents(tmp_path / "deep" / "folder", seed=2)

    assert [file.name for file in files] == [GPU_FILE, API_FILE]
    assert json.loads(files[0].read_text()) == gpu_document(seed=2)
    assert json.loads(files[1].read_text())["resourceMetrics"] == []


def test_the_documented_command_writes_them_into_the_folder_where_it_is_called(tmp_path: Path) -> None:
    shutil.copy(ROOT / "MockTraceMind" / "sample_data" / "generate_sample_metrics.py", tmp_path)

    done = subprocess.run(
        [sys.executable, "generate_sample_metrics.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["metrics_llama31.json", "metrics_gpt4.json"]
    assert len(flatten_metrics_for_hf(json.loads((tmp_path / "metrics_llama31.json").read_text()))) == 12


def test_the_documented_command_says_in_one_line_where_it_cannot_write(tmp_path: Path) -> None:
    script = ROOT / "MockTraceMind" / "sample_data" / "generate_sample_metrics.py"
    with unwritable(tmp_path / "shut") as folder:
        done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The sample metrics cannot be written into ")
    assert line.endswith("Call this from a folder that you may write to.")
