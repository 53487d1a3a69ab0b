"""Which runs a store has at this moment: all of them in one frame, made anew only when something has changed."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from smoltrace.errors import StoreError
from smoltrace.store import leaderboard
from smoltrace.viewer.data.frame import COMPLETED, Frame, frame_of, part_of
from smoltrace.viewer.data.loading import load_rows, read_rows, table_of
from smoltrace.viewer.data.query import STATUSES
from smoltrace.viewer.data.unlisted import UnlistedRuns

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.store.layout import Store
    from smoltrace.viewer.data.database import Database
    from smoltrace.viewer.data.spark import Spark

_REST: Final = 10
"""How many times as long as looking took nobody looks again, at the store and at each run: a tenth of one core at most
goes into it."""
_MANY: Final = 20_000
_MOST_CHUNKS: Final = 64
_FINE_NS, _COARSE_NS = 50_000_000, 2_100_000_000
"""Changes so soon after one another may bear the same time: file systems tell it in ticks, some in whole seconds."""
_RowTable: TypeAlias = "pa.Table"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The runs of a store at one moment.

    `version` differs whenever anything else does. `task_sets` are those that most runs are of first, of equal ones the
    newest. `refused` tells what could not be read, and why. `sparks` are the lines of runs without a row.
    """

    version: str
    frame: Frame
    task_sets: list[dict[str, Any]]
    refused: list[dict[str, str]]
    sparks: dict[str, Spark]
    live: int

    @property
    def runs(self) -> int:
        return len(self.frame.table)


class Catalogue:
    """Looks at a store when it is asked, and at most every `patience` seconds, 0: each time. Any thread may ask: one of
    them looks while the others get what there was."""

    def __init__(self, store: Store, database: Database, patience: float = 0.5) -> None:
        self._database, self._patience = database, patience
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._next_look = 0.0
        self._rows = _Rows(store, database)
        self._runs = _Folder(store.runs_path)
        self._run_ids: set[str] = set()
        self._rest = _REST if patience else 0
        self._unlisted = UnlistedRuns(store, self._rest)
        self._prefix, self._number = f"{time.time_ns():x}", 0

    def now(self) -> Snapshot:
        """The runs as they are, or were a moment ago."""
        snapshot = self._snapshot
        if snapshot is not None and time.monotonic() < self._next_look:
            return snapshot
        if not self._lock.acquire(blocking=snapshot is None):
            assert snapshot is not None
            return snapshot
        try:
            if self._snapshot is None or time.monotonic() >= self._next_look:
                self._look()
            assert self._snapshot is not None
            return self._snapshot
        finally:
            self._lock.release()

    def _look(self) -> None:
        started = time.monotonic()
        changed = self._rows.look()
        told = self._runs.error
        if self._runs.has_changed():
            self._run_ids = self._runs.folders()
            changed |= told != self._runs.error
        changed |= self._unlisted.look(self._run_ids - self._rows.run_ids)
        if changed or self._snapshot is None:
            self._snapshot = self._made()
        now = time.monotonic()
        self._next_look = now + max(self._patience, self._rest * (now - started))

    def _made(self) -> Snapshot:
        unlisted = self._unlisted.found
        parts = [self._rows.table]
        if unlisted:
            standing: list[list[int | None]] = [
                [STATUSES.index(run.status) + 1 if run.status in STATUSES else COMPLETED for run in unlisted],
                [run.finished for run in unlisted],
                [run.planned for run in unlisted],
                [run.calls for run in unlisted],
            ]
            parts.append(part_of(self._database, table_of([run.row for run in unlisted]), standing))
        frame = frame_of(self._database, parts)
        self._number += 1
        refused = {f"leaderboard/rows/{run_id}.json": error for run_id, error in self._rows.refused.items()}
        refused |= {f"runs/{run_id}": error for run_id, error in self._unlisted.refused.items()}
        refused |= {path.name: str(error) for path, error in self._errors()}
        return Snapshot(
            version=f"{self._prefix}-{self._number}",
            frame=frame,
            task_sets=_task_sets(self._database, frame),
            refused=[{"path": path, "error": error} for path, error in refused.items()],
            sparks={run.row["run_id"]: run.spark for run in unlisted if run.spark is not None},
            live=sum(run.status == "running" for run in unlisted),
        )

    def _errors(self) -> list[tuple[Path, str]]:
        found = [(folder.path, folder.error) for folder in (self._rows.folder, self._runs)]
        return [(path, error) for path, error in found if error is not None]


@dataclass(slots=True)
class _Folder:
    """A folder whose names are listed only when they have changed."""

    path: Path
    error: str | None = None
    _seen: tuple[int, int] | str | None = None
    _is_settled: bool = False

    def has_changed(self) -> bool:
        """Whether a name came, went or was given to another file since this was last asked; in doubt it has."""
        asked_ns = time.time_ns()
        seen: tuple[int, int] | str | None
        try:
            found = self.path.stat()
            seen, told = (found.st_ino, found.st_mtime_ns), None
        except OSError as error:
            seen = told = None if isinstance(error, FileNotFoundError) else f"It cannot be read: {error.strerror}."
        if seen == self._seen and self._is_settled:
            return False
        self._seen, self.error = seen, told
        self._is_settled = not isinstance(seen, tuple) or _is_over(seen[1], asked_ns)
        return True

    def failed(self, error: str) -> None:
        """It could not be read: take it as changed next time, whatever it looks like."""
        self.error, self._is_settled = error, False

    def folders(self) -> set[str]:
        """The names of the folders in it, hidden ones left out."""
        try:
            with os.scandir(self.path) as entries:
                return {entry.name for entry in entries if entry.name[0] != "." and _is_folder(entry)}
        except FileNotFoundError:
            return set()
        except OSError as error:
            self.failed(f"It cannot be read: {error.strerror}.")
            return set()


def _is_over(changed_ns: int, now_ns: int) -> bool:
    """Whether a change is so long ago that no other can bear its time."""
    return now_ns - changed_ns > (_FINE_NS if changed_ns % 1_000_000_000 else _COARSE_NS)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads round in a circle, or to where nobody may look


@dataclass(slots=True)
class _Rows:
    """The rows of the leaderboard as Arrow, and what is wrong with those that cannot be read."""

    store: Store
    database: Database
    refused: dict[str, str] = field(default_factory=dict)
    folder: _Folder = field(init=False)
    table: _RowTable = field(init=False)
    _files: leaderboard.Files | None = None

    def __post_init__(self) -> None:
        self.folder = _Folder(self.store.leaderboard_path / "rows")
        self.table = part_of(self.database, table_of([]))

    @property
    def run_ids(self) -> set[str]:
        """The runs that have a row that can be read."""
        return (self._files or {}).keys() - self.refused.keys()

    def look(self) -> bool:
        """Read what has changed; whether anything has."""
        told = self.folder.error
        if not self.folder.has_changed():
            return False
        try:
            found = leaderboard.files(self.store)
        except StoreError as error:
            self.folder.failed(str(error))
            return told != self.folder.error
        before = self._files
        self._files = found
        if before is None:
            table, self.refused = load_rows(self.store, found)
            self.table = part_of(self.database, table)
            return True
        changed = [run_id for run_id, state in found.items() if before.get(run_id) != state]
        gone = before.keys() - found.keys()
        if changed or gone:
            self._replace(changed, {*gone, *changed} & (before.keys() - self.refused.keys()))
        return bool(changed or gone)

    def _replace(self, changed: list[str], outdated: set[str]) -> None:
        """Take the rows of `outdated` out, read those of `changed`."""
        from smoltrace.records.arrow import array_of

        assert self._files is not None
        if len(changed) > _MANY:
            table, self.refused = load_rows(self.store, self._files)
            self.table = part_of(self.database, table)
            return
        kept = self.table
        if outdated:
            import pyarrow as pa

            stays = [run_id not in outdated for run_id in kept["run_id"].to_pylist()]
            kept = kept.filter(array_of(stays, pa.bool_()))
        self._append(kept, changed)

    def _append(self, kept: _RowTable, changed: list[str]) -> None:
        import pyarrow as pa

        assert self._files is not None
        new, wrong = read_rows(self.store, changed)
        listed = {run_id: error for run_id, error in self.refused.items() if run_id in self._files}
        self.refused = {run_id: error for run_id, error in listed.items() if run_id not in set(changed)} | wrong
        table = pa.concat_tables([kept, part_of(self.database, new)])
        self.table = table.combine_chunks() if table["run_id"].num_chunks > _MOST_CHUNKS else table


def _task_sets(database: Database, frame: Frame) -> list[dict[str, Any]]:
    with database.asking() as asking:
        found = asking.all(
            f"""SELECT c_dataset_fingerprint AS code, count(*) AS runs, max(_date) AS newest,
                       coalesce(arg_max(_i, _date), any_value(_i)) AS one
                FROM {frame.keys.name} WHERE code IS NOT NULL
                GROUP BY code ORDER BY runs DESC, newest DESC NULLS LAST, code"""
        )
    prints = frame.values["dataset_fingerprint"]
    names = [row["dataset_used"] for row in frame.rows([one for *_, one in found], ["dataset_used"])]
    return [
        {"fingerprint": prints[code - 1], "name": name, "runs": runs, "newest_unix_ms": newest}
        for (code, runs, newest, _), name in zip(found, names, strict=True)
    ]
