"""OpenTelemetry in memory: spans and metrics of this process, kept as plain dictionaries.

For code that wants a tracer and a meter of its own beside an evaluation. Nothing global is touched unless asked for.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from smoltrace.books import names
from smoltrace.tracing.otlp_metrics import otlp_json

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)

EXPORT_INTERVAL_MS = 10_000


class InMemorySpanExporter(SpanExporter):
    """Keeps every finished span as a dictionary."""

    def __init__(self) -> None:
        self._spans: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        rows = [_span(span) for span in spans]
        with self._lock:
            self._spans.extend(rows)
        return SpanExportResult.SUCCESS

    def get_finished_spans(self) -> list[dict[str, Any]]:
        """The finished spans in the order in which they ended.

        Each has trace_id (32 hex digits), span_id and parent_span_id (16, None for a root), name, kind, start_time and
        end_time (unix nanoseconds), duration_ms, attributes, events (name, timestamp, attributes), status (code,
        description), resource and scope.
        """
        with self._lock:
            return list(self._spans)

    def clear(self) -> None:
        """Forget the spans."""
        with self._lock:
            self._spans.clear()

    def shutdown(self) -> None:
        """The spans stay readable."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


class InMemoryMetricExporter(MetricExporter):
    """Keeps every export as OTLP JSON `resourceMetrics`."""

    def __init__(self) -> None:
        # A PeriodicExportingMetricReader reads these two; empty means OpenTelemetry's defaults: cumulative sums.
        super().__init__(preferred_temporality={}, preferred_aggregation={})
        self._metrics_data: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._reader: MetricReader | None = None
        self._stop: Callable[[], None] | None = None

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = EXPORT_INTERVAL_MS, **kwargs: Any
    ) -> MetricExportResult:
        batch = [otlp_json(item) for item in metrics_data.resource_metrics]
        with self._lock:
            self._metrics_data.extend(batch)
        return MetricExportResult.SUCCESS

    def read_from(self, reader: MetricReader) -> None:
        """Have `get_metrics_data` ask this reader for what has not been exported yet."""
        self._reader = reader

    def get_metrics_data(self) -> list[dict[str, Any]]:
        """All exports so far, oldest first, up to this moment: a run shorter than the export interval is not empty."""
        if self._reader is not None:
            self._reader.force_flush()
        with self._lock:
            return list(self._metrics_data)

    def stop_with(self, stop: Callable[[], None]) -> None:
        """What is to end when the exporter is shut down."""
        self._stop = stop

    def clear(self) -> None:
        """Forget the metrics."""
        with self._lock:
            self._metrics_data.clear()

    def force_flush(self, timeout_millis: float = EXPORT_INTERVAL_MS) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """The metrics stay readable."""
        self._reader = None
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()


class TraceMetricsAggregator:
    """Aggregates what the traces and results of a run say into named metrics."""

    def collect_all(
        self,
        trace_data: Iterable[Mapping[str, Any]] | None = None,
        all_results: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ) -> list[dict[str, Any]]:
        """The documented `aggregates`: tests.successful, tests.tool_calls, tests.steps, tokens, cost and their kin.

        `trace_data` is what `smoltrace.core.extract_traces` returns, `all_results` maps agent types to result rows.
        """
        from smoltrace.books.calls import calls_in
        from smoltrace.records.documented import joined, spans_in
        from smoltrace.records.metrics import aggregates, points

        tests = joined(all_results or {}, trace_data or ())
        return aggregates(points(((row, calls_in(spans_in(trace or {}))) for row, trace in tests), {}))


OtelParts = tuple[
    "Tracer | None",
    "Meter | None",
    InMemorySpanExporter | None,
    InMemoryMetricExporter | None,
    TraceMetricsAggregator | None,
    str | None,
]


def setup_inmemory_otel(
    enable_otel: bool = False,
    service_name: str = "agent-eval",
    run_id: str | None = None,
    enable_gpu_metrics: bool = False,
    *,
    set_global: bool = False,
) -> OtelParts:
    """A tracer and a meter whose spans and metrics stay in memory.

    Returns (tracer, meter, span_exporter, metric_exporter, trace_aggregator, run_id); six Nones unless `enable_otel`.
    `run_id` is generated (a UUID) when None; the resource of every span and metric carries it as `run_id` and `run.id`.
    Metrics are exported every 10 seconds. `set_global` makes the two providers the process's own; otherwise no global
    is touched. `enable_gpu_metrics` adds the time series of this machine's GPUs (utilisation, memory, temperature,
    power, energy, electricity cost), read until the exporter is shut down; where no GPU can be read there are none.
    """
    if not enable_otel:
        return None, None, None, None, None, None
    run_id = run_id or str(uuid.uuid4())
    resource = Resource.create(
        {names.SERVICE_NAME: service_name, names.RUN_ID_UNDERSCORE: run_id, names.RUN_ID: run_id}
    )
    span_exporter = InMemorySpanExporter()
    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(SimpleSpanProcessor(span_exporter))
    metric_exporter = InMemoryMetricExporter()
    reader = PeriodicExportingMetricReader(metric_exporter, export_interval_millis=EXPORT_INTERVAL_MS)
    metric_exporter.read_from(reader)
    meter_provider = MeterProvider(resource=resource, metric_readers=[reader])
    if set_global:
        from opentelemetry import metrics, trace

        trace.set_tracer_provider(tracer_provider)
        metrics.set_meter_provider(meter_provider)
    if enable_gpu_metrics:
        metric_exporter.stop_with(_read_gpus(meter_provider))
    tracer, meter = tracer_provider.get_tracer(service_name), meter_provider.get_meter(service_name)
    return tracer, meter, span_exporter, metric_exporter, TraceMetricsAggregator(), run_id


def _read_gpus(meter_provider: MeterProvider) -> Callable[[], None]:
    """Put the GPUs of this machine on a meter; what is returned stops reading them."""
    from smoltrace.devices.found import find_devices
    from smoltrace.devices.sampler import Sampler
    from smoltrace.evaluation.meters.footprint import Footprint
    from smoltrace.evaluation.meters.instruments import DeviceInstruments
    from smoltrace.records.energy import Factors

    found = find_devices()
    if not found.gpus:
        reasons = "; ".join(found.reasons.values()) or "no GPU was found"
        logger.warning("No GPU counter can be read here (%s): GPU columns stay null.", reasons)
        found.close()
        return lambda: None
    factors = Factors.of({"footprint": Footprint().manifest()})
    instruments = DeviceInstruments(meter_provider.get_meter(names.SCOPE), factors)
    sampler = Sampler(found.devices, instruments.shown)
    sampler.start()

    def stop() -> None:
        sampler.stop()
        found.close()

    return stop


def _span(span: ReadableSpan) -> dict[str, Any]:
    context, start, end = span.get_span_context(), span.start_time or 0, span.end_time or 0
    return {
        "trace_id": f"{context.trace_id:032x}" if context else None,
        "span_id": f"{context.span_id:016x}" if context else None,
        "parent_span_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "kind": span.kind.name,
        "start_time": start,
        "end_time": end,
        "duration_ms": (end - start) / 1e6,
        "attributes": _plain(span.attributes),
        "events": [
            {"name": event.name, "timestamp": event.timestamp, "attributes": _plain(event.attributes)}
            for event in span.events
        ],
        "status": {"code": span.status.status_code.name, "description": span.status.description},
        "resource": _plain(span.resource.attributes),
        "scope": span.instrumentation_scope.name if span.instrumentation_scope else "",
    }


def _plain(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Attributes as JSON values: OpenTelemetry holds lists as tuples."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in (attributes or {}).items()}
