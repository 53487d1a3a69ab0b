"""NVIDIA GPUs through NVML, the library that comes with their driver.

The energy counter (millijoules since the driver was loaded, Volta and newer) is read where there is one; elsewhere the
power (milliwatts) is, to be integrated.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from smoltrace.devices.device import Device, DeviceInfo, DeviceLost, Driver, Gauges, Method, Opened, Scope

_UJ_PER_MJ: Final = 1000
_MW_PER_W: Final = 1000
_BYTES_PER_MIB: Final = 1024 * 1024
_MIG_ON: Final = 1

_NO_DRIVER: Final[Mapping[str, str]] = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": "no NVIDIA driver here",
    "NVML_ERROR_DRIVER_NOT_LOADED": "the NVIDIA driver is not loaded",
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": "the NVIDIA driver was updated since it was loaded: restart the machine",
    "NVML_ERROR_NO_PERMISSION": "this user may not talk to the NVIDIA driver",
}
_GONE: Final = (
    "NVML_ERROR_UNINITIALIZED",
    "NVML_ERROR_DRIVER_NOT_LOADED",
    "NVML_ERROR_GPU_IS_LOST",
    "NVML_ERROR_RESET_REQUIRED",
    "NVML_ERROR_GPU_NOT_FOUND",
    "NVML_ERROR_NOT_FOUND",
)
_BY_SPEED: Final = (
    "CUDA_VISIBLE_DEVICES counts the GPUs by their speed, and NVML by their place on the bus; the GPUs here differ, so "
    "others may be read than are used: set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name them by their UUIDs"
)


def open_nvidia(environ: Mapping[str, str] = os.environ) -> Opened:
    """The NVIDIA GPUs that CUDA_VISIBLE_DEVICES in `environ` leaves to see, or why there is none."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Opened([], _why_not(pynvml, error))
    driver = Driver(lambda: _shut_down(pynvml))
    driver.use()
    try:
        return _found(pynvml, driver, environ)
    except pynvml.NVMLError as error:
        return Opened([], f"the NVIDIA driver does not list its GPUs ({error})")
    finally:
        driver.release()


def _why_not(nvml: Any, error: Any) -> str:
    reasons = {getattr(nvml, name): reason for name, reason in _NO_DRIVER.items()}
    return reasons.get(error.value, f"the NVIDIA driver cannot be used ({error})")


def _shut_down(nvml: Any) -> None:
    with suppress(nvml.NVMLError):  # somebody else of this process has shut it down already
        nvml.nvmlShutdown()


def _found(nvml: Any, driver: Driver, environ: Mapping[str, str]) -> Opened:
    handles: dict[int, tuple[Any, str]] = {}
    unreadable: list[str] = []
    for index in range(count := nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            handles[index] = (handle, nvml.nvmlDeviceGetUUID(handle))
        except nvml.NVMLError as error:
            unreadable.append(f"GPU {index} cannot be read ({error})")
    if not count:
        return Opened([], "the NVIDIA driver sees no GPU")
    setting = environ.get("CUDA_VISIBLE_DEVICES")
    seen = range(count) if setting is None else _visible(setting, nvml, {i: uuid for i, (_, uuid) in handles.items()})
    devices: list[Device] = []
    for index in seen:
        if index not in handles:
            continue
        try:
            devices.append(NvidiaDevice(nvml, driver, index, *handles[index]))
        except nvml.NVMLError as error:
            unreadable.append(f"GPU {index} cannot be read ({error})")
    if not seen:
        return Opened([], f"CUDA_VISIBLE_DEVICES={setting} hides every GPU")
    doubts = [*unreadable, *([_BY_SPEED] if setting is not None and _order_in_doubt(nvml, environ, handles) else [])]
    return Opened(devices, "; ".join(doubts) or None)


def _visible(setting: str, nvml: Any, uuids: Mapping[int, str]) -> Sequence[int]:
    """The indices that CUDA_VISIBLE_DEVICES names, by index, by UUID or the beginning of one, or by a part of a GPU
    that is divided (MIG). As in CUDA, what follows the first that names no GPU counts for nothing."""
    seen: dict[int, None] = {}
    for token in map(str.strip, setting.split(",")):
        index = _index_of(token, nvml, uuids)
        if index is None:
            break
        seen[index] = None
    return list(seen)


def _index_of(token: str, nvml: Any, uuids: Mapping[int, str]) -> int | None:
    if token.isdecimal():
        return int(token) if int(token) < nvml.nvmlDeviceGetCount() else None
    if token.startswith("MIG-"):
        try:
            part = nvml.nvmlDeviceGetHandleByUUID(token)
            token = nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(part))
        except nvml.NVMLError:
            return None
    matching = [index for index, uuid in uuids.items() if token.startswith("GPU-") and uuid.startswith(token)]
    return matching[0] if len(matching) == 1 else None


def _order_in_doubt(nvml: Any, environ: Mapping[str, str], handles: Mapping[int, tuple[Any, str]]) -> bool:
    """Whether an index may mean another GPU to CUDA than to NVML: the order matters only where GPUs differ."""
    by_index = environ["CUDA_VISIBLE_DEVICES"].strip()[:1].isdecimal()
    if not by_index or environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        return False
    try:
        return len({nvml.nvmlDeviceGetName(handle) for handle, _ in handles.values()}) > 1
    except nvml.NVMLError:
        return True


class NvidiaDevice:
    """One GPU; raises NVMLError when it cannot be read from the beginning."""

    def __init__(self, nvml: Any, driver: Driver, index: int, handle: Any, uuid: str) -> None:
        self._nvml, self._driver, self._handle, self._uuid = nvml, driver, handle, uuid
        self._gone = frozenset(getattr(nvml, name) for name in _GONE)
        self._info = DeviceInfo(
            kind="gpu",
            id=str(index),
            uuid=uuid,
            name=nvml.nvmlDeviceGetName(handle),
            method=self._method(),
            scope=self._scope(),
        )
        self._open = True
        driver.use()

    @property
    def info(self) -> DeviceInfo:
        return self._info

    def counter_uj(self) -> int | None:
        """Microjoules since the driver was loaded. Raises DeviceLost."""
        if self._info.method != "energy_counter":
            return None
        try:
            with self._driver:
                return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._known())) * _UJ_PER_MJ
        except self._nvml.NVMLError as error:
            raise self._lost(error) from error

    def gauges(self) -> Gauges:
        """Each gauge that the GPU has. Raises DeviceLost when the GPU is gone."""
        nvml = self._nvml
        power = self._gauge(nvml.nvmlDeviceGetPowerUsage)
        utilization = self._gauge(nvml.nvmlDeviceGetUtilizationRates)
        memory = self._gauge(nvml.nvmlDeviceGetMemoryInfo)
        temperature = self._gauge(lambda handle: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        return Gauges(
            power_w=None if power is None else power / _MW_PER_W,
            utilization_percent=None if utilization is None else float(utilization.gpu),
            memory_used_mib=None if memory is None else memory.used / _BYTES_PER_MIB,
            memory_total_mib=None if memory is None else memory.total / _BYTES_PER_MIB,
            temperature_c=None if temperature is None else float(temperature),
        )

    def close(self) -> None:
        if self._open:
            self._open = False
            self._driver.release()

    def _gauge(self, read: Callable[[Any], Any]) -> Any:
        """What one question gives; None when the GPU does not know. Raises DeviceLost when the GPU is gone."""
        try:
            with self._driver:
                return read(self._known())
        except self._nvml.NVMLError as error:
            if error.value in self._gone:
                raise self._lost(error) from error
            return None

    def _lost(self, error: Exception) -> DeviceLost:
        # Its handle may be stale when it comes back, as another one or under a driver that was loaded anew.
        self._handle = None
        return DeviceLost(str(error))

    def _known(self) -> Any:
        if self._handle is None:
            try:
                self._handle = self._nvml.nvmlDeviceGetHandleByUUID(self._uuid)
            except self._nvml.NVMLError as error:
                if error.value != self._nvml.NVML_ERROR_UNINITIALIZED:
                    raise
                self._nvml.nvmlInit()  # somebody else of this process shut the library down once too often
                self._handle = self._nvml.nvmlDeviceGetHandleByUUID(self._uuid)
        return self._handle

    def _method(self) -> Method | None:
        """How its energy can be read; raises NVMLError when the GPU is gone."""
        ways: tuple[tuple[Method, Callable[[Any], Any]], ...] = (
            ("energy_counter", self._nvml.nvmlDeviceGetTotalEnergyConsumption),
            ("power_trapezoid", self._nvml.nvmlDeviceGetPowerUsage),
        )
        for method, read in ways:
            try:
                read(self._handle)
            except self._nvml.NVMLError as error:
                if error.value in self._gone:
                    raise
            else:
                return method
        return None

    def _scope(self) -> Scope:
        """A GPU that is divided (MIG) counts the energy of all its parts together."""
        try:
            current, _ = self._nvml.nvmlDeviceGetMigMode(self._handle)
        except self._nvml.NVMLError:
            return "device"
        return "device_shared" if current == _MIG_ON else "device"
