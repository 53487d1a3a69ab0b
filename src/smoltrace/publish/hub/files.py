"""The files of a run that are published: as they lie in its directory, or without content in a folder beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smoltrace.errors import PublishError, UsageError
from smoltrace.records.schema import METRICS, POINTS, RESULTS, SPANS, TRACES, Dataset, Row
from smoltrace.store.parquet import DatasetFile, reading
from smoltrace.tasks.hub_client import reason_of

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.publish.targets import Progress
    from smoltrace.store.read import Run

ROWS_AT_ONCE: Final = 16
"""Rows that are read together: a row of `traces` may hold hundreds of spans."""


@dataclass(frozen=True, slots=True)
class Table:
    """A Parquet file, its columns and the number of its rows."""

    file: Path
    rows: int
    schema: pa.Schema

    @classmethod
    def at(cls, file: Path) -> Table:
        """Raises PublishError for a file that cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(file) as found:
                return cls(file, found.metadata.num_rows, found.schema_arrow)
        except (pa.ArrowException, OSError) as error:
            raise PublishError(f"{file} cannot be read: {reason_of(error)}; make the run's files again") from error


def tables_of(run: Run, *, content: bool, folder: Path, progress: Progress | None = None) -> dict[str, Table]:
    """The tables of a run that have rows, by the name of their dataset; those without content are written to `folder`.

    Finished files that are missing or older than the journal are made first. Raises UsageError for a run without
    results, StoreError.
    """
    from smoltrace.store.finalise import finalise, is_finalised

    run_dir = run.directory
    if run_dir.results_journal.exists() and not is_finalised(run_dir):
        finalise(run_dir)
    found: dict[str, Table] = {}
    for dataset in (RESULTS, TRACES, SPANS, METRICS, POINTS):
        file = run_dir.parquet(dataset.name)
        if file.exists() and (table := Table.at(file)).rows:
            found[dataset.name] = table if content else _bare(dataset, table, folder, progress)
    if RESULTS.name not in found:
        raise UsageError(f"The run {run.id} has no results, so there is nothing to publish.")
    return found


def _bare(dataset: Dataset, table: Table, folder: Path, progress: Progress | None) -> Table:
    """The table without content; metrics hold none."""
    from smoltrace.tracing.bare_run import span_row_without_content, trace_without_content
    from smoltrace.tracing.no_content import row_without_content

    bare = {RESULTS: row_without_content, TRACES: trace_without_content, SPANS: span_row_without_content}.get(dataset)
    if bare is None:
        return table
    file = folder / table.file.name
    with DatasetFile(file, dataset) as written:
        for number, row in enumerate(_rows(table.file, dataset)):
            written.add([bare(row)], weight=1 + len(row.get("spans") or ()))
            if progress is not None and number % ROWS_AT_ONCE == 0:
                progress(f"Leaving out the content of {dataset.name}, rows", number, table.rows)
    if progress is not None:
        progress(f"Leaving out the content of {dataset.name}, rows", table.rows, table.rows)
    return Table.at(file)


def _rows(file: Path, dataset: Dataset) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from smoltrace.records.schema import rows_of

    with reading(file), pq.ParquetFile(file) as found:
        for batch in found.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from rows_of(dataset, pa.Table.from_batches([batch]))
