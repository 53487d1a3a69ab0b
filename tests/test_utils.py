"""The documented helper functions: their documented results, for data as rich or as sparse as it comes."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.device_lines import SECOND, batch, point
from support.hub_client import use_hub
from support.hub_server import HubServer

from smoltrace.errors import PublishError
from smoltrace.records.gpu_metrics import COLUMNS
from smoltrace.records.schema import LEADERBOARD, METRICS, RESULTS, TRACES
from smoltrace.utils import (
    aggregate_gpu_metrics,
    compute_leaderboard_row,
    flatten_metrics_for_hf,
    flatten_results_for_hf,
    generate_dataset_names,
    push_results_to_hf,
)

NO_GPU = {"run_id": "r1", "resourceMetrics": [], "aggregates": []}


def gpu_metrics(**values: float) -> dict[str, Any]:
    """Metric data with one point of each metric; keyword `gpu__power` is gen_ai.gpu.power."""
    metrics = [
        {"name": "gen_ai." + name.replace("__", "."), "gauge": {"dataPoints": [{"asDouble": v, "timeUnixNano": "1"}]}}
        for name, v in values.items()
    ]
    return {"run_id": "r1", "resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}], "aggregates": []}


def row_of(
    all_results: dict[str, list[dict[str, Any]]],
    trace_data: list[dict[str, Any]] | None = None,
    metric_data: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    names = ("tasks", "ann/results", "ann/traces", "ann/metrics")
    return compute_leaderboard_row("m", all_results, trace_data or [], metric_data or {}, *names, **more)


# --- compute_leaderboard_row ----------------------------------------------------------------------------------------


def test_compute_leaderboard_row_with_data() -> None:
    leaderboard_row = compute_leaderboard_row(
        "test-model",
        {
            "tool": [{"test_id": "t1", "success": True, "steps": 5}, {"test_id": "t2", "success": False, "steps": 3}],
            "code": [{"test_id": "c1", "success": True, "steps": 7}],
        },
        [
            {"test_id": "t1", "total_tokens": 100, "total_duration_ms": 500, "total_cost_usd": 0.001},
            {"test_id": "t2", "total_tokens": 50, "total_duration_ms": 200, "total_cost_usd": 0.0005},
            {"test_id": "c1", "total_tokens": 200, "total_duration_ms": 1000, "total_cost_usd": 0.002},
        ],
        {"aggregates": [{"name": "gen_ai.co2.emissions", "value": 0.015}]},
        "test-dataset",
        "ann/test-results-repo",
        "ann/test-traces-repo",
        "ann/test-metrics-repo",
        agent_type="both",
        run_id="run-1",
        provider="litellm",
    )
    assert leaderboard_row["model"] == "test-model"
    assert leaderboard_row["agent_type"] == "both"
    assert leaderboard_row["run_id"] == "run-1"
    assert leaderboard_row["provider"] == "litellm"
    assert leaderboard_row["submitted_by"] == "ann"
    assert leaderboard_row["dataset_used"] == "test-dataset"
    assert leaderboard_row["results_dataset"] == "ann/test-results-repo"
    assert (leaderboard_row["num_tests"], leaderboard_row["successful_tests"], leaderboard_row["failed_tests"]) == (
        3,
        2,
        1,
    )
    assert leaderboard_row["success_rate"] == pytest.approx(200 / 3)
    assert leaderboard_row["avg_steps"] == 5
    assert leaderboard_row["total_tokens"] == 350
    assert leaderboard_row["avg_tokens_per_test"] == pytest.approx(350 / 3)
    assert leaderboard_row["total_duration_ms"] == 1700
    assert leaderboard_row["total_cost_usd"] == 0.0035
    assert leaderboard_row["avg_cost_per_test_usd"] == pytest.approx(0.0035 / 3)
    assert leaderboard_row["co2_emissions_g"] == 0.015
    assert leaderboard_row["power_cost_total_usd"] == 0  # No GPU metrics in test data
    assert leaderboard_row["gpu_utilization_avg"] is None


def test_compute_leaderboard_row_no_data() -> None:
    leaderboard_row = row_of({"tool": [], "code": []})
    assert leaderboard_row["num_tests"] == 0
    assert leaderboard_row["success_rate"] is None
    assert leaderboard_row["total_tokens"] is None
    assert leaderboard_row["total_cost_usd"] is None
    assert leaderboard_row["co2_emissions_g"] == 0
    assert leaderboard_row["power_cost_total_usd"] == 0


def test_the_row_has_the_columns_of_the_leaderboard_dataset_and_only_those() -> None:
    assert tuple(row_of({"tool": [{"test_id": "t1", "success": True}]})) == LEADERBOARD.names


def test_versions_and_date_are_those_of_now_where_the_results_say_nothing() -> None:
    before = datetime.now(UTC)
    row = row_of({"tool": []})
    assert before <= row["evaluation_date"] <= datetime.now(UTC)
    assert row["smoltrace_version"]
    assert row["smolagents_version"]


def test_one_agent_type_counts_its_own_results_only() -> None:
    results = {"tool": [{"test_id": "a", "success": True}], "code": [{"test_id": "b", "success": False}]}
    assert row_of(results, agent_type="code")["num_tests"] == 1
    assert row_of(results, agent_type="code")["success_rate"] == 0
    assert row_of(results, agent_type="tool")["agent_type"] == "tool"


def test_attempts_at_one_test_each_take_a_trace_of_their_own() -> None:
    results = {"tool": [{"test_id": "a", "success": True}, {"test_id": "a", "success": True}]}
    traces = [{"test_id": "a", "total_tokens": 10}, {"test_id": "a", "total_tokens": 32}]
    assert row_of(results, traces)["total_tokens"] == 42


def test_traces_that_name_no_test_still_give_totals() -> None:
    traces = [{"total_tokens": 10, "total_cost_usd": 0.5}, {"total_tokens": 32, "total_cost_usd": 0.25}]
    row = row_of({"tool": [{"test_id": "a", "success": True}]}, traces)
    assert (row["total_tokens"], row["avg_tokens_per_test"], row["total_cost_usd"]) == (42, 42, 0.75)


def test_an_unpriced_trace_leaves_the_total_unknown() -> None:
    results = {"tool": [{"test_id": "a", "success": True}]}
    row = row_of(results, [{"total_cost_usd": 0.5}, {"total_cost_usd": None}])
    assert row["total_cost_usd"] is None


def test_results_that_only_say_it_in_enhanced_trace_info_are_counted() -> None:
    info = {"trace_id": "ab", "total_tokens": 7, "duration_ms": 12.5, "cost_usd": 0.25}
    row = row_of({"tool": [{"test_id": "a", "success": True, "enhanced_trace_info": info}]})
    assert (row["total_tokens"], row["total_duration_ms"], row["total_cost_usd"]) == (7, 12.5, 0.25)


def test_gpu_columns_come_from_the_time_series() -> None:
    metrics = gpu_metrics(
        gpu__utilization=67.5,
        gpu__memory__used=512.34,
        gpu__memory__total=6144.0,
        gpu__temperature=90.0,
        gpu__power=18.74,
        co2__emissions=1.92994,
        power__cost=0.0004884,
    )
    row = row_of({"tool": []}, metric_data=metrics)
    assert (row["co2_emissions_g"], row["power_cost_total_usd"]) == (1.9299, 0.000488)
    assert (row["gpu_utilization_avg"], row["gpu_utilization_max"]) == (67.5, 67.5)
    assert (row["gpu_memory_avg_mib"], row["gpu_memory_max_mib"], row["gpu_memory_total_mib"]) == (512.34, 512.34, 6144)
    assert (row["gpu_temperature_avg"], row["gpu_temperature_max"]) == (90.0, 90.0)
    assert (row["gpu_power_avg_w"], row["gpu_power_max_w"]) == (18.74, 18.74)
    assert row["electricity_cost_usd"] == 0.0004884


def test_energy_comes_from_our_own_counters() -> None:
    def counted(gpu: str) -> list[dict[str, Any]]:
        return [point(uj, at * SECOND, SECOND, gpu) for uj, at in ((0, 1), (3_600_000_000, 6), (7_200_000_000, 11))]

    def idle(gpu: str) -> list[dict[str, Any]]:
        return [point(36.0, SECOND, SECOND, gpu)]

    ours = batch(gpu__energy=[*counted("0"), *counted("1")], gpu__power__idle=[*idle("0"), *idle("1")])
    row = row_of({"tool": []}, metric_data={"resourceMetrics": [ours]})
    assert row["total_gpu_energy_wh"] == 4.0
    assert row["gpu_energy_idle_wh"] == pytest.approx(2 * 36 * 10 / 3600)
    half = batch(gpu__energy=[*counted("0"), *counted("1")], gpu__power__idle=idle("0"))
    row = row_of({"tool": []}, metric_data={"resourceMetrics": [half]})
    assert (row["total_gpu_energy_wh"], row["gpu_energy_idle_wh"]) == (4.0, None)


def test_energy_is_unknown_without_our_counters() -> None:
    theirs = batch("genai.gpu", gpu__energy=[point(0, SECOND, SECOND), point(10**9, 2 * SECOND, SECOND)])
    processors = batch(host__energy=[point(10**9, 2 * SECOND, SECOND)])
    for found in (theirs, processors):
        row = row_of({"tool": []}, metric_data={"resourceMetrics": [found]})
        assert (row["total_gpu_energy_wh"], row["gpu_energy_idle_wh"]) == (None, None)
    assert row_of({"tool": []})["total_gpu_energy_wh"] is None


def test_measured_emissions_win_over_aggregates_even_when_they_are_zero() -> None:
    aggregates = [{"name": "gen_ai.co2.emissions", "value": 5.0}]
    measured = gpu_metrics(co2__emissions=0.0) | {"aggregates": aggregates}
    assert row_of({"tool": []}, metric_data=measured)["co2_emissions_g"] == 0
    assert row_of({"tool": []}, metric_data={"aggregates": aggregates})["co2_emissions_g"] == 5.0


@pytest.mark.parametrize(
    "aggregate", [{"value": 0.5}, {"data_points": [{"value": 0.5}]}, {"data_points": [{"value": {"value": 0.5}}]}]
)
def test_aggregates_are_read_in_all_their_shapes(aggregate: dict[str, Any]) -> None:
    metrics = {"aggregates": [{"name": "gen_ai.power.cost"} | aggregate]}
    assert row_of({"tool": []}, metric_data=metrics)["power_cost_total_usd"] == 0.5


# --- flattening -----------------------------------------------------------------------------------------------------


def test_flattened_results_have_every_column_and_the_given_model() -> None:
    results = {"tool": [{"test_id": "a", "success": True, "gen_ai.usage.cost.total": 0.1}], "code": [{"test_id": "b"}]}
    tool, code = flatten_results_for_hf(results, "openai/gpt-4")
    assert tuple(tool) == tuple(code) == RESULTS.names
    assert (tool["model"], tool["agent_type"], tool["test_id"], tool["success"]) == ("openai/gpt-4", "tool", "a", True)
    assert tool["gen_ai.usage.cost.total"] == 0.1
    assert code["agent_type"] == "code"
    assert code["gen_ai.usage.total_tokens"] is None


def test_flattened_results_keep_a_model_and_turn_structures_into_json() -> None:
    info = {"total_tokens": 3}
    (row,) = flatten_results_for_hf({"tool": [{"model": "own", "enhanced_trace_info": info, "tools_used": ["t"]}]}, "m")
    assert row["model"] == "own"
    assert row["enhanced_trace_info"] == '{"total_tokens":3}'
    assert row["tools_used"] == ["t"]
    assert row["gen_ai.usage.total_tokens"] == 3


def test_flattened_metrics_are_rows_with_the_documented_columns() -> None:
    (row,) = flatten_metrics_for_hf(gpu_metrics(gpu__power=10.0, co2__emissions=0.5))
    assert tuple(row) == COLUMNS
    assert (row["run_id"], row["gpu_power_watts"], row["co2_emissions_gco2e"]) == ("r1", 10.0, 0.5)


@pytest.mark.parametrize("metric_data", [{}, NO_GPU, {"run_id": "r", "resourceMetrics": None}])
def test_metrics_of_a_run_without_a_gpu_flatten_to_no_rows(metric_data: dict[str, Any]) -> None:
    assert flatten_metrics_for_hf(metric_data) == []


def test_aggregates_and_rows_agree_on_one_gpu() -> None:
    metrics = gpu_metrics(gpu__power=10.0, co2__emissions=0.5)
    (row,) = flatten_metrics_for_hf(metrics)
    totals = aggregate_gpu_metrics(metrics["resourceMetrics"])
    assert (totals["power_avg"], totals["co2_total"]) == (row["gpu_power_watts"], row["co2_emissions_gco2e"])


def test_dataset_names_are_the_documented_ones() -> None:
    results, traces, metrics, leaderboard = generate_dataset_names("ann")
    moment = results.removeprefix("ann/smoltrace-results-")
    datetime.strptime(moment, "%Y%m%d_%H%M%S")
    assert (traces, metrics) == (f"ann/smoltrace-traces-{moment}", f"ann/smoltrace-metrics-{moment}")
    assert leaderboard == "ann/smoltrace-leaderboard"


# --- publishing -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def rows_on(hub: HubServer, name: str, file: str = "data/train-00000-of-00001.parquet") -> list[dict[str, Any]]:
    return pq.read_table(io.BytesIO(hub.files(name)[file])).to_pylist()


SPAN = {
    "span_id": "b" * 16,
    "parent_span_id": None,
    "name": "test a",
    "start_time": 5,
    "end_time": 9,
    "attributes": {"k": 1},
    "events": [{"name": "e", "time": 6, "attributes": {}}],
    "status": {"code": "OK", "description": None},
    "kind": "INTERNAL",
    "resource": {"run_id": "r1"},
}
RESULTS_GIVEN = {"tool": [{"test_id": "a", "success": True, "trace_id": "a" * 32}]}
TRACES_GIVEN = [{"trace_id": "a" * 32, "test_id": "a", "total_tokens": 7, "spans": [SPAN]}]


def push(metric_data: dict[str, Any], **more: Any) -> dict[str, str]:
    repos = ("ann/r", "ann/t", "ann/m")
    return push_results_to_hf(RESULTS_GIVEN, TRACES_GIVEN, metric_data, *repos, "gpt", "hf_ann", **more)


def test_results_traces_and_metrics_are_pushed_whole_with_the_run_id(hub: HubServer) -> None:
    published = push(NO_GPU, run_id="r1", private=True)
    assert published == {kind: f"{hub.url}/datasets/ann/{kind[0]}" for kind in ("results", "traces", "metrics")}
    (result,), (trace,), (metric,) = (rows_on(hub, name) for name in ("ann/r", "ann/t", "ann/m"))
    assert (tuple(result), tuple(trace), tuple(metric)) == (RESULTS.names, TRACES.names, METRICS.names)
    assert result["run_id"] == trace["run_id"] == metric["run_id"] == "r1"
    assert (result["model"], result["test_id"]) == ("gpt", "a")
    assert (trace["total_tokens"], trace["span_count"]) == (7, 1)
    assert trace["spans"][0]["attributes"] == '{"k":1}'
    assert trace["spans"][0]["duration_ms"] == 4e-6
    assert {repo.private for repo in hub.repos.values()} == {True}


def test_metrics_without_a_gpu_are_one_row_of_nulls_not_of_zeros(hub: HubServer) -> None:
    push(NO_GPU)
    (metric,) = rows_on(hub, "ann/m")
    measured = {name: value for name, value in metric.items() if name in COLUMNS[4:]}
    assert set(measured.values()) == {None}


def test_gpu_metrics_are_pushed_as_rows(hub: HubServer) -> None:
    push(gpu_metrics(gpu__power=10.0, power__cost=0.1))
    (metric,) = rows_on(hub, "ann/m")
    assert (metric["gpu_power_watts"], metric["power_cost_usd"]) == (10.0, 0.1)
    assert math.isclose(metric["power_cost_usd"], 0.1)


def test_pushing_is_public_unless_private_as_documented(hub: HubServer) -> None:
    push(NO_GPU)
    assert {repo.private for repo in hub.repos.values()} == {False}


def test_a_refused_token_is_a_publish_error(hub: HubServer) -> None:
    with pytest.raises(PublishError):
        push_results_to_hf(RESULTS_GIVEN, TRACES_GIVEN, NO_GPU, "ann/r", "ann/t", "ann/m", "gpt", "hf_wrong")
