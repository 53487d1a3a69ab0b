"""Gauges over time: averages weighted by time for each device, then combined over devices.

Power and memory add up over devices, utilisation and temperature average. A sample is (unix nanoseconds, value); the
time is None where it is not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Sample = tuple[int | None, float]


def in_time(samples: Iterable[Sample]) -> list[Sample]:
    """Sorted by time, one sample per moment; undated samples are kept as they are, in front."""
    found = list(samples)
    undated = [sample for sample in found if sample[0] is None]
    dated = {time_ns: value for time_ns, value in found if time_ns is not None}
    return [*undated, *sorted(dated.items())]


def time_weighted_mean(samples: Sequence[Sample]) -> float | None:
    """The mean of samples in order of time, each weighted by the time around it; None without samples.

    A sample stands for half the way to each neighbour, the first and the last for as much on their outer side as on
    their inner: evenly spaced samples all weigh the same, and their mean is the plain one. So it is without times.
    """
    values = [value for _, value in samples]
    times = [time_ns for time_ns, _ in samples if time_ns is not None]
    if len(times) != len(values) or len(values) < 3:
        return plain_mean(values)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    weights = [before + after for before, after in zip([gaps[0], *gaps], [*gaps, gaps[-1]], strict=True)]
    if len(set(weights)) == 1:
        return plain_mean(values)
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


def plain_mean(values: Iterable[float]) -> float | None:
    """The mean; None without values."""
    found = list(values)
    return math.fsum(found) / len(found) if found else None


def combined(by_device: Iterable[Sequence[Sample]], combine: Callable[[list[float]], float | None]) -> float | None:
    """The means of all devices made one; None without a sample."""
    means = [mean for samples in by_device if (mean := time_weighted_mean(samples)) is not None]
    return combine(means) if means else None


def highest(by_device: Iterable[Iterable[Sample]]) -> float | None:
    """The highest value of any device; None without a sample."""
    return max((value for samples in by_device for _, value in samples), default=None)


def highest_together(by_device: Iterable[Sequence[Sample]]) -> float | None:
    """The highest sum over devices at one moment; between two of its samples a device keeps the earlier value."""
    changes: dict[int, list[tuple[int, float]]] = {}
    for device, samples in enumerate(by_device):
        for order, (time_ns, value) in enumerate(samples):
            changes.setdefault(time_ns if time_ns is not None else order, []).append((device, value))
    current: dict[int, float] = {}
    found: float | None = None
    for moment in sorted(changes):
        current.update(changes[moment])
        together = sum(current.values())
        found = together if found is None else max(found, together)
    return found
