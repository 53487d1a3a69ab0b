"""One device while it is sampled: what it used since the baseline, across resets and while it cannot be read."""

from __future__ import annotations

import time
from typing import Final

from smoltrace.books.counters import step
from smoltrace.books.energy import Trapezoid
from smoltrace.devices.device import Device, DeviceLost, Gauges, Reading

RETRY_NS: Final = 2_000_000_000
"""A device that cannot be read is tried again after this long: asking for it may be slow."""

MOST_W: Final = 20_000
"""No device draws more; a counter that fell and shows more than that was not reset."""

_MW_PER_W: Final = 1000
_NS_PER_US: Final = 1000  # microjoules are watts times microseconds


class Watched:
    """Holds the energy of one device since it was first read. `fault` says what went wrong the first time, or None."""

    def __init__(self, device: Device) -> None:
        self._device, self.info = device, device.info
        self.fault: str | None = None
        self._retry_ns = 0
        self._moment_ns = 0
        self._counter: int | None = None
        self._counted_ns = 0
        self._counted = 0
        self._trapezoid = Trapezoid()
        self._energy: int | None = None
        self._gauges: Gauges | None = None

    @property
    def integrates(self) -> bool:
        """Whether its energy comes from its power, so that it must be read often."""
        return self.info.method == "power_trapezoid"

    def read(self) -> bool:
        """Read the energy, and the gauges where it comes from them; False where the device cannot be read now."""
        began = time.monotonic_ns()
        if began < self._retry_ns:
            return False
        try:
            if self.info.method == "energy_counter":
                value, self._gauges = self._device.counter_uj(), None
            else:
                value, self._gauges = None, self._device.gauges()
        except DeviceLost as error:
            self._lose(error)
            return False
        self._moment_ns = (began + time.monotonic_ns()) // 2
        self._energy = self._integrated() if self.integrates else self._grown(value)
        return True

    def reading(self, anchor_ns: int, *, with_gauges: bool) -> Reading:
        """What the last `read` found; `anchor_ns` is the unix time at which the monotonic clock stood at 0."""
        return Reading(self.info, anchor_ns + self._moment_ns, self._energy, self._shown(with_gauges))

    def _grown(self, value: int | None) -> int | None:
        """Microjoules since the first reading of the counter."""
        if value is None:
            return None
        if self._counter is not None:
            self._counted += self._step(self._counter, value)
        self._counter, self._counted_ns = value, self._moment_ns
        return self._counted

    def _step(self, before: int, value: int) -> int:
        """After a fall all that the counter shows was used since; unless no device could have, and it only stumbled."""
        if value < before and value * _NS_PER_US > MOST_W * (self._moment_ns - self._counted_ns):
            self.fault = self.fault or f"{self.info.kind} {self.info.id}: its energy counter went back a little"
            return 0
        return step(before, value)

    def _integrated(self) -> int | None:
        """Microjoules since the first reading of the power; None when it is not shown now."""
        watts = None if self._gauges is None else self._gauges.power_w
        if watts is None:
            self._trapezoid.pause()
            return None
        self._trapezoid.add(self._moment_ns, round(watts * _MW_PER_W))
        return self._trapezoid.uj

    def _shown(self, with_gauges: bool) -> Gauges:
        if self._gauges is None and with_gauges:
            try:
                self._gauges = self._device.gauges()
            except DeviceLost as error:
                self._lose(error)
        return self._gauges or Gauges()

    def _lose(self, error: DeviceLost) -> None:
        self._retry_ns = time.monotonic_ns() + RETRY_NS
        self._trapezoid.pause()
        if self.fault is None:
            self.fault = f"{self.info.kind} {self.info.id} ({self.info.name}) could not be read for a while: {error}"
