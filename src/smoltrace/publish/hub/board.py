"""A leaderboard on the Hub: the runs that it has, read file by file."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smoltrace.errors import UsageError
from smoltrace.publish.hub.source import Reader, Repo
from smoltrace.records.schema import LEADERBOARD, Row, record_batch, rows_of

if TYPE_CHECKING:
    import pyarrow.parquet as pq

NAME: Final = "smoltrace-leaderboard"
_ROW: Final = re.compile(r"data/[A-Za-z0-9_][A-Za-z0-9._+-]*\.parquet")
_AT_ONCE: Final = 8
MAX_ROW_BYTES: Final = 16 << 20
_MAX_ROWS: Final = 1000
"""Of one file: it holds one run, or a few of an earlier version."""


def is_leaderboard(repo_id: str) -> bool:
    return repo_id.partition("/")[2] == NAME


def rows_in(reader: Reader, board: Repo, folder: Path, run_id: str | None = None) -> list[Row]:
    """The rows of a leaderboard, the newest first; only those of one run when it is named.

    Raises UsageError for a leaderboard of which no row can be read.
    """
    paths = sorted(path for path in board.sizes if _ROW.fullmatch(path) and board.sizes[path] <= MAX_ROW_BYTES)
    if run_id is not None:
        # A row lies in a file with its run's id. Where it does not, all are looked through.
        paths = [path for path in paths if path.startswith(f"data/{run_id}")] or paths
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [row for rows in pool.map(lambda path: _rows(reader, board, path, folder), paths) for row in rows]
    if paths and not found:
        raise UsageError(f"{board.name} has no row that can be read.")
    rows = [row for row in found if run_id is None or row["run_id"] == run_id]
    return sorted(rows, key=lambda row: (str(row["evaluation_date"] or ""), str(row["run_id"])), reverse=True)


def run_in(reader: Reader, board: Repo, folder: Path, run_id: str) -> Row:
    """The row of a run. Raises UsageError when the leaderboard has none, or several."""
    rows = rows_in(reader, board, folder, run_id)
    if not rows:
        raise UsageError(f"{board.name} has no run '{run_id}'. 'smoltrace pull {board.name}' lists its runs.")
    if len({row["results_dataset"] for row in rows}) > 1:
        names = ", ".join(str(row["results_dataset"]) for row in rows)
        raise UsageError(f"{board.name} has several runs '{run_id}'. Pull one of their datasets: {names}.")
    return rows[0]


def dataset_of(row: Row, board: Repo) -> str:
    """The dataset that a row's run is pulled from. Raises UsageError for one that is not of the same owner."""
    name = row["results_dataset"]
    if not isinstance(name, str) or name.partition("/")[0] != board.owner:
        raise UsageError(f"{board.name} does not tell where the run '{row['run_id']}' of {board.owner} is published.")
    return name


def _bytes_of(about: pq.FileMetaData) -> int:
    """What the rows of a file take when they are unpacked, as it says."""
    return sum(int(about.row_group(place).total_byte_size) for place in range(about.num_row_groups))


def _rows(reader: Reader, board: Repo, path: str, folder: Path) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = reader.download(board, path, folder / "board")
    try:
        with pq.ParquetFile(file) as found:
            about = found.metadata
            if about.num_rows > _MAX_ROWS or _bytes_of(about) > MAX_ROW_BYTES:
                return []  # what is small there may be large here
            rows = list(rows_of(LEADERBOARD, found.read()))
        record_batch(LEADERBOARD, rows)  # every value is what its column holds
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, AttributeError):
        return []
    return [row for row in rows if isinstance(row["run_id"], str)]
