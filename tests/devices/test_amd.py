"""AMD GPUs, through a small module that has the names and shapes of `amdsmi`, whose library needs the hardware."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from smoltrace.devices.amd import open_amd
from smoltrace.devices.device import DeviceInfo, DeviceLost, Gauges, Opened

NOT_SUPPORTED, DRIVER_NOT_LOADED, NOT_FOUND = 2, 34, 31
NOWHERE = Path("/nowhere")


class Error(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.err_code = code

    def __str__(self) -> str:
        return f"Error code:\n\t{self.err_code} | it went wrong"


class Place(enum.IntEnum):
    EDGE = 0
    HOTSPOT = 1


class Metric(enum.IntEnum):
    CURRENT = 0


MI300: dict[str, Any] = {
    "amdsmi_get_gpu_device_uuid": "27ff74a1-0000-1000-80e5-9bb4b5d5a4a0",
    "amdsmi_get_gpu_asic_info": {"market_name": "AMD Instinct MI300X", "vendor_name": "Advanced Micro Devices Inc."},
    # The step as the library gives it: a single-precision float.
    "amdsmi_get_energy_count": {"energy_accumulator": 10**12, "counter_resolution": 15.25899982452392578125},
    "amdsmi_get_power_info": {"current_socket_power": 550, "average_socket_power": "N/A", "power_limit": 750},
    "amdsmi_get_gpu_activity": {"gfx_activity": 93, "umc_activity": 20, "mm_activity": "N/A"},
    "amdsmi_get_gpu_vram_usage": {"vram_total": 196_592, "vram_used": 150_000},
    "amdsmi_get_temp_metric": {Place.EDGE: Error(NOT_SUPPORTED), Place.HOTSPOT: 71},
}


def library(*gpus: dict[str, Any], refusal: int | None = None) -> ModuleType:
    """`gpus`: what each function answers for each GPU, or raises. `users` counts starts that were not shut down."""
    module: Any = ModuleType("amdsmi")
    module.AmdSmiException = Error
    module.AmdSmiTemperatureType, module.AmdSmiTemperatureMetric = Place, Metric
    module.users = 0

    def start() -> None:
        if refusal is not None:
            raise Error(refusal)
        module.users += 1

    def shut_down() -> None:
        module.users -= 1

    def asked(name: str) -> Callable[..., Any]:
        def ask(handle: dict[str, Any], *arguments: Any) -> Any:
            found = handle[name]
            if arguments and isinstance(found, dict):
                found = found[arguments[0]]
            if isinstance(found, Error):
                raise found
            return found

        return ask

    module.amdsmi_init, module.amdsmi_shut_down = start, shut_down
    module.amdsmi_get_processor_handles = lambda: list(gpus)
    for name in MI300:
        setattr(module, name, asked(name))
    return module


def opened(monkeypatch: pytest.MonkeyPatch, *gpus: dict[str, Any], refusal: int | None = None) -> Opened:
    monkeypatch.setitem(sys.modules, "amdsmi", library(*gpus, refusal=refusal))
    return open_amd(kernel_driver=NOWHERE)


def test_a_gpu_says_what_it_is_and_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    (gpu,), reason = opened(monkeypatch, MI300)
    uuid = "27ff74a1-0000-1000-80e5-9bb4b5d5a4a0"
    assert reason is None
    assert gpu.info == DeviceInfo("gpu", "0", uuid, "AMD Instinct MI300X", "energy_counter", "device")
    assert gpu.gauges() == Gauges(550.0, 93.0, 150_000.0, 196_592.0, 71.0)


def test_the_counter_is_its_count_times_its_step_in_whole_microjoules(monkeypatch: pytest.MonkeyPatch) -> None:
    (gpu,), _ = opened(monkeypatch, MI300)
    assert gpu.counter_uj() == 15_259_000_000_000


@pytest.mark.parametrize("count", [2**53 + 1, 2**62 + 1])
def test_a_large_count_loses_nothing(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    counter = {"energy_accumulator": count, "counter_resolution": 15.0}
    (gpu,), _ = opened(monkeypatch, MI300 | {"amdsmi_get_energy_count": counter})
    assert gpu.counter_uj() == 15 * count


@pytest.mark.parametrize(
    "counter", [Error(NOT_SUPPORTED), {"energy_accumulator": 0, "counter_resolution": 0.0, "timestamp": 0}]
)
def test_without_a_counter_the_power_is_read(monkeypatch: pytest.MonkeyPatch, counter: Any) -> None:
    power = {"current_socket_power": "N/A", "average_socket_power": 203}
    (gpu,), _ = opened(monkeypatch, MI300 | {"amdsmi_get_energy_count": counter, "amdsmi_get_power_info": power})
    assert gpu.info.method == "power_trapezoid"
    assert gpu.counter_uj() is None
    assert gpu.gauges().power_w == 203.0


@pytest.mark.parametrize("nothing", ["N/A", 0xFFFF, 0xFFFFFFFF])
def test_what_is_not_shown_is_none(monkeypatch: pytest.MonkeyPatch, nothing: Any) -> None:
    (gpu,), _ = opened(
        monkeypatch,
        {
            "amdsmi_get_gpu_device_uuid": Error(NOT_SUPPORTED),
            "amdsmi_get_gpu_asic_info": {"market_name": "N/A"},
            "amdsmi_get_energy_count": Error(NOT_SUPPORTED),
            "amdsmi_get_power_info": {"current_socket_power": nothing, "average_socket_power": nothing},
            "amdsmi_get_gpu_activity": {"gfx_activity": nothing},
            "amdsmi_get_gpu_vram_usage": Error(NOT_SUPPORTED),
            "amdsmi_get_temp_metric": Error(NOT_SUPPORTED),
        },
    )
    assert gpu.info == DeviceInfo("gpu", "0", None, "AMD GPU", None, "device")
    assert gpu.gauges() == Gauges()


def test_a_gauge_that_shows_0_is_0(monkeypatch: pytest.MonkeyPatch) -> None:
    (gpu,), _ = opened(
        monkeypatch,
        MI300
        | {
            "amdsmi_get_power_info": {"current_socket_power": 0, "average_socket_power": 9},
            "amdsmi_get_gpu_activity": {"gfx_activity": 0},
            "amdsmi_get_gpu_vram_usage": {"vram_total": 0, "vram_used": 0},
            "amdsmi_get_temp_metric": {Place.EDGE: 0},
        },
    )
    assert gpu.gauges() == Gauges(0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_gpu_whose_driver_is_gone_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = dict(MI300)
    (gpu,), _ = opened(monkeypatch, answers)
    answers["amdsmi_get_energy_count"] = answers["amdsmi_get_gpu_activity"] = Error(NOT_FOUND)
    with pytest.raises(DeviceLost, match=r"^Error code: 31 \| it went wrong$"):
        gpu.counter_uj()
    with pytest.raises(DeviceLost):
        gpu.gauges()


def test_gpus_are_numbered_from_where_others_end_and_the_library_is_given_back_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = library(MI300, MI300)
    monkeypatch.setitem(sys.modules, "amdsmi", module)
    devices, _ = open_amd(first_id=3)
    assert [device.info.id for device in devices] == ["3", "4"]
    for device in [devices[0], *devices]:
        assert module.users == 1
        device.close()
    assert module.users == 0


def test_a_driver_that_refuses_or_has_no_gpu_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(monkeypatch, MI300, refusal=DRIVER_NOT_LOADED) == (
        [],
        "no AMD GPU driver here (Error code: 34 | it went wrong)",
    )
    assert opened(monkeypatch) == ([], "the AMD GPU driver sees no GPU")


def test_without_the_package_the_reason_tells_what_to_install_where_a_gpu_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "amdsmi", None)
    assert open_amd(kernel_driver=NOWHERE) == ([], "no AMD GPU driver here")
    devices, reason = open_amd(kernel_driver=tmp_path)
    assert devices == []
    assert reason is not None
    assert "pip install 'smoltrace[amd]'" in reason


def test_a_package_without_its_library_is_a_reason_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "amdsmi.py").write_text("print('Unable to find libamd_smi.so library')\n{}['libamd_smi.so']\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    devices, reason = open_amd(kernel_driver=NOWHERE)
    assert devices == []
    assert reason is not None
    assert "libamd_smi.so" in reason
    assert capsys.readouterr().out == ""
