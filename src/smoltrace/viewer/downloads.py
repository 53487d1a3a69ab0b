"""What a screen shows as CSV, JSON or Parquet: all rows of its query, in the form that `smoltrace export` writes."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from smoltrace.errors import RunNotFoundError, StoreError
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS, RESULTS, SPANS, TRACES, Dataset, Row
from smoltrace.store import leaderboard
from smoltrace.store.export import csv_lines, json_document, json_list, metrics_document, plain
from smoltrace.store.finalise import is_finalised
from smoltrace.store.parquet import write_rows
from smoltrace.store.read import Run
from smoltrace.viewer.answers import refused
from smoltrace.viewer.asked import of_run
from smoltrace.viewer.data.query import Query

if TYPE_CHECKING:
    from starlette.requests import Request

    from smoltrace.store.layout import Store

KINDS: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
_PIECE: Final = 1 << 16
"""Bytes that are worth a message of their own."""
_DATASETS: Final[dict[str, tuple[Dataset, Callable[[Run], Iterable[Row]]]]] = {
    "results": (RESULTS, Run.results),
    "traces": (TRACES, Run.traces),
    "spans": (SPANS, Run.spans),
    "metrics": (METRICS, Run.metrics),
    "points": (POINTS, Run.points),
}


def routes() -> list[Route]:
    return [
        Route("/api/download/leaderboard.{kind}", _leaderboard),
        Route("/api/download/run/{run}/{name}.{kind}", of_run(_dataset)),
    ]


def _leaderboard(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind not in KINDS:
        return _unknown(kind)
    board = request.app.state.board
    rows = _rows(board.store, board.run_ids(Query.parse(request.query_params)))
    return _sent(request, "smoltrace-leaderboard", kind, LEADERBOARD, rows)


def _rows(store: Store, ids: Iterable[str]) -> Iterator[Row]:
    """The rows of these runs, in this order, with exact money. A run that has vanished since has none."""
    for run_id in ids:
        try:
            yield _row(store, run_id)
        except RunNotFoundError:
            continue


def _row(store: Store, run_id: str) -> Row:
    """The row of the leaderboard; of a run that is not finished as it stands now."""
    try:
        return leaderboard.read(store, run_id)
    except StoreError:
        if leaderboard.has(store, run_id):
            raise
    return Run(store.run(run_id)).leaderboard_row()


def _dataset(run: Run, request: Request) -> Response:
    name, kind = request.path_params["name"], request.path_params["kind"]
    if kind not in KINDS:
        return _unknown(kind)
    if name not in _DATASETS:
        return refused(404, f"A run has no dataset '{name}'.", f"It has: {', '.join(_DATASETS)}.")
    dataset, rows = _DATASETS[name]
    file_name = f"{run.id}-{name}"
    if kind == "parquet" and is_finalised(run.directory):
        file = run.directory.parquet(name)
        return FileResponse(file, headers=_saved_as(file_name, kind), media_type=KINDS[kind], stat_result=file.stat())
    if kind == "json" and dataset is METRICS:
        return _streamed(request, file_name, kind, [json_document(metrics_document(run))])
    return _sent(request, file_name, kind, dataset, rows(run))


def _sent(request: Request, name: str, kind: str, dataset: Dataset, rows: Iterable[Row]) -> Response:
    parts = {
        "csv": lambda: csv_lines(dataset, rows),
        "json": lambda: json_list(plain(dataset, row) for row in rows),
        "parquet": lambda: _parquet(dataset, rows),
    }
    return _streamed(request, name, kind, parts[kind]())


def _streamed(request: Request, name: str, kind: str, parts: Iterable[bytes]) -> Response:
    headers = _saved_as(name, kind)
    if request.method == "HEAD":
        return Response(media_type=KINDS[kind], headers=headers)
    pieces = _pieces(parts)
    # What is wrong with the first rows can still be answered as an error; later ones can only cut the file short.
    begin = next(pieces, b"")
    return StreamingResponse(itertools.chain([begin], pieces), media_type=KINDS[kind], headers=headers)


def _saved_as(name: str, kind: str) -> dict[str, str]:
    """The header that names a file. A run's folder may have been given any name, and so may its file."""
    file = f"{name}.{kind}"
    quoted = quote(file, safe="")
    named = f'filename="{file}"' if quoted == file else f"filename*=utf-8''{quoted}"
    return {"Content-Disposition": f"attachment; {named}"}


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _parquet(dataset: Dataset, rows: Iterable[Row]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="smoltrace-download-") as folder:
        path = Path(folder) / f"{dataset.name}.parquet"
        write_rows(path, dataset, rows)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _unknown(kind: str) -> Response:
    return refused(404, f"There is no download of the kind '{kind}'.", f"There are: {', '.join(KINDS)}.")
