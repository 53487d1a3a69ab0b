"""The worker processes of a run, as the system lists them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

MODULE = b"smoltrace.evaluation.engines.worker"


def workers_of(folder: Path) -> list[int]:
    """The worker processes that run in a folder, the one that makes them included."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if MODULE in (process / "cmdline").read_bytes() and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue  # it ended while we looked
    return found


def wait_until(true: Callable[[], object], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(true())
