"""Runs as a reader may find them: going on, left by a killed process, without their journals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.killed import kill_after
from support.runs import commit, manifest

from smoltrace.records.execution import Execution
from smoltrace.store.journal import Journal
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.read import Run


@contextmanager
def going_on(folder: Path, planned: int = 9, **about: object) -> Iterator[tuple[Run, Journal]]:
    """A run that goes on as long as the block does; what is committed to its journal is finished."""
    run_dir = Store(folder).create("live", manifest(run_id="live", status="running", num_tests=planned, **about))
    with Journal(run_dir) as journal:
        yield Run(run_dir), journal


def commit_all(journal: Journal, executions: Sequence[Execution]) -> None:
    for done in executions:
        commit(journal, done)


def copied(run: Run, folder: Path) -> Run:
    """The run in a store of its own."""
    store, row = run.path.parent.parent, Path("leaderboard", "rows", f"{run.id}.json")
    shutil.copytree(run.path, folder / "runs" / run.id)
    (folder / row).parent.mkdir(parents=True, exist_ok=True)
    if (store / row).exists():
        shutil.copy(store / row, folder / row)
    return Run(RunDir(folder / "runs" / run.id))


def killed(run: Run, folder: Path, kept: int = 1_000) -> Run:
    """The run as kill -9 leaves it with so many tests in its journal."""
    there = copied(run, folder)
    document = json.loads(there.directory.manifest_file.read_text())
    if not document.get("lives"):
        document["lives"] = [{}]
        there.directory.manifest_file.write_text(json.dumps(document))
    return Run(kill_after(folder, run.id, kept))


def without_journals(run: Run, folder: Path) -> Run:
    """The run as somebody has it who was given its finished files only."""
    there = copied(run, folder)
    for file in there.path.glob("*.jsonl"):
        file.unlink()
    return there
