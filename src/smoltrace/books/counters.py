"""Cumulative counters over time: what a series grew by, also across resets, restarts and points that came twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

Number = TypeVar("Number", int, float)


class Count(NamedTuple):
    """One point of a counter.

    `start_ns` is when the counter began and `time_ns` when it was read, both unix nanoseconds and None where the
    exporter did not say. `delta` says that the value is what was added since the point before.
    """

    start_ns: int | None
    time_ns: int | None
    value: int | float
    delta: bool = False


def step(previous: Number, value: Number) -> Number:
    """What a counter grew by between two readings. A fall is a reset: what it shows then was all counted since."""
    return value - previous if value >= previous else value


def increase(points: Iterable[Count]) -> int | float:
    """What one counter grew by over the points of its series, in any order, points that came twice counted once.

    The first point of each start counts in full: the series began at 0 there. Whole numbers are added exactly. Between
    resets the last value holds all of it, so nothing is lost to rounding.
    """
    return _sum(_growth(life) for life in lives(points))


def lives(points: Iterable[Count]) -> list[list[Count]]:
    """The points by their start, each life in order of time and without what came twice; undated points are kept."""
    found: dict[int | None, dict[tuple[bool, int], Count]] = {}
    for order, point in enumerate(points):
        moment = (False, order) if point.time_ns is None else (True, point.time_ns)
        found.setdefault(point.start_ns, {})[moment] = point
    ordered = sorted(found.items(), key=lambda item: (item[0] is not None, item[0] or 0))
    return [[life[moment] for moment in sorted(life)] for _, life in ordered]


def _growth(ordered: Sequence[Count]) -> int | float:
    """What the points of one start add up to: the value before each fall and the last one; every value of a delta."""
    following: Sequence[Count | None] = [*ordered[1:], None]
    return _sum(
        point.value
        for point, after in zip(ordered, following, strict=True)
        if point.delta or after is None or after.value < point.value
    )


def _sum(values: Iterable[int | float]) -> int | float:
    found = list(values)
    return sum(found) if all(isinstance(value, int) for value in found) else math.fsum(found)
