"""Runs that have no row on the leaderboard: those that go on, those that were stopped or killed, and broken ones."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from smoltrace.records.schema import METRICS
from smoltrace.store.layout import RunDir
from smoltrace.store.lock import is_held
from smoltrace.viewer.data.figures import gpu_reason
from smoltrace.viewer.data.loading import BROKEN, said, table_of
from smoltrace.viewer.data.readings import FileState, is_up_to_date, state_of
from smoltrace.viewer.data.spark import Spark, spark_of_rows

if TYPE_CHECKING:
    from smoltrace.records.schema import Row
    from smoltrace.store.layout import Store
    from smoltrace.store.read import Run
    from smoltrace.store.summary import Summary

_Seen: TypeAlias = tuple[FileState, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A run without a row, as it stood when it was read. `status` as in `Summary`; `spark` None: the finished file of
    its readings has it."""

    row: Row
    status: str
    finished: int
    planned: int | None
    calls: int
    spark: Spark | None


@dataclass(slots=True)
class _Watched:
    seen: _Seen = ()
    next_look: float = 0.0
    found: Unlisted | None = None
    error: str | None = None


@dataclass(slots=True)
class UnlistedRuns:
    """Watches the runs without a row. For one thread at a time. `rest`: how many times as long as a run took to be read
    it is left alone."""

    store: Store
    rest: int
    _watched: dict[str, _Watched] = field(default_factory=dict)

    @property
    def found(self) -> list[Unlisted]:
        """Those that can be read, in the order of their ids."""
        return [watched.found for _, watched in sorted(self._watched.items()) if watched.found is not None]

    @property
    def refused(self) -> dict[str, str]:
        """By run id what is wrong with those that cannot be read."""
        return {run_id: watched.error for run_id, watched in sorted(self._watched.items()) if watched.error}

    def look(self, run_ids: Iterable[str]) -> bool:
        """Look at these runs, which are all without a row; whether anything has changed.

        What is read is read again when its journal, its readings, its manifest or its writer's lock has changed, and
        not before it has had its rest.
        """
        wanted = set(run_ids)
        gone = self._watched.keys() - wanted
        for run_id in gone:
            del self._watched[run_id]
        changed = bool(gone)
        for run_id in wanted:
            changed |= self._look_at(run_id)
        return changed

    def _look_at(self, run_id: str) -> bool:
        run = RunDir(self.store.runs_path / run_id)
        watched = self._watched.setdefault(run_id, _Watched())
        seen = _seen(run)
        started = time.monotonic()
        if seen == watched.seen or started < watched.next_look:
            return False
        before = (watched.found, watched.error)
        watched.seen, watched.found, watched.error = seen, None, None
        try:
            run.require_manifest()
            watched.found = _read(run)
        except BROKEN as error:
            # What has vanished meanwhile is not broken.
            watched.error = said(error) if state_of(run.path) is not None else None
        watched.next_look = time.monotonic() + self.rest * (time.monotonic() - started)
        return (watched.found, watched.error) != before


def _read(run_dir: RunDir) -> Unlisted:
    from smoltrace.store.read import Run

    run = Run(run_dir)
    summary = run.summary()
    row = _checked(run_dir, summary)
    planned = summary.planned if isinstance(summary.planned, int) else None
    return Unlisted(row, summary.status, summary.finished, planned, summary.llm_calls, _spark(run, row))


def _spark(run: Run, row: Row) -> Spark | None:
    from smoltrace.store.finalise import metrics_of

    if (reason := gpu_reason(row)) is not None:
        return None, reason
    if is_up_to_date(run.directory.parquet(METRICS.name), run.directory.metrics_journal):
        return None
    return spark_of_rows(metrics_of(run.directory, run.manifest))


def _checked(run_dir: RunDir, summary: Summary) -> dict[str, Any]:
    """The row, if a table can hold it. The id is the directory's: that is what the run is found by."""
    row = summary.leaderboard | {"run_id": run_dir.run_id}
    table_of([row])
    return row


def _seen(run: RunDir) -> _Seen:
    """What changes when the run does."""
    files = (run.manifest_file, run.results_journal, run.metrics_journal, run.summary_file)
    held = (0, 0, 1) if is_held(run.lock_file) else None
    return (*map(state_of, files), held)
