"""Moments as manifests write them: ISO 8601 text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_time(text: Any) -> datetime | None:
    """The moment that ISO 8601 text names, in UTC; text without a zone is UTC. None for None and for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def time_of(unix_ns: int) -> datetime:
    """The moment, UTC, in whole microseconds: what a timestamp column holds."""
    return _EPOCH + timedelta(microseconds=unix_ns // 1000)


def unix_ns(time: datetime) -> int:
    """Nanoseconds since 1970, exact to the microsecond that a datetime holds."""
    return (time - _EPOCH) // _MICROSECOND * 1000
