"""The way of GPU metrics, as in a run: readings, seven OpenTelemetry instruments, rows with the documented columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from smoltrace.books import names
from smoltrace.evaluation.checkup.check import Check, plain
from smoltrace.records import gpu_metrics
from smoltrace.records.energy import Factors
from smoltrace.records.gpu_metrics import COLUMN_OF, gpu_rows

if TYPE_CHECKING:
    from smoltrace.devices.device import Reading

NAME: Final = "metrics"
DOCUMENTED: Final = (
    *("run_id", "service_name", "timestamp", "timestamp_unix_nano", "gpu_id", "co2_emissions_gco2e", "gpu_name"),
    *("power_cost_usd", "gpu_utilization_percent", "gpu_memory_used_mib", "gpu_memory_total_mib"),
    *("gpu_temperature_celsius", "gpu_power_watts"),
)
_REPORT: Final = "no metrics dataset would be right: please report it"
_EXAMPLE_NS: Final = 1_760_947_217_000_000_000
_EXAMPLE_UJ: Final = 2_000_000_000


def check_pipeline(samples: Sequence[Sequence[Reading]], factors: Factors) -> Iterator[Check]:
    """One check, with the samples of this machine's GPUs, or with made-up ones where it has none."""
    made_up = not samples
    if made_up:
        samples, factors = _example(), Factors(475.0, factors.power_price)
    documents = exported(samples, factors)
    instruments = _instruments(documents)
    rows = gpu_rows(documents, "checkup")
    readings = [reading for sample in samples for reading in sample]
    faults = [f"no column {name}" for name in DOCUMENTED if any(name not in row for row in rows)]
    faults += _lost(readings, rows, factors)
    if made_up:
        faults += [f"no instrument {name}" for name in COLUMN_OF if name not in instruments]
        faults += [f"{name} is null" for name in DOCUMENTED if any(row.get(name) is None for row in rows)]
    told = f"instruments: {', '.join(f'{name} ({kind})' for name, kind in instruments.items())}"
    if faults:
        yield Check(NAME, "failed", f"{told}\n{'; '.join(dict.fromkeys(faults))}", _REPORT)
        return
    source = "made-up readings, as no GPU is read here" if made_up else "readings of this machine"
    columns = f"columns: all {len(DOCUMENTED)} documented ones, {len(rows)} rows from {source}"
    yield Check(NAME, "ok", f"{told}\n{columns}\n{_growth(rows)}")


def exported(samples: Sequence[Sequence[Reading]], factors: Factors) -> list[dict[str, Any]]:
    """OTLP `resourceMetrics` of the samples, one for each, as a run writes them into its journal."""
    from smoltrace.evaluation.lives.manifest import SERVICE_NAME
    from smoltrace.evaluation.meters.instruments import DeviceMeter

    lines: list[bytes] = []
    meter = DeviceMeter({names.SERVICE_NAME: SERVICE_NAME}, factors, lines.append)
    for sample in samples:
        meter.sampled(sample)
    meter.close()
    return [item for line in lines for item in json.loads(line)["resourceMetrics"]]


def _instruments(documents: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The documented instruments that were exported, and of which kind they are."""
    found = {
        metric["name"]: "sum" if "sum" in metric else "gauge"
        for document in documents
        for scope in document["scopeMetrics"]
        for metric in scope["metrics"]
    }
    return {name: found[name] for name in COLUMN_OF if name in found}


def _lost(readings: Sequence[Reading], rows: Sequence[dict[str, Any]], factors: Factors) -> list[str]:
    """The columns in which a reading did not arrive as it was."""
    arrived = {(row["timestamp_unix_nano"], row["gpu_id"]): row for row in rows}
    lost = []
    for reading in readings:
        row = arrived.get((str(reading.time_ns), reading.info.id))
        wanted = _values(reading, factors)
        if row is not None:
            lost += [f"another value in {name}" for name, value in wanted.items() if row[name] != value]
        elif any(value is not None for value in wanted.values()):
            lost.append(f"no row for GPU {reading.info.id}")
    return lost


def _values(reading: Reading, factors: Factors) -> dict[str, float | None]:
    """What a reading has to be in a row."""
    gauges, uj = reading.gauges, reading.energy_uj
    usd = None if uj is None else factors.usd(uj)
    return {
        COLUMN_OF[gpu_metrics.CO2]: None if uj is None else factors.grams(uj),
        COLUMN_OF[gpu_metrics.POWER_COST]: None if usd is None else float(usd),
        COLUMN_OF[gpu_metrics.UTILIZATION]: gauges.utilization_percent,
        COLUMN_OF[gpu_metrics.MEMORY_USED]: gauges.memory_used_mib,
        COLUMN_OF[gpu_metrics.MEMORY_TOTAL]: gauges.memory_total_mib,
        COLUMN_OF[gpu_metrics.TEMPERATURE]: gauges.temperature_c,
        COLUMN_OF[gpu_metrics.POWER]: gauges.power_w,
    }


def _growth(rows: Sequence[dict[str, Any]]) -> str:
    """The counters of the first GPU, from its first row to its last."""
    said = []
    for column in ("co2_emissions_gco2e", "power_cost_usd"):
        values = [row[column] for row in rows if row["gpu_id"] == rows[0]["gpu_id"] and row[column] is not None]
        said.append(f"{column} {plain(values[0])} → {plain(values[-1])}" if values else f"{column} null")
    return ", ".join(said)


def _example() -> list[list[Reading]]:
    """A GPU that draws 200 W for ten seconds."""
    from smoltrace.devices.device import DeviceInfo, Gauges, Reading

    info = DeviceInfo("gpu", "0", None, "example", "energy_counter", "device")
    gauges = Gauges(
        power_w=200.0, utilization_percent=67.0, memory_used_mib=375.6, memory_total_mib=6144.0, temperature_c=84.0
    )
    return [[Reading(info, _EXAMPLE_NS, 0, gauges)], [Reading(info, _EXAMPLE_NS + 10**10, _EXAMPLE_UJ, gauges)]]
