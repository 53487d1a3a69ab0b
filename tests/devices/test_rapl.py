"""Processors and memory, from a folder with the layout of /sys/class/powercap."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from smoltrace.devices.device import DeviceInfo, DeviceLost, Gauges
from smoltrace.devices.rapl import open_rapl

RANGE = 262_143_328_850


def zone(root: Path, folder: str, name: str, energy: int = 1_000_000) -> Path:
    """One zone, with the files that count here; the folders of subzones stand beside that of their processor."""
    made = root / folder
    made.mkdir()
    (made / "name").write_text(f"{name}\n")
    (made / "enabled").write_text("1\n")
    (made / "energy_uj").write_text(f"{energy}\n")
    (made / "max_energy_range_uj").write_text(f"{RANGE}\n")
    return made


def two_sockets(root: Path) -> None:
    (root / "intel-rapl").mkdir()
    for socket in range(2):
        zone(root, f"intel-rapl:{socket}", f"package-{socket}")
        zone(root, f"intel-rapl:{socket}:0", "core")
        zone(root, f"intel-rapl:{socket}:1", "dram")
    zone(root, "intel-rapl:2", "psys")
    zone(root, "intel-rapl-mmio:0", "package-0")


def test_each_processor_and_its_memory_is_found_once(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    devices, reason = open_rapl(tmp_path)
    assert reason is None
    assert [device.info for device in devices] == [
        DeviceInfo("cpu", "package-0", None, "processor 0", "energy_counter", "device"),
        DeviceInfo("memory", "dram-0", None, "memory 0", "energy_counter", "device"),
        DeviceInfo("cpu", "package-1", None, "processor 1", "energy_counter", "device"),
        DeviceInfo("memory", "dram-1", None, "memory 1", "energy_counter", "device"),
    ]
    assert {device.gauges() for device in devices} == {Gauges()}


def test_each_die_of_a_processor_counts(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0-die-0")
    zone(tmp_path, "intel-rapl:10", "package-1-die-0")
    zone(tmp_path, "intel-rapl:2", "package-0-die-1")
    zone(tmp_path, "intel-rapl:2:0", "dram")
    ids = [device.info.id for device in open_rapl(tmp_path).devices]
    assert ids == ["package-0-die-0", "package-0-die-1", "dram-0-die-1", "package-1-die-0"]


def test_a_counter_that_begins_anew_goes_on(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0", RANGE - 500) / "energy_uj"
    (device,), _ = open_rapl(tmp_path)
    seen = [device.counter_uj()]
    for value in (RANGE - 100, 300, RANGE - 1, 0):
        counter.write_text(f"{value}\n")
        seen.append(device.counter_uj())
    assert seen == [RANGE - 500, RANGE - 100, RANGE + 300, 2 * RANGE - 1, 2 * RANGE]


def test_a_counter_that_vanishes_is_lost_and_may_come_back(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0") / "energy_uj"
    (device,), _ = open_rapl(tmp_path)
    counter.rename(tmp_path / "away")
    with pytest.raises(DeviceLost, match="energy_uj"):
        device.counter_uj()
    (tmp_path / "away").rename(counter)
    assert device.counter_uj() == 1_000_000
    device.close()


@pytest.mark.parametrize("there", [True, False])
def test_without_counters_there_is_a_reason(tmp_path: Path, there: bool) -> None:
    root = tmp_path / "powercap"
    if there:
        root.mkdir()
    assert open_rapl(root) == ([], "no energy counter of a processor here")


def test_a_counter_with_nonsense_is_left_out_and_told(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    (tmp_path / "intel-rapl:0:1" / "energy_uj").write_text("\n")
    devices, reason = open_rapl(tmp_path)
    assert [device.info.id for device in devices] == ["package-0", "package-1", "dram-1"]
    assert reason is not None
    assert reason.startswith("dram-0 cannot be read")


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter, which those of pytest are not."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Within, root is an ordinary user: nothing is forbidden to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_counters_for_root_alone_say_what_to_do(open_to_all: Path, request: pytest.FixtureRequest) -> None:
    two_sockets(open_to_all)
    for counter in open_to_all.glob("*/energy_uj"):
        counter.chmod(0o400 if os.geteuid() == 0 else 0)
    request.getfixturevalue("nobody")
    devices, reason = open_rapl(open_to_all)
    assert devices == []
    assert reason == f"only root may read it: sudo chmod a+r {open_to_all}/intel-rapl:*/energy_uj"
