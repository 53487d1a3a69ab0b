from __future__ import annotations

from typing import Any

from smoltrace.records.device_otlp import resource_metrics_of
from smoltrace.records.gpu_metrics import COLUMN_OF, COLUMNS, gpu_rows
from smoltrace.records.otlp_points import points_in
from smoltrace.records.schema import METRICS, empty_row
from smoltrace.records.times import time_of


def reading(gpu: str, second: int, **values: float) -> dict[str, Any]:
    nanoseconds = 1_750_000_000_000_000_000 + second * 10**9
    about = {"run_id": "r", "service_name": "s", "gpu_id": gpu, "gpu_name": "H200"}
    time = {"timestamp": time_of(nanoseconds), "timestamp_unix_nano": str(nanoseconds)}
    return {**empty_row(METRICS), **about, **time, **values}


def test_the_rows_come_back_and_what_was_unknown_is_unknown() -> None:
    measured = dict(zip(COLUMN_OF.values(), (0.5, 0.001, 97.0, 1000.0, 2000.0, 61.0, 310.25), strict=True))
    rows = [reading("0", 0, **measured), reading("1", 0, gpu_power_watts=0.0), reading("0", 1, **measured)]

    back = gpu_rows(resource_metrics_of(rows))

    assert [{name: row[name] for name in COLUMNS} for row in back] == [{n: row[n] for n in COLUMNS} for row in rows]


def test_counters_are_sums_since_the_first_moment_and_energy_is_in_microjoules() -> None:
    made = resource_metrics_of([reading("0", second, gpu_energy_wh=second / 3600) for second in (0, 2)])

    first, last = points_in(made)
    assert (first.value, last.value) == (0, 2_000_000)
    assert last.start_ns == first.time_ns
    assert (last.name, last.unit) == ("gen_ai.gpu.energy", "uJ")


def test_a_run_without_a_gpu_has_no_series() -> None:
    assert resource_metrics_of([{**empty_row(METRICS), "run_id": "r", "service_name": "s"}]) == []
