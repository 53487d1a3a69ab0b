"""GPU counters, read for a few seconds as a run reads them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from smoltrace.books.energy import UJ_PER_J
from smoltrace.evaluation.checkup.check import Check, Status, plain, usd

if TYPE_CHECKING:
    from smoltrace.devices.device import Device, DeviceInfo, Reading
    from smoltrace.records.energy import Factors

NAME: Final = "GPU counters"
_DRIVERS: Final = ("nvidia", "amd")
_LOOK: Final = "look at nvidia-smi or amd-smi, and at the driver's log"


@dataclass(slots=True)
class GpuReadings:
    """Reads all GPUs for `seconds`. `samples` are what was read, in order of time, and empty until then."""

    seconds: float
    factors: Factors
    samples: list[Sequence[Reading]] = field(default_factory=list, init=False)

    def checks(self) -> Iterator[Check]:
        """One: what the GPUs drew, and what that emitted and cost, between the first reading and the last."""
        from smoltrace.devices.found import find_devices

        found = find_devices()
        try:
            said = [found.reasons[driver] for driver in _DRIVERS if driver in found.reasons]
            # That there is no driver is no fault; that there is one and something is wrong with it may be one.
            doubts = [reason for reason in said if not reason.startswith("no ")]
            if not found.gpus:
                status: Status = "warning" if doubts else "skipped"
                yield Check(NAME, status, f"no GPU can be read here: {'; '.join(said) or 'none was found'}")
                return
            faults = self._read(found.gpus)
        finally:
            found.close()
        yield self._judged([device.info for device in found.gpus], [*doubts, *faults])

    def _read(self, gpus: Sequence[Device]) -> list[str]:
        """What went wrong meanwhile."""
        from smoltrace.devices.sampler import Sampler

        sampler = Sampler(gpus, self.samples.append)
        sampler.start()
        try:
            time.sleep(self.seconds)
        finally:
            sampler.stop()
        return list(sampler.faults)

    def _judged(self, gpus: Sequence[DeviceInfo], faults: list[str]) -> Check:
        series = {info: [each for sample in self.samples for each in sample if each.info == info] for info in gpus}
        lines = [self._line(info, readings) for info, readings in series.items()]
        unread = [info.id for info, readings in series.items() if not readings]
        still = [info.id for info, readings in series.items() if readings and info.method and not _growth(readings)]
        mute = [info.id for info in gpus if info.method is None]
        lines += [f"GPU {gpu} could not be read" for gpu in unread]
        lines += [f"the energy of GPU {gpu} does not grow" for gpu in still]
        lines += [f"the energy of GPU {gpu} cannot be read and stays unknown" for gpu in mute]
        detail = "\n".join([*filter(None, lines), *faults])
        if unread or still:
            return Check(NAME, "failed", detail, _LOOK)
        doubtful = bool(mute or faults)
        return Check(NAME, "warning" if doubtful else "ok", detail, _LOOK if doubtful else None)

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


def _growth(readings: list[Reading]) -> int | None:
    """Microjoules between the first reading and the last; None where no energy was read."""
    known = [reading.energy_uj for reading in readings if reading.energy_uj is not None]
    return known[-1] - known[0] if known else None
