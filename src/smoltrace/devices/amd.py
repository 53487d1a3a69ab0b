"""AMD GPUs through AMD SMI, the library that comes with ROCm, and its Python package `amdsmi`."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any, Final

from smoltrace.devices.device import Device, DeviceInfo, DeviceLost, Driver, Gauges, Method, Opened

KERNEL_DRIVER: Final = Path("/sys/module/amdgpu")
"""Is there when the kernel has loaded the driver of AMD GPUs."""

_NO_READING: Final = 0xFFFF
"""What the hardware shows for a gauge that it does not have: all bits of the narrowest field that is used."""
_PARTS_OF_UJ: Final = 1_000_000
"""The step of the counter is taken in whole picojoules, so that a large count times the step loses nothing."""
_GONE: Final = frozenset((31, 32, 34, 54))
"""AMDSMI_STATUS_NOT_FOUND, NOT_INIT, DRIVER_NOT_LOADED, AMDGPU_RESTART_ERR: the same numbers since ROCm 6."""


def open_amd(first_id: int = 0, kernel_driver: Path = KERNEL_DRIVER) -> Opened:
    """The AMD GPUs of this machine, numbered from `first_id`, or why there is none."""
    try:
        # Where it does not find its library, it prints that before it fails.
        with redirect_stdout(io.StringIO()):
            import amdsmi
    except ImportError:
        if kernel_driver.exists():
            return Opened([], "an AMD GPU is here, but amdsmi is not installed: pip install 'smoltrace[amd]'")
        return Opened([], "no AMD GPU driver here")
    except (AttributeError, KeyError, OSError):
        return Opened([], "amdsmi is installed, but not ROCm's library libamd_smi.so, which fits its version")
    try:
        amdsmi.amdsmi_init()
    except amdsmi.AmdSmiException as error:
        return Opened([], f"no AMD GPU driver here ({_said(error)})")
    driver = Driver(lambda: _shut_down(amdsmi))
    driver.use()
    try:
        return _found(amdsmi, driver, first_id)
    except amdsmi.AmdSmiException as error:
        return Opened([], f"the AMD GPU driver does not list its GPUs ({_said(error)})")
    finally:
        driver.release()


def _shut_down(amdsmi: Any) -> None:
    with suppress(amdsmi.AmdSmiException):
        amdsmi.amdsmi_shut_down()


def _found(amdsmi: Any, driver: Driver, first_id: int) -> Opened:
    handles = amdsmi.amdsmi_get_processor_handles()
    devices: list[Device] = [AmdDevice(amdsmi, driver, first_id + i, handle) for i, handle in enumerate(handles)]
    return Opened(devices, None if devices else "the AMD GPU driver sees no GPU")


def _said(error: Exception) -> str:
    """What an error of amdsmi says, on one line."""
    return " ".join(str(error).split())


class AmdDevice:
    """One GPU, by its handle in amdsmi."""

    def __init__(self, amdsmi: Any, driver: Driver, number: int, handle: Any) -> None:
        self._amdsmi, self._driver, self._handle = amdsmi, driver, handle
        self._info = DeviceInfo(
            kind="gpu",
            id=str(number),
            uuid=self._try(amdsmi.amdsmi_get_gpu_device_uuid),
            name=self._name(),
            method=self._method(),
            scope="device",
        )
        self._open = True
        driver.use()

    @property
    def info(self) -> DeviceInfo:
        return self._info

    def counter_uj(self) -> int | None:
        """Microjoules since the driver was loaded. Raises DeviceLost."""
        return self._counted() if self._info.method == "energy_counter" else None

    def gauges(self) -> Gauges:
        """Each gauge that the GPU has. Raises DeviceLost when the GPU is gone."""
        activity = self._gauge(self._amdsmi.amdsmi_get_gpu_activity) or {}
        memory = self._gauge(self._amdsmi.amdsmi_get_gpu_vram_usage) or {}
        return Gauges(
            power_w=self._power(),
            utilization_percent=_number(activity, "gfx_activity"),
            memory_used_mib=_number(memory, "vram_used", limit=None),
            memory_total_mib=_number(memory, "vram_total", limit=None),
            temperature_c=self._temperature(),
        )

    def close(self) -> None:
        if self._open:
            self._open = False
            self._driver.release()

    def _power(self) -> float | None:
        """Watts: MI300 and newer show the current, others an average over some milliseconds."""
        power = self._gauge(self._amdsmi.amdsmi_get_power_info) or {}
        current = _number(power, "current_socket_power")
        return current if current is not None else _number(power, "average_socket_power")

    def _temperature(self) -> float | None:
        """Of the edge, or of the hottest place where the edge has no sensor; °C."""
        kinds, current = self._amdsmi.AmdSmiTemperatureType, self._amdsmi.AmdSmiTemperatureMetric.CURRENT
        for place in (kinds.EDGE, kinds.HOTSPOT):
            found = self._gauge(self._amdsmi.amdsmi_get_temp_metric, place, current)
            if found is not None and found < _NO_READING:
                return float(found)
        return None

    def _counted(self) -> int:
        try:
            with self._driver:
                count = self._amdsmi.amdsmi_get_energy_count(self._handle)
        except self._amdsmi.AmdSmiException as error:
            raise DeviceLost(_said(error)) from error
        step: int = round(float(count["counter_resolution"]) * _PARTS_OF_UJ)
        return int(count["energy_accumulator"]) * step // _PARTS_OF_UJ

    def _gauge(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """What one question gives; None when the GPU does not know. Raises DeviceLost when the GPU is gone."""
        try:
            with self._driver:
                return read(self._handle, *arguments)
        except self._amdsmi.AmdSmiException as error:
            if getattr(error, "err_code", None) in _GONE:
                raise DeviceLost(_said(error)) from error
            return None

    def _try(self, read: Callable[..., Any]) -> Any:
        with suppress(self._amdsmi.AmdSmiException), self._driver:
            return read(self._handle)
        return None

    def _name(self) -> str:
        found = (self._try(self._amdsmi.amdsmi_get_gpu_asic_info) or {}).get("market_name")
        return str(found) if found and found != "N/A" else "AMD GPU"

    def _method(self) -> Method | None:
        """How its energy can be read. A counter that stands at 0 since the driver was loaded is none."""
        with suppress(DeviceLost):
            if self._counted():
                return "energy_counter"
        with suppress(DeviceLost):
            if self._power() is not None:
                return "power_trapezoid"
        return None


def _number(found: Mapping[str, Any], key: str, limit: int | None = _NO_READING) -> float | None:
    """A value that is a number and below `limit`; None for "N/A", what is missing and what says "no reading"."""
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or (limit is not None and value >= limit):
        return None
    return float(value)
