"""Leaderboard rows from the disk into Arrow, fast for many, and none of them in the way of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import SmoltraceError, StoreError
from smoltrace.records.schema import LEADERBOARD, arrow_schema, record_batch
from smoltrace.store import leaderboard

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.records.schema import Row
    from smoltrace.store.layout import Store

BROKEN: Final = (SmoltraceError, OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What reading a file can end with whose content is anything at all."""

_TOGETHER: Final = 2_000
_WORTH_KEEPING: Final = 1_000


def load_rows(store: Store, found: leaderboard.Files) -> tuple[pa.Table, dict[str, str]]:
    """All rows as Arrow, in the order of `found`, and by run id what is wrong with those that cannot be read.

    They come from the cache where it is up to date; where it is not and there are many, it is made anew.
    """
    kept = leaderboard.cached(store, found) if found else None
    if kept is not None and kept["run_id"].to_pylist() == list(found):
        return kept.combine_chunks().replace_schema_metadata(None), {}
    table, refused = read_rows(store, found)
    if len(found) >= _WORTH_KEEPING and not refused:
        # Only the next start would be faster for it: a store that may not be written to is read as well.
        with suppress(StoreError, OSError):
            leaderboard.keep(store, found, table)
    return table, refused


def read_rows(store: Store, run_ids: Iterable[str]) -> tuple[pa.Table, dict[str, str]]:
    """The rows of these runs from their files, and by run id what is wrong with those that cannot be read. A file that
    has vanished is neither."""
    import pyarrow as pa

    ids = iter(run_ids)
    tables: list[pa.Table] = [table_of([])]
    refused: dict[str, str] = {}
    while some := list(islice(ids, _TOGETHER)):
        table = _together(store, some)
        if table is None:
            table, wrong = _one_by_one(store, some)
            refused |= wrong
        tables.append(table)
    return pa.concat_tables(tables).combine_chunks(), refused


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Rows as Arrow. Raises ValueError for a value that its column cannot hold."""
    import pyarrow as pa

    return pa.Table.from_batches([record_batch(LEADERBOARD, rows)])


def said(error: Exception) -> str:
    """What is wrong with a file, in words."""
    if isinstance(error, SmoltraceError):
        return str(error)
    return f"It does not hold what it should ({type(error).__name__}: {error})."


def _together(store: Store, run_ids: Sequence[str]) -> pa.Table | None:
    """The rows of runs whose files are all as they should be, column by column, which is faster. None where anything
    is unusual."""
    import orjson
    import pyarrow as pa

    folder = store.leaderboard_path / "rows"
    try:
        documents = [orjson.loads(_content(f"{folder}/{run_id}.json")) for run_id in run_ids]
        if [document["run_id"] for document in documents] != list(run_ids):
            return None
        schema = arrow_schema(LEADERBOARD)
        arrays = [_array(field, values) for field, values in zip(schema, _columns(documents), strict=True)]
    except BROKEN:
        return None
    return pa.Table.from_arrays(arrays, schema=schema)


def _columns(documents: Sequence[dict[str, Any]]) -> Iterable[Sequence[Any]]:
    """The values of each column, in the columns' order."""
    if all(tuple(document) == LEADERBOARD.names for document in documents):
        return zip(*map(dict.values, documents), strict=True)
    return ([document.get(name) for document in documents] for name in LEADERBOARD.names)


def _array(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    """A column of the values that row files have, as `decode_row` understands them."""
    import pyarrow as pa

    from smoltrace.records.arrow import array_of

    if values.count(None) == len(values):
        return pa.nulls(len(values), field.type)
    if field.name in LEADERBOARD.money_names:
        values = [None if value is None else float(value) for value in values]
    elif field.name in LEADERBOARD.time_names:
        values = [None if value is None else datetime.fromisoformat(value) for value in values]
    return array_of(values, field.type)


def _content(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path for each of 100,000 files takes a second
        return file.readall()


def _one_by_one(store: Store, run_ids: Sequence[str]) -> tuple[pa.Table, dict[str, str]]:
    import pyarrow as pa

    tables: list[pa.Table] = [table_of([])]
    refused: dict[str, str] = {}
    for run_id in run_ids:
        try:
            row = leaderboard.read(store, run_id)
            if row["run_id"] != run_id:
                raise StoreError(f"It names the run {row['run_id']!r}. Delete it; 'smoltrace show' makes it again.")
            tables.append(table_of([row]))
        except BROKEN as error:
            if leaderboard.has(store, run_id):
                refused[run_id] = said(error)
    return pa.concat_tables(tables), refused
