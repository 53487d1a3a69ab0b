"""GPUs that are not there: what they draw, how warm they get, and their counters as OTLP JSON."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from smoltrace.books.carbon import grams_of
from smoltrace.books.electricity import usd_of
from smoltrace.books.energy import Trapezoid
from smoltrace.records.gpu_metrics import (
    CO2,
    MEMORY_TOTAL,
    MEMORY_USED,
    POWER,
    POWER_COST,
    TEMPERATURE,
    UTILIZATION,
)

CUMULATIVE: Final = 2
"""AGGREGATION_TEMPORALITY_CUMULATIVE."""

_AMBIENT_C: Final = 33.0
_WARMING_C: Final = 44.0
_WARMING_S: Final = 25.0
"""Seconds after which two thirds of the way to a new temperature lie behind."""


@dataclass(frozen=True, slots=True)
class GpuKind:
    """A model of GPU: its memory in MiB, and what it draws with nothing to do and with all it can do, in watts."""

    name: str
    memory_mib: int
    idle_w: float
    peak_w: float


L4: Final = GpuKind("NVIDIA L4", 23_034, 17.0, 72.0)
A100: Final = GpuKind("NVIDIA A100-SXM4-80GB", 81_920, 62.0, 400.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one GPU. `uj` is the energy in microjoules since its first reading."""

    gpu: SimulatedGpu
    time_ns: int
    utilization_percent: int
    memory_used_mib: int
    temperature_c: int
    milliwatts: int
    uj: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the electricity comes from: g CO₂e and USD for a kilowatt-hour."""

    grams_per_kwh: float
    usd_per_kwh: Decimal


class SimulatedGpu:
    """A GPU with a temperature and an energy counter. `used_share` of its memory is taken all the time."""

    def __init__(self, kind: GpuKind, index: int, rng: random.Random, used_share: float = 0.7) -> None:
        self.kind, self.id = kind, str(index)
        self.uuid = f"GPU-{UUID(int=rng.getrandbits(128), version=4)}"
        self._rng, self._used_share = rng, used_share
        self._temperature_c = _AMBIENT_C
        self._energy = Trapezoid()
        self._before_ns: int | None = None

    def read(self, time_ns: int, load: float) -> Reading:
        """The GPU at this moment, working at this share (0 to 1) of what it can do. Moments must come in order."""
        seconds = 0.0 if self._before_ns is None else (time_ns - self._before_ns) / 1e9
        self._before_ns = time_ns
        target = _AMBIENT_C + _WARMING_C * load
        self._temperature_c += (target - self._temperature_c) * min(1.0, seconds / _WARMING_S)
        span_w = self.kind.peak_w - self.kind.idle_w
        watts = self.kind.idle_w + span_w * load * 0.9 + self._rng.gauss(0.0, 0.015 * self.kind.peak_w)
        milliwatts = round(1000 * min(max(watts, 0.9 * self.kind.idle_w), self.kind.peak_w))
        self._energy.add(time_ns, milliwatts)
        used = self.kind.memory_mib * (self._used_share + 0.02 * load)
        return Reading(
            gpu=self,
            time_ns=time_ns,
            utilization_percent=round(100 * min(1.0, max(0.0, load + self._rng.gauss(0.0, 0.015 if load else 0.0)))),
            memory_used_mib=round(used),
            temperature_c=round(self._temperature_c),
            milliwatts=milliwatts,
            uj=self._energy.uj,
        )


def resource_metrics(
    readings: Sequence[Reading], *, resource: Mapping[str, str], scope: str, start_ns: int, grid: Grid
) -> dict[str, Any]:
    """These readings as one entry of OTLP JSON `resourceMetrics`: five gauges, and two cumulative sums since `start_ns`
    that follow from the energy."""
    gauges: list[tuple[str, str, list[int | float]]] = [
        (UTILIZATION, "%", [each.utilization_percent for each in readings]),
        (MEMORY_USED, "MiB", [each.memory_used_mib for each in readings]),
        (MEMORY_TOTAL, "MiB", [each.gpu.kind.memory_mib for each in readings]),
        (TEMPERATURE, "Cel", [each.temperature_c for each in readings]),
        (POWER, "W", [each.milliwatts / 1000 for each in readings]),
    ]
    sums: list[tuple[str, str, list[int | float]]] = [
        (CO2, "gCO2e", [grams_of(each.uj, grid.grams_per_kwh) for each in readings]),
        (POWER_COST, "USD", [float(usd_of(each.uj, grid.usd_per_kwh)) for each in readings]),
    ]
    metrics: list[dict[str, Any]] = [
        {"name": name, "unit": unit, "gauge": {"dataPoints": _points(readings, values)}}
        for name, unit, values in gauges
    ]
    for name, unit, values in sums:
        points = [{"startTimeUnixNano": str(start_ns), **point} for point in _points(readings, values)]
        data = {"dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": True}
        metrics.append({"name": name, "unit": unit, "sum": data})
    return {
        "resource": {"attributes": _texts(resource.items())},
        "scopeMetrics": [{"scope": {"name": scope}, "metrics": metrics}],
    }


def _points(readings: Sequence[Reading], values: Sequence[int | float]) -> list[dict[str, Any]]:
    """Whole numbers are text, as OTLP JSON wants 64-bit integers."""
    return [
        {
            "attributes": _texts([("gpu_id", reading.gpu.id), ("gpu_name", reading.gpu.kind.name)]),
            "timeUnixNano": str(reading.time_ns),
            **({"asInt": str(value)} if isinstance(value, int) else {"asDouble": value}),
        }
        for reading, value in zip(readings, values, strict=True)
    ]


def _texts(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs]
