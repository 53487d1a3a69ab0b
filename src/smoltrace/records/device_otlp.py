"""From the rows of `metrics` back to OTLP JSON, for a run whose own export requests are not at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.energy import uj_of
from smoltrace.records import gpu_metrics as gpu

_UNITS: Final[Mapping[str, str]] = {
    gpu.CO2: "gCO2e",
    gpu.POWER_COST: "USD",
    gpu.UTILIZATION: "%",
    gpu.MEMORY_USED: "MiB",
    gpu.MEMORY_TOTAL: "MiB",
    gpu.TEMPERATURE: "Cel",
    gpu.POWER: "W",
}
_COUNTERS: Final = frozenset({gpu.CO2, gpu.POWER_COST})
_CUMULATIVE: Final = 2


def resource_metrics_of(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows as `resourceMetrics`, one entry a run and service; [] for the row of a run without a GPU.

    Gauges are gauges, what is since the run's start is a cumulative sum from the first moment. `gpu_rows` of it gives
    the rows back.
    """
    entries: dict[tuple[str, str], _Entry] = {}
    for row in rows:
        if row["gpu_id"] is None and row.get("gpu_uuid") is None:
            continue
        key = (str(row["run_id"]), str(row["service_name"]))
        entries.setdefault(key, _Entry(*key)).add(row)
    return [entry.document() for entry in entries.values()]


class _Entry:
    """The points of one run, by instrument."""

    def __init__(self, run_id: str, service_name: str) -> None:
        self._resource = {names.SERVICE_NAME: service_name, names.RUN_ID: run_id, names.RUN_ID_UNDERSCORE: run_id}
        self._points: dict[str, list[dict[str, Any]]] = {}
        self._start: str | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        time = str(row["timestamp_unix_nano"])
        self._start = self._start or time
        about = {name: row.get(name) for name in ("gpu_id", "gpu_name", "gpu_uuid")}
        attributes = _texts({name: str(value) for name, value in about.items() if value is not None})
        for name, column in gpu.COLUMN_OF.items():
            if row[column] is not None:
                self._add(name, {"attributes": attributes, "timeUnixNano": time, "asDouble": float(row[column])})
        if row.get("gpu_energy_wh") is not None:
            used = str(uj_of(row["gpu_energy_wh"]))
            self._add(names.METRIC_GPU_ENERGY, {"attributes": attributes, "timeUnixNano": time, "asInt": used})

    def _add(self, name: str, point: dict[str, Any]) -> None:
        self._points.setdefault(name, []).append(point)

    def document(self) -> dict[str, Any]:
        metrics = [self._metric(name, points) for name, points in self._points.items()]
        return {
            "resource": {"attributes": _texts(self._resource)},
            "scopeMetrics": [{"scope": {"name": names.SCOPE}, "metrics": metrics}],
        }

    def _metric(self, name: str, points: list[dict[str, Any]]) -> dict[str, Any]:
        shape = {"name": name, "unit": _UNITS.get(name, "uJ")}
        if name in _UNITS and name not in _COUNTERS:
            return {**shape, "gauge": {"dataPoints": points}}
        since = [{"startTimeUnixNano": self._start, **point} for point in points]
        data = {"dataPoints": since, "aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
        return {**shape, "sum": data}


def _texts(pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]
