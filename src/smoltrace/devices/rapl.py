"""Processors and their memory through RAPL, the energy counters that Linux shows under /sys/class/powercap.

A zone `intel-rapl:N` (on AMD processors too) is one processor, with everything in it; its subzone "dram" is the memory
beside it. Other subzones are parts of the processor and would count twice, as would the whole platform ("psys").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from smoltrace.devices.device import Device, DeviceInfo, DeviceLost, Gauges, Kind, Opened

POWERCAP: Final = Path("/sys/class/powercap")
_ZONE: Final = re.compile(r"intel-rapl:\d+(:\d+)?")


def open_rapl(root: Path = POWERCAP) -> Opened:
    """The processors and memories whose counters this user may read, or why there is none."""
    devices: list[Device] = []
    unreadable: list[str] = []
    for kind, name, zone in _zones(root):
        try:
            devices.append(RaplDevice(kind, name, zone))
        except PermissionError:
            unreadable.append(f"only root may read it: sudo chmod a+r {root}/intel-rapl:*/energy_uj")
        except (DeviceLost, OSError, ValueError) as error:
            unreadable.append(f"{name} cannot be read ({error})")
    if not devices and not unreadable:
        return Opened([], "no energy counter of a processor here")
    return Opened(devices, "; ".join(dict.fromkeys(unreadable)) or None)


def _zones(root: Path) -> Iterator[tuple[Kind, str, Path]]:
    """Each processor and each memory: its kind, its name ("package-0", "dram-0") and its folder."""
    try:
        folders = sorted(root.glob("intel-rapl:*"), key=lambda folder: [int(part) for part in _numbers(folder)])
    except OSError:
        return
    packages: dict[str, str] = {}
    for folder in folders:
        if not _ZONE.fullmatch(folder.name):
            continue
        name, parent = _name(folder), folder.name.rpartition(":")[0]
        if name.startswith("package-"):
            packages[folder.name] = name
            yield "cpu", name, folder
        elif name == "dram" and parent in packages:
            yield "memory", packages[parent].replace("package", "dram", 1), folder


def _numbers(folder: Path) -> list[str]:
    return re.findall(r"\d+", folder.name)


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text().strip()
    except OSError:
        return ""


class RaplDevice:
    """One counter; raises OSError or ValueError when it cannot be read from the beginning."""

    def __init__(self, kind: Kind, name: str, zone: Path) -> None:
        self._counter = zone / "energy_uj"
        self._range = int((zone / "max_energy_range_uj").read_text())
        self._last = int(self._counter.read_text())
        self._wrapped = 0
        words = {"cpu": "processor", "memory": "memory"}[kind]
        self._info = DeviceInfo(
            kind=kind,
            id=name,
            uuid=None,
            name=f"{words} {name.partition('-')[2]}",
            method="energy_counter",
            scope="device",
        )

    @property
    def info(self) -> DeviceInfo:
        return self._info

    def counter_uj(self) -> int | None:
        """Microjoules, going on where the hardware's counter begins anew. Raises DeviceLost.

        It is a few hundred thousand joules wide and so begins anew every few minutes or hours of full load.
        """
        try:
            value = int(self._counter.read_text())
        except (OSError, ValueError) as error:
            raise DeviceLost(str(error)) from error
        if value < self._last:
            self._wrapped += self._range
        self._last = value
        return self._wrapped + value

    def gauges(self) -> Gauges:
        return Gauges()

    def close(self) -> None:
        """Nothing is held open between two readings."""
