"""The metric data of the original documents: as printed, read and added up with the documented results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.records.gpu_metrics import aggregate_gpu_metrics
from smoltrace.utils import compute_leaderboard_row, flatten_metrics_for_hf

REPOSITORY = Path(__file__).resolve().parents[1]
BASH = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

# --- implementation-complete and remaining-implementation: the metric data ------------------------------------------

NEW_STRUCTURE = {
    "run_id": "550e8400-e29b-41d4-a716-446655440000",
    "resourceMetrics": [
        {  # GPU time-series (OpenTelemetry format)
            "resource": {"attributes": []},
            "scopeMetrics": [
                {
                    "scope": {"name": "genai.gpu"},
                    "metrics": [
                        {
                            "name": "gen_ai.gpu.utilization",
                            "gauge": {
                                "dataPoints": [
                                    {"timeUnixNano": "1760947217774556600", "asInt": "67"},
                                    {"timeUnixNano": "1760947227774556600", "asInt": "72"},
                                ]
                            },
                        }
                    ],
                }
            ],
        }
    ],
    "aggregates": [  # Trace-based aggregates (legacy format)
        {"name": "gen_ai.co2.emissions", "value": 0.123},
        {"name": "llm.token_count.total", "value": 15000},
    ],
}


def test_the_documented_metric_structure_is_read() -> None:
    rows = flatten_metrics_for_hf(NEW_STRUCTURE)
    assert [(row["timestamp_unix_nano"], row["gpu_utilization_percent"]) for row in rows] == [
        ("1760947217774556600", 67.0),
        ("1760947227774556600", 72.0),
    ]
    assert {row["run_id"] for row in rows} == {"550e8400-e29b-41d4-a716-446655440000"}
    totals = aggregate_gpu_metrics(NEW_STRUCTURE["resourceMetrics"])  # type: ignore[arg-type]
    assert (totals["utilization_avg"], totals["utilization_max"]) == (69.5, 72)
    row = compute_leaderboard_row("m", {}, [], NEW_STRUCTURE, "tasks", "a/r", "a/t", "a/m")
    assert (row["gpu_utilization_avg"], row["gpu_utilization_max"], row["co2_emissions_g"]) == (69.5, 72, 0.123)


AGGREGATION_HELPER = r'''
from typing import Dict, List

def aggregate_gpu_metrics(resource_metrics: List[Dict]) -> Dict:
    """Aggregate GPU metrics from time-series data."""
    metrics_by_name = {}

    for rm in resource_metrics:
        for scope_metric in rm.get('scopeMetrics', []):
            for metric in scope_metric.get('metrics', []):
                metric_name = metric.get('name')
                data_points = []

                if 'gauge' in metric:
                    data_points = metric['gauge'].get('dataPoints', [])

                if metric_name not in metrics_by_name:
                    metrics_by_name[metric_name] = []

                for dp in data_points:
                    value = None
                    if dp.get('asInt'):
                        value = int(dp['asInt'])
                    elif dp.get('asDouble') is not None:
                        value = float(dp['asDouble'])

                    if value is not None:
                        metrics_by_name[metric_name].append(value)

    def safe_avg(values):
        return sum(values) / len(values) if values else None

    def safe_max(values):
        return max(values) if values else None

    return {
        "utilization_avg": safe_avg(metrics_by_name.get('gen_ai.gpu.utilization', [])),
        "utilization_max": safe_max(metrics_by_name.get('gen_ai.gpu.utilization', [])),
        "memory_avg": safe_avg(metrics_by_name.get('gen_ai.gpu.memory.used', [])),
        "memory_max": safe_max(metrics_by_name.get('gen_ai.gpu.memory.used', [])),
        "temperature_avg": safe_avg(metrics_by_name.get('gen_ai.gpu.temperature', [])),
        "temperature_max": safe_max(metrics_by_name.get('gen_ai.gpu.temperature', [])),
        "power_avg": safe_avg(metrics_by_name.get('gen_ai.gpu.power', []))
    }
'''

GAUGES = ("gen_ai.gpu.utilization", "gen_ai.gpu.memory.used", "gen_ai.gpu.temperature", "gen_ai.gpu.power")


@given(st.lists(st.integers(0, 100_000), max_size=12))
def test_for_one_gpu_the_documented_helper_and_ours_agree(values: list[int]) -> None:
    documented: dict[str, Any] = {}
    exec(AGGREGATION_HELPER, documented)
    points = [{"timeUnixNano": str((n + 1) * 10**10), "asInt": str(value)} for n, value in enumerate(values)]
    metrics = [{"name": name, "gauge": {"dataPoints": points}} for name in GAUGES]
    series = [{"scopeMetrics": [{"metrics": metrics}]}]
    expected = documented["aggregate_gpu_metrics"](series)
    ours = aggregate_gpu_metrics(series)
    assert {name: ours[name] for name in expected} == pytest.approx(expected)


# --- metrics-aggregation-summary ------------------------------------------------------------------------------------

VERIFICATION_TEST = r"""
cd SMOLTRACE && python -c "
from smoltrace.utils import aggregate_gpu_metrics

test_metrics = [{
    'scopeMetrics': [{
        'metrics': [
            {'name': 'gen_ai.co2.emissions', 'sum': {'dataPoints': [{'asDouble': 1.5}]}},
            {'name': 'gen_ai.power.cost', 'sum': {'dataPoints': [{'asDouble': 0.0003}]}},
        ]
    }]
}]

result = aggregate_gpu_metrics(test_metrics)
print(f'CO2 total: {result[\"co2_total\"]} gCO2e')
print(f'Power cost total: \${result[\"power_cost_total\"]:.6f}')
"
"""


def test_verification_of_the_aggregation(tmp_path: Path) -> None:
    (tmp_path / "SMOLTRACE").mkdir()
    done = subprocess.run(
        ["bash", "-c", VERIFICATION_TEST], cwd=tmp_path, env=BASH, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "CO2 total: 1.5 gCO2e\nPower cost total: $0.000300\n"


TEST_SUITE = "cd SMOLTRACE && python -m pytest tests/test_utils.py::test_compute_leaderboard_row_with_data -v"


def test_the_documented_test_passes(tmp_path: Path) -> None:
    (tmp_path / "SMOLTRACE").symlink_to(REPOSITORY)
    # In its own process: workers for one test cost more than all the rest of it.
    env = {name: value for name, value in BASH.items() if not name.startswith("PYTEST")} | {"PYTEST_ADDOPTS": "-n 0"}
    done = subprocess.run(
        ["bash", "-c", TEST_SUITE], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout
