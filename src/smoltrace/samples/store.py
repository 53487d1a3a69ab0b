"""A store for the viewer and for trying things out: runs of many kinds, of which none has happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.samples.runs import SampleRun
    from smoltrace.store.layout import RunDir, Store


@dataclass(frozen=True, slots=True)
class SampleStore:
    """A store, and the runs that were made in it, the first first."""

    store: Store
    runs: list[RunDir]


def make_sample_store(
    path: Path,
    *,
    runs: int | None = None,
    seed: int = 0,
    tests: int | None = None,
    big_trace_spans: int = 0,
    told: Callable[[RunDir], None] | None = None,
) -> SampleStore:
    """Make a store of sample runs, or add them to one.

    `runs` None makes one of every kind; further ones are of four models, a day apart. `tests` takes only the first
    tasks of the built-in suite. `big_trace_spans` adds a run of one test whose trace has exactly so many spans. The
    same seed makes the same journals, byte for byte. `told` hears of each run as soon as it is there.

    Raises UsageError before anything is written when the store has a run of one of these ids, or a number is none that
    can be; StoreError when the disk refuses.
    """
    from smoltrace.samples.big import big_run, play_big
    from smoltrace.samples.runs import DEFAULT_RUNS, SUITE, sample_runs
    from smoltrace.samples.writing import Stage, write_run
    from smoltrace.store.layout import Store
    from smoltrace.store.room import check_room
    from smoltrace.tasks.loaders import load_tasks

    chosen = sample_runs(DEFAULT_RUNS if runs is None else runs)
    big = big_run(big_trace_spans) if big_trace_spans else None
    store, tasks = Store(path), load_tasks(SUITE)
    _check_free(store, chosen if big is None else [*chosen, big])
    check_room(store.path)
    made = []
    for run in chosen:
        stage = Stage(run, run.config(tests), tasks, seed)
        made.append(write_run(store, stage, stage.play()))
        if told is not None:
            told(made[-1])
    if big is not None:
        stage = Stage(big, big.config(1), tasks, seed)
        made.append(write_run(store, stage, [play_big(stage, big_trace_spans)]))
        if told is not None:
            told(made[-1])
    return SampleStore(store, made)


def _check_free(store: Store, runs: list[SampleRun]) -> None:
    taken = [run.run_id for run in runs if (store.runs_path / run.run_id).exists()]
    if taken:
        more = "" if len(taken) == 1 else f" and {len(taken) - 1} more of these"
        raise UsageError(
            f"The store {store.path} has a run '{taken[0]}' already{more}. Delete that folder, or name another with "
            "--store."
        )
