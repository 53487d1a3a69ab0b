"""The one place that names a column: the datasets, their Arrow schemas, and a row's way into and out of JSON and Arrow.

`python -m smoltrace.records.schema` prints docs/datasets.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from smoltrace.records.column import Column, ColumnType, Dataset
from smoltrace.records.columns_leaderboard import LEADERBOARD
from smoltrace.records.columns_metrics import METRICS, POINTS
from smoltrace.records.columns_results import RESULTS
from smoltrace.records.columns_traces import SPANS, TRACES
from smoltrace.records.text import clean
from smoltrace.records.times import time_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "DATASETS",
    "LEADERBOARD",
    "METRICS",
    "POINTS",
    "RESULTS",
    "SPANS",
    "TRACES",
    "Column",
    "ColumnType",
    "Dataset",
    "Row",
    "arrow_schema",
    "decode_row",
    "empty_row",
    "encode_row",
    "line_of",
    "markdown",
    "record_batch",
    "rows_of",
    "time_of",
]

DATASETS = (RESULTS, TRACES, SPANS, METRICS, POINTS, LEADERBOARD)

Row: TypeAlias = dict[str, Any]
"""One row: every column of its dataset as a key, in order. Null is None."""


def empty_row(dataset: Dataset) -> Row:
    """A row in which everything is unknown."""
    return dict.fromkeys(dataset.names)


def encode_row(dataset: Dataset, row: Mapping[str, Any]) -> Row:
    """The row as JSON can hold it: money as decimal text, times as ISO 8601. Absent columns become null.

    Raises ValueError for a key that is no column: it would be lost without a word in Parquet.
    """
    if unknown := row.keys() - dataset.by_name.keys():
        raise ValueError(f"not columns of {dataset.name}: {', '.join(sorted(unknown))}")
    encoded: Row = {name: row.get(name) for name in dataset.names}
    for name in dataset.money_names:
        if encoded[name] is not None:
            encoded[name] = str(encoded[name])
    for name in dataset.time_names:
        if encoded[name] is not None:
            encoded[name] = encoded[name].astimezone(UTC).isoformat(timespec="microseconds")
    return encoded


def decode_row(dataset: Dataset, encoded: Mapping[str, Any]) -> Row:
    """The inverse of `encode_row`. Columns that another version did not write are null; others it had are left out."""
    row: Row = {name: encoded.get(name) for name in dataset.names}
    for name in dataset.money_names:
        if row[name] is not None:
            row[name] = Decimal(row[name])
    for name in dataset.time_names:
        if row[name] is not None:
            row[name] = datetime.fromisoformat(row[name])
    return row


def line_of(dataset: Dataset, row: Mapping[str, Any]) -> bytes:
    """The row as one line of a journal, newline included."""
    import orjson

    encoded = encode_row(dataset, row)
    try:
        return orjson.dumps(encoded, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return orjson.dumps(_cleaned(encoded), option=orjson.OPT_APPEND_NEWLINE)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


@cache
def arrow_schema(dataset: Dataset) -> pa.Schema:
    """The Arrow schema of a dataset. Every column may be null."""
    import pyarrow as pa

    types: dict[ColumnType, pa.DataType] = {
        "string": pa.string(),
        "json": pa.string(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "money": pa.float64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "list[string]": pa.list_(pa.string()),
        "list[int64]": pa.list_(pa.int64()),
        "list[float64]": pa.list_(pa.float64()),
        "spans": pa.list_(_span_struct()),
    }
    return pa.schema([pa.field(column.name, types[column.type]) for column in dataset.columns])


def _span_struct() -> pa.DataType:
    import pyarrow as pa

    return pa.struct(
        [
            pa.field("span_id", pa.string()),
            pa.field("parent_span_id", pa.string()),
            pa.field("name", pa.string()),
            pa.field("kind", pa.string()),
            pa.field("start_time", pa.int64()),
            pa.field("end_time", pa.int64()),
            pa.field("duration_ms", pa.float64()),
            pa.field("attributes", pa.string()),
            pa.field("events", pa.string()),
            pa.field("status", pa.struct([pa.field("code", pa.string()), pa.field("description", pa.string())])),
            pa.field("resource", pa.string()),
        ]
    )


def record_batch(dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows as Arrow, always with the whole schema. Raises ValueError for a value that its column cannot hold."""
    import pyarrow as pa

    from smoltrace.records.arrow import array_of

    schema = arrow_schema(dataset)
    arrays = []
    for field in schema:
        try:
            arrays.append(array_of([row.get(field.name) for row in rows], field.type))
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{dataset.name}, column {field.name}: {error}") from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def rows_of(dataset: Dataset, table: pa.Table) -> Iterable[Row]:
    """Rows of an Arrow table; money is the shortest decimal that gives the stored double. Absent columns are null."""
    for batch in table.to_batches(max_chunksize=1024):
        for found in batch.to_pylist():
            row: Row = {name: found.get(name) for name in dataset.names}
            for name in dataset.money_names:
                if row[name] is not None:
                    row[name] = Decimal(repr(row[name]))
            for name in dataset.time_names:
                if row[name] is not None:
                    row[name] = row[name].astimezone(UTC)
            yield row


def markdown() -> str:
    """The whole of docs/datasets.md: what the datasets are, and their columns as Markdown tables."""
    from smoltrace.records.manual import INTRODUCTION

    parts = [INTRODUCTION]
    for dataset in DATASETS:
        parts += [f"### {dataset.name}", "", dataset.row, "", "| Column | Type | Unit | Meaning |", "|---|---|---|---|"]
        parts += [f"| `{c.name}` | {c.type} | {c.unit or ''} | {c.doc.replace('|', '/')} |" for c in dataset.columns]
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
