"""The trace of a test in another process, as far as it was told of: what is left of it when that process is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from smoltrace.books import names
from smoltrace.books.spans import Event, Span


class Mirror:
    """The spans of one test. It stands for the test's root span where a verdict is noted."""

    def __init__(self) -> None:
        self._open: dict[str, Span] = {}
        self._ended: list[Span] = []
        self._lock = threading.Lock()

    def started(self, span: Span) -> None:
        with self._lock:
            self._open[span.span_id] = span

    def ended(self, span: Span) -> None:
        with self._lock:
            self._open.pop(span.span_id, None)
            self._ended.append(span)

    @property
    def has_begun(self) -> bool:
        """Whether any span was told of."""
        with self._lock:
            return bool(self._open or self._ended)

    def so_far(self) -> list[Span]:
        """The spans that have ended, in the order of their end."""
        with self._lock:
            return list(self._ended)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes of the root span, if it is open."""
        self._change(lambda root: replace(root, attributes={**root.attributes, **attributes}))

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Add an event to the root span, if it is open."""
        event = Event(name, time.time_ns(), dict(attributes or {}))
        self._change(lambda root: replace(root, events=(*root.events, event)))

    def fail(self, error_type: str, description: str) -> None:
        """Mark the root span as failed."""
        self.set({names.ERROR_TYPE: error_type})
        self._change(lambda root: replace(root, status="ERROR", status_description=description))

    def close(self) -> list[Span]:
        """All spans; those that were open are ended now, from the innermost out, failed and marked as unfinished."""
        now = time.time_ns()
        with self._lock:
            left = sorted(self._open.values(), key=lambda span: span.start_ns, reverse=True)
            self._open.clear()
            for span in left:
                self._ended.append(_closed(span, now))
            return list(self._ended)

    def _change(self, change: Any) -> None:
        with self._lock:
            for span_id, span in self._open.items():
                if span.parent_span_id is None:
                    self._open[span_id] = change(span)
                    return


def _closed(span: Span, now: int) -> Span:
    ended = replace(span, end_ns=max(span.start_ns, now))
    if span.parent_span_id is None:
        return ended
    attributes = {**span.attributes, names.UNFINISHED: True}
    return replace(ended, attributes=attributes, status="ERROR", status_description=names.LEFT_OPEN)
