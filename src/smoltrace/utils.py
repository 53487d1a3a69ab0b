"""The documented helper functions: thin doors into smoltrace.records and smoltrace.publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.publish.hub.place import generate_dataset_names
from smoltrace.records.gpu_metrics import aggregate_gpu_metrics, gpu_rows
from smoltrace.records.otlp_points import points_in

if TYPE_CHECKING:
    from smoltrace.records.documented import AllResults
    from smoltrace.records.schema import Dataset, Row

__all__ = [
    "aggregate_gpu_metrics",
    "compute_leaderboard_row",
    "flatten_metrics_for_hf",
    "flatten_results_for_hf",
    "generate_dataset_names",
    "push_results_to_hf",
]

_GPU_COLUMNS = {
    "gpu_utilization_avg": "utilization_avg",
    "gpu_utilization_max": "utilization_max",
    "gpu_memory_avg_mib": "memory_avg",
    "gpu_memory_max_mib": "memory_max",
    "gpu_memory_total_mib": "memory_total",
    "gpu_temperature_avg": "temperature_avg",
    "gpu_temperature_max": "temperature_max",
    "gpu_power_avg_w": "power_avg",
    "gpu_power_max_w": "power_max",
    "electricity_cost_usd": "power_cost_total",
}
"""Column of the leaderboard to what `aggregate_gpu_metrics` calls it."""


def flatten_results_for_hf(all_results: AllResults, model_name: str) -> list[dict[str, Any]]:
    """Results of all agent types as rows of the results dataset, each with all of its columns, null where unknown.

    `all_results` maps agent types to results; `model_name` is given to those that name no model.
    """
    from smoltrace.records.documented import plain, results_in

    return [plain(row | {"model": row["model"] or model_name}) for row in results_in(all_results)]


def flatten_metrics_for_hf(metric_data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """GPU time series as one row per GPU and moment with the 13 documented columns; [] without GPU data.

    `metric_data` is {"run_id", "resourceMetrics"} as `smoltrace.core.extract_metrics` returns it.
    """
    return gpu_rows(metric_data.get("resourceMetrics") or (), metric_data.get("run_id"))


def compute_leaderboard_row(
    model_name: str,
    all_results: AllResults,
    trace_data: Sequence[Mapping[str, Any]],
    metric_data: Mapping[str, Any],
    dataset_used: str,
    results_dataset: str,
    traces_dataset: str,
    metrics_dataset: str,
    agent_type: str = "both",
    run_id: str | None = None,
    provider: str = "litellm",
) -> dict[str, Any]:
    """The leaderboard row of a run: the columns of the leaderboard dataset, null where unknown.

    `agent_type` picks the results that count, unless it is "both". What the results do not say of tokens, cost and time
    is taken from `trace_data`; GPU columns come from `metric_data["resourceMetrics"]`, those of energy (Wh) only from
    smoltrace's own counters there. `submitted_by` is the owner of `results_dataset`.

    As the original documents define it, `co2_emissions_g` (4 decimals) and `power_cost_total_usd` (6 decimals) are 0
    here when there are no GPU metrics. The stored and published leaderboard has null there, since nothing was measured.
    """
    from smoltrace.records.documented import joined, plain
    from smoltrace.records.leaderboard import leaderboard_row

    counted = all_results if agent_type == "both" else {agent_type: all_results.get(agent_type, ())}
    results = [row for row, _ in joined(counted, trace_data)]
    owner, slash, _ = results_dataset.partition("/")
    run = _manifest(results, model_name, dataset_used, run_id, provider) | {
        "submitted_by": owner if slash else None,
        "references": {"results": results_dataset, "traces": traces_dataset, "metrics": metrics_dataset},
    }
    row = plain(leaderboard_row(results, run)) | {"agent_type": agent_type}
    row |= _sums_of_traces(row, trace_data)
    gpu = aggregate_gpu_metrics(metric_data.get("resourceMetrics") or ())
    row |= {column: gpu[name] for column, name in _GPU_COLUMNS.items()}
    row |= _energy(metric_data.get("resourceMetrics") or ())
    co2, power_cost = gpu["co2_total"], gpu["power_cost_total"]
    aggregates = metric_data.get("aggregates") or ()
    co2 = _aggregated(aggregates, "gen_ai.co2.emissions") if co2 is None else co2
    power_cost = _aggregated(aggregates, "gen_ai.power.cost") if power_cost is None else power_cost
    return row | {
        "co2_emissions_g": 0 if co2 is None else round(co2, 4),
        "power_cost_total_usd": 0 if power_cost is None else round(power_cost, 6),
    }


def _manifest(
    results: Sequence[Row], model_name: str, dataset_used: str, run_id: str | None, provider: str
) -> dict[str, Any]:
    from smoltrace.evaluation.lives.machine import versions

    systems = {row["gen_ai.system"] for row in results}
    starts = [row["start_time"] for row in results if row["start_time"] is not None]
    return {
        "run_id": run_id,
        "model": model_name,
        "provider": provider,
        "system": systems.pop() if len(systems) == 1 else None,
        "tasks": {"name": dataset_used},
        "started_at": min(starts, default=datetime.now(UTC)).isoformat(),
        "versions": versions(),
    }


def _sums_of_traces(row: Mapping[str, Any], trace_data: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Totals of which no result says anything: of traces that name neither a trace nor a test of a result."""
    found: dict[str, Any] = {}
    for total, average in (
        ("total_tokens", "avg_tokens_per_test"),
        ("total_duration_ms", "avg_duration_ms"),
        ("total_cost_usd", "avg_cost_per_test_usd"),
    ):
        values = [trace.get(total) for trace in trace_data]
        known = [value for value in values if value is not None]
        if row[total] is None and known and len(known) == len(values):
            found[total] = sum(known)
            found[average] = sum(known) / row["num_tests"] if row["num_tests"] else None
    return found


def _energy(resource_metrics: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    """What our own energy counters tell of the GPUs, in Wh; nothing where there are none."""
    from smoltrace.books.energy import wh_of
    from smoltrace.records.device_energy import EnergySeries

    series = EnergySeries()
    for point in points_in(resource_metrics):
        series.add(point)
    gpus = [device for device in series.devices() if device.kind == "gpu"]
    if not gpus:
        return {}
    idle = [gpu.idle_uj for gpu in gpus]
    known = [each for each in idle if each is not None]
    return {
        "total_gpu_energy_wh": wh_of(sum(gpu.uj for gpu in gpus)),
        "gpu_energy_idle_wh": wh_of(sum(known)) if len(known) == len(gpus) else None,
    }


def _aggregated(aggregates: Iterable[Mapping[str, Any]], name: str) -> float | None:
    """The sum of an aggregate, in today's shape or in the flat one of earlier versions; None when it is not there."""
    values: list[float] = []
    for entry in aggregates:
        if entry.get("name") != name:
            continue
        for point in entry.get("data_points") or (entry,):
            value = point.get("value")
            value = value.get("value") if isinstance(value, Mapping) else value
            if value is not None:
                values.append(float(value))
    return sum(values) if values else None


def push_results_to_hf(
    all_results: AllResults,
    trace_data: Sequence[Mapping[str, Any]],
    metric_data: Mapping[str, Any],
    results_repo: str,
    traces_repo: str,
    metrics_repo: str,
    model_name: str,
    hf_token: str | None,
    private: bool = False,
    run_id: str | None = None,
) -> dict[str, str]:
    """Publish results, traces and metrics to three datasets on the Hugging Face Hub; kind to address of each.

    The repositories are made where they are not there: public ones, as the original documents define it, unless
    `private`. A table without rows is not published; metrics without GPU data are one row of nulls. `hf_token` None
    takes $HF_TOKEN or what `hf auth login` keeps. Raises PublishError, and publishing again is safe.
    """
    from tempfile import TemporaryDirectory

    from smoltrace.publish.hub.tables import publish_tables
    from smoltrace.records.documented import results_in, row_from, trace_from
    from smoltrace.records.metrics import empty_metrics_row
    from smoltrace.records.schema import METRICS, RESULTS, TRACES

    about = {"run_id": run_id or metric_data.get("run_id")}
    results = [
        row | {"model": row["model"] or model_name, "run_id": row["run_id"] or about["run_id"]}
        for row in results_in(all_results)
    ]
    traces = [row | {"run_id": row["run_id"] or about["run_id"]} for row in map(trace_from, trace_data)]
    metrics = [row_from(METRICS, row) for row in flatten_metrics_for_hf(dict(metric_data) | about)]
    rows: dict[Dataset, list[Row]] = {RESULTS: results, TRACES: traces, METRICS: metrics or [empty_metrics_row(about)]}
    with TemporaryDirectory(prefix="smoltrace-publish-") as folder:
        tables = {dataset.name: _parquet(dataset, found, Path(folder)) for dataset, found in rows.items() if found}
        return publish_tables(
            tables,
            repo_ids={"results": results_repo, "traces": traces_repo, "metrics": metrics_repo},
            run_id=about["run_id"] or "unnamed",
            card=f"Model: `{model_name}`.",
            token=hf_token,
            private=private,
        )


def _parquet(dataset: Dataset, rows: Sequence[Row], folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from smoltrace.records.schema import record_batch

    file = folder / f"{dataset.name}.parquet"
    pq.write_table(pa.Table.from_batches([record_batch(dataset, rows)]), file)
    return file
