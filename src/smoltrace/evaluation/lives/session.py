"""A run in the hands of this process: its lock, its journals, its manifest, and how it is closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import StoreError, UsageError
from smoltrace.evaluation.lives.lives import lives_of, with_ended, with_killed, with_new
from smoltrace.store.journal import Journal
from smoltrace.store.line_log import LineLog
from smoltrace.store.spending import Spending, Spent, spent

if TYPE_CHECKING:
    from smoltrace.evaluation.engines.scribe import Finished
    from smoltrace.store.layout import RunDir, Store

Key = tuple[str, str, int]
"""(agent_type, test_id, attempt) of an execution."""


class Session:
    """A run that this process writes, and no other at the same time. A context manager.

    Taking a run changes nothing of it but torn tails of its journals. Raises UsageError while another process writes
    it, StoreError when the disk refuses.
    """

    def __init__(self, run_dir: RunDir) -> None:
        if run_dir.parquet("results").exists() and not run_dir.results_journal.exists():
            raise UsageError(f"The run {run_dir.run_id} has only finished files and no journal: it cannot go on.")
        self.run_dir = run_dir
        self.fault: StoreError | None = None
        self._spending: Spending | None = None
        self._metrics: LineLog | None = None
        self._on_fault: Callable[[], None] | None = None
        self._began = time.monotonic()
        self._journal = Journal(run_dir)
        try:
            self.manifest = with_killed(run_dir.manifest(), self._journal.last_write_ns)
            self.earlier = frozenset(self._journal.finished)
            self.spent: Spent = spent(run_dir)
        except BaseException:
            self._journal.close()
            raise

    @classmethod
    def begin(cls, store: Store, manifest: Mapping[str, Any]) -> Session:
        """Make a new run and take it. Raises UsageError when it cannot be made: nothing is spent by then."""
        try:
            session = cls(store.create(manifest["run_id"], manifest))
            with ExitStack() as undo:
                undo.enter_context(session)
                session._open_spending()
                undo.pop_all()
        except StoreError as error:
            raise UsageError(str(error)) from error
        return session

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        for journal in (self._spending, self._metrics):
            if journal is not None:
                journal.close()
        self._journal.close()

    def go_on(self, changes: Mapping[str, Any], instrument: tuple[str, ...] = ()) -> None:
        """Begin a new life of a run that was taken: `changes` are what its manifest says from now on."""
        self._write(with_new(self.manifest | dict(changes), instrument))
        self.run_dir.summary_file.unlink(missing_ok=True)  # it told how the last life ended
        _sweep(self.run_dir.path)
        self._open_spending()
        self._began = time.monotonic()  # getting ready was no part of the life, as it is none of the first one

    @property
    def finished(self) -> set[Key]:
        """The executions that are committed, by this life or an earlier one."""
        return self._journal.finished

    def rows(self) -> Iterator[dict[str, Any]]:
        """The results rows of the finished executions."""
        from smoltrace.store.contents import results_in
        from smoltrace.store.lines import index_results

        return results_in(self.run_dir, index_results(self.run_dir.results_journal))

    def write_metrics(self, document: bytes) -> None:
        """Keep what the meters say, one line of OTLP JSON. Raises StoreError when the disk refuses."""
        if self._metrics is None:
            self._metrics = LineLog(self.run_dir.metrics_journal)
        self._metrics.write(document)

    def tell(self, changes: Mapping[str, Any]) -> None:
        """What the manifest is to say from its next writing on."""
        self.manifest = self.manifest | dict(changes)

    def commit(self, finished: Finished) -> None:
        """Keep a finished test. Raises StoreError when the disk refuses."""
        self._journal.commit(finished.trace_line, finished.row)

    def when_spending_fails(self, stop: Callable[[], None]) -> None:
        """What to do when the disk refuses to note what a call used. `fault` says then what it said."""
        self._on_fault = stop

    def note_begun(self, test: str, **set_aside: Any) -> None:
        """Note a call that is about to be made; see `Spending.begin`. Raises nothing, as the next."""
        self._note(lambda spending: spending.begin(test, **set_aside))

    def note_spending(self, test: str, **used: Any) -> None:
        """Note what a call used; see `Spending.append`. Raises nothing: no agent is to take a full disk for its own."""
        self._note(lambda spending: spending.append(test, **used))

    def _note(self, write: Callable[[Spending], None]) -> None:
        if self._spending is None:
            return
        try:
            write(self._spending)
        except StoreError as error:
            self.fault = self.fault or error
            if self._on_fault is not None:
                self._on_fault()

    def end(self, *, completed: bool, stopped_by: str | None) -> None:
        """Write into the manifest that this life is over. Raises StoreError."""
        status = "completed" if completed else "incomplete"
        seconds = time.monotonic() - self._began
        self._write(with_ended(self.manifest, seconds=seconds, stopped_by=stopped_by) | {"status": status})

    def complete(self) -> None:
        """Close a run of which no test is left: only its status and its finished files change. Raises StoreError."""
        self._write(self.manifest | {"status": "completed"})
        self.finish_files()

    def finish_files(self) -> None:
        """Make the finished files of the run as it stands. Raises StoreError."""
        from smoltrace.store.finalise import finalise

        finalise(self.run_dir)

    def _open_spending(self) -> None:
        self._spending = Spending(self.run_dir, life=len(lives_of(self.manifest)))

    def _write(self, manifest: dict[str, Any]) -> None:
        self.run_dir.write_manifest(manifest)
        self.manifest = manifest


def _sweep(folder: Path) -> None:
    """Delete what a kill left half written. Only whoever holds the run's lock may."""
    for left in folder.glob(".*.tmp"):
        left.unlink(missing_ok=True)
