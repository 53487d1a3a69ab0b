from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import NO_PRICES, chat, execution, failed, manifest, span

from smoltrace.books.calls import calls_in
from smoltrace.records.execution import Execution
from smoltrace.records.instruments import Histogram
from smoltrace.records.metrics import aggregates, empty_metrics_row, points
from smoltrace.records.results import result_row
from smoltrace.records.schema import METRICS, POINTS


def points_of(tests: Sequence[Execution]) -> list[dict[str, Any]]:
    return points(((result_row(done), calls_in(done.spans)) for done in tests), manifest())


def values(rows: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    return {row["attributes"]: row["value"] for row in rows if row["name"] == name}


def one(rows: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [row for row in rows if row["name"] == name]
    return found


def test_a_run_without_a_gpu_has_one_row_of_nulls() -> None:
    row = empty_metrics_row(manifest())

    known = {name for name, value in row.items() if value is not None}
    assert tuple(row) == METRICS.names
    assert known == {"run_id", "service_name", "timestamp", "timestamp_unix_nano"}
    assert row["timestamp_unix_nano"] == "1750000000000000000"


def test_points_tell_what_the_results_sum_to() -> None:
    rows = points_of([execution(1), execution(2), failed(3)])

    assert all(tuple(row) == POINTS.names for row in rows)
    assert values(rows, "tests.successful") == {'{"agent_type":"tool"}': 2.0}
    assert values(rows, "llm.token_count.total") == {'{"agent_type":"tool"}': 990.0}
    assert values(rows, "gen_ai.client.token.usage") == {
        '{"agent_type":"tool","token_type":"completion"}': 90.0,
        '{"agent_type":"tool","token_type":"prompt"}': 900.0,
    }
    assert values(rows, "gen_ai.usage.cost.total") == {'{"agent_type":"tool"}': 0.00405}
    assert values(rows, "gen_ai.usage.cost.prompt") == {'{"agent_type":"tool"}': 0.0027}
    assert values(rows, "gen_ai.requests") == {'{"operation":"chat","provider":"maker","model":"m"}': 6.0}


def test_histograms_hold_count_sum_extremes_and_buckets() -> None:
    row = one(points_of([execution(1), execution(2)]), "gen_ai.client.operation.duration")

    assert row["type"] == "histogram"
    assert row["count"] == 4 == sum(row["bucket_counts"])
    assert row["sum"] == pytest.approx(0.16)
    assert (row["min"], row["max"]) == (0.04, 0.04)
    assert row["bucket_counts"][row["explicit_bounds"].index(0.04)] == 4
    assert row["value"] is None


def test_agent_kinds_have_points_of_their_own() -> None:
    rows = points_of([execution(1), execution(2, agent_type="code")])

    assert values(rows, "tests.successful") == {'{"agent_type":"code"}': 1.0, '{"agent_type":"tool"}': 1.0}


def test_what_is_unknown_has_no_point() -> None:
    rows = points_of([execution(1), execution(2, price_book=NO_PRICES)])

    names = {row["name"] for row in rows}
    assert not any("cost" in name for name in names)
    assert not {"gen_ai.server.ttft", "gen_ai.server.tbt", "gen_ai.client.errors"} & names
    assert "llm.token_count.total" in names


def test_a_test_that_called_no_model_hides_nothing() -> None:
    rows = points_of([execution(1), failed(2, "agent_error", spans=[span(2, 1, None, "test t2", (0, 1))])])

    assert values(rows, "gen_ai.usage.cost.total") == {'{"agent_type":"tool"}': 0.00135}


def test_failed_calls_are_counted_by_the_class_of_their_error() -> None:
    spans = [
        span(1, 1, None, "test t1", (0, 99)),
        chat(1, 2, 1, (0, 10), None, error__type="timeout", status="ERROR"),
        chat(1, 3, 1, (20, 30), (1, 1)),
    ]

    rows = points_of([execution(spans=spans)])

    assert values(rows, "gen_ai.client.errors") == {'{"operation":"chat","error_type":"timeout"}': 1.0}
    assert one(rows, "gen_ai.requests")["value"] == 2.0


def test_times_to_tokens_are_measured_call_by_call() -> None:
    spans = [
        span(1, 1, None, "test t1", (0, 99)),
        chat(1, 2, 1, (0, 10), (1, 1), gen_ai__server__ttft=0.2, gen_ai__server__tbt=0.01),
        chat(1, 3, 1, (20, 30), (1, 1), gen_ai__server__ttft=0.4),
    ]

    rows = points_of([execution(spans=spans)])

    assert one(rows, "gen_ai.server.ttft")["count"] == 2
    assert one(rows, "gen_ai.server.ttft")["max"] == 0.4
    assert one(rows, "gen_ai.server.tbt")["count"] == 1


def test_points_span_the_time_of_the_run() -> None:
    rows = points_of([execution(1), execution(2)])

    assert {row["start_time"].isoformat() for row in rows} == {"2025-06-15T15:06:40+00:00"}
    assert {row["time"].isoformat() for row in rows} == {"2025-06-15T15:06:41.120000+00:00"}


def test_the_order_of_tests_makes_no_difference() -> None:
    tests = [execution(1), failed(2, "timeout"), execution(3, agent_type="code")]

    assert points_of(tests) == points_of(list(reversed(tests)))


def test_a_run_without_tests_has_no_points() -> None:
    assert points_of([]) == []
    assert aggregates([]) == []


def test_aggregates_have_the_shape_that_their_readers_know() -> None:
    found = {entry["name"]: entry for entry in aggregates(points_of([execution(1), execution(2)]))}

    assert found["tests.successful"] == {
        "name": "tests.successful",
        "type": "counter",
        "unit": "tests",
        "data_points": [{"value": 2, "attributes": {"agent_type": "tool"}}],
    }
    assert found["tests.steps"]["data_points"] == [
        {"value": {"sum": 4.0, "count": 2, "min": 2, "max": 2, "avg": 2.0}, "attributes": {"agent_type": "tool"}}
    ]
    assert found["llm.token_count.total"]["type"] == "sum"
    assert found["gen_ai.usage.cost.total"]["data_points"][0]["value"] == 0.0027
    assert orjson.loads(orjson.dumps(list(found.values()))) == list(found.values())


@given(st.lists(st.floats(-10, 50)), st.lists(st.floats(0, 40), unique=True).map(lambda b: tuple(sorted(b))))
def test_every_measurement_falls_into_one_bucket(measured: list[float], bounds: tuple[float, ...]) -> None:
    histogram = Histogram(bounds)
    histogram.extend(measured)

    assert sum(histogram.counts) == histogram.count == len(measured)
    for i, bound in enumerate(bounds):
        assert sum(histogram.counts[: i + 1]) == sum(value <= bound for value in measured)
