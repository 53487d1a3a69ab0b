"""NVIDIA GPUs: the real nvidia-ml-py, calling a simulated library."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pynvml
import pytest
from support.nvml import DRIVER_NOT_LOADED, SimulatedGpu, SimulatedNvml, install

from smoltrace.devices.device import Device, DeviceInfo, DeviceLost, Gauges
from smoltrace.devices.nvidia import open_nvidia

THREE = [SimulatedGpu(uuid=f"GPU-{letter * 8}-1111") for letter in "abc"]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def only(device_list: list[Device]) -> Device:
    (device,) = device_list
    return device


def opened(stack: ExitStack, *gpus: SimulatedGpu) -> tuple[SimulatedNvml, list[Device]]:
    nvml = SimulatedNvml(gpus)
    stack.enter_context(install(nvml))
    devices = open_nvidia({}).devices
    for device in devices:
        stack.callback(device.close)
    return nvml, devices


def test_a_gpu_says_what_it_is_and_what_it_shows(stack: ExitStack) -> None:
    _, devices = opened(stack, SimulatedGpu(name="NVIDIA H200", uuid="GPU-1"))
    gpu = only(devices)
    assert gpu.info == DeviceInfo("gpu", "0", "GPU-1", "NVIDIA H200", "energy_counter", "device")
    assert gpu.gauges() == Gauges(
        power_w=300.0, utilization_percent=87.0, memory_used_mib=40_000.0, memory_total_mib=81_920.0, temperature_c=61.0
    )


def test_the_counter_is_in_microjoules_and_rises_as_energy_is_used(stack: ExitStack) -> None:
    nvml, devices = opened(stack, SimulatedGpu(watts=300.0))
    gpu = only(devices)
    first = gpu.counter_uj()
    time.sleep(0.05)
    second = gpu.counter_uj()
    assert first is not None
    assert second is not None
    (asked,) = nvml.truth().values()
    assert abs((second - first) - (asked[-1][1] - asked[-2][1])) <= 1000


def test_without_a_counter_the_power_is_read(stack: ExitStack) -> None:
    _, devices = opened(stack, SimulatedGpu(energy_counter=False))
    gpu = only(devices)
    assert gpu.info.method == "power_trapezoid"
    assert gpu.counter_uj() is None
    assert gpu.gauges().power_w == 300.0


def test_without_counter_and_power_no_energy_can_be_read_but_the_gauges_can(stack: ExitStack) -> None:
    _, devices = opened(stack, SimulatedGpu(energy_counter=False, watts=None))
    gpu = only(devices)
    assert gpu.info.method is None
    assert gpu.counter_uj() is None
    assert gpu.gauges() == Gauges(None, 87.0, 40_000.0, 81_920.0, 61.0)


def test_a_divided_gpu_counts_for_all_its_parts_and_has_no_utilisation(stack: ExitStack) -> None:
    _, devices = opened(stack, SimulatedGpu(mig=True))
    gpu = only(devices)
    assert gpu.info.scope == "device_shared"
    assert gpu.info.method == "energy_counter"
    assert gpu.gauges() == Gauges(300.0, None, 40_000.0, 81_920.0, 61.0)


def test_a_gpu_that_cannot_be_divided_is_one_device(stack: ExitStack) -> None:
    _, devices = opened(stack, SimulatedGpu(mig=None))
    assert only(devices).info.scope == "device"


@pytest.mark.parametrize(
    ("gpu", "missing"),
    [
        (SimulatedGpu(watts=None), {"power_w"}),
        (SimulatedGpu(utilization=None), {"utilization_percent"}),
        (SimulatedGpu(memory_used_mib=None), {"memory_used_mib", "memory_total_mib"}),
        (SimulatedGpu(temperature=None), {"temperature_c"}),
    ],
)
def test_a_gauge_that_is_not_supported_is_none_alone(stack: ExitStack, gpu: SimulatedGpu, missing: set[str]) -> None:
    _, devices = opened(stack, gpu)
    gauges = only(devices).gauges()
    assert {name for name in Gauges.__slots__ if getattr(gauges, name) is None} == missing


def test_a_gauge_that_shows_0_is_0(stack: ExitStack) -> None:
    _, devices = opened(stack, SimulatedGpu(watts=0.0, utilization=0, memory_used_mib=0, temperature=0))
    assert only(devices).gauges() == Gauges(0.0, 0.0, 0.0, 81_920.0, 0.0)


def test_without_a_library_there_is_a_reason_and_nothing_else() -> None:
    with install(None):
        assert open_nvidia({}) == ([], "no NVIDIA driver here")


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (DRIVER_NOT_LOADED, "not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "restart the machine"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "this user may not"),
        (pynvml.NVML_ERROR_UNKNOWN, "cannot be used"),
    ],
)
def test_a_driver_that_refuses_is_a_reason(refusal: int, reason: str) -> None:
    with install(SimulatedNvml(THREE, refusal=refusal)):
        devices, said = open_nvidia({})
    assert devices == []
    assert said is not None
    assert reason in said


def test_a_driver_without_gpus_is_a_reason_and_is_given_back() -> None:
    nvml = SimulatedNvml([])
    with install(nvml):
        assert open_nvidia({}) == ([], "the NVIDIA driver sees no GPU")
    assert nvml.users == 0


@pytest.mark.parametrize(
    ("setting", "seen"),
    [
        ("1", ["1"]),
        ("2,0", ["2", "0"]),
        (" 0 , 2 ", ["0", "2"]),
        ("1,1", ["1"]),
        ("0,-1,2", ["0"]),
        ("0,7,2", ["0"]),
        ("GPU-bbbbbbbb-1111", ["1"]),
        ("GPU-c,GPU-a", ["2", "0"]),
        ("GPU-", []),
        ("GPU-unknown", []),
        ("MIG-1", ["1"]),
        ("MIG-9", []),
        ("", []),
        ("-1", []),
        ("none", []),
    ],
)
def test_only_the_gpus_that_cuda_may_see_are_read(stack: ExitStack, setting: str, seen: list[str]) -> None:
    nvml = SimulatedNvml(THREE)
    stack.enter_context(install(nvml))
    devices, reason = open_nvidia({"CUDA_VISIBLE_DEVICES": setting})
    for device in devices:
        stack.callback(device.close)
    assert [device.info.id for device in devices] == seen
    assert reason == (None if seen else f"CUDA_VISIBLE_DEVICES={setting} hides every GPU")
    assert nvml.users == bool(seen)


@pytest.mark.parametrize(
    ("environ", "doubtful"),
    [
        ({"CUDA_VISIBLE_DEVICES": "1"}, True),
        ({"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, False),
        ({"CUDA_VISIBLE_DEVICES": "GPU-slow"}, False),
        ({}, False),
    ],
)
def test_an_index_is_in_doubt_where_gpus_differ(environ: dict[str, str], doubtful: bool) -> None:
    gpus = [SimulatedGpu(name="NVIDIA T4", uuid="GPU-slow"), SimulatedGpu(name="NVIDIA H200", uuid="GPU-fast")]
    with install(SimulatedNvml(gpus)):
        devices, reason = open_nvidia(environ)
        for device in devices:
            device.close()
    assert devices
    assert (reason is not None and "CUDA_DEVICE_ORDER=PCI_BUS_ID" in reason) is doubtful


def test_a_gpu_that_is_lost_from_the_beginning_is_told_and_the_others_are_read(stack: ExitStack) -> None:
    stack.enter_context(install(SimulatedNvml([SimulatedGpu(), SimulatedGpu(lost_at_s=0.0)])))
    devices, reason = open_nvidia({})
    assert [device.info.id for device in devices] == ["0"]
    assert reason == "GPU 1 cannot be read (GPU is lost)"


def test_a_lost_gpu_says_so_and_is_found_again_by_its_uuid_under_another_number(stack: ExitStack) -> None:
    nvml, (first, second) = opened(stack, SimulatedGpu(watts=100.0), SimulatedGpu(watts=200.0))
    nvml.states[0].gone = True
    with pytest.raises(DeviceLost, match="GPU is lost"):
        first.counter_uj()
    with pytest.raises(DeviceLost, match="GPU is lost"):
        first.gauges()
    assert second.gauges().power_w == 200.0
    nvml.states[0].gone = False
    nvml.states.reverse()
    assert first.gauges().power_w == 100.0
    assert first.info.id == "0"


def test_the_library_is_given_back_with_the_last_gpu() -> None:
    nvml = SimulatedNvml(THREE)
    with install(nvml):
        devices = open_nvidia({}).devices
        for device in devices[1:] * 2:
            device.close()
        assert nvml.users == 1
        devices[0].close()
    assert nvml.users == 0


def test_a_library_that_hangs_is_not_waited_for_to_be_given_back(stack: ExitStack) -> None:
    nvml, devices = opened(stack, SimulatedGpu())
    before = nvml.states[0].questions
    nvml.answers.clear()
    asking = threading.Thread(target=devices[0].counter_uj)
    asking.start()
    while nvml.states[0].questions == before:
        time.sleep(0.01)
    devices[0].close()
    assert nvml.users == 1
    nvml.answers.set()
    asking.join()


def test_a_library_that_another_part_of_the_process_shut_down_is_started_again(stack: ExitStack) -> None:
    nvml, devices = opened(stack, SimulatedGpu())
    pynvml.nvmlShutdown()
    with pytest.raises(DeviceLost, match="Uninitialized"):
        devices[0].counter_uj()
    assert devices[0].counter_uj() is not None
    assert nvml.users == 1
