"""GPU counters, read for a few seconds as a run reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from smoltrace.books.energy import UJ_PER_J
from smoltrace.evaluation.checkup.check import Check, Status, plain, usd

if TYPE_CHECKING:
    from smoltrace.devices.device import Device, DeviceInfo, Reading
    from smoltrace.records.energy import Factors

NAME: Final = "GPU counters"
_DRIVERS: Final = ("nvidia", "amd")
_LOOK: Final = "look at nvidia-smi or amd-smi, and at the driver's log"
_MUTE: Final = "there is nothing to set: the GPU or its driver shows neither energy nor power; a run goes without it"
_HIDDEN: Final = "unset it, or name GPUs that nvidia-smi -L lists; leave it where a run is to have no GPU"
_SHARED: Final = "its energy is that of all its parts, whoever uses them"
_HOW: Final = re.compile(r": (?=(?:pip install|restart|set) )")
"""Where a driver's reason goes on to say what to do."""

_Doubt: TypeAlias = tuple[str, str]
"""What may be wrong, and what to do about it."""


@dataclass(slots=True)
class GpuReadings:
    """Reads all GPUs for `seconds`. `samples` are what was read, in order of time, and empty until then."""

    seconds: float
    factors: Factors
    samples: list[Sequence[Reading]] = field(default_factory=list, init=False)
    _last: frozenset[DeviceInfo] = field(default=frozenset(), init=False)

    def checks(self) -> Iterator[Check]:
        """One: what the GPUs drew, and what that emitted and cost, between the first reading and the last."""
        from smoltrace.devices.found import find_devices

        found = find_devices()
        try:
            said = [_parted(found.reasons[driver]) for driver in _DRIVERS if driver in found.reasons]
            # That there is no driver is no fault; that there is one and something is wrong with it may be one.
            doubts = [doubt for doubt in said if not doubt[0].startswith("no ")]
            if not found.gpus:
                why = "; ".join(reason for reason, _ in said) or "none was found"
                status: Status = "warning" if doubts else "skipped"
                yield Check(NAME, status, f"no GPU can be read here: {why}", _together(doubts))
                return
            faults = self._read(found.gpus)
        finally:
            found.close()
        yield self._judged([device.info for device in found.gpus], doubts, faults)

    def _read(self, gpus: Sequence[Device]) -> list[str]:
        """What went wrong meanwhile."""
        from smoltrace.devices.sampler import Sampler

        sampler = Sampler(gpus, self.samples.append)
        sampler.start()
        try:
            time.sleep(self.seconds)
        finally:
            before = len(self.samples)
            sampler.stop()
        self._last = frozenset(reading.info for sample in self.samples[before:] for reading in sample)
        return list(sampler.faults)

    def _judged(self, gpus: Sequence[DeviceInfo], doubts: list[_Doubt], faults: list[str]) -> Check:
        series = {info: [each for sample in self.samples for each in sample if each.info == info] for info in gpus}
        lost, faults = self._lost(series, faults)
        still: list[_Doubt] = []
        mute: list[_Doubt] = []
        for info, readings in series.items():
            grown = _growth(readings)
            if info.method is None or (readings and grown is None):
                mute.append((f"the energy of GPU {info.id} cannot be read and stays unknown", _MUTE))
            elif grown == 0 and info in self._last:
                still.append((f"the energy of GPU {info.id} does not grow", _LOOK))
        lines = [self._line(info, readings) for info, readings in series.items()]
        shared = [f"GPU {info.id} is shared (MIG): {_SHARED}" for info in gpus if info.scope == "device_shared"]
        wrong = [*lost, *still, *mute, *doubts, *((fault, _LOOK) for fault in faults)]
        status: Status = "failed" if lost or still else "warning" if wrong else "ok"
        told = [*filter(None, lines), *shared, *(said for said, _ in wrong)]
        return Check(NAME, status, "\n".join(told), _together(wrong))

    def _lost(self, series: Mapping[DeviceInfo, list[Reading]], faults: list[str]) -> tuple[list[_Doubt], list[str]]:
        """The GPUs that gave no last reading, and the faults that are not told with them."""
        told: list[_Doubt] = []
        rest = list(faults)
        for info, readings in series.items():
            if info in self._last:
                continue
            # The sampler cannot know while it samples that the GPU is not to come back.
            whose = f"{info.kind} {info.id} ({info.name}) could not be read for a while"
            why = "".join(fault.removeprefix(whose) for fault in rest if fault.startswith(whose))
            rest = [fault for fault in rest if not fault.startswith(whose)]
            how = "gave no last reading" if not why else "was lost and had not come back at the end"
            told.append((f"GPU {info.id} {how if readings else 'could not be read'}{why}", _LOOK))
        return told, rest

    def _line(self, info: DeviceInfo, readings: list[Reading]) -> str:
        """From the first reading to the last: watts, joules, grams of CO2 and dollars."""
        if not readings:
            return ""
        seconds, grown = (readings[-1].time_ns - readings[0].time_ns) / 1e9, _growth(readings)
        told = f"{len(readings)} readings in {seconds:.1f} s"
        name = f"{info.id} {info.name}"
        if grown is None:
            watts = readings[-1].gauges.power_w
            return f"{name}: {'power unknown' if watts is None else f'{watts:.1f} W'}, {told}"
        grams, dollars = self.factors.grams(grown), self.factors.usd(grown)
        watts = grown / UJ_PER_J / seconds if seconds else 0.0
        co2 = "CO2 unknown" if grams is None else f"CO2 0 → {plain(grams)} g"
        cost = "" if dollars is None else f", electricity 0 → {usd(dollars)}"
        by = "" if info.method is None else f" ({info.method.replace('_', ' ')})"
        return f"{name}: {watts:.1f} W, 0 → {grown / UJ_PER_J:.1f} J{by}, {co2}{cost}, {told}"


def _together(doubts: Sequence[_Doubt]) -> str | None:
    """What to do about all of them."""
    return "; ".join(dict.fromkeys(remedy for _, remedy in doubts)) or None


def _parted(reason: str) -> _Doubt:
    """What a driver says of its devices, and what to do about it."""
    if reason.startswith("CUDA_VISIBLE_DEVICES="):
        return reason, _HIDDEN
    said, *remedy = _HOW.split(reason, maxsplit=1)
    return said, remedy[0] if remedy else _LOOK


def _growth(readings: list[Reading]) -> int | None:
    """Microjoules between the first reading and the last; None where no energy was read."""
    known = [reading.energy_uj for reading in readings if reading.energy_uj is not None]
    return known[-1] - known[0] if known else None
