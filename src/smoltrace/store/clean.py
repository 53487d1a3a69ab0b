"""Deleting runs of a store: chosen first, told, and only then taken away, each whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from smoltrace.errors import StoreError, UsageError
from smoltrace.store import atomic, leaderboard
from smoltrace.store.finalise import status_of
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.lock import WriterLock, is_held

UNREADABLE = "unreadable"
"""The status of a run whose run.json cannot be read: only who names it, or asks for such runs, deletes it."""

_GONE = ".deleted"
_UNFINISHED = (".new", ".pulled", _GONE)
"""Ends the names of directories in which a run is made before it gets its own, or that it was about to go to."""
_STALE_S = 86_400
"""Seconds after which nobody can still be at work in such a directory."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which runs are meant: those that fit everything that is given.

    runs        ids, beginnings of ids, or `latest`; empty means any
    older_than  started longer ago
    keep        not the newest so many of those that fit the rest
    statuses    of these, such as incomplete
    tags        with all of these labels
    """

    runs: tuple[str, ...] = ()
    older_than: timedelta | None = None
    keep: int | None = None
    statuses: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything at all is selected by: nothing never means everything."""
        return bool(self.runs or self.statuses or self.tags) or self.older_than is not None or self.keep is not None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that was chosen. `status` is that of `smoltrace runs`, `bytes` what its files hold."""

    run_dir: RunDir
    status: str
    model: str | None
    started_at: datetime | None
    bytes: int

    @property
    def run_id(self) -> str:
        return self.run_dir.run_id


def choose(store: Store, selection: Selection, *, now: datetime | None = None) -> list[Candidate]:
    """The runs that a selection means, the newest first. Nothing is changed.

    Raises UsageError for an empty selection and for a run outside the store, RunNotFoundError, StoreError.
    """
    if not selection:
        raise UsageError(
            "Nothing is selected, and clean never takes everything by itself. Name runs, or give --older-than, --keep, "
            "--incomplete, --status or --tag."
        )
    moment = now or datetime.now(UTC)
    wanted = {_in_store(store, run) for run in selection.runs}
    fitting = []
    for run_dir in store.newest():
        if wanted and run_dir.run_id not in wanted:
            continue
        manifest = _manifest(run_dir)
        if _fits(run_dir, manifest, selection, moment, named=bool(wanted)):
            fitting.append((run_dir, manifest))
    return [_candidate(run_dir, manifest) for run_dir, manifest in fitting[selection.keep or 0 :]]


def delete(store: Store, runs: list[Candidate]) -> Iterator[tuple[Candidate, str | None]]:
    """Delete runs and their rows of the leaderboard, one after the other; each with why it was kept, None when gone.

    A run that a process writes is kept. A run disappears at once: a kill in the middle leaves no half of one, and what
    it leaves is taken away by the next call. Raises StoreError when the disk refuses.
    """
    _finish_earlier(store)
    for run in runs:
        yield run, _delete(store, run.run_dir)
    if store.leaderboard_path.is_dir():
        leaderboard.table(store)


def _delete(store: Store, run_dir: RunDir) -> str | None:
    if not run_dir.path.exists():
        return None  # another process was faster
    lock: WriterLock | None = None
    away = store.runs_path / f".{uuid4().hex}{_GONE}"
    try:
        # Nobody begins to write it between the look and the rename.
        lock = WriterLock(run_dir.lock_file, f"the run {run_dir.run_id}")
        away.mkdir()
        run_dir.path.rename(away / run_dir.run_id)
        atomic.sync(store.runs_path)
    except UsageError as error:
        return str(error)
    except OSError as error:
        with suppress(OSError):
            away.rmdir()
        raise atomic.disk_error(f"delete {run_dir.path}", error) from error
    finally:
        if lock is not None:
            lock.release()
    leaderboard.remove(store, run_dir.run_id)
    _remove(away)
    return None


def _finish_earlier(store: Store) -> None:
    """Take away what a clean that was killed had renamed, and runs that were killed before they were there."""
    for run in list(store.runs_path.glob(f".*{_GONE}/*")):
        if not (store.runs_path / run.name).exists():
            leaderboard.remove(store, run.name)
        _remove(run.parent)
    for made in [path for end in _UNFINISHED for path in store.runs_path.glob(f".*{end}")]:
        with suppress(FileNotFoundError):
            if time.time() - made.stat().st_mtime > _STALE_S:
                _remove(made)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass  # another process takes it away, too
    except OSError as error:
        raise atomic.disk_error(f"delete {error.filename or folder}", error) from error


def _in_store(store: Store, run: str) -> str:
    found = store.find(run)
    if found.path.resolve().parent != store.runs_path.resolve() and found.path.parent != store.runs_path:
        raise UsageError(f"{found.path} is no run of the store {store.path}. Name its store with --store.")
    return found.run_id


def _manifest(run_dir: RunDir) -> dict[str, Any] | None:
    with suppress(StoreError):
        return run_dir.manifest()
    return None


def _fits(
    run_dir: RunDir, manifest: dict[str, Any] | None, selection: Selection, now: datetime, *, named: bool
) -> bool:
    if manifest is None:
        asked = UNREADABLE in selection.statuses or (named and not selection.statuses)
        return asked and selection.older_than is None and not selection.tags
    if selection.statuses and status_of(run_dir, manifest) not in selection.statuses:
        return False
    started = _started(manifest)
    if selection.older_than is not None and (started is None or now - started <= selection.older_than):
        return False
    labels = manifest.get("tags") or {}
    return all(str(labels.get(key)) == value for key, value in selection.tags.items())


def _candidate(run_dir: RunDir, manifest: dict[str, Any] | None) -> Candidate:
    about = manifest or {}
    if is_held(run_dir.lock_file):
        status = "running"
    else:
        status = UNREADABLE if manifest is None else status_of(run_dir, manifest)
    model = about.get("model")
    return Candidate(run_dir, status, None if model is None else str(model), _started(about), _bytes(run_dir.path))


def _started(manifest: Mapping[str, Any]) -> datetime | None:
    try:
        started = datetime.fromisoformat(str(manifest.get("started_at")))
    except ValueError:
        return None
    return started if started.tzinfo else started.replace(tzinfo=UTC)


def _bytes(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # it went away meanwhile
            total += file.lstat().st_size if not file.is_dir() else 0
    return total
