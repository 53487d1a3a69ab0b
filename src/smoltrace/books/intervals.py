"""Intervals of time in nanoseconds: (start, end)."""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[int, int]


def covered(intervals: Iterable[Interval]) -> int:
    """Nanoseconds in at least one of them; one that ends before it begins covers nothing."""
    total, reached = 0, None
    for start, end in sorted(intervals):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += end - begin
            reached = end
    return total
