"""GPU time series: from OTLP `resourceMetrics` to the rows of the metrics dataset and to the totals of a run.

Counters (CO₂, electricity cost) are cumulative, and there is one for each GPU: the total is the sum over all series of
what each one grew by, also across a restart of the counter. Gauges are averaged over time for each GPU, then combined:
power and memory add up over GPUs, utilisation and temperature average. The maximum over GPUs is never a total.

Where two instrumentations have read the same GPUs, one of them counts: ours, else the first by name.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from smoltrace.books import gauges, names
from smoltrace.books.counters import Count, increase
from smoltrace.records.otlp_points import Attributes, Point, points_in
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
_COUNTERS: Final = frozenset({CO2, POWER_COST})

GPU_ID: Final = ("gpu_id", "gpu.id", "hw.id")
_GPU_NAME: Final = ("gpu_name", "gpu.name", "hw.name")
GPU_UUID: Final = ("gpu_uuid", "gpu.uuid")
_UNDATED: Final = 0
"""In place of a time that is not known: 1970 is no time of a reading."""


class Gpu(NamedTuple):
    """A GPU: the resource (machine, process) that reported it, and what it is called there.

    `key` is its UUID where it is told, so that a GPU that got another number is still the same one; else its number,
    and None for a point that names none.
    """

    resource: Attributes
    key: str | None

    @classmethod
    def of(cls, point: Point) -> Gpu:
        return cls(point.resource, point.attribute(*GPU_UUID) or point.attribute(*GPU_ID))


def gpu_rows(resource_metrics: Iterable[Mapping[str, Any]], run_id: str | None = None) -> list[dict[str, Any]]:
    """One row per GPU and moment with the 13 columns of `COLUMNS`, ordered by time; [] without GPU data.

    `run_id` is given to every row; where it is None, the resource's own is used. The seven measures are floats, None
    where the moment has no such reading; counters are as read, so cumulative. A batch that was exported twice gives no
    second row.
    """
    return [row for _, row in moments(points_in(resource_metrics), run_id)]


Moment = tuple[int, Gpu]
"""Unix nanoseconds and a GPU."""


def moments(
    points: Iterable[Point], run_id: str | None = None, *, metrics: Collection[str] = COLUMN_OF
) -> list[tuple[Moment, dict[str, Any]]]:
    """The rows of `gpu_rows` from points, each with its moment. `metrics` are the names that make a moment."""
    rows: dict[Moment, dict[str, Any]] = {}
    for point, gpu in _assigned(_of_one_scope([point for point in points if point.name in metrics])):
        key = (point.time_ns or 0, gpu)
        if key not in rows:
            rows[key] = _new_row(point, run_id)
        row = rows[key]
        row["gpu_id"] = row["gpu_id"] or point.attribute(*GPU_ID) or gpu.key
        row["gpu_name"] = row["gpu_name"] or point.attribute(*_GPU_NAME)
        if (column := COLUMN_OF.get(point.name)) is not None:
            row[column] = float(point.value)
    return sorted(rows.items(), key=_place)


def _place(entry: tuple[Moment, Mapping[str, Any]]) -> tuple[Any, ...]:
    """By time, then by GPU, so that the order in which batches arrived cannot be seen; GPU 10 comes after GPU 9."""
    (time_ns, gpu), row = entry
    gpu_id = row["gpu_id"] or ""
    return (time_ns, len(gpu_id), gpu_id, gpu.key or "", gpu.resource)


def _new_row(point: Point, run_id: str | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row["run_id"] = run_id or point.resource_attribute(names.RUN_ID_UNDERSCORE, names.RUN_ID)
    row["service_name"] = point.resource_attribute(names.SERVICE_NAME)
    if point.time_ns is not None:
        row["timestamp"] = time_of(point.time_ns)
        row["timestamp_unix_nano"] = str(point.time_ns)
    return row


def _of_one_scope(points: list[Point]) -> list[Point]:
    """Of each metric the points of one instrumentation for each resource: the same GPU must not count twice."""
    scopes: dict[tuple[str, Attributes], set[str]] = {}
    for point in points:
        scopes.setdefault((point.name, point.resource), set()).add(point.scope)
    chosen = {key: _preferred(found) for key, found in scopes.items()}
    ours = {name for (name, _), scope in chosen.items() if scope == names.SCOPE}
    return [
        point
        for point in points
        if point.scope == (names.SCOPE if point.name in ours else chosen[point.name, point.resource])
    ]


def _preferred(scopes: Iterable[str]) -> str:
    return min(scopes, key=lambda scope: (scope != names.SCOPE, scope))


def _assigned(points: Iterable[Point]) -> Iterator[tuple[Point, Gpu]]:
    """The points, each with its GPU. A point that names none belongs to the only GPU of its resource, if one is."""
    found = [(point, Gpu.of(point)) for point in points]
    only = _only_gpus(gpu for _, gpu in found)
    for point, gpu in found:
        yield point, gpu if gpu.key is not None else only.get(gpu.resource, gpu)


def _only_gpus(gpus: Iterable[Gpu]) -> dict[Attributes, Gpu]:
    """By resource the GPU of those that have exactly one."""
    known: dict[Attributes, set[Gpu]] = {}
    for gpu in gpus:
        if gpu.key is not None:
            known.setdefault(gpu.resource, set()).add(gpu)
    return {resource: next(iter(found)) for resource, found in known.items() if len(found) == 1}


def aggregate_gpu_metrics(resource_metrics: Iterable[Mapping[str, Any]]) -> dict[str, int | float | None]:
    """The totals and averages of a run's GPU series; None for what was not measured, 0 for what was measured as 0.

    utilization_avg/max (percent), memory_avg/max and memory_total (MiB, all GPUs together), temperature_avg/max (°C),
    power_avg/max (W, all GPUs together), co2_total (g CO₂e), power_cost_total (USD). Averages are weighted by time.
    """
    series = GpuSeries()
    for item in resource_metrics:
        for point in points_in([item]):
            series.add(point)
    return series.aggregate()


class GpuSeries:
    """Takes the points of a run one by one and gives its totals and averages; some 16 bytes are kept of each."""

    def __init__(self) -> None:
        self._gauges: dict[tuple[str, str, Gpu], dict[int | None, tuple[array[int], array[float]]]] = {}
        self._counts: dict[tuple[str, str, Gpu, Attributes, str], list[Count]] = {}

    def add(self, point: Point) -> None:
        """Take a point; one that says nothing of a GPU changes nothing."""
        gpu = Gpu.of(point)
        if point.name in _COUNTERS:
            count = Count(point.start_ns, point.time_ns, point.value, point.delta)
            series = (point.name, point.scope, gpu, point.attributes, point.unit)
            self._counts.setdefault(series, []).append(count)
        elif point.name in COLUMN_OF:
            lives = self._gauges.setdefault((point.name, point.scope, gpu), {})
            # What others mean by the start of a gauge is not known: for them it is all one life.
            life = point.start_ns if point.scope == names.SCOPE else None
            if life not in lives:
                lives[life] = (array("q"), array("d"))
            times, values = lives[life]
            times.append(_UNDATED if point.time_ns is None else point.time_ns)
            values.append(point.value)

    def aggregate(self) -> dict[str, int | float | None]:
        """See `aggregate_gpu_metrics`."""
        used, memory, power = self._samples(UTILIZATION), self._samples(MEMORY_USED), self._samples(POWER)
        degrees = self._samples(TEMPERATURE)
        return {
            "utilization_avg": gauges.mean_of_each(used),
            "utilization_max": gauges.highest(used),
            "memory_avg": gauges.mean_together(memory),
            "memory_max": gauges.highest_together(memory),
            "memory_total": gauges.highest_together(self._samples(MEMORY_TOTAL)),
            "temperature_avg": gauges.mean_of_each(degrees),
            "temperature_max": gauges.highest(degrees),
            "power_avg": gauges.mean_together(power),
            "power_max": gauges.highest_together(power),
            "co2_total": self._total_increase(CO2),
            "power_cost_total": self._total_increase(POWER_COST),
        }

    def _samples(self, name: str) -> list[list[list[gauges.Sample]]]:
        """The samples of a gauge in order of time, GPU by GPU and life by life."""
        keys = self._counted([(scope, gpu) for metric, scope, gpu in self._gauges if metric == name])
        only = _only_gpus(gpu for _, _, gpu in self._gauges)
        by_gpu: dict[Gpu, dict[int | None, list[gauges.Sample]]] = {}
        for scope, gpu in keys:
            home = by_gpu.setdefault(gpu if gpu.key is not None else only.get(gpu.resource, gpu), {})
            for start, (times, values) in self._gauges[name, scope, gpu].items():
                samples = ((None if at == _UNDATED else at, value) for at, value in zip(times, values, strict=True))
                home.setdefault(start, []).extend(samples)
        return [[gauges.in_time(life) for life in lives.values()] for lives in by_gpu.values()]

    def _total_increase(self, name: str) -> int | float | None:
        """What all series of a counter together grew by; None without a point."""
        counted = set(self._counted([(scope, gpu) for metric, scope, gpu, *_ in self._counts if metric == name]))
        increases = [increase(counts) for key, counts in self._counts.items() if key[0] == name and key[1:3] in counted]
        return math.fsum(increases) if increases else None

    @staticmethod
    def _counted(found: list[tuple[str, Gpu]]) -> list[tuple[str, Gpu]]:
        """Of the series of one metric those of the instrumentation that counts for their resource."""
        if any(scope == names.SCOPE for scope, _ in found):
            return [(scope, gpu) for scope, gpu in found if scope == names.SCOPE]
        scopes: dict[Attributes, set[str]] = {}
        for scope, gpu in found:
            scopes.setdefault(gpu.resource, set()).add(scope)
        return [(scope, gpu) for scope, gpu in found if scope == _preferred(scopes[gpu.resource])]
