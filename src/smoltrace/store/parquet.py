"""Datasets as Parquet files: written in batches, always with the whole schema, and put in place whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from smoltrace.errors import StoreError
from smoltrace.records.schema import Dataset, Row, arrow_schema, record_batch, rows_of
from smoltrace.store.atomic import disk_error, replacing

BATCH_ROWS = 2_000
"""Rows are kept until there are so many, or they weigh as much: memory stays flat, row groups stay worth reading."""

BYTES_OF_A_ROW = 4096
"""Text of this length weighs as much as one more row."""


class DatasetFile:
    """Writes one dataset to one file. A context manager; the file appears when the block ends without an exception."""

    def __init__(self, path: Path, dataset: Dataset) -> None:
        self._path, self._dataset = path, dataset
        self._stack = ExitStack()
        self._rows: list[Mapping[str, Any]] = []
        self._weight = 0
        self._writer: Any = None

    def __enter__(self) -> DatasetFile:
        import pyarrow.parquet as pq

        with ExitStack() as stack:
            beside = stack.enter_context(replacing(self._path))
            schema = arrow_schema(self._dataset)
            self._writer = stack.enter_context(pq.ParquetWriter(beside, schema, compression="zstd"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        with self._stack:
            if kind is not None:
                self._stack.__exit__(kind, error, trace)
                return
            self._flush()

    def add(self, rows: Sequence[Mapping[str, Any]], *, weight: int | None = None) -> None:
        """Add rows. `weight` is how many rows' worth of memory they hold, where it is not `weight_of` them."""
        self._rows.extend(rows)
        self._weight += weight_of(rows) if weight is None else weight
        if self._weight >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(record_batch(self._dataset, self._rows))
        self._rows, self._weight = [], 0


def weight_of(rows: Sequence[Mapping[str, Any]]) -> int:
    """How many rows of usual size take as much memory as these."""
    values = [value for row in rows for value in row.values()]
    text = sum(len(value) for value in values if isinstance(value, str))
    # The spans of a trace: rows within a row.
    lists = (value for value in values if isinstance(value, list) and value)
    return len(rows) + text // BYTES_OF_A_ROW + sum(weight_of(list_) for list_ in lists if isinstance(list_[0], dict))


def write_rows(path: Path, dataset: Dataset, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a whole dataset. Raises StoreError when the disk refuses."""
    with DatasetFile(path, dataset) as file:
        for row in rows:
            file.add([row])


def read_rows(path: Path, dataset: Dataset) -> Iterator[Row]:
    """The rows of a file, batch by batch; columns it lacks are null. Raises StoreError when it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_read_at_once(dataset)):
            yield from rows_of(dataset, pa.Table.from_batches([batch]))


def _read_at_once(dataset: Dataset) -> int:
    """Rows that are in memory together: each row of `traces` holds all the spans of its test."""
    return 16 if any(column.type == "spans" for column in dataset.columns) else 1024


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """For what reads a run: turns all that the disk and Arrow raise into a StoreError that names the path."""
    try:
        yield
    except OSError as error:
        raise disk_error(f"read {error.filename or path}", error) from error
    except Exception as error:
        import pyarrow as pa

        if not isinstance(error, pa.ArrowException):
            raise
        raise StoreError(
            f"{path} is no Parquet file that can be read ({error}). Delete it where a journal is: that holds the same."
        ) from error
