"""From traces to runs in the store: all that smoltrace's own run made is that run again, the rest is one new run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smoltrace.errors import UsageError
from smoltrace.importing.executions import Test, Tests
from smoltrace.importing.options import Options, Progress, Say
from smoltrace.importing.plans import Plan, name_runs, plans_of
from smoltrace.importing.seen import OTHER_METRICS, Seen, manifest_after, manifest_before, tell, tell_metrics
from smoltrace.importing.spill import Spill
from smoltrace.importing.traces import made_whole
from smoltrace.records.schema import RESULTS, line_of
from smoltrace.store.atomic import disk_error, sync
from smoltrace.store.layout import RunDir, Store

if TYPE_CHECKING:
    from smoltrace.evaluation.secrecy import Secrecy
    from smoltrace.store.read import Run


@dataclass(frozen=True, slots=True)
class Imported:
    """A run that was made. `source` is the run of smoltrace that its traces are from, None for those of others."""

    run: Run
    traces: int
    spans: int
    source: str | None


def make_runs(
    spill: Spill, sources: Sequence[str], options: Options, secrecy: Secrecy, say: Say, progress: Progress | None = None
) -> list[Imported]:
    """Make the runs of all that was read. `sources` name where it came from; `say` is told what is not as it may seem.

    Raises UsageError before anything is written: for no traces at all, and for an id that is taken.
    """
    from smoltrace.store.room import check_room

    if not spill.traces:
        raise UsageError(f"There are no spans in {', '.join(sources)}: nothing was imported.")
    store = Store(options.store)
    check_room(store.path)
    plans = plans_of(spill, say)
    name_runs(plans, store, options)
    total, done = sum(len(plan.traces) for plan in plans), 0
    made = []
    for plan in plans:
        told = (lambda n, before=done: progress(before + n, total)) if progress is not None else None
        made.append(_make(plan, spill, store, sources, options, secrecy, say, told))
        done += len(plan.traces)
    tell_metrics(spill, plans, say)
    return made


def _make(
    plan: Plan,
    spill: Spill,
    store: Store,
    sources: Sequence[str],
    options: Options,
    secrecy: Secrecy,
    say: Say,
    progress: Callable[[int], None] | None,
) -> Imported:
    from smoltrace.store.finalise import finalise
    from smoltrace.store.lock import WriterLock
    from smoltrace.store.read import Run

    tests, seen = Tests(plan.run_id, secrecy, options.price_file, options.model), Seen()
    manifest = secrecy.manifest(manifest_before(plan, sources, options))
    begun = store.begun(plan.run_id)
    run_dir = begun or store.create(plan.run_id, manifest)
    lock = WriterLock(run_dir.lock_file, f"the run {run_dir.run_id}")
    try:
        _write(run_dir, _tests_of(plan, spill, tests, seen, progress))
        _write_metrics(run_dir, plan, spill)
        manifest |= manifest_after(seen, options)
        manifest["imported_from"] |= {"traces": seen.tests, "spans": seen.spans, "models": dict(seen.models)}
        run_dir.write_manifest(secrecy.manifest({**manifest, "run_id": plan.run_id}))
        finalise(run_dir)
    except BaseException:
        # Half a run would be taken for a whole one of fewer tests; what it is made from is still there.
        with suppress(OSError):
            shutil.rmtree(run_dir.path)
        raise
    finally:
        lock.release()
    tell(seen, plan, say)
    return Imported(Run(run_dir), seen.tests, seen.spans, plan.source)


def _tests_of(
    plan: Plan, spill: Spill, tests: Tests, seen: Seen, progress: Callable[[int], None] | None
) -> Iterator[Test]:
    indexes = _indexes([spill.traces[trace_id].index for trace_id in plan.traces])
    for number, (trace_id, index) in enumerate(zip(plan.traces, indexes, strict=True), start=1):
        spans, circular = made_whole(spill.spans(trace_id))
        test = tests.test(spans, index)
        seen.add(test, spans, circular=circular)
        yield test
        if progress is not None:
            progress(number)


def _indexes(told: Sequence[int | None]) -> Iterator[int]:
    """The place of each test in its run: as its trace tells it, the others behind."""
    following = max((index + 1 for index in told if index is not None), default=0)
    for index in told:
        yield following if index is None else index
        following += index is None


def _write(run_dir: RunDir, tests: Iterator[Test]) -> None:
    """The journal, written at one go: were this killed, it would be written anew. Raises StoreError."""
    try:
        with run_dir.traces_journal.open("wb") as traces, run_dir.results_journal.open("wb") as results:
            for test in tests:
                traces.write(test.line + b"\n")
                results.write(line_of(RESULTS, test.row))
        for file in (run_dir.traces_journal, run_dir.results_journal, run_dir.path):
            sync(file)
    except OSError as error:
        raise disk_error(f"write the journal {run_dir.path}", error) from error


def _write_metrics(run_dir: RunDir, plan: Plan, spill: Spill) -> None:
    """The metrics of the run's own devices into its journal; those of others beside it, as they came."""
    file = run_dir.metrics_journal if plan.source is not None else run_dir.path / OTHER_METRICS
    if not spill.metrics_count(plan.source):
        return
    try:
        with file.open("wb") as out:
            out.writelines(spill.metrics(plan.source))
        sync(file)
    except OSError as error:
        raise disk_error(f"write {file}", error) from error
