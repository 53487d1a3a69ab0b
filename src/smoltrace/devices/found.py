"""All devices of this machine whose energy or gauges can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smoltrace.devices.amd import open_amd
from smoltrace.devices.device import Device
from smoltrace.devices.nvidia import open_nvidia
from smoltrace.devices.rapl import open_rapl


@dataclass(frozen=True, slots=True)
class Found:
    """`reasons` says by driver ("nvidia", "amd", "rapl") why it has no device, or what is in doubt about those it has;
    a driver of which there is nothing to say is not in it."""

    devices: list[Device] = field(default_factory=list)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def gpus(self) -> list[Device]:
        return [device for device in self.devices if device.info.kind == "gpu"]

    def close(self) -> None:
        """Give all devices back. A second call changes nothing."""
        for device in self.devices:
            device.close()


def find_devices() -> Found:
    """Open what is there. Nothing there is no error: `devices` is empty then, and `reasons` says why."""
    nvidia = open_nvidia()
    amd = open_amd(first_id=1 + max((int(device.info.id) for device in nvidia.devices), default=-1))
    rapl = open_rapl()
    opened = {"nvidia": nvidia, "amd": amd, "rapl": rapl}
    return Found(
        devices=[device for each in opened.values() for device in each.devices],
        reasons={name: each.reason for name, each in opened.items() if each.reason is not None},
    )
