"""The spans of each trace together, whatever order and whichever files they came in.

Spans go into a file without a name, which ends with the process; in memory is only where those of each trace lie, and
what decides the order and the run of a trace.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.records.otlp import from_otlp_json, to_otlp_json
from smoltrace.records.text import json_text
from smoltrace.store.atomic import disk_error

_LONGEST_ID = 200
_LAST_INDEX = 2**53


class Key(NamedTuple):
    """A test of a run of smoltrace."""

    agent_type: str
    test_id: str
    attempt: int


class Known:
    """What is known of a trace before its spans are read again.

    `run_id` is that of the run of smoltrace that it is from, `key` and `index` say which test of it. `judged` says that
    its verdict is there.
    """

    __slots__ = ("index", "judged", "key", "places", "run_id", "spans", "start_ns")

    def __init__(self) -> None:
        self.places = array("Q")
        self.spans = 0
        self.start_ns = 2**63
        self.run_id: str | None = None
        self.key: Key | None = None
        self.index: int | None = None
        self.judged = False

    def add(self, span: Span) -> None:
        self.spans += 1
        self.start_ns = min(self.start_ns, span.start_ns)
        if span.scope != names.SCOPE:
            return
        about = span.attributes
        run_id = about.get(names.SMOLTRACE_RUN_ID) or span.resource.get(names.RUN_ID)
        if run_id and (self.run_id is None or names.TEST_ID in about):
            self.run_id = _printable(run_id)
        if names.TEST_ID in about:
            attempt, index = about.get(names.TEST_ATTEMPT), about.get(names.TEST_INDEX)
            self.key = Key(
                str(about.get(names.AGENT_TYPE) or ""),
                str(about[names.TEST_ID]),
                attempt if isinstance(attempt, int) else 1,
            )
            self.index = index if isinstance(index, int) and 0 <= index <= _LAST_INDEX else None
            self.judged = self.judged or any(event.name == names.EVALUATION_EVENT for event in span.events)


class Spill:
    """Takes spans and metrics in any order, and gives them back by trace and by run. A context manager.

    `store` is where runs are kept: the file lies on the same disk. Raises StoreError when the disk refuses.
    """

    def __init__(self, store: Path) -> None:
        place = next((each for each in (store, *store.absolute().parents) if each.is_dir()), None)
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=place)  # noqa: SIM115 - closed by `__exit__`
        except OSError as error:
            raise disk_error(f"make a temporary file in {place}", error) from error
        self._length = 0
        self.traces: dict[str, Known] = {}
        self._metrics: dict[str | None, array[int]] = {}
        self._run_ids: dict[str, str] = {}

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, spans: Iterable[Span]) -> None:
        """Take spans. Those of one trace and one resource are kept together."""
        groups: dict[tuple[str, int], list[Span]] = {}
        for span in spans:
            groups.setdefault((span.trace_id, id(span.resource)), []).append(span)
        for (trace_id, _), members in groups.items():
            known = self.traces.get(trace_id)
            if known is None:
                known = self.traces[trace_id] = Known()
            for span in members:
                known.add(span)
            if known.run_id is not None:
                known.run_id = self._run_ids.setdefault(known.run_id, known.run_id)
            known.places.extend(self._write(to_otlp_json(members)))

    def add_metrics(self, item: Mapping[str, Any]) -> None:
        """Take one of OTLP JSON's `resourceMetrics`."""
        place = self._write(json_text({"resourceMetrics": [item]}).encode() + b"\n")
        self._metrics.setdefault(_run_of(item), array("Q")).extend(place)

    def spans(self, trace_id: str) -> list[Span]:
        """All that came of a trace, in the order in which it came."""
        return [span for line in self._lines(self.traces[trace_id].places) for span in from_otlp_json(line)]

    def metrics(self, run_id: str | None) -> Iterator[bytes]:
        """The metrics of a run of smoltrace, None for those of others: one export request a line."""
        return self._lines(self._metrics.get(run_id) or array("Q"))

    def metrics_count(self, run_id: str | None) -> int:
        return len(self._metrics.get(run_id) or ()) // 2

    def _write(self, line: bytes) -> tuple[int, int]:
        try:
            self._file.write(line)
        except OSError as error:
            raise disk_error("keep what was read in a temporary file", error) from error
        place = (self._length, len(line))
        self._length += len(line)
        return place

    def _lines(self, places: array[int]) -> Iterator[bytes]:
        try:
            self._file.flush()
            for at in range(0, len(places), 2):
                yield os.pread(self._file.fileno(), places[at + 1], places[at])
        except OSError as error:
            raise disk_error("read what was kept in a temporary file", error) from error


def _printable(run_id: Any) -> str:
    """A run's id as it may be told: whoever made the traces may have written anything there."""
    return "".join(c if c.isprintable() else "?" for c in str(run_id)[:_LONGEST_ID])


def _run_of(item: Mapping[str, Any]) -> str | None:
    """The run of smoltrace whose device metrics these are."""
    from smoltrace.records.otlp_points import points_in

    try:
        point = next(iter(points_in([item])), None)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    if point is None or point.scope not in (names.SCOPE, names.CLIENT_SCOPE):
        return None
    return point.resource_attribute(names.RUN_ID, names.RUN_ID_UNDERSCORE)
