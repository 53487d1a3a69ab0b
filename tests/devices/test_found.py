"""What is found on a machine, in this process and in another one that is given simulated GPUs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.nvml import SimulatedGpu, SimulatedNvml, install, python_path, read_truth, used_uj

from smoltrace.devices.device import DeviceInfo
from smoltrace.devices.found import Found, find_devices


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_drivers_no_gpu_is_found_and_each_reason_is_told() -> None:
    with install(None):
        found = find_devices()
    assert found.gpus == []
    assert found.reasons["nvidia"] == "no NVIDIA driver here"
    assert "amd" in found.reasons
    found.close()


def test_gpus_are_found_and_given_back() -> None:
    nvml = SimulatedNvml([SimulatedGpu(), SimulatedGpu()])
    with install(nvml):
        found = find_devices()
        assert [device.info.id for device in found.gpus] == ["0", "1"]
        assert "nvidia" not in found.reasons
        found.close()
        found.close()
    assert nvml.users == 0


def test_gpus_are_told_from_processors_and_memory() -> None:
    class Meter:
        def __init__(self, info: DeviceInfo) -> None:
            self.info = info

    kinds = ("gpu", "cpu", "memory")
    devices = [Meter(DeviceInfo(kind, kind, None, kind, None, "device")) for kind in kinds]
    assert [device.info.kind for device in Found(devices).gpus] == ["gpu"]


def test_the_environment_narrows_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with install(SimulatedNvml([SimulatedGpu(), SimulatedGpu()])):
        found = find_devices()
        assert [device.info.id for device in found.gpus] == ["1"]
        found.close()


def test_importing_starts_nothing_and_loads_no_driver() -> None:
    code = (
        "import sys, threading\n"
        "import smoltrace.devices.found, smoltrace.devices.sampler\n"
        "print(threading.active_count(), *(name for name in ('pynvml', 'amdsmi') if name in sys.modules))"
    )
    assert python(code) == "1\n"


def test_another_process_reads_simulated_gpus_and_leaves_the_truth(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from smoltrace.devices.found import find_devices\n"
        "from smoltrace.devices.sampler import Sampler\n"
        "found, readings = find_devices(), []\n"
        "sampler = Sampler(found.gpus, readings.extend)\n"
        "sampler.start()\n"
        "time.sleep(0.2)\n"
        "sampler.stop()\n"
        "found.close()\n"
        "for r in readings: print(r.info.uuid, r.time_ns, r.energy_uj)\n"
    )
    gpus = [SimulatedGpu(watts=100.0, uuid="GPU-a"), SimulatedGpu(watts=200.0, uuid="GPU-b")]
    lines = [line.split() for line in python(code, **python_path(tmp_path, gpus)).splitlines()]
    truth = read_truth(tmp_path)
    for uuid in ("GPU-a", "GPU-b"):
        (_, first, zero), *_, (_, last, energy) = (line for line in lines if line[0] == uuid)
        assert int(zero) == 0
        assert abs(int(energy) - used_uj(truth[uuid], int(first), int(last))) <= 1000


def python(code: str, **environ: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | environ, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout
