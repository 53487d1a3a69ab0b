"""A run as kill -9 leaves it: so many tests in the journal, half a line behind them, and no end in its manifest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from smoltrace.store.layout import RunDir, Store

TORN = b'{"run_id": "x", "test_ind'


def kill_after(folder: Path, run_id: str, kept: int, *, torn: bytes = TORN) -> RunDir:
    """Turn a finished run into one whose process was killed when `kept` tests were in its journal."""
    run_dir = Store(folder).run(run_id)
    lines = run_dir.results_journal.read_bytes().splitlines(keepends=True)
    run_dir.results_journal.write_bytes(b"".join(lines[:kept]) + torn)
    with run_dir.traces_journal.open("ab") as traces:
        traces.write(torn)
    with run_dir.spending_journal.open("ab") as spending:
        spending.write(torn)
    for file in (*run_dir.path.glob("*.parquet"), run_dir.summary_file):
        file.unlink()
    (Store(folder).leaderboard_path / "rows" / f"{run_id}.json").unlink()
    die(run_dir)
    return run_dir


def die(run_dir: RunDir, **changes: Any) -> None:
    """Take the end of its last life out of the manifest, as if nobody had been there to write it."""
    manifest = run_dir.manifest()
    manifest |= {"status": "running", "finished_at": None, "wall_time_ms": None, **changes}
    manifest["lives"][-1] |= {"ended_at": None, "wall_time_ms": None, "stopped_by": None}
    run_dir.manifest_file.write_text(json.dumps(manifest))


def written_at(run_dir: RunDir, unix_seconds: float) -> None:
    """Set when the last result was written."""
    os.utime(run_dir.results_journal, (unix_seconds, unix_seconds))


def state_of(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder, locks left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
