"""The lives of a run: each process that has worked on it, from when to when, with which versions, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from smoltrace.evaluation.lives.machine import hardware, versions

KILLED = "killed"
"""What ended a life that could not say so itself."""


def new_life(instrument: tuple[str, ...] = ()) -> dict[str, Any]:
    """A life that begins now. `stopped_by` stays null for one that came to its end."""
    return {
        "started_at": datetime.now(UTC).isoformat(),
        "ended_at": None,
        "wall_time_ms": None,
        "versions": versions(instrument),
        "hardware": hardware(),
        "stopped_by": None,
    }


def lives_of(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lives that a manifest tells of."""
    found = manifest.get("lives")
    return [dict(life) for life in found if isinstance(life, Mapping)] if isinstance(found, list) else []


def with_ended(manifest: Mapping[str, Any], *, seconds: float, stopped_by: str | None) -> dict[str, Any]:
    """The manifest when its last life ends now, after so many seconds."""
    lives = lives_of(manifest) or [new_life()]
    now = datetime.now(UTC).isoformat()
    lives[-1] |= {"ended_at": now, "wall_time_ms": seconds * 1000, "stopped_by": stopped_by}
    return {**manifest, "lives": lives, "finished_at": now, "wall_time_ms": _wall_time(lives)}


def with_killed(manifest: Mapping[str, Any], last_write_ns: int) -> dict[str, Any]:
    """The manifest with the end of a last life that was killed. It is known to have lived until it last wrote a result,
    `last_write_ns` in unix nanoseconds; before that, it is not known to have lived at all."""
    lives = lives_of(manifest)
    if not lives or lives[-1].get("ended_at") is not None:
        return dict(manifest)
    began = datetime.fromisoformat(lives[-1]["started_at"])
    ended = max(began, datetime.fromtimestamp(last_write_ns / 1e9, UTC))
    milliseconds = (ended - began).total_seconds() * 1000
    lives[-1] |= {"ended_at": ended.isoformat(), "wall_time_ms": milliseconds, "stopped_by": KILLED}
    return {**manifest, "lives": lives, "finished_at": ended.isoformat(), "wall_time_ms": _wall_time(lives)}


def with_new(manifest: Mapping[str, Any], instrument: tuple[str, ...] = ()) -> dict[str, Any]:
    """The manifest of a run that goes on now."""
    lives = [*lives_of(manifest), new_life(instrument)]
    return {**manifest, "status": "running", "finished_at": None, "wall_time_ms": None, "lives": lives}


def _wall_time(lives: list[dict[str, Any]]) -> float:
    return sum(float(life.get("wall_time_ms") or 0.0) for life in lives)
