"""What can be read of a device: its energy counter and its gauges, whoever made it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Kind = Literal["gpu", "cpu", "memory"]
Method = Literal["energy_counter", "power_trapezoid"]
Scope = Literal["device", "device_shared"]


class DeviceLost(Exception):
    """A device cannot be read now: it fell off the bus, or its driver is gone. Says why; it may come back."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """Which device it is, and how its energy is read.

    `id` is the driver's own number of a GPU ("0"), or the name of a processor's part ("package-0", "dram-0"). `uuid`
    stays the same when GPUs are numbered anew. `method` is None where no energy can be read. `scope` is
    "device_shared" where others may use parts of the same device, whose energy cannot be told apart.
    """

    kind: Kind
    id: str
    uuid: str | None
    name: str
    method: Method | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class Gauges:
    """What a device shows at one moment; None for each that it does not show. Watts, percent, MiB, MiB, °C."""

    power_w: float | None = None
    utilization_percent: float | None = None
    memory_used_mib: float | None = None
    memory_total_mib: float | None = None
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A device as it was read at one moment.

    `time_ns` is the middle of the read, in unix nanoseconds of a clock that never goes back. `energy_uj` is what the
    device used since the sampler's baseline, in whole microjoules; it never falls, and is None where no energy can be
    read.
    """

    info: DeviceInfo
    time_ns: int
    energy_uj: int | None
    gauges: Gauges


class Device(Protocol):
    """A device that is open for reading. Reading raises DeviceLost when it cannot be read now."""

    @property
    def info(self) -> DeviceInfo: ...

    def counter_uj(self) -> int | None:
        """The driver's own counter in microjoules, which may begin anew at any time; None where it has none."""

    def gauges(self) -> Gauges: ...

    def close(self) -> None:
        """Give the device back to its driver; nothing is read of it any more."""


class Opened(NamedTuple):
    """The devices of one driver. `reason` says in words why there is none, or what is in doubt about those there."""

    devices: list[Device]
    reason: str | None


class Driver:
    """A driver's library, shared by its devices and shut down when the last of them is closed.

    A device enters it for each question. It is not shut down while one is unanswered: a library that hangs would hang
    here too, or be taken away under who waits for it.
    """

    def __init__(self, shut_down: Callable[[], None]) -> None:
        self._shut_down = shut_down
        self._lock = threading.Lock()
        self._users = 0
        self._unanswered = 0

    def __enter__(self) -> None:
        with self._lock:
            self._unanswered += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._unanswered -= 1

    def use(self) -> None:
        """One more device needs it."""
        with self._lock:
            self._users += 1

    def release(self) -> None:
        """One device less needs it."""
        with self._lock:
            self._users -= 1
            last = self._users == 0 and self._unanswered == 0
        if last:
            self._shut_down()
