"""A trace that is written by hand: spans with ids from a seed and a clock that is put forward."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from smoltrace.books import names
from smoltrace.books.spans import Event, Span


class OpenSpan:
    """A span that goes on. Its attributes and events are as they will be written."""

    def __init__(
        self, trace: Trace, name: str, parent: OpenSpan | None, attributes: Mapping[str, Any], kind: str
    ) -> None:
        self._trace, self.name, self._kind = trace, name, kind
        self.span_id = trace.new_id(64)
        self._parent_id = None if parent is None else parent.span_id
        self.start_ns = trace.now_ns
        self.attributes = dict(attributes)
        self._events: list[Event] = []
        self._status: tuple[str, str | None] = ("UNSET", None)

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Something that happens now."""
        self._events.append(Event(name, self._trace.now_ns, dict(attributes or {})))

    def set(self, attributes: Mapping[str, Any]) -> None:
        self.attributes.update(attributes)

    def fail(self, error_type: str, message: str, *, raised: bool = False) -> None:
        """Mark it as failed; `raised` says that an exception of this type came out, and shows it as an event."""
        if raised:
            stack = f"Traceback (most recent call last):\n  …\n{error_type}: {message}\n"
            self.event(
                names.EXCEPTION_EVENT,
                {
                    names.EXCEPTION_TYPE: error_type,
                    names.EXCEPTION_MESSAGE: message,
                    names.EXCEPTION_STACKTRACE: stack,
                    "exception.escaped": "False",
                },
            )
        self.attributes[names.ERROR_TYPE] = error_type
        self._status = ("ERROR", message)

    def leave_unfinished(self) -> None:
        """End it because its test is over."""
        self.attributes[names.UNFINISHED] = True
        self._status = ("ERROR", names.LEFT_OPEN)
        self.end()

    def end(self) -> None:
        """End it now."""
        status, description = self._status
        self._trace.keep(
            self,
            Span(
                trace_id=self._trace.trace_id,
                span_id=self.span_id,
                parent_span_id=self._parent_id,
                name=self.name,
                kind=self._kind,
                start_ns=self.start_ns,
                end_ns=self._trace.now_ns,
                attributes=self.attributes,
                events=tuple(self._events),
                status=status,
                status_description=description,
                resource=self._trace.resource,
            ),
        )


class Trace:
    """The spans of one test in the order of their end, which is how real ones are kept."""

    def __init__(self, rng: random.Random, start_ns: int, resource: Mapping[str, Any]) -> None:
        self._rng, self.now_ns, self.resource = rng, start_ns, resource
        self.trace_id = self.new_id(128)
        self.spans: list[Span] = []
        self._open: dict[str, OpenSpan] = {}

    def start(
        self, name: str, parent: OpenSpan | None, attributes: Mapping[str, Any], *, kind: str = "INTERNAL"
    ) -> OpenSpan:
        """Start a span now."""
        span = OpenSpan(self, name, parent, attributes, kind)
        self._open[span.span_id] = span
        return span

    def wait(self, seconds: float) -> None:
        """Put the clock forward."""
        self.now_ns += round(seconds * 1e9)

    def keep(self, span: OpenSpan, ended: Span) -> None:
        del self._open[span.span_id]
        self.spans.append(ended)

    def end_all(self, root: OpenSpan) -> None:
        """End the root, and before it whatever is still open, the latest first, as unfinished."""
        for span in reversed(list(self._open.values())):
            if span is not root:
                span.leave_unfinished()
        root.end()

    def new_id(self, bits: int) -> str:
        """An id in hexadecimal digits, never all zeros."""
        return f"{self._rng.getrandbits(bits) or 1:0{bits // 4}x}"
