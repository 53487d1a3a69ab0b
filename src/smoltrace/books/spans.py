"""The span as the books see it: a finished OpenTelemetry span, frozen and free of the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment of a span. `time_ns` is unix time in nanoseconds."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """One finished span.

    `trace_id` is 32 and `span_id` 16 lower-case hex digits; `parent_span_id` is None for a root. Times are unix
    nanoseconds. `kind` is INTERNAL, CLIENT, SERVER, PRODUCER or CONSUMER; `status` is UNSET, OK or ERROR. `scope` names
    the instrumentation that made the span ("smoltrace" for ours), so foreign spans can be told apart.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    status: str = "UNSET"
    status_description: str | None = None
    scope: str = "smoltrace"
    resource: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_ms(self) -> float:
        """Wall time of the span in milliseconds."""
        return (self.end_ns - self.start_ns) / 1e6
