"""All meters of one life of a run: found and read idle before its model is made, read until its last test has ended."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import StoreError
from smoltrace.evaluation.meters.footprint import wants_gpu_metrics
from smoltrace.records.energy import Factors

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.devices.device import DeviceInfo, Reading
    from smoltrace.devices.found import Found
    from smoltrace.devices.sampler import Sampler
    from smoltrace.evaluation.engines.scribe import Finished
    from smoltrace.evaluation.meters.footprint import Footprint
    from smoltrace.evaluation.meters.instruments import ClientMeter, DeviceMeter, Write

IDLE_S: Final = 1.0
"""How long the devices are read before the work begins, to know what they draw without it."""


class Meters:
    """A context manager; leaving it gives the devices back. Nothing of it stops a run: what could not be read or kept
    is told in `faults`."""

    def __init__(self, footprint: Footprint, spec: ModelSpec, resource: Mapping[str, Any]) -> None:
        self._footprint, self._resource = footprint, resource
        self._found: Found | None = None
        self._idle: Mapping[DeviceInfo, float | None] = {}
        self._sampler: Sampler | None = None
        self._devices: DeviceMeter | None = None
        self._client: ClientMeter | None = None
        self._faults: list[str] = []
        # Loaded before the run's time begins: its first reading must not wait for it.
        importlib.import_module("smoltrace.evaluation.meters.instruments")
        if wants_gpu_metrics(footprint, spec):
            from smoltrace.devices.found import find_devices

            self._found = find_devices()

    def __enter__(self) -> Meters:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()
        if self._found is not None:
            self._found.close()

    @property
    def note(self) -> str | None:
        """What somebody who asked for GPU metrics has to know; None where all is well."""
        if not self._footprint.gpu_metrics or self._found is None:
            return None
        silent = [device.info for device in self._found.gpus if device.info.method is None]
        if not self._found.gpus:
            why = "; ".join(self._found.reasons.values()) or "no GPU was found"
        elif silent:
            why = ", ".join(f"GPU {info.id}, {info.name}, tells neither energy nor power" for info in silent)
            return f"{why}: the energy of the run stays unknown."
        else:
            return None
        return f"No GPU counter can be read here ({why}): the GPU columns stay null."

    def manifest(self, before: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """What run.json tells of the meters: the devices, why others are missing, what went wrong, in this life and,
        by `before`, in earlier ones. None: not wanted."""
        if self._found is None:
            return None if before is None else dict(before)
        told = before or {}
        devices = [_about(device.info) for device in self._found.devices]
        faults = [*self._faults, *(self._sampler.faults if self._sampler is not None else ())]
        return {
            "devices": _each_once([*(told.get("devices") or ()), *devices]),
            "reasons": dict(self._found.reasons),
            "idle_watts": {
                **(told.get("idle_watts") or {}),
                **{info.uuid or info.id: watts for info, watts in self._idle.items() if info.kind == "gpu"},
            },
            "faults": _once([*(told.get("faults") or ()), *faults]),
        }

    def read_idle(self) -> None:
        """Read what the devices draw before the work begins; takes a second where there are any."""
        if self._found is not None and self._found.devices:
            from smoltrace.devices.sampler import Sampler

            self._sampler = Sampler(self._found.devices, self._sampled)
            self._idle = self._sampler.idle(IDLE_S)

    def begin(self, write: Write) -> None:
        """Take the baseline: what is used from here on is the run's."""
        from smoltrace.evaluation.meters.instruments import ClientMeter, DeviceMeter

        if self._sampler is not None:
            factors = Factors.of({"footprint": self._footprint.manifest()})
            self._devices = DeviceMeter(self._resource, factors, write)
            self._devices.instruments.idle_watts = self._idle
            self._sampler.start()
        self._client = ClientMeter(self._resource, write)

    def boundary(self) -> None:
        """A test begins or has ended."""
        if self._sampler is not None:
            self._sampler.mark()

    def finished(self, finished: Finished) -> None:
        """Count a finished test."""
        if (client := self._client) is not None:
            self._guarded(lambda: client.record(finished.row, finished.calls))

    def end(self) -> None:
        """Read the last partial interval, and export what has not been yet. A second call changes nothing."""
        if self._sampler is not None and self._devices is not None:
            self._sampler.stop()
            self._devices.close()
            self._devices = None
        if self._client is not None:
            client, self._client = self._client, None
            self._guarded(client.close)

    def _sampled(self, readings: Sequence[Reading]) -> None:
        """A sample that cannot be kept takes no energy with it: counters are cumulative, and the next one has it."""
        if (devices := self._devices) is not None:
            self._guarded(lambda: devices.sampled(readings))

    def _guarded(self, act: Callable[[], None]) -> None:
        """A disk that refuses metrics refuses results too, and says so there."""
        try:
            act()
        except StoreError as error:
            if str(error) not in self._faults:
                self._faults.append(str(error))


def _once(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _each_once(devices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The devices of several lives, each as it was told last: one that got another number is no second one."""
    return list({(each["kind"], each["uuid"] or each["id"]): each for each in devices}.values())


def _about(info: DeviceInfo) -> dict[str, Any]:
    return {
        "kind": info.kind,
        "id": info.id,
        "uuid": info.uuid,
        "name": info.name,
        "method": info.method,
        "scope": info.scope,
    }
