"""GPU time series: rows of the metrics dataset, and totals that add up over GPUs."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.records.gpu_metrics import COLUMNS, aggregate_gpu_metrics, gpu_rows
from smoltrace.records.otlp_points import points_in

SECOND = 1_000_000_000
T0 = 1_760_947_217_774_556_600

DOCUMENTED_COLUMNS = (
    "run_id",
    "service_name",
    "timestamp",
    "timestamp_unix_nano",
    "gpu_id",
    "gpu_name",
    "co2_emissions_gco2e",
    "power_cost_usd",
    "gpu_utilization_percent",
    "gpu_memory_used_mib",
    "gpu_memory_total_mib",
    "gpu_temperature_celsius",
    "gpu_power_watts",
)


def point(value: float | str, seconds: float | None = None, gpu: str | None = None, start: int | None = None) -> dict:
    shape: dict[str, Any] = {"asInt": value} if isinstance(value, str) else {"asDouble": value}
    if seconds is not None:
        shape["timeUnixNano"] = str(T0 + round(seconds * SECOND))
    if start is not None:
        shape["startTimeUnixNano"] = str(start)
    if gpu is not None:
        shape["attributes"] = [
            {"key": "gpu_id", "value": {"stringValue": gpu}},
            {"key": "gpu_name", "value": {"stringValue": f"Card {gpu}"}},
        ]
    return shape


def batch(kind: str = "gauge", resource: dict[str, str] | None = None, **metrics: list[dict]) -> dict:
    """One resourceMetrics; keyword `gpu__power` is the metric gen_ai.gpu.power."""
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in (resource or {}).items()]
    return {
        "resource": {"attributes": attributes},
        "scopeMetrics": [
            {
                "scope": {"name": "genai.gpu"},
                "metrics": [
                    {"name": "gen_ai." + name.replace("__", "."), kind: {"dataPoints": points}}
                    for name, points in metrics.items()
                ],
            }
        ],
    }


def one(key: str, *batches: dict) -> Any:
    return aggregate_gpu_metrics(list(batches))[key]


# --- totals ---------------------------------------------------------------------------------------------------------


def test_a_single_cumulative_point_is_the_total() -> None:
    assert one("co2_total", batch("sum", co2__emissions=[point(1.5)])) == 1.5


def test_the_last_value_of_one_gpu_is_its_total() -> None:
    points = [point(value, index * 10) for index, value in enumerate([0.0418, 0.0835, 0.1])]
    assert one("co2_total", batch("sum", co2__emissions=points)) == 0.1


def test_several_gpus_are_summed_not_maximised() -> None:
    points = [point(float(gpu + 1), 10, str(gpu)) for gpu in range(4)]
    assert one("co2_total", batch("sum", co2__emissions=points)) == 1 + 2 + 3 + 4
    assert one("power_cost_total", batch("sum", power__cost=points)) == 10


def test_the_same_gpu_number_on_two_machines_is_two_gpus() -> None:
    batches = [batch("sum", {"host.name": host}, co2__emissions=[point(2.0, 0, "0")]) for host in ("a", "b")]
    assert one("co2_total", *batches) == 4.0


def test_a_counter_that_restarts_keeps_what_it_had() -> None:
    points = [point(value, index) for index, value in enumerate([1.0, 3.0, 0.5, 2.0])]
    assert one("co2_total", batch("sum", co2__emissions=points)) == 3.0 + 2.0


def test_another_start_time_is_a_restart_even_when_the_value_is_higher() -> None:
    points = [point(1.0, 1, start=T0), point(5.0, 3, start=T0 + 2 * SECOND)]
    assert one("co2_total", batch("sum", co2__emissions=points)) == 6.0


def test_increments_are_added_up() -> None:
    given_batch = batch("sum", co2__emissions=[point(0.5, 1), point(0.25, 2)])
    given_batch["scopeMetrics"][0]["metrics"][0]["sum"]["aggregationTemporality"] = 1
    assert one("co2_total", given_batch) == 0.75


def test_a_batch_exported_twice_changes_nothing() -> None:
    counter = batch("sum", co2__emissions=[point(1.0, 0, "0"), point(2.0, 10, "0")])
    gauge = batch(gpu__power=[point(100.0, 0, "0"), point(300.0, 10, "0")])
    assert aggregate_gpu_metrics([counter, gauge]) == aggregate_gpu_metrics([counter, gauge, gauge, counter])
    assert gpu_rows([counter, gauge]) == gpu_rows([gauge, counter, counter, gauge])


def test_zero_is_a_value_and_nothing_is_none() -> None:
    totals = aggregate_gpu_metrics([batch(gpu__utilization=[point("0", 0)]), batch("sum", co2__emissions=[point("0")])])
    assert totals["utilization_avg"] == 0
    assert totals["utilization_max"] == 0
    assert totals["co2_total"] == 0
    assert totals["power_avg"] is None
    assert totals["power_cost_total"] is None


def test_no_metrics_give_every_key_as_none() -> None:
    totals = aggregate_gpu_metrics([])
    assert set(totals) == {
        *("utilization_avg", "utilization_max", "memory_avg", "memory_max", "memory_total", "temperature_avg"),
        *("temperature_max", "power_avg", "power_max", "co2_total", "power_cost_total"),
    }
    assert set(totals.values()) == {None}


def test_one_gpu_sampled_evenly_has_its_plain_mean_and_maximum() -> None:
    points = [point(value, index * 10, "0") for index, value in enumerate(["67", "72", "95"])]
    totals = aggregate_gpu_metrics([batch(gpu__utilization=points)])
    assert totals["utilization_avg"] == (67 + 72 + 95) / 3
    assert totals["utilization_max"] == 95


def test_uneven_samples_are_weighted_by_time() -> None:
    # Busy for a hundred seconds, then two quick idle readings: the plain mean would say 50 %.
    points = [point(100.0, 0, "0"), point(100.0, 100, "0"), point(0.0, 101, "0"), point(0.0, 102, "0")]
    assert one("utilization_avg", batch(gpu__utilization=points)) > 95


def test_power_and_memory_add_up_over_gpus_while_utilisation_and_temperature_average() -> None:
    two = [point(100.0, 0, "0"), point(300.0, 0, "1")]
    totals = aggregate_gpu_metrics(
        [
            batch(
                gpu__power=two,
                gpu__memory__used=two,
                gpu__memory__total=two,
                gpu__temperature=two,
                gpu__utilization=two,
            )
        ]
    )
    assert totals["power_avg"] == totals["power_max"] == 400
    assert totals["memory_avg"] == totals["memory_max"] == totals["memory_total"] == 400
    assert totals["temperature_avg"] == totals["utilization_avg"] == 200
    assert totals["temperature_max"] == totals["utilization_max"] == 300


def test_the_peak_power_is_of_one_moment() -> None:
    points = [point(100.0, 0, "0"), point(10.0, 0, "1"), point(20.0, 10, "0"), point(90.0, 10, "1")]
    assert one("power_max", batch(gpu__power=points)) == 110


@given(st.permutations(range(6)), st.permutations(["0", "1", "2"]))
def test_totals_do_not_depend_on_the_order_of_points_or_on_the_numbers_of_gpus(
    order: list[int], renumbered: list[str]
) -> None:
    readings = [(float(gpu + index), index * 10.0, gpu) for gpu in range(3) for index in range(2)]

    def totals(places: list[int], ids: list[str]) -> dict[str, Any]:
        points = [point(readings[i][0], readings[i][1], ids[readings[i][2]]) for i in places]
        return aggregate_gpu_metrics([batch(gpu__power=points), batch("sum", co2__emissions=points)])

    assert totals(order, renumbered) == totals(list(range(6)), ["0", "1", "2"])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12), st.data())
def test_finer_sampling_of_a_counter_does_not_change_its_total(steps: list[float], data: st.DataObject) -> None:
    values = list(accumulate(steps))
    kept = data.draw(st.sets(st.integers(0, len(values) - 1))) | {len(values) - 1}
    fine = batch("sum", co2__emissions=[point(value, index) for index, value in enumerate(values)])
    coarse = batch("sum", co2__emissions=[point(values[index], index) for index in sorted(kept)])
    assert one("co2_total", fine) == one("co2_total", coarse) == pytest.approx(values[-1])


# --- rows -----------------------------------------------------------------------------------------------------------


def test_a_row_has_the_thirteen_documented_columns_in_their_order() -> None:
    resource = {"service.name": "smoltrace-eval", "run_id": "r1"}
    rows = gpu_rows(
        [
            batch(
                resource=resource,
                gpu__utilization=[point("67", 0, "0")],
                gpu__memory__used=[point(375.07, 0, "0")],
                gpu__memory__total=[point(6144.0, 0, "0")],
                gpu__temperature=[point("84", 0, "0")],
                gpu__power=[point(18.741, 0, "0")],
            ),
            batch("sum", resource, co2__emissions=[point(0.036, 0, "0")], power__cost=[point(9.2e-06, 0, "0")]),
        ]
    )
    assert COLUMNS == DOCUMENTED_COLUMNS
    assert [tuple(row) for row in rows] == [DOCUMENTED_COLUMNS]
    assert rows[0] == {
        "run_id": "r1",
        "service_name": "smoltrace-eval",
        "timestamp": datetime(2025, 10, 20, 8, 0, 17, 774556, UTC),
        "timestamp_unix_nano": str(T0),
        "gpu_id": "0",
        "gpu_name": "Card 0",
        "co2_emissions_gco2e": 0.036,
        "power_cost_usd": 9.2e-06,
        "gpu_utilization_percent": 67.0,
        "gpu_memory_used_mib": 375.07,
        "gpu_memory_total_mib": 6144.0,
        "gpu_temperature_celsius": 84.0,
        "gpu_power_watts": 18.741,
    }


def test_each_gpu_and_moment_has_its_own_row_in_order_of_time() -> None:
    points = [point(1.0, seconds, gpu) for seconds in (10, 0) for gpu in ("10", "9")]
    rows = gpu_rows([batch(gpu__power=points)])
    assert [(row["gpu_id"], int(row["timestamp_unix_nano"]) - T0) for row in rows] == [
        ("9", 0),
        ("10", 0),
        ("9", 10 * SECOND),
        ("10", 10 * SECOND),
    ]


def test_what_a_moment_did_not_measure_is_none_and_a_measured_zero_stays() -> None:
    (row,) = gpu_rows([batch(gpu__utilization=[point("0", 0, "0")])])
    assert row["gpu_utilization_percent"] == 0.0
    assert row["gpu_power_watts"] is None


def test_the_given_run_id_wins_over_the_one_of_the_resource() -> None:
    series = [batch(resource={"run_id": "from-resource"}, gpu__power=[point(1.0, 0, "0")])]
    assert gpu_rows(series)[0]["run_id"] == "from-resource"
    assert gpu_rows(series, run_id="given")[0]["run_id"] == "given"


def test_a_point_that_names_no_gpu_joins_the_only_gpu() -> None:
    (row,) = gpu_rows([batch(gpu__power=[point(5.0, 0, "0")]), batch("sum", co2__emissions=[point(0.1, 0)])])
    assert (row["gpu_id"], row["gpu_power_watts"], row["co2_emissions_gco2e"]) == ("0", 5.0, 0.1)


def test_a_point_that_names_no_gpu_is_not_given_to_one_of_several() -> None:
    rows = gpu_rows([batch(gpu__power=[point(5.0, 0, "0"), point(6.0, 0, "1"), point(7.0, 0)])])
    assert {row["gpu_id"]: row["gpu_power_watts"] for row in rows} == {"0": 5.0, "1": 6.0, None: 7.0}


def test_metrics_of_other_names_and_no_metrics_give_no_rows() -> None:
    assert gpu_rows([batch("sum", client__token__usage=[point("3", 0)])]) == []
    assert gpu_rows([]) == []


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"asInt": "0"}, [0]),
        ({"asInt": 67}, [67]),
        ({"asInt": None, "asDouble": 0.5}, [0.5]),
        ({"asDouble": "1.5"}, [1.5]),
        ({"asDouble": "NaN"}, []),
        ({"asInt": "many"}, []),
        ({}, []),
    ],
)
def test_numbers_as_exporters_write_them(raw: dict[str, Any], expected: list[float]) -> None:
    assert [found.value for found in points_in([batch(gpu__power=[raw])])] == expected


def test_attributes_may_be_a_list_of_pairs_or_a_mapping() -> None:
    as_mapping = {"asInt": "1", "attributes": {"gpu_id": 0}}
    as_list = {"asInt": "1", "attributes": [{"key": "gpu_id", "value": {"intValue": "0"}}]}
    first, second = points_in([batch(gpu__power=[as_mapping, as_list])])
    assert first.series == second.series


def test_missing_levels_are_empty() -> None:
    assert list(points_in([{}, {"scopeMetrics": None}, {"scopeMetrics": [{"metrics": [{"name": "x"}]}]}])) == []
