"""The spans of a run that has no journal, from its finished files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from smoltrace.records.schema import SPANS, TRACES, Row
from smoltrace.store.parquet import read_rows, reading

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.store.layout import RunDir


def spans_of_file(run_dir: RunDir, trace_id: str) -> list[Span]:
    """The spans of one trace: only the row groups that can hold it are read. Raises StoreError."""
    import pyarrow.parquet as pq

    from smoltrace.records.schema import rows_of
    from smoltrace.records.traces import span_of

    file = run_dir.parquet(SPANS.name)
    if not file.exists():
        return []
    with reading(file):
        table = pq.read_table(file, filters=[("trace_id", "=", trace_id)])
    return [span_of(row) for row in rows_of(SPANS, table)]


class SpansInTurn:
    """The spans of trace after trace. Asked in the order of the file, which is that of the plan, it reads the file
    once; for what is not in its turn it looks through the file."""

    def __init__(self, run_dir: RunDir) -> None:
        self._run_dir = run_dir
        self._counts = _span_counts(run_dir)
        self._groups = self._in_turn()
        self._ahead: tuple[str, list[Row]] | None = next(self._groups, None)

    def of(self, trace_id: str) -> list[Span]:
        """The spans of a trace, [] when the run has none of it. Raises StoreError."""
        from smoltrace.records.traces import span_of

        if self._counts and trace_id not in self._counts:
            return []
        if self._ahead is None or self._ahead[0] != trace_id:
            return spans_of_file(self._run_dir, trace_id)
        rows = self._ahead[1]
        self._ahead = next(self._groups, None)
        if len(rows) != self._counts.get(trace_id):
            # Not all of them stand together: others made the file.
            return spans_of_file(self._run_dir, trace_id)
        return [span_of(row) for row in rows]

    def _in_turn(self) -> Iterator[tuple[str, list[Row]]]:
        file = self._run_dir.parquet(SPANS.name)
        if file.exists():
            for trace_id, rows in groupby(read_rows(file, SPANS), key=lambda row: str(row["trace_id"])):
                yield trace_id, list(rows)


def _span_counts(run_dir: RunDir) -> dict[str, int]:
    """How many spans each trace has, as `traces` says."""
    import pyarrow.parquet as pq

    file = run_dir.parquet(TRACES.name)
    if not file.exists():
        return {}
    with reading(file):
        table = pq.read_table(file, columns=["trace_id", "span_count"])
    return dict(zip(table["trace_id"].to_pylist(), table["span_count"].to_pylist(), strict=True))
