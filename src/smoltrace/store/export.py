"""A run as files for other programs: JSON documents, JSON Lines, CSV, Parquet, OTLP JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import StoreError
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS, RESULTS, SPANS, TRACES, Dataset, Row
from smoltrace.store import atomic
from smoltrace.store.lines import whole_lines
from smoltrace.store.parquet import write_rows

if TYPE_CHECKING:
    from smoltrace.store.read import Run

_KEPT_AS_TEXT = frozenset({"enhanced_trace_info", "llm.tools"})
"""The JSON columns that their readers know as text."""


def export(run: Run, kind: str, folder: Path) -> list[Path]:
    """Write a run as `kind` (json, jsonl, csv, parquet or otlp) into a folder, which is made; return the files.

    Files of the same names are replaced, each when it is whole. Raises StoreError when the disk refuses.
    """
    writers: dict[str, Callable[[Run, Path], list[Path]]] = {
        "json": _json,
        "jsonl": _jsonl,
        "csv": _csv,
        "parquet": _parquet,
        "otlp": _otlp,
    }
    with _another_folder():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise atomic.disk_error(f"make {folder}", error) from error
        return writers[kind](run, folder)


@contextmanager
def _another_folder() -> Iterator[None]:
    """What the disk refuses is not the store, so another store is no remedy: another folder is."""
    try:
        yield
    except StoreError as error:
        if not str(error).startswith(("Cannot make", "Cannot write")):
            raise
        told = str(error).replace("another store with --store", "another folder")
        raise StoreError(told) from error.__cause__


def _json(run: Run, folder: Path) -> list[Path]:
    """results.json and traces.json are lists of rows, the other three are objects."""
    row = plain(LEADERBOARD, run.leaderboard_row())
    counted = _Counted(plain(RESULTS, result) for result in run.results())
    results = _write(folder / "results.json", json_list(counted))
    traced = _Counted(plain(TRACES, trace) for trace in run.traces())
    traces = _write(folder / "traces.json", json_list(traced))
    metadata = {
        "run_id": run.id,
        "model": row["model"],
        "agent_type": row["agent_type"],
        "dataset_used": row["dataset_used"],
        "timestamp": row["evaluation_date"],
        "num_results": counted.number,
        "num_traces": traced.number,
        "run": run.manifest,
    }
    return [
        results,
        traces,
        _write(folder / "metrics.json", [json_document(metrics_document(run))]),
        _write(folder / "leaderboard_row.json", [json_document(row)]),
        _write(folder / "metadata.json", [json_document(metadata)]),
    ]


def metrics_document(run: Run) -> dict[str, Any]:
    """The metrics of a run in the shape that earlier versions knew: run_id, resourceMetrics (OTLP JSON), aggregates.

    `resourceMetrics` are those of devices, so [] without a GPU, and as each life of the run kept them: at the carbon
    intensity and the price that it was given. Of a run that came without its journal they are made from its rows of
    `metrics`. What calls and tests say is in `aggregates`.
    """
    from smoltrace.records.device_otlp import resource_metrics_of
    from smoltrace.records.metrics import aggregates
    from smoltrace.store.energy import DeviceJournal

    told = [item for line in DeviceJournal(run.directory) for item in line.batch]
    return {
        "run_id": run.id,
        "resourceMetrics": told or resource_metrics_of(run.metrics()),
        "aggregates": aggregates(run.points()),
    }


def _jsonl(run: Run, folder: Path) -> list[Path]:
    return [
        _write(folder / f"{dataset.name}.jsonl", (_line(plain(dataset, row)) for row in rows))
        for dataset, rows in _datasets(run)
    ]


def _csv(run: Run, folder: Path) -> list[Path]:
    """One table a dataset. Spans have a table of their own, so that of traces is without them."""
    return [_write(folder / f"{dataset.name}.csv", csv_lines(dataset, rows)) for dataset, rows in _datasets(run)]


def csv_lines(dataset: Dataset, rows: Iterable[Row]) -> Iterator[bytes]:
    """A dataset as CSV, row by row: exact money, times as ISO 8601, and no spans of traces.

    Cells are what the run says, to the letter: a text that begins with '=' is written as it is.
    """
    names = [column.name for column in dataset.columns if column.type != "spans"]
    yield _csv_line(names)
    for row in rows:
        yield _csv_line([_cell(row[name]) for name in names])


def _csv_line(cells: Iterable[Any]) -> bytes:
    text = io.StringIO()
    # With this ending a carriage return within a cell is quoted; alone it would end the row for whoever reads it.
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n").encode() + b"\n"


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    return _line(value).decode().rstrip() if isinstance(value, list) else value


def _parquet(run: Run, folder: Path) -> list[Path]:
    written = []
    for dataset, rows in _datasets(run):
        path = folder / f"{dataset.name}.parquet"
        write_rows(path, dataset, rows)
        written.append(path)
    return written


def _otlp(run: Run, folder: Path) -> list[Path]:
    """traces.otlp.jsonl: one export request a test, prompts whole, as collectors and trace viewers read it; and
    metrics.otlp.jsonl: one export request a line, as the run's meters made them, where it has any."""
    from smoltrace.records.messages import restore
    from smoltrace.records.otlp import to_otlp_json
    from smoltrace.records.traces import in_order

    lines = (to_otlp_json(restore(in_order(test.spans))) + b"\n" for test in run.tests() if test.spans)
    written = [_write(folder / "traces.otlp.jsonl", lines)]
    metrics = (line + b"\n" for _, line in whole_lines(run.directory.metrics_journal))
    first = next(metrics, None) or _metrics_request(run)
    return written if first is None else [*written, _write(folder / "metrics.otlp.jsonl", chain([first], metrics))]


def _metrics_request(run: Run) -> bytes | None:
    """The rows of `metrics`, of a run that came without its journal, as one export request; None without a GPU."""
    from smoltrace.records.device_otlp import resource_metrics_of

    made = resource_metrics_of(run.metrics())
    return _line({"resourceMetrics": made}) if made else None


def _datasets(run: Run) -> list[tuple[Dataset, Iterable[Row]]]:
    return [
        (RESULTS, run.results()),
        (TRACES, run.traces()),
        (SPANS, run.spans()),
        (METRICS, run.metrics()),
        (POINTS, run.points()),
        (LEADERBOARD, [run.leaderboard_row()]),
    ]


class _Counted:
    """Passes things on and counts them."""

    def __init__(self, things: Iterable[Row]) -> None:
        self._things, self.number = things, 0

    def __iter__(self) -> Iterator[Row]:
        for thing in self._things:
            self.number += 1
            yield thing


def plain(dataset: Dataset, row: Mapping[str, Any]) -> Row:
    """A row for JSON: money as a number, times as ISO 8601, JSON columns as what they hold, where its readers know them
    so."""
    made = {name: row[name] for name in dataset.names}
    for column in dataset.columns:
        value = made[column.name]
        if value is None:
            continue
        if column.type == "money":
            made[column.name] = float(value)
        elif column.type == "timestamp":
            made[column.name] = value.isoformat()
        elif column.type == "json" and column.name not in _KEPT_AS_TEXT:
            made[column.name] = _loads(value)
        elif column.type == "spans":
            made[column.name] = [
                {**span, **{name: _loads(span[name]) for name in ("attributes", "events", "resource")}}
                for span in value
            ]
    return made


def _loads(text: str) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _line(value: Any) -> bytes:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def json_document(value: Any) -> bytes:
    """One JSON document for people and programs."""
    import orjson

    return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def json_list(rows: Iterable[Row]) -> Iterator[bytes]:
    """A JSON list, one row a line, without holding it all."""
    before = b"[\n"
    for row in rows:
        yield before + _line(row).rstrip()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _write(path: Path, parts: Iterable[bytes]) -> Path:
    with atomic.replacing(path) as beside, beside.open("wb") as file:
        file.writelines(parts)
    return path
