"""Keeps the ended spans of the tests that run, losing none: the span processor behind our tracer provider."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import Status, StatusCode

from smoltrace.books import names
from smoltrace.books.spans import Event, Span
from smoltrace.tracing.no_content import span_without_content
from smoltrace.tracing.redaction import KEPT_ATTRIBUTES, Redactor


class SpanListener(Protocol):
    """Hears of every span of an adopted trace, as it is kept; from any thread."""

    def started(self, span: Span) -> None: ...
    def ended(self, span: Span) -> None: ...


@dataclass(slots=True)
class _Trace:
    open: dict[int, SdkSpan] = field(default_factory=dict)
    ended: list[Span] = field(default_factory=list)


class Collector(SpanProcessor):
    """Holds the spans of each adopted trace, whoever made them, until the trace is taken.

    Every span loses its secrets here, and with `record_content` False its content, before anybody can read it.

    Spans of other traces, and those that start or end after their trace was taken, are not kept: a thread that outlives
    its test leaves nothing in memory. Safe to use from many threads.
    """

    def __init__(
        self,
        resource: Mapping[str, Any],
        redactor: Redactor | None = None,
        record_content: bool = True,
        listener: SpanListener | None = None,
    ) -> None:
        self._listener = listener
        self._redactor, self._record_content = redactor or Redactor(), record_content
        self._resource = self._redactor.value(dict(resource), KEPT_ATTRIBUTES)
        self._traces: dict[int, _Trace] = {}
        self._lock = threading.Lock()

    def adopt(self, root: SdkSpan) -> None:
        """Collect the trace of this root span from now on."""
        context = root.get_span_context()
        with self._lock:
            self._traces[context.trace_id] = _Trace(open={context.span_id: root})
        self._tell_start(root)

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        context = span.get_span_context()
        with self._lock:
            trace = self._traces.get(context.trace_id)
            if trace is not None:
                trace.open[context.span_id] = span
        if trace is not None:
            self._tell_start(span)

    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is None or context.trace_id not in self._traces:
            return
        frozen = self._kept(span)
        with self._lock:
            trace = self._traces.get(context.trace_id)
            known = trace is not None and trace.open.pop(context.span_id, None) is not None
            if trace is not None and known:
                trace.ended.append(frozen)
        if known and self._listener is not None:
            self._listener.ended(frozen)

    def _kept(self, span: ReadableSpan) -> Span:
        """The span as it is kept: without secrets, and without content where none is wanted."""
        frozen = freeze(span, self._resource)
        return self._redactor.span(frozen if self._record_content else span_without_content(frozen))

    def _tell_start(self, span: SdkSpan) -> None:
        if self._listener is not None:
            self._listener.started(self._kept(span))

    def ended(self, trace_id: int) -> list[Span]:
        """The spans of a trace that have ended so far."""
        with self._lock:
            trace = self._traces.get(trace_id)
            return list(trace.ended) if trace is not None else []

    def take(self, root: SdkSpan) -> list[Span]:
        """End this root, and give all spans of its trace in the order in which they ended. Forgets the trace.

        Spans that are still open are ended before it, failed and marked as unfinished.
        """
        trace_id = root.get_span_context().trace_id
        with self._lock:
            trace = self._traces.get(trace_id)
            left = list(trace.open.values()) if trace is not None else []
        for span in sorted(left, key=lambda s: s.start_time or 0, reverse=True):
            if span is not root and span.is_recording():
                span.set_attribute(names.UNFINISHED, True)
                span.set_status(Status(StatusCode.ERROR, names.LEFT_OPEN))
                span.end()
        root.end()
        with self._lock:
            taken = self._traces.pop(trace_id, None)
        return taken.ended if taken is not None else []


def freeze(span: ReadableSpan, resource: Mapping[str, Any]) -> Span:
    """A span of the SDK as the books keep it. `resource` is shared by all spans, not copied."""
    context, parent, scope = span.get_span_context(), span.parent, span.instrumentation_scope
    if context is None:
        raise ValueError("a span without a context")
    start = span.start_time or 0
    return Span(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_span_id=None if parent is None else f"{parent.span_id:016x}",
        name=span.name,
        kind=span.kind.name,
        start_ns=start,
        # The wall clock may be set back while a span runs; a span never ends before it starts.
        end_ns=max(start, span.end_time or start),
        attributes=_plain_attributes(span.attributes),
        events=tuple(Event(e.name, e.timestamp, _plain_attributes(e.attributes)) for e in span.events),
        status=span.status.status_code.name,
        status_description=span.status.description,
        scope="" if scope is None else scope.name,
        resource=resource,
    )


def _plain_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    if not attributes:
        return {}
    return {key: _plain(value) if isinstance(value, tuple | dict) else value for key, value in attributes.items()}


def _plain(value: Any) -> Any:
    """Tuples, which the SDK makes of every sequence, as lists again."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
