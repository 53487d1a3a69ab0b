"""The meters of a run while it goes on: OpenTelemetry instruments of devices, calls and tests, kept in its journal.

Both meter providers are the run's own; no global one is touched. Every sample of the devices is one export, and each
point bears the time at which its device was read. Calls and tests are exported every ten seconds and at the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from smoltrace.books import names
from smoltrace.records import gpu_metrics as gpu
from smoltrace.records.instruments import INSTRUMENTS
from smoltrace.records.metrics import measurements
from smoltrace.tracing.otlp_metrics import otlp_json

if TYPE_CHECKING:
    from smoltrace.books.calls import Call
    from smoltrace.devices.device import DeviceInfo, Reading
    from smoltrace.records.energy import Factors

EXPORT_S: Final = 10.0
"""Between two exports of what calls and tests say."""

Write = Callable[[bytes], None]
"""Keeps one OTLP JSON document, which is one line."""


class _Instrument(NamedTuple):
    """An instrument of a device: a gauge, or a counter that only rises; and what of a reading it shows."""

    name: str
    unit: str
    is_counter: bool
    value: Callable[[Reading], int | float | None]


class DeviceInstruments:
    """The instruments of devices on a meter: they show the readings that `shown` was given last. `factors` are what
    energy is multiplied with, `idle_watts` what the devices drew before the work began."""

    def __init__(self, meter: Meter, factors: Factors) -> None:
        self._factors = factors
        self._latest: Mapping[DeviceInfo, Reading] = {}
        self.idle_watts: Mapping[DeviceInfo, float | None] = {}
        self._told_idle: set[DeviceInfo] = set()
        for instrument in self._instruments():
            make = meter.create_observable_counter if instrument.is_counter else meter.create_observable_gauge
            make(instrument.name, [self._observer(instrument)], unit=instrument.unit)

    def shown(self, readings: Sequence[Reading]) -> None:
        self._latest = {reading.info: reading for reading in readings}

    def _instruments(self) -> list[_Instrument]:
        return [
            _Instrument(gpu.UTILIZATION, "%", False, lambda r: r.gauges.utilization_percent),
            _Instrument(gpu.MEMORY_USED, "MiB", False, lambda r: r.gauges.memory_used_mib),
            _Instrument(gpu.MEMORY_TOTAL, "MiB", False, lambda r: r.gauges.memory_total_mib),
            _Instrument(gpu.TEMPERATURE, "Cel", False, lambda r: r.gauges.temperature_c),
            _Instrument(gpu.POWER, "W", False, lambda r: r.gauges.power_w),
            _Instrument(names.METRIC_GPU_IDLE_POWER, "W", False, self._idle_once),
            _Instrument(gpu.CO2, "gCO2e", True, self._grams),
            _Instrument(gpu.POWER_COST, "USD", True, self._usd),
            _Instrument(names.METRIC_GPU_ENERGY, "uJ", True, lambda r: r.energy_uj),
            _Instrument(names.METRIC_HOST_ENERGY, "uJ", True, lambda r: r.energy_uj),
        ]

    def _idle_once(self, reading: Reading) -> float | None:
        """It does not change: the first sample tells it, and the journal stays small."""
        if reading.info in self._told_idle:
            return None
        self._told_idle.add(reading.info)
        return self.idle_watts.get(reading.info)

    def _grams(self, reading: Reading) -> float | None:
        return None if reading.energy_uj is None else self._factors.grams(reading.energy_uj)

    def _usd(self, reading: Reading) -> float | None:
        usd = None if reading.energy_uj is None else self._factors.usd(reading.energy_uj)
        return None if usd is None else float(usd)

    def _observer(self, instrument: _Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
        of_gpus = instrument.name != names.METRIC_HOST_ENERGY

        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for info, reading in self._latest.items():
                if (info.kind == "gpu") is of_gpus and (value := instrument.value(reading)) is not None:
                    yield Observation(value, _attributes(info, about_energy=instrument.unit == "uJ"))

        return observe


class DeviceMeter:
    """Exports each sample of the devices of a run, through a meter provider of its own."""

    def __init__(self, resource: Mapping[str, Any], factors: Factors, write: Write) -> None:
        self._write = write
        self._began: dict[tuple[str, str], int] = {}
        self._reader = InMemoryMetricReader()
        self._provider = _provider(self._reader, resource)
        self.instruments = DeviceInstruments(self._provider.get_meter(names.SCOPE), factors)

    def sampled(self, readings: Sequence[Reading]) -> None:
        """Keep one sample. Raises StoreError when the disk refuses."""
        import orjson

        self.instruments.shown(readings)
        by_id = {(_group(reading.info.kind), reading.info.id): reading for reading in readings}
        for key, reading in by_id.items():
            self._began.setdefault(key, reading.time_ns)
        data = self._reader.get_metrics_data()
        if data is None:
            return
        document = {"resourceMetrics": [otlp_json(item) for item in data.resource_metrics]}
        self._stamp(document, by_id)
        self._write(orjson.dumps(document))

    def _stamp(self, document: Mapping[str, Any], readings: Mapping[tuple[str, str], Reading]) -> None:
        """Give each point the time of its reading, which the SDK does not know, and the start of this life."""
        for item in document["resourceMetrics"]:
            for scope in item["scopeMetrics"]:
                for metric in scope["metrics"]:
                    group = _group("cpu" if metric["name"] == names.METRIC_HOST_ENERGY else "gpu")
                    for point in (metric.get("gauge") or metric.get("sum") or {}).get("dataPoints", ()):
                        key = (group, _device_id(point))
                        point["timeUnixNano"] = str(readings[key].time_ns)
                        point["startTimeUnixNano"] = str(self._began[key])

    def close(self) -> None:
        self._provider.shutdown()


def _device_id(point: Mapping[str, Any]) -> str:
    ids = (each["value"]["stringValue"] for each in point["attributes"] if each["key"] in ("gpu_id", "hw.id"))
    return str(next(ids))


def _group(kind: str) -> str:
    return "gpu" if kind == "gpu" else "host"


def _attributes(info: DeviceInfo, *, about_energy: bool) -> dict[str, str]:
    """What a point says of its device. How its energy is read stands only beside the energy."""
    if info.kind == "gpu":
        found = {"gpu_id": info.id, "gpu_name": info.name} | ({"gpu_uuid": info.uuid} if info.uuid else {})
    else:
        found = {"hw.type": info.kind, "hw.id": info.id, "hw.name": info.name}
    if about_energy:
        found |= {names.ENERGY_SCOPE: info.scope} | ({names.ENERGY_METHOD: info.method} if info.method else {})
    return found


def _provider(reader: InMemoryMetricReader, resource: Mapping[str, Any]) -> MeterProvider:
    """A provider that the environment cannot switch off: the books need what it says."""
    provider = MeterProvider([reader], Resource(dict(resource)), shutdown_on_exit=False)
    provider._disabled = False  # OTEL_SDK_DISABLED is about exporting, and nothing is exported here
    return provider


class ClientMeter:
    """Counts calls and tests as they end. What is unknown of a test is not added: the sums are lower bounds then, and
    the run's finished files say which."""

    def __init__(self, resource: Mapping[str, Any], write: Write) -> None:
        self._write, self._lock, self._last = write, threading.Lock(), time.monotonic()
        self._reader = InMemoryMetricReader()
        self._provider = _provider(self._reader, resource)
        meter = self._provider.get_meter(names.CLIENT_SCOPE)
        self._instruments: dict[str, Counter | Histogram] = {}
        for known in INSTRUMENTS:
            about = (known.name, known.unit, known.doc)
            self._instruments[known.name] = (
                meter.create_histogram(*about, explicit_bucket_boundaries_advisory=known.bounds)
                if known.type == "histogram"
                else meter.create_counter(*about)
            )

    def record(self, row: Mapping[str, Any], calls: Sequence[Call]) -> None:
        """Count a test: its row of `results`, and its calls as the books count them. Raises StoreError."""
        for instrument, attributes, value in measurements(row, calls):
            if value is not None:
                number = value if isinstance(value, int) else float(value)
                found = self._instruments[instrument.name]
                (found.record if isinstance(found, Histogram) else found.add)(number, dict(attributes))
        with self._lock:
            if due := time.monotonic() - self._last >= EXPORT_S:
                self._last = time.monotonic()
        if due:
            self._export()

    def _export(self) -> None:
        import orjson

        data = self._reader.get_metrics_data()
        if data is not None and data.resource_metrics:
            self._write(orjson.dumps({"resourceMetrics": [otlp_json(item) for item in data.resource_metrics]}))

    def close(self) -> None:
        """Export what has come since the last time. Raises StoreError."""
        try:
            self._export()
        finally:
            self._provider.shutdown()
