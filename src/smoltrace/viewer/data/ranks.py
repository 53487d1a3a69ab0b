"""Rank ranges: what can be said of the order of runs whose success is known to within an interval."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Ranks:
    """The ranks that each run of a set may have, given the intervals of all of them.

    A run is surely behind another whose interval begins above the end of its own. So its best rank is 1 + how many
    surely are before it, its worst n − how many surely are behind it.
    """

    def __init__(self, intervals: Iterable[tuple[float, float, int]]) -> None:
        """`intervals`: low end, high end, and how many runs have this very interval."""
        lows: dict[float, int] = {}
        highs: dict[float, int] = {}
        self.total = 0
        for low, high, runs in intervals:
            lows[low] = lows.get(low, 0) + runs
            highs[high] = highs.get(high, 0) + runs
            self.total += runs
        self._lows, self._highs = sorted(lows), sorted(highs)
        self._before_low = [0, *accumulate(lows[low] for low in self._lows)]
        self._before_high = [0, *accumulate(highs[high] for high in self._highs)]

    def of(self, low: float, high: float) -> tuple[int, int]:
        """The best and the worst rank of a run of the set with this interval, 1 being the first."""
        surely_better = self.total - self._before_low[bisect_right(self._lows, high)]
        surely_worse = self._before_high[bisect_left(self._highs, low)]
        return 1 + surely_better, self.total - surely_worse
