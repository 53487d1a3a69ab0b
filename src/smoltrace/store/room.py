"""Whether a store has room for a run, found out before anything is spent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from smoltrace.errors import UsageError

MIN_FREE_BYTES = 50_000_000
"""A disk with less is full before a run of any size is written: its journal and its finished files are both kept."""


def check_room(store: Path) -> None:
    """Raise UsageError when no run can be kept in a store: a file stands in its place, it cannot be written, or its
    disk is as good as full. Nothing is made."""
    place = _existing(store)
    for needed in (place, store / "runs", store / "leaderboard"):
        if os.path.lexists(needed) and not needed.is_dir():
            raise UsageError(f"The store {store} cannot be used: {needed} is no folder. Choose another with --store.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UsageError(f"The store {store} cannot be written: {place} is not yours to write. {_ELSEWHERE}")
    free = free_bytes(store)
    if free < MIN_FREE_BYTES:
        raise UsageError(
            f"The disk of the store {store} has {free / 1e6:.0f} MB left, and a run wants at least "
            f"{MIN_FREE_BYTES / 1e6:.0f}: free some space, or choose another store with --store."
        )


def free_bytes(store: Path) -> int:
    """What is left on the disk of a store, whether it is there already or not."""
    return shutil.disk_usage(_existing(store)).free


_ELSEWHERE = "Change the permissions, or choose another store with --store."


def _existing(path: Path) -> Path:
    """The path, or the nearest above it that is there."""
    for place in (path, *path.absolute().parents):
        if os.path.lexists(place):
            return place
    return Path(path.anchor or ".")
