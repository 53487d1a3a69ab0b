"""The energy of devices, as the run's metrics journal keeps it: one counter of whole microjoules for each device."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.attribution import Segment
from smoltrace.books.counters import Count, increase, lives
from smoltrace.records.gpu_metrics import GPU_ID, Gpu
from smoltrace.records.otlp_points import Point

_GPU_NAME: Final = ("gpu_name",)
_ENERGY: Final = frozenset({names.METRIC_GPU_ENERGY, names.METRIC_HOST_ENERGY})


@dataclass(slots=True)
class DeviceEnergy:
    """What one device used.

    `kind` is gpu, cpu or memory; `method` energy_counter or power_trapezoid; `scope` device or device_shared. The
    counter's points are kept as numbers: start, time (unix nanoseconds) and microjoules.
    """

    kind: str
    id: str
    uuid: str | None
    name: str | None
    method: str | None
    scope: str | None
    _starts: array[int] = field(default_factory=lambda: array("q"))
    _times: array[int] = field(default_factory=lambda: array("q"))
    _values: array[int] = field(default_factory=lambda: array("q"))
    idle_watts: dict[int, float] = field(default_factory=dict)
    """By the start of a life."""

    def add(self, point: Point) -> None:
        if point.time_ns is not None:
            self._starts.append(point.start_ns or point.time_ns)
            self._times.append(point.time_ns)
            self._values.append(int(point.value))

    def _lives(self) -> list[list[Count]]:
        return lives(map(Count, self._starts, self._times, self._values))

    @property
    def uj(self) -> int:
        """All of it, in microjoules."""
        return int(increase(map(Count, self._starts, self._times, self._values)))

    def segments(self) -> Iterator[Segment]:
        """What was used between each two readings, in order of time; all together is `uj`."""
        for life in self._lives():
            first = life[0]
            points = [Count(first.start_ns, first.start_ns, 0), *life]
            for before, after in pairwise(points):
                used = int(after.value - before.value if after.value >= before.value else after.value)
                yield Segment(before.time_ns or 0, after.time_ns or 0, used)

    @property
    def idle_uj(self) -> int | None:
        """What it would have used at the power it had before the first test, at most all; None when that is unknown."""
        total = 0.0
        for life in self._lives():
            start, end = life[0].start_ns or 0, life[-1].time_ns or 0
            if (watts := self.idle_watts.get(start)) is None:
                return None
            total += watts * (end - start) / 1000  # W · ns are nJ
        return min(self.uj, round(total))

    @property
    def times_ns(self) -> tuple[int, int]:
        """When it was read first and last, unix nanoseconds."""
        return min(self._starts), max(self._times)

    @property
    def seconds(self) -> float:
        """How long it was read."""
        return sum((life[-1].time_ns or 0) - (life[0].start_ns or 0) for life in self._lives()) / 1e9

    def to_json(self) -> dict[str, Any]:
        """Its place in a summary; energy in whole microjoules."""
        return {
            "kind": self.kind,
            "id": self.id,
            "uuid": self.uuid,
            "name": self.name,
            "method": self.method,
            "scope": self.scope,
            "seconds": self.seconds,
            "uj": self.uj,
            "idle_uj": self.idle_uj,
        }


class EnergySeries:
    """Takes the points of a run one by one, and keeps those that tell of energy."""

    def __init__(self) -> None:
        self._devices: dict[tuple[str, Gpu], DeviceEnergy] = {}
        self._idle: dict[Gpu, dict[int, float]] = {}

    def add(self, point: Point) -> None:
        """Take a point of ours; any other changes nothing."""
        if point.scope != names.SCOPE:
            return
        if point.name == names.METRIC_GPU_IDLE_POWER:
            self._idle.setdefault(Gpu.of(point), {})[point.start_ns or point.time_ns or 0] = float(point.value)
        elif point.name in _ENERGY:
            kind = "gpu" if point.name == names.METRIC_GPU_ENERGY else point.attribute("hw.type") or "cpu"
            key = (kind, Gpu.of(point))
            if key not in self._devices:
                self._devices[key] = _device(kind, point)
            self._devices[key].add(point)

    def devices(self) -> list[DeviceEnergy]:
        """Those with energy: GPUs first, each kind by its id."""
        for (kind, gpu), device in self._devices.items():
            if kind == "gpu":
                device.idle_watts = self._idle.get(gpu, {})
        order = {"gpu": 0, "cpu": 1, "memory": 2}
        return sorted(self._devices.values(), key=lambda d: (order.get(d.kind, 3), len(d.id), d.id, d.uuid or ""))


def _device(kind: str, point: Point) -> DeviceEnergy:
    return DeviceEnergy(
        kind=kind,
        id=point.attribute(*GPU_ID) or "",
        uuid=point.attribute("gpu_uuid"),
        name=point.attribute(*_GPU_NAME, "hw.name"),
        method=point.attribute(names.ENERGY_METHOD),
        scope=point.attribute(names.ENERGY_SCOPE),
    )
