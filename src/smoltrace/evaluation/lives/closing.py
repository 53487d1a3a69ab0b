"""The end of a run's life: what is known goes into the manifest, the files are finished, and who asked is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smoltrace.errors import SmoltraceError, StoreError
from smoltrace.evaluation.lives.ending import INTERRUPTED, INTERRUPTED_TWICE, Stop, Way, incomplete, unfinished_files
from smoltrace.evaluation.progress import Reporter, Tally

if TYPE_CHECKING:
    from smoltrace.evaluation.limits import Limits
    from smoltrace.evaluation.lives.session import Session
    from smoltrace.store.layout import RunDir
    from smoltrace.store.read import Run


def is_whole(run_dir: RunDir, manifest: Mapping[str, Any]) -> bool:
    """Whether every test of a run is finished, whatever its manifest says of its end. Raises StoreError."""
    from smoltrace.store.lines import index_results

    planned = manifest.get("num_tests")
    if not isinstance(planned, int):
        return False
    if manifest.get("status") == "completed":
        return True
    return len(index_results(run_dir.results_journal)) >= planned > 0


def complete(session: Session, way: Way, reporter: Reporter, changes: Mapping[str, Any] | None = None) -> Run:
    """Give back a run of which no test is left, its files finished if they were not. Nothing is spent.

    `changes` are what its manifest is to say from now on; its files are made anew then, as they follow from it.
    """
    from smoltrace.store.finalise import is_finalised

    planned = len(session.earlier)
    tally = Tally(planned, reporter, session.rows())
    reporter.started(session.run_dir.run_id, tally.progress)
    reporter.closed(tally.progress)
    try:
        if changes:
            session.tell(changes)
            # Whoever is stopped before the files are made anew leaves a run that says so, and not one that disagrees.
            session.run_dir.summary_file.unlink(missing_ok=True)
        if not is_finalised(session.run_dir):
            session.complete()
    except (StoreError, KeyboardInterrupt) as error:
        problem = str(error) if isinstance(error, StoreError) else INTERRUPTED.reason
        raise unfinished_files(problem, way, _read(session), done=planned) from error
    return _run_of(session)


def close(session: Session, way: Way, stop: Stop | None, *, planned: int, limits: Limits) -> Run:
    """End this life of a run, and give the run back when it is complete.

    Raises RunIncompleteError, with what is there, when tests are missing or the finished files could not be written.
    """
    done = len(session.finished)
    whole = done >= planned
    problem = stop.reason if stop is not None and stop.at_once else None
    try:
        session.end(completed=whole, stopped_by=None if whole or stop is None else stop.by)
        if problem is None:
            session.finish_files()
    except KeyboardInterrupt:
        problem, stop = INTERRUPTED_TWICE.reason, stop or INTERRUPTED_TWICE
    except StoreError as error:
        problem, stop = str(error), stop or Stop("disk", f"The run stopped: {error}")
    if whole and problem is None:
        return _run_of(session)
    run = _read(session)
    if whole:
        raise unfinished_files(problem or "", way, run, done=done)
    stop = stop or Stop("fault", "The run stopped early")
    raise incomplete(stop, way, run, done=done, planned=planned, limits=limits)


def _run_of(session: Session) -> Run:
    from smoltrace.store.read import Run

    return Run(session.run_dir)


def _read(session: Session) -> Run | None:
    """The run as far as it can still be read."""
    run = _run_of(session)
    try:
        return run if run.manifest else None
    except SmoltraceError:
        return None
