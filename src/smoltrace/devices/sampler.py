"""Reads all devices in the background while something else works, and tells what they used since the work began."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from smoltrace.devices.device import Device, DeviceInfo, DeviceLost, Reading
from smoltrace.devices.watched import Watched

SHARED_NS: Final = 20_000_000
"""Marks this soon after a sample began are covered by it."""
PATIENCE_S: Final = 5.0
"""A driver that has not answered by then is not waited for any longer."""
LATE_NS: Final = 1_000_000_000
"""Once sampling is to end, gauges of a driver so slow are left out: what is missing then is the energy."""

MOVED_NS: Final = 500_000_000
"""By so much the system's clock may differ from the monotonic one since the baseline: it is adjusted all the time."""

_NS_PER_S: Final = 1_000_000_000
_SILENT: Final = f"the driver of a device did not answer within {PATIENCE_S:.0f} s"


class Sampler:
    """Samples `devices`, one after the other in one thread, and hands each sample to `on_sample` in that thread.

    The first sample is the baseline, with an energy of 0. Then there is one every `fine_interval_s` for the first
    `fine_for_s` seconds (what a reset hides is at most one interval, which must be small beside a short run), later
    one every `interval_s`. At a mark there is one of energy alone, with no gauges: soon, and later on no more often
    than every `fine_interval_s`, however many tests begin and end. Power that has to be integrated is read that often
    throughout. A device that cannot be read is left out of the samples until it comes back. `faults` says what went
    wrong; when `on_sample` raises, sampling ends.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        on_sample: Callable[[Sequence[Reading]], None],
        *,
        interval_s: float = 0.5,
        fine_interval_s: float = 0.1,
        fine_for_s: float = 10.0,
    ) -> None:
        self.faults: list[str] = []
        self._devices, self._on_sample = tuple(devices), on_sample
        self._watched = [Watched(device) for device in devices]
        self._interval_ns, self._fine_ns = _ns(interval_s), _ns(fine_interval_s)
        self._fine_for_ns = _ns(fine_for_s)
        self._wake, self._begun = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._anchor_ns = self._began_ns = self._marked_ns = self._sampled_ns = 0
        self._stopped_ns: int | None = None
        self._abandoned = self._clock_moved = False

    def idle(self, seconds: float = 1.0) -> dict[DeviceInfo, float | None]:
        """The watts that each device draws while nothing is done, over `seconds`, which it takes; to be called before
        `start`. None for a device of which they could not be read; {} without devices."""
        if not self._devices:
            return {}
        found: dict[DeviceInfo, float | None] = {}
        reader = threading.Thread(
            target=self._read_idle, args=(seconds, found), name="smoltrace-devices-idle", daemon=True
        )
        reader.start()
        reader.join(seconds + PATIENCE_S)
        if reader.is_alive():
            self.faults.append(f"what the devices draw when idle is unknown: {_SILENT}")
        return {device.info: found.get(device.info) for device in self._devices}

    def start(self) -> None:
        """Take the baseline, hand it to `on_sample`, and go on in the background. Without devices nothing happens.

        Returns when the baseline is taken, or after PATIENCE_S when the driver does not answer.
        """
        if not self._devices or self._thread is not None:
            return
        self._anchor_ns = time.time_ns() - time.monotonic_ns()
        self._thread = threading.Thread(target=self._run, name="smoltrace-devices", daemon=True)
        self._thread.start()
        if not self._begun.wait(PATIENCE_S):
            self.faults.append(f"the energy of the beginning is missing: {_SILENT}")

    def mark(self) -> None:
        """Something begins or ends now: sample soon. Never waits."""
        self._marked_ns = time.monotonic_ns()
        self._wake.set()

    def stop(self) -> None:
        """Sample once more and end. Waits for a driver for at most PATIENCE_S; afterwards nothing is sampled."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopped_ns = time.monotonic_ns()
        self._wake.set()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            self._abandoned = True
            self.faults.append(f"the energy of the end is missing: {_SILENT}")

    def _read_idle(self, seconds: float, found: dict[DeviceInfo, float | None]) -> None:
        try:
            found.update(_idle_watts(self._devices, seconds, self._fine_ns))
        except Exception as error:  # noqa: BLE001 - drivers of any kind
            self.faults.append(f"what the devices draw when idle is unknown: {type(error).__name__}: {error}")

    def _run(self) -> None:
        try:
            self._began_ns = time.monotonic_ns()
            self._sample()
            self._begun.set()
            self._go_on()
            self._sample()
        except Exception as error:  # noqa: BLE001 - anybody's callback, and drivers of any kind
            self.faults.append(f"sampling of the devices ended early: {type(error).__name__}: {error}")
        finally:
            self._begun.set()

    def _go_on(self) -> None:
        """Sample in rhythm and at marks until it is to stop."""
        sample_at = self._next(self._sampled_ns, self._rhythm())
        integrating = [watched for watched in self._watched if watched.integrates]
        power_at = self._next(self._sampled_ns, self._fine_ns)
        while True:
            until = min([sample_at, *([power_at] if integrating else []), *self._mark_at()])
            self._wake.wait(max(0, until - time.monotonic_ns()) / _NS_PER_S)
            self._wake.clear()
            now = time.monotonic_ns()
            if self._stopped_ns is not None:
                return
            if now >= sample_at:
                self._sample()
                sample_at = self._next(now, self._rhythm())
                power_at = self._next(now, self._fine_ns)
            elif any(now >= mark_at for mark_at in self._mark_at()):
                self._sample(with_gauges=False)
                power_at = self._next(now, self._fine_ns)
            elif integrating and now >= power_at:
                for watched in integrating:
                    watched.read()
                power_at = self._next(now, self._fine_ns)

    def _mark_at(self) -> list[int]:
        """When to sample for the last mark; [] when a sample has covered it."""
        if self._marked_ns <= self._sampled_ns + SHARED_NS:
            return []
        return [self._sampled_ns + (SHARED_NS if self._is_early() else self._fine_ns)]

    def _is_early(self) -> bool:
        return time.monotonic_ns() - self._began_ns < self._fine_for_ns

    def _rhythm(self) -> int:
        """Nanoseconds to the next sample."""
        return self._fine_ns if self._is_early() else self._interval_ns

    def _next(self, began_ns: int, interval_ns: int) -> int:
        """When to read again. A driver that takes longer than the interval is left alone for one after it answered."""
        now = time.monotonic_ns()
        return began_ns + interval_ns if now - began_ns < interval_ns else now + interval_ns

    def _sample(self, *, with_gauges: bool = True) -> None:
        """Read the energy of all devices, close to each other, then their gauges."""
        self._sampled_ns = time.monotonic_ns()
        present = [watched for watched in self._watched if watched.read()]
        readings = [
            watched.reading(self._anchor_ns, with_gauges=with_gauges and not self._late()) for watched in present
        ]
        self.faults += [
            watched.fault for watched in self._watched if watched.fault is not None and watched.fault not in self.faults
        ]
        self._watch_clock()
        if readings and not self._abandoned:
            self._on_sample(readings)

    def _watch_clock(self) -> None:
        """Tests are timed by the system's clock. When it is set, or stands still while the machine sleeps, what a test
        had of the energy can no longer be told."""
        moved = time.time_ns() - time.monotonic_ns() - self._anchor_ns
        if abs(moved) > MOVED_NS and not self._clock_moved:
            self._clock_moved = True
            self.faults.append(
                f"the system's clock was set by {moved / _NS_PER_S:+.1f} s, or the machine slept: the shares of the "
                "tests from then on may be wrong"
            )

    def _late(self) -> bool:
        stopped_ns = self._stopped_ns
        return stopped_ns is not None and time.monotonic_ns() - stopped_ns > LATE_NS


def _idle_watts(devices: Sequence[Device], seconds: float, pause_ns: int) -> dict[DeviceInfo, float | None]:
    """The mean power of each device from its energy counter, or from readings of its power where it has none."""
    until = time.monotonic_ns() + _ns(seconds)
    before = {device.info: _counter(device) for device in devices}
    readings: dict[DeviceInfo, list[float]] = {device.info: [] for device in devices}
    powered = [device for device in devices if device.info.method != "energy_counter"]
    while True:
        for device in powered:
            if (watts := _power(device)) is not None:
                readings[device.info].append(watts)
        left = until - time.monotonic_ns()
        if left <= 0:
            break
        time.sleep((min(left, pause_ns) if powered else left) / _NS_PER_S)
    found: dict[DeviceInfo, float | None] = {}
    for device in devices:
        if device.info.method == "energy_counter":
            found[device.info] = _watts_between(before[device.info], _counter(device))
        else:
            powers = readings[device.info]
            found[device.info] = sum(powers) / len(powers) if powers else None
    return found


def _counter(device: Device) -> tuple[int, int] | None:
    """The moment in the middle of the read, in nanoseconds of the monotonic clock, and the counter in microjoules."""
    began = time.monotonic_ns()
    try:
        value = device.counter_uj() if device.info.method == "energy_counter" else None
    except DeviceLost:
        return None
    return None if value is None else ((began + time.monotonic_ns()) // 2, value)


def _power(device: Device) -> float | None:
    try:
        return device.gauges().power_w
    except DeviceLost:
        return None


def _watts_between(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    """Of a counter that began anew meanwhile, nothing is known."""
    if before is None or after is None or after[1] < before[1] or after[0] == before[0]:
        return None
    microjoules, nanoseconds = after[1] - before[1], after[0] - before[0]
    return microjoules * 1000 / nanoseconds


def _ns(seconds: float) -> int:
    return round(seconds * _NS_PER_S)
