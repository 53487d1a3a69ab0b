"""The meters of a run: a sample of devices is one export, stamped with its own times; calls and tests are counted."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import orjson
from support.runs import execution

from smoltrace.books.calls import calls_in
from smoltrace.devices.device import DeviceInfo, Gauges, Reading
from smoltrace.evaluation.meters.instruments import ClientMeter, DeviceMeter
from smoltrace.records.device_energy import EnergySeries
from smoltrace.records.energy import Factors
from smoltrace.records.gpu_metrics import gpu_rows
from smoltrace.records.otlp_points import Point, points_in
from smoltrace.records.results import result_row

RESOURCE = {"service.name": "smoltrace", "run_id": "r", "run.id": "r"}
FACTORS = Factors(carbon_intensity=100.0, power_price=Decimal("0.20"), country="FRA")
GPU = [DeviceInfo("gpu", str(n), f"GPU-{n}", "Test GPU", "energy_counter", "device") for n in range(2)]
CPU = DeviceInfo("cpu", "package-0", None, "Test CPU", "energy_counter", "device")
FULL = Gauges(300.0, 87.0, 40_000.0, 81_920.0, 61.0)
WH = 3_600_000_000


class Journal:
    """What was kept, line by line."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def __call__(self, line: bytes) -> None:
        assert b"\n" not in line
        self.documents.append(orjson.loads(line))

    def points(self) -> list[Point]:
        return [point for document in self.documents for point in points_in(document["resourceMetrics"])]

    def rows(self) -> list[dict[str, Any]]:
        return [row for document in self.documents for row in gpu_rows(document["resourceMetrics"])]


def meter(factors: Factors = FACTORS) -> tuple[DeviceMeter, Journal]:
    journal = Journal()
    return DeviceMeter(RESOURCE, factors, journal), journal


def test_a_sample_has_the_documented_instruments_with_their_units() -> None:
    devices, journal = meter()
    devices.sampled([Reading(GPU[0], 1000, WH, FULL)])
    metrics = journal.documents[0]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    assert {metric["name"]: metric["unit"] for metric in metrics} == {
        "gen_ai.gpu.utilization": "%",
        "gen_ai.gpu.memory.used": "MiB",
        "gen_ai.gpu.memory.total": "MiB",
        "gen_ai.gpu.temperature": "Cel",
        "gen_ai.gpu.power": "W",
        "gen_ai.co2.emissions": "gCO2e",
        "gen_ai.power.cost": "USD",
        "gen_ai.gpu.energy": "uJ",
    }
    (row,) = journal.rows()
    assert row["co2_emissions_gco2e"] == 0.1
    assert row["power_cost_usd"] == 0.0002
    assert (row["gpu_power_watts"], row["gpu_utilization_percent"], row["gpu_name"]) == (300.0, 87.0, "Test GPU")
    assert row["run_id"] == "r"


def test_each_point_bears_the_time_of_its_own_reading_and_the_start_of_the_life() -> None:
    devices, journal = meter()
    devices.sampled([Reading(GPU[0], 1000, 0, FULL), Reading(GPU[1], 1700, 0, FULL)])
    devices.sampled([Reading(GPU[0], 2000, 5, FULL), Reading(GPU[1], 2700, 7, FULL)])
    energy = [point for point in journal.points() if point.name == "gen_ai.gpu.energy"]
    assert [(p.attribute("gpu_id"), p.start_ns, p.time_ns, p.value) for p in energy] == [
        *(("0", 1000, 1000, 0), ("1", 1700, 1700, 0)),
        *(("0", 1000, 2000, 5), ("1", 1700, 2700, 7)),
    ]
    assert all(isinstance(point.value, int) for point in energy)


def test_microjoules_stay_exact_beyond_what_a_double_holds() -> None:
    devices, journal = meter()
    devices.sampled([Reading(GPU[0], 1, 0, FULL)])
    devices.sampled([Reading(GPU[0], 2, 2**53 + 1, FULL)])
    series = EnergySeries()
    for point in journal.points():
        series.add(point)
    assert series.devices()[0].uj == 2**53 + 1


def test_what_a_device_does_not_show_has_no_point_and_a_zero_has_one() -> None:
    devices, journal = meter(Factors(power_price=Decimal("0.12")))
    devices.sampled([Reading(GPU[0], 1000, 0, Gauges(utilization_percent=0.0))])
    assert {point.name: point.value for point in journal.points()} == {
        "gen_ai.gpu.utilization": 0.0,
        "gen_ai.power.cost": 0.0,
        "gen_ai.gpu.energy": 0,
    }


def test_a_gpu_that_is_lost_has_no_points_until_it_is_back() -> None:
    devices, journal = meter()
    both = [Reading(GPU[0], 1000, 0, FULL), Reading(GPU[1], 1000, 0, FULL)]
    devices.sampled(both)
    devices.sampled([Reading(GPU[0], 2000, 5, FULL)])
    devices.sampled([Reading(GPU[0], 3000, 9, FULL), Reading(GPU[1], 3000, 4, FULL)])
    of_second = [p for p in journal.points() if p.attribute("gpu_id") == "1" and p.name == "gen_ai.gpu.energy"]
    assert [(point.time_ns, point.value) for point in of_second] == [(1000, 0), (3000, 4)]


def test_processors_are_no_gpus() -> None:
    devices, journal = meter()
    devices.sampled([Reading(CPU, 1000, 42, Gauges())])
    (point,) = journal.points()
    assert (point.name, point.value, point.attribute("hw.type")) == ("smoltrace.host.energy", 42, "cpu")
    assert journal.rows() == []


def test_idle_power_is_kept_with_the_start_of_the_life() -> None:
    devices, journal = meter()
    devices.instruments.idle_watts = {GPU[0]: 60.0}
    devices.sampled([Reading(GPU[0], 1_000_000_000, 0, FULL)])
    devices.sampled([Reading(GPU[0], 3_000_000_000, 600_000_000, FULL)])
    series = EnergySeries()
    for point in journal.points():
        series.add(point)
    assert series.devices()[0].idle_uj == 120_000_000


def test_calls_and_tests_are_counted_in_a_scope_of_their_own_and_exported_at_the_end() -> None:
    journal = Journal()
    client = ClientMeter(RESOURCE, journal)
    done = [execution(n) for n in (1, 2)]
    rows = [(result_row(each), calls_in(each.spans)) for each in done]
    threads = [threading.Thread(target=client.record, args=pair) for pair in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.documents == []
    client.close()
    (document,) = journal.documents
    (scope,) = document["resourceMetrics"][0]["scopeMetrics"]
    assert scope["scope"]["name"] == "smoltrace.client"
    found = {(p.name, p.attribute("token_type")): p.value for p in journal.points()}
    assert found["llm.token_count.total", None] == sum(row["gen_ai.usage.total_tokens"] for row, _ in rows)
    assert found["gen_ai.client.token.usage", "prompt"] == 600
    assert found["gen_ai.requests", None] == 4
    durations = next(m for m in scope["metrics"] if m["name"] == "gen_ai.client.operation.duration")
    assert durations["histogram"]["dataPoints"][0]["count"] == "4"


def test_a_meter_that_counted_nothing_writes_nothing() -> None:
    journal = Journal()
    ClientMeter(RESOURCE, journal).close()
    assert journal.documents == []
