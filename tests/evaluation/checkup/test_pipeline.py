"""Readings through the run's own instruments to the rows of the metrics dataset."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from smoltrace.devices.device import DeviceInfo, Gauges, Reading
from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.checkup.pipeline import DOCUMENTED, check_pipeline, exported
from smoltrace.records.energy import Factors
from smoltrace.records.gpu_metrics import COLUMN_OF, gpu_rows

T0 = 1_790_000_000_000_000_000
FACTORS = Factors(100.0, Decimal("0.30"))


def reading(gpu: str, seconds: int, joules: int | None, **gauges: float) -> Reading:
    info = DeviceInfo("gpu", gpu, f"GPU-{gpu}", "Card", "energy_counter", "device")
    return Reading(info, T0 + seconds * 10**9, None if joules is None else joules * 10**6, Gauges(**gauges))


def check(samples: list[list[Reading]], factors: Factors = FACTORS) -> Check:
    (only,) = check_pipeline(samples, factors)
    return only


def test_without_a_gpu_made_up_readings_take_the_whole_way() -> None:
    found = check([], Factors(None, Decimal("0.12")))
    assert found.status == "ok"
    for instrument in COLUMN_OF:
        assert instrument in found.detail
    assert "all 13 documented ones, 2 rows from made-up readings" in found.detail
    assert "co2_emissions_gco2e 0 → 0.264, power_cost_usd 0 → 0.0000667" in found.detail


def test_the_readings_of_this_machine_arrive_as_they_were() -> None:
    samples = [
        [reading("0", 0, 0, power_w=100.0), reading("1", 0, 0, power_w=50.0)],
        [reading("0", 36, 3600, power_w=120.5), reading("1", 36, 1800, utilization_percent=0.0)],
    ]
    found = check(samples)
    assert found.status == "ok"
    assert "4 rows from readings of this machine" in found.detail
    assert "co2_emissions_gco2e 0 → 0.1, power_cost_usd 0 → 0.0003" in found.detail


def test_what_a_gpu_does_not_show_is_null_and_no_fault() -> None:
    found = check([[reading("0", 0, None, power_w=90.0)]], Factors(None, Decimal("0.12")))
    assert found.status == "ok"
    assert "co2_emissions_gco2e null, power_cost_usd null" in found.detail


def test_the_documents_columns_come_out_in_every_row() -> None:
    (row,) = gpu_rows(exported([[reading("0", 0, 0)]], FACTORS), "r")
    assert len(DOCUMENTED) == 13
    assert set(DOCUMENTED) <= set(row)


def test_a_reading_that_changes_on_the_way_fails() -> None:
    """Two GPUs under one name are one series: the second takes the place of the first."""
    one = reading("0", 0, 0, power_w=100.0)
    other = replace(one, gauges=Gauges(power_w=250.0))
    found = check([[one, other]])
    assert found.status == "failed"
    assert "another value in gpu_power_watts" in found.detail
    assert found.remedy
