"""The few statistics that a run's summary needs. Nothing in gives None out, never 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb, sqrt
from typing import Final, TypeVar

T = TypeVar("T")

_Z_95: Final = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def wilson_interval(successes: int, n: int) -> tuple[float, float] | None:
    """The 95 % confidence interval of a success rate, in percent; None for n = 0.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927): unlike the normal
    approximation it stays within 0 to 100 and is usable for a handful of tests.
    """
    _check_counts(n, successes)
    if n == 0:
        return None
    rate, square = successes / n, _Z_95 * _Z_95
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = _Z_95 * sqrt(rate * (1 - rate) / n + square / (4 * n * n)) / (1 + square / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return 100 * low, 100 * high


def percentile(values: Iterable[float], q: float) -> float | None:
    """The q-th percentile (0 to 100), linear between the two nearest values; None for no values."""
    if not 0 <= q <= 100:
        raise ValueError(f"a percentile lies between 0 and 100, not {q}")
    ordered = sorted(values)
    if not ordered:
        return None
    position = (len(ordered) - 1) * q / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    # Clamped: the interpolation may stray past its ends by a rounding error.
    return min(max(low + (high - low) * (position - below), low), high)


def mean(values: Iterable[float]) -> float | None:
    """The arithmetic mean; None for no values."""
    listed: Sequence[float] = list(values)
    return sum(listed) / len(listed) if listed else None


def most_common(values: Iterable[T | None]) -> T | None:
    """The most frequent value that is not None; of equally frequent ones the first in order of their text."""
    counts = Counter(value for value in values if value is not None)
    if not counts:
        return None
    return min(counts, key=lambda value: (-counts[value], str(value)))


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """The chance (0 to 1) that at least one of k attempts succeeds, from c successes in n attempts; None where k > n.

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of Chen et al., "Evaluating large language models trained on code",
    2021.
    """
    _check_counts(n, c)
    if not 1 <= k <= n:
        return None
    return 1.0 - comb(n - c, k) / comb(n, k)


def pass_hat_k(n: int, c: int, k: int) -> float | None:
    """The chance (0 to 1) that all of k attempts succeed, from c successes in n attempts; None where k > n.

    The unbiased estimator C(c, k) / C(n, k) of Yao et al., "tau-bench", 2024.
    """
    _check_counts(n, c)
    if not 1 <= k <= n:
        return None
    return comb(c, k) / comb(n, k)


def _check_counts(n: int, successes: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes out of {n} is impossible")
