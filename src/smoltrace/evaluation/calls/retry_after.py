"""How long a server asks to be left alone: the response headers retry-after and retry-after-ms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


def retry_after_of(error: BaseException, *, now: datetime | None = None) -> float | None:
    """Seconds, 0 or more, that the response behind a client's exception asks to wait; None where it says nothing.

    `retry-after-ms` holds milliseconds, `retry-after` seconds or a date (RFC 9110, 10.2.3). What cannot be read is as
    if it were not there.
    """
    headers = getattr(getattr(error, "response", None), "headers", None)
    if headers is None:
        headers = getattr(error, "headers", None)
    if not isinstance(headers, Mapping):
        return None
    given = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    milliseconds = _seconds(given.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    told = given.get("retry-after")
    seconds = _seconds(told)
    return seconds if seconds is not None or told is None else _until(told, now or datetime.now(UTC))


def _seconds(text: Any) -> float | None:
    try:
        seconds = float(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())
