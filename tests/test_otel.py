"""OpenTelemetry in memory: what is exported is kept, whole, and no global is touched."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.trace import Status, StatusCode

from smoltrace.otel import InMemoryMetricExporter, InMemorySpanExporter, TraceMetricsAggregator, setup_inmemory_otel
from smoltrace.utils import aggregate_gpu_metrics


def metric_named(batches: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = [m for b in batches for scope in b["scopeMetrics"] for m in scope["metrics"] if m["name"] == name]
    return found[-1]


def resource_of(batch: dict[str, Any]) -> dict[str, str]:
    return {item["key"]: item["value"]["stringValue"] for item in batch["resource"]["attributes"]}


# --- setup ----------------------------------------------------------------------------------------------------------


def test_basic_setup_with_run_id() -> None:
    tracer, meter, span_exporter, metric_exporter, aggregator, run_id = setup_inmemory_otel(
        enable_otel=True, service_name="test-service", run_id="test-run-123", enable_gpu_metrics=False
    )
    assert run_id == "test-run-123"
    assert tracer is not None
    assert meter is not None
    assert isinstance(span_exporter, InMemorySpanExporter)
    assert isinstance(metric_exporter, InMemoryMetricExporter)
    assert isinstance(aggregator, TraceMetricsAggregator)


def test_auto_generated_run_id() -> None:
    run_ids = {setup_inmemory_otel(enable_otel=True)[-1] for _ in range(2)}
    assert len(run_ids) == 2
    assert all(str(uuid.UUID(run_id)) == run_id for run_id in run_ids)


def test_gpu_metrics_enabled_without_a_readable_gpu_says_so(caplog: pytest.LogCaptureFixture) -> None:
    parts = setup_inmemory_otel(enable_otel=True, enable_gpu_metrics=True)
    assert all(part is not None for part in parts)
    assert "GPU columns stay null" in caplog.text


def test_disabled_otel_returns_none() -> None:
    assert setup_inmemory_otel(enable_otel=False) == (None,) * 6
    assert setup_inmemory_otel() == (None,) * 6


def test_no_global_provider_is_touched() -> None:
    before = trace.get_tracer_provider(), metrics.get_meter_provider()
    setup_inmemory_otel(enable_otel=True)
    assert (trace.get_tracer_provider(), metrics.get_meter_provider()) == before


# --- spans ----------------------------------------------------------------------------------------------------------


def test_a_finished_span_is_kept_whole() -> None:
    tracer, _, spans, _, _, run_id = setup_inmemory_otel(enable_otel=True, service_name="my-service")
    assert tracer is not None
    assert spans is not None
    with (
        tracer.start_as_current_span("test t1", attributes={"smoltrace.test.id": "t1"}) as parent,
        tracer.start_as_current_span("chat m", kind=trace.SpanKind.CLIENT) as child,
    ):
        child.set_attribute("gen_ai.response.finish_reasons", ("stop",))
        child.add_event("retry", {"count": 1})
        child.set_status(Status(StatusCode.ERROR, "too slow"))
    inner, outer = spans.get_finished_spans()
    assert inner["trace_id"] == outer["trace_id"] == f"{parent.get_span_context().trace_id:032x}"
    assert inner["parent_span_id"] == outer["span_id"] == f"{parent.get_span_context().span_id:016x}"
    assert outer["parent_span_id"] is None
    assert (inner["name"], inner["kind"]) == ("chat m", "CLIENT")
    assert inner["attributes"] == {"gen_ai.response.finish_reasons": ["stop"]}
    assert inner["status"] == {"code": "ERROR", "description": "too slow"}
    assert [(event["name"], event["attributes"]) for event in inner["events"]] == [("retry", {"count": 1})]
    assert inner["duration_ms"] == (inner["end_time"] - inner["start_time"]) / 1e6
    assert {inner["resource"][key] for key in ("run_id", "run.id")} == {run_id}
    assert inner["resource"]["service.name"] == inner["scope"] == "my-service"


def test_spans_can_be_cleared() -> None:
    tracer, _, spans, *_ = setup_inmemory_otel(enable_otel=True)
    assert tracer is not None
    assert spans is not None
    tracer.start_span("one").end()
    spans.clear()
    assert spans.get_finished_spans() == []


# --- metrics --------------------------------------------------------------------------------------------------------


def test_the_exporter_has_what_a_periodic_reader_asks_for() -> None:
    exporter = InMemoryMetricExporter()
    assert exporter._preferred_temporality == {}
    assert exporter._preferred_aggregation == {}
    PeriodicExportingMetricReader(exporter, export_interval_millis=10_000).shutdown()


def test_metrics_of_a_run_shorter_than_the_export_interval_are_there() -> None:
    _, meter, _, exporter, _, run_id = setup_inmemory_otel(enable_otel=True, service_name="my-service")
    assert meter is not None
    assert exporter is not None
    meter.create_counter("tests", unit="{test}").add(2, {"agent": "tool"})
    meter.create_counter("cost").add(0.25)
    meter.create_histogram("duration", unit="s").record(3.0)
    batches = exporter.get_metrics_data()
    assert resource_of(batches[-1])["run_id"] == run_id
    assert resource_of(batches[-1])["service.name"] == "my-service"
    tests = metric_named(batches, "tests")
    assert tests["unit"] == "{test}"
    assert (tests["sum"]["isMonotonic"], tests["sum"]["aggregationTemporality"]) == (True, 2)
    (point,) = tests["sum"]["dataPoints"]
    assert point["asInt"] == "2"
    assert point["attributes"] == [{"key": "agent", "value": {"stringValue": "tool"}}]
    assert point["timeUnixNano"].isdigit()
    assert metric_named(batches, "cost")["sum"]["dataPoints"][0]["asDouble"] == 0.25
    histogram = metric_named(batches, "duration")["histogram"]["dataPoints"][0]
    assert (histogram["count"], histogram["sum"], sum(map(int, histogram["bucketCounts"]))) == ("1", 3.0, 1)


def test_a_gauge_that_reads_zero_is_exported_and_counted() -> None:
    _, meter, _, exporter, *_ = setup_inmemory_otel(enable_otel=True)
    assert meter is not None
    assert exporter is not None

    def idle(options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(0, {"gpu_id": "0"})

    meter.create_observable_gauge("gen_ai.gpu.utilization", callbacks=[idle], unit="%")
    batches = exporter.get_metrics_data()
    assert metric_named(batches, "gen_ai.gpu.utilization")["gauge"]["dataPoints"][0]["asInt"] == "0"
    assert aggregate_gpu_metrics(batches)["utilization_avg"] == 0


def test_metrics_stay_readable_after_shutdown_and_can_be_cleared() -> None:
    exporter = InMemoryMetricExporter()
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=10_000)
    exporter.read_from(reader)
    from opentelemetry.sdk.metrics import MeterProvider

    provider = MeterProvider(metric_readers=[reader])
    provider.get_meter("m").create_counter("tests").add(1)
    provider.shutdown()
    assert metric_named(exporter.get_metrics_data(), "tests")["sum"]["dataPoints"][0]["asInt"] == "1"
    exporter.clear()
    assert exporter.get_metrics_data() == []


def test_attribute_types_are_kept() -> None:
    _, meter, _, exporter, *_ = setup_inmemory_otel(enable_otel=True)
    assert meter is not None
    assert exporter is not None
    meter.create_counter("c").add(1, {"flag": True, "count": 3, "share": 0.5, "names": ["a"]})
    point = metric_named(exporter.get_metrics_data(), "c")["sum"]["dataPoints"][0]
    assert {item["key"]: item["value"] for item in point["attributes"]} == {
        "flag": {"boolValue": True},
        "count": {"intValue": "3"},
        "share": {"doubleValue": 0.5},
        "names": {"arrayValue": {"values": [{"stringValue": "a"}]}},
    }


def test_an_aggregator_without_traces_has_nothing_to_say_about_tokens() -> None:
    assert TraceMetricsAggregator().collect_all([], {}) == TraceMetricsAggregator().collect_all()
