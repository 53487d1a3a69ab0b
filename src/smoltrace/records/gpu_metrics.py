"""GPU time series: from OTLP `resourceMetrics` to the rows of the metrics dataset and to the totals of a run.

Counters (CO₂, electricity cost) are cumulative, and there is one for each GPU: the total is the sum over all series of
what each one grew by, also across a restart of the counter. Gauges are averaged over time for each GPU, then combined:
power and memory add up over GPUs, utilisation and temperature average. The maximum over GPUs is never a total.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from smoltrace.books import names
from smoltrace.records.otlp_points import Point, points_in
from smoltrace.records.times import time_of

CO2: Final = names.METRIC_CO2_EMISSIONS
POWER_COST: Final = names.METRIC_POWER_COST
UTILIZATION: Final = names.METRIC_GPU_PREFIX + "utilization"
MEMORY_USED: Final = names.METRIC_GPU_PREFIX + "memory.used"
MEMORY_TOTAL: Final = names.METRIC_GPU_PREFIX + "memory.total"
TEMPERATURE: Final = names.METRIC_GPU_PREFIX + "temperature"
POWER: Final = names.METRIC_GPU_PREFIX + "power"

COLUMN_OF: Final[Mapping[str, str]] = {
    CO2: "co2_emissions_gco2e",
    POWER_COST: "power_cost_usd",
    UTILIZATION: "gpu_utilization_percent",
    MEMORY_USED: "gpu_memory_used_mib",
    MEMORY_TOTAL: "gpu_memory_total_mib",
    TEMPERATURE: "gpu_temperature_celsius",
    POWER: "gpu_power_watts",
}
COLUMNS: Final[tuple[str, ...]] = (
    "run_id",
    "service_name",
    "timestamp",
    "timestamp_unix_nano",
    "gpu_id",
    "gpu_name",
    *COLUMN_OF.values(),
)

_GPU_ID = ("gpu_id", "gpu.id", "hw.id")
_GPU_NAME = ("gpu_name", "gpu.name", "hw.name")

Gpu = tuple[Any, str | None]
"""A GPU: the resource (machine, process) that reported it, and its id there."""
Sample = tuple[int | None, int | float]
"""Unix nanoseconds and a value."""


def gpu_rows(resource_metrics: Iterable[Mapping[str, Any]], run_id: str | None = None) -> list[dict[str, Any]]:
    """One row per GPU and moment with the 13 columns of `COLUMNS`, ordered by time; [] without GPU data.

    `run_id` is given to every row; where it is None, the resource's own is used. The seven measures are floats, None
    where the moment has no such reading; counters are as read, so cumulative. A batch that was exported twice gives no
    second row.
    """
    rows: dict[tuple[int, Gpu], dict[str, Any]] = {}
    for point, gpu in _assigned(resource_metrics):
        key = (point.time_ns or 0, gpu)
        if key not in rows:
            rows[key] = _new_row(point, gpu, run_id)
        row = rows[key]
        row["gpu_name"] = row["gpu_name"] or point.attribute(*_GPU_NAME)
        row[COLUMN_OF[point.name]] = float(point.value)
    return [rows[key] for key in sorted(rows, key=_place)]


def _place(key: tuple[int, Gpu]) -> tuple[Any, ...]:
    """By time, then by GPU, so that the order in which batches arrived cannot be seen; GPU 10 comes after GPU 9."""
    time_ns, (resource, gpu_id) = key
    return (time_ns, len(gpu_id or ""), gpu_id or "", resource)


def _new_row(point: Point, gpu: Gpu, run_id: str | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row["run_id"] = run_id or point.resource_attribute(names.RUN_ID_UNDERSCORE, names.RUN_ID)
    row["service_name"] = point.resource_attribute(names.SERVICE_NAME)
    if point.time_ns is not None:
        row["timestamp"] = time_of(point.time_ns)
        row["timestamp_unix_nano"] = str(point.time_ns)
    row["gpu_id"] = gpu[1]
    return row


def aggregate_gpu_metrics(resource_metrics: Iterable[Mapping[str, Any]]) -> dict[str, int | float | None]:
    """The totals and averages of a run's GPU series; None for what was not measured, 0 for what was measured as 0.

    utilization_avg/max (percent), memory_avg/max and memory_total (MiB, all GPUs together), temperature_avg/max (°C),
    power_avg/max (W, all GPUs together), co2_total (g CO₂e), power_cost_total (USD). Averages are weighted by time.
    """
    series: dict[str, dict[Gpu, list[Sample]]] = {name: {} for name in COLUMN_OF}
    counters: dict[str, dict[Any, list[Point]]] = {CO2: {}, POWER_COST: {}}
    for point, gpu in _assigned(resource_metrics):
        if point.name in counters:
            counters[point.name].setdefault(point.series, []).append(point)
        else:
            series[point.name].setdefault(gpu, []).append((point.time_ns, point.value))
    gauges = {name: [_in_time(samples) for samples in by_gpu.values()] for name, by_gpu in series.items()}
    capacity = [samples[-1][1] for samples in gauges[MEMORY_TOTAL]]
    return {
        "utilization_avg": _combined(gauges[UTILIZATION], _mean),
        "utilization_max": _highest(gauges[UTILIZATION]),
        "memory_avg": _combined(gauges[MEMORY_USED], math.fsum),
        "memory_max": _highest_together(gauges[MEMORY_USED]),
        "memory_total": sum(capacity) if capacity else None,
        "temperature_avg": _combined(gauges[TEMPERATURE], _mean),
        "temperature_max": _highest(gauges[TEMPERATURE]),
        "power_avg": _combined(gauges[POWER], math.fsum),
        "power_max": _highest_together(gauges[POWER]),
        "co2_total": _total_increase(counters[CO2].values()),
        "power_cost_total": _total_increase(counters[POWER_COST].values()),
    }


def _assigned(resource_metrics: Iterable[Mapping[str, Any]]) -> list[tuple[Point, Gpu]]:
    """The GPU points, each with its GPU. A point that names none belongs to the only GPU of its resource, if one is."""
    points = [point for point in points_in(resource_metrics) if point.name in COLUMN_OF]
    known: dict[Any, set[str]] = {}
    for point in points:
        if (gpu_id := point.attribute(*_GPU_ID)) is not None:
            known.setdefault(point.resource, set()).add(gpu_id)

    def gpu_of(point: Point) -> Gpu:
        gpu_id = point.attribute(*_GPU_ID)
        if gpu_id is None and len(only := known.get(point.resource, set())) == 1:
            gpu_id = next(iter(only))
        return (point.resource, gpu_id)

    return [(point, gpu_of(point)) for point in points]


def _total_increase(series: Iterable[Sequence[Point]]) -> float | None:
    """What all series together grew by; None without a point."""
    increases = [increase(points) for points in series]
    return math.fsum(increases) if increases else None


def increase(points: Iterable[Point]) -> float:
    """What one counter grew by over these points of its series, in any order, duplicates allowed.

    The first point counts in full: the series is taken to have begun at 0. A value below the one before it, or another
    start time, is a restart. Between restarts the last value holds all of it, so nothing is lost to rounding.
    """
    lives: dict[int | None, dict[Any, Point]] = {}
    for order, point in enumerate(points):
        moment = ("undated", order) if point.time_ns is None else ("dated", point.time_ns)
        lives.setdefault(point.start_ns, {})[moment] = point
    return math.fsum(_growth([life[moment] for moment in sorted(life)]) for life in lives.values())


def _growth(ordered: Sequence[Point]) -> float:
    """What the points of one start time add up to: the value before each fall and the last; every value of a delta."""
    following: Sequence[Point | None] = [*ordered[1:], None]
    return math.fsum(
        point.value
        for point, after in zip(ordered, following, strict=True)
        if point.delta or after is None or after.value < point.value
    )


def _in_time(samples: list[Sample]) -> list[Sample]:
    """Sorted by time, one sample per moment; undated samples are kept as they are, in front."""
    undated = [sample for sample in samples if sample[0] is None]
    dated = {time_ns: value for time_ns, value in samples if time_ns is not None}
    return [*undated, *sorted(dated.items())]


def time_weighted_mean(samples: Sequence[Sample]) -> float | None:
    """The mean of samples in order of time, each weighted by the time around it; None without samples.

    A sample stands for half the way to each neighbour, the first and the last for as much on their outer side as on
    their inner: evenly spaced samples all weigh the same, and their mean is the plain one. So it is without times.
    """
    values = [value for _, value in samples]
    times = [time_ns for time_ns, _ in samples if time_ns is not None]
    if len(times) != len(values) or len(values) < 3:
        return _mean(values)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    weights = [before + after for before, after in zip([gaps[0], *gaps], [*gaps, gaps[-1]], strict=True)]
    if len(set(weights)) == 1:
        return _mean(values)
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return math.fsum(found) / len(found) if found else None


def _combined(by_gpu: Sequence[Sequence[Sample]], combine: Callable[[list[float]], float | None]) -> float | None:
    means = [mean for samples in by_gpu if (mean := time_weighted_mean(samples)) is not None]
    return combine(means) if means else None


def _highest(by_gpu: Iterable[Sequence[Sample]]) -> int | float | None:
    return max((value for samples in by_gpu for _, value in samples), default=None)


def _highest_together(by_gpu: Sequence[Sequence[Sample]]) -> int | float | None:
    """The highest sum over GPUs at one moment; between two of its samples a GPU keeps the value of the earlier one."""
    changes: dict[int, list[tuple[int, int | float]]] = {}
    for gpu, samples in enumerate(by_gpu):
        for order, (time_ns, value) in enumerate(samples):
            changes.setdefault(time_ns if time_ns is not None else order, []).append((gpu, value))
    current: dict[int, int | float] = {}
    highest: int | float | None = None
    for moment in sorted(changes):
        current.update(changes[moment])
        together = sum(current.values())
        highest = together if highest is None else max(highest, together)
    return highest
