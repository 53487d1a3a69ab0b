"""What a run's journal holds, read in the order of its plan with flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smoltrace.errors import StoreError
from smoltrace.records.schema import RESULTS, Row, decode_row
from smoltrace.store.lines import Entry, LineFile, Place, decoded, index_traces

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.store.layout import RunDir


@dataclass(frozen=True, slots=True)
class FinishedTest:
    """One finished test: its row of `results`, and its spans, none when the journal does not hold its trace."""

    result: Row
    spans: list[Span]


def results_in(run_dir: RunDir, entries: Sequence[Entry]) -> Iterator[Row]:
    """The rows of `results` at these entries. Raises StoreError."""
    with LineFile(run_dir.results_journal) as results:
        for entry in entries:
            line = results.read(entry.place)
            yield decode_row(RESULTS, decoded(run_dir.results_journal, entry.line, line))


def finished_tests(run_dir: RunDir, entries: Sequence[Entry]) -> Iterator[FinishedTest]:
    """The finished tests at these entries. Raises StoreError."""
    places = index_traces(run_dir.traces_journal) if entries else {}
    with LineFile(run_dir.traces_journal) as traces:
        for entry, result in zip(entries, results_in(run_dir, entries), strict=True):
            place = places.get(entry.trace_id or "")
            yield FinishedTest(result, spans_at(traces, place, run_dir.traces_journal) if place else [])


def spans_at(traces: LineFile, place: Place, path: Path) -> list[Span]:
    """The spans of the trace at a place of a traces journal, as they were written. Raises StoreError."""
    from smoltrace.records.otlp import from_otlp_json

    try:
        return from_otlp_json(traces.read(place))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path}, byte {place.offset}: damaged, it is no OTLP JSON ({error}). Take the line out of the file; "
            "its test then has no trace."
        ) from error
