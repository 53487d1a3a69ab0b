"""Files from the Hub into the form that this version writes: checked from end to end, column by column."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import UsageError
from smoltrace.records.schema import SPANS, TRACES, Dataset, Row, arrow_schema, rows_of
from smoltrace.store.parquet import DatasetFile, write_rows

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH: Final = 512
_COUNTS: Final = ("num_tests", "successful_tests", "failed_tests")
_TOLD: Final = (*_COUNTS, "success_rate_ci_low", "success_rate_ci_high")
_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(
        ("tasks", "generation", "versions", "job", "tags", "config", "footprint", "references", "hub"), dict
    ),
    **dict.fromkeys(("model", "provider", "system", "agent_type", "started_at", "submitted_by", "notes"), str),
    **dict.fromkeys(("hardware", "service_name", "status"), str),
    "lives": list,
    "num_tests": int,
    "wall_time_ms": (int, float),
}
"""What a manifest's values are, where they are not null."""


def check_manifest(manifest: Mapping[str, Any], where: str) -> str:
    """The run id that a manifest tells. Raises UsageError for one that is none, and for a run that is not complete."""
    from smoltrace.store.layout import require_safe_id

    run_id = manifest.get("run_id")
    if not isinstance(run_id, str):
        raise UsageError(f"{where}: its run.json tells no run id.")
    try:
        require_safe_id(run_id)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    for name, kind in _KINDS.items():
        value = manifest.get(name)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise UsageError(f"{where}: '{name}' in its run.json is not what a run of smoltrace says there.")
    if manifest.get("status") in (None, "running", "incomplete"):
        raise UsageError(f"{where}: the run is not complete.")
    return run_id


def receive(files: Sequence[Path], dataset: Dataset, to: Path, *, run_id: str, new_id: str, where: str) -> list[str]:
    """Write a table as this version does, with `new_id` in place of `run_id`; notes on columns of other versions.

    A file that is such already is moved. Columns that it lacks become null, others that it has are left out. Raises
    UsageError for what is no Parquet, is damaged, is of another run or has columns of another kind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = arrow_schema(dataset)
    try:
        with pq.ParquetFile(files[0]) as first:
            found = first.schema_arrow
        is_ours = len(files) == 1 and run_id == new_id and found.remove_metadata().equals(wanted.remove_metadata())
        if is_ours:
            for batch in _batches(files, wanted, run_id, where):
                _check_cells(batch, dataset)
            shutil.move(files[0], to)
        else:
            with pq.ParquetWriter(to, wanted, compression="zstd") as writer:
                for batch in _batches(files, wanted, run_id, where):
                    _check_cells(batch, dataset)
                    writer.write_batch(_renamed(batch, new_id))
    except (pa.ArrowException, OSError, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{where}: its {dataset.name} cannot be read as Parquet of a run ({problem}).") from error
    return _notes(dataset, found, wanted)


def empty(dataset: Dataset, to: Path) -> None:
    """Write a table without rows."""
    write_rows(to, dataset, ())


def tags_of(text: Any) -> dict[str, Any]:
    """The labels in a leaderboard row; none where they cannot be read."""
    import orjson

    try:
        found = orjson.loads(text or b"{}")
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def sound_row(row: Row, counted: Row) -> Row:
    """A leaderboard row as every reader of a store may rely on it: what an earlier version did not tell is as the
    results come to, and so is all of a row with a number that is none or a cell that is no JSON."""
    row = {**row, **{name: counted[name] for name in _TOLD if row[name] is None}}
    return row if is_sound(row) else counted


def is_sound(row: Row) -> bool:
    """Whether a leaderboard row holds counts, an interval beside its rate, and nothing that is none of its kind."""
    numbers = [value for value in row.values() if isinstance(value, float | Decimal)]
    told = all(type(row[name]) is int for name in _COUNTS) and (
        row["success_rate"] is None or None not in (row["success_rate_ci_low"], row["success_rate_ci_high"])
    )
    return (
        told
        and all(map(Decimal.is_finite, map(Decimal, numbers)))
        and all(row[name] is None or tags_of(row[name]) or row[name] == "{}" for name in ("tags", "error_types"))
    )


def run_ids_in(files: Sequence[Path], where: str) -> str:
    """The run id that all rows of a table have. Raises UsageError when they have none, or several."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: set[Any] = set()
    try:
        for path in files:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["run_id"]):
                    found |= set(pc.unique(batch.column(0)).to_pylist())
    except (pa.ArrowException, OSError, ValueError, IndexError) as error:
        raise UsageError(f"{where}: its results cannot be read as Parquet of a run ({error}).") from error
    if len(found) != 1 or not isinstance(only := found.pop(), str):
        raise UsageError(f"{where}: its results are not those of one run.")
    return only


def spans_of_traces(traces: Path, to: Path) -> None:
    """Write `spans` from the spans that stand in `traces`. What a nested span does not tell is null: its scope, its
    energy, and its cost where only its scope could tell whose reckoning that is. Raises UsageError for spans that are
    none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from smoltrace.records.traces import in_order, span_of, span_rows_of

    with pq.ParquetFile(traces) as file, DatasetFile(to, SPANS) as written:
        for batch in file.iter_batches(batch_size=16):
            for trace in rows_of(TRACES, pa.Table.from_batches([batch])):
                try:
                    spans = [span_of(_flat(span, trace)) for span in trace["spans"] or ()]
                    result = {"gen_ai.usage.cost.total": trace["total_cost_usd"]}
                    result |= {name: trace[name] for name in ("run_id", "test_case_uid")}
                    written.add([row | {"scope": None} for row in span_rows_of(result, in_order(spans))])
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise UsageError(
                        f"The trace {trace['trace_id']} has spans that cannot be read ({error})."
                    ) from error


def _flat(span: Mapping[str, Any], trace: Mapping[str, Any]) -> dict[str, Any]:
    status = span["status"] or {"code": None, "description": None}
    return {
        **span,
        "trace_id": trace["trace_id"],
        "status": status["code"] or "UNSET",
        "status_description": status["description"],
        "scope": "",
    }


def _batches(files: Sequence[Path], wanted: pa.Schema, run_id: str, where: str) -> Iterator[pa.RecordBatch]:
    """All rows, in the columns that are wanted. Reading them finds damage anywhere in a file."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                columns = [_column(batch, field) for field in wanted]
                made = pa.RecordBatch.from_arrays(columns, schema=wanted)
                of_run = pc.equal(made.column("run_id"), run_id)
                if not pc.all(pc.fill_null(of_run, False)).as_py():
                    raise UsageError(f"{where}: a table has rows of another run than {run_id}.")
                yield made


def _check_cells(batch: pa.RecordBatch, dataset: Dataset) -> None:
    """Raise ValueError where a text is not the JSON that its column has, or a number is none: whoever reads the run
    later relies on it."""
    import orjson
    import pyarrow.compute as pc

    for column in dataset.columns:
        cells = batch.column(column.name)
        if column.type == "json" and dataset != TRACES:
            for text in cells.drop_null().to_pylist():
                if not _has_shape(column.name, orjson.loads(text)):
                    raise ValueError(f"{column.name} holds something else")
        elif column.type in ("money", "float64") and pc.any(pc.invert(pc.is_finite(cells))).as_py():
            raise ValueError(f"{column.name} holds no number")


def _has_shape(name: str, value: Any) -> bool:
    """Whether a JSON cell holds what its column does: a list of objects with names, an object, or what a task says."""
    if name in ("tool_calls", "events"):
        return isinstance(value, list) and all(isinstance(each, dict) and "name" in each for each in value)
    return name == "expected" or isinstance(value, dict)


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    import pyarrow as pa

    place = batch.schema.get_field_index(field.name)
    if place < 0:
        return pa.nulls(batch.num_rows, field.type)
    found = batch.column(place)
    return found if found.type.equals(field.type) else found.cast(field.type)


def _renamed(batch: pa.RecordBatch, run_id: str) -> pa.RecordBatch:
    import pyarrow as pa

    place = batch.schema.get_field_index("run_id")
    return batch.set_column(place, batch.schema.field(place), pa.array([run_id] * batch.num_rows, pa.string()))


def _notes(dataset: Dataset, found: pa.Schema, wanted: pa.Schema) -> list[str]:
    notes = []
    for text, names in (
        ("has no columns {}, which are null here", [name for name in wanted.names if name not in found.names]),
        ("has columns {} of another version, which are left out", [n for n in found.names if n not in wanted.names]),
    ):
        if names:
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            notes.append(f"{dataset.name} {text.format(shown)}.")
    return notes
