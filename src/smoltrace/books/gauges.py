"""Gauges over time: averages weighted by time for each device, then combined over devices.

Power and memory add up over devices, utilisation and temperature average. A sample is (unix nanoseconds, value); the
time is None where it is not known. A life is the samples of a device from one start of its reading, in order of time:
what lies between two lives was not read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from smoltrace.books.intervals import covered

Sample = tuple[int | None, float]
Life = Sequence[Sample]


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


def mean_together(by_device: Iterable[Sequence[Life]]) -> float | None:
    """The mean over time of what all devices show together (watts, bytes): a device counts while it was read, and the
    time in which none was read counts for nothing. None without a sample."""
    lives = [life for device in by_device for life in device if life]
    if not lives:
        return None
    spans = {_extent(life) for life in lives}
    if len(spans) == 1 or covered(spans) == 0:
        return math.fsum(_known(time_weighted_mean(life)) for life in lives)
    held = math.fsum(_known(time_weighted_mean(life)) * _length(life) for life in lives)
    return held / covered(spans)


def mean_of_each(by_device: Iterable[Sequence[Life]]) -> float | None:
    """The mean over time and devices of what each shows for itself (percent, degrees); None without a sample."""
    lives = [life for device in by_device for life in device if life]
    means = [_known(time_weighted_mean(life)) for life in lives]
    lengths = [_length(life) for life in lives]
    if len(set(lengths)) <= 1 or not sum(lengths):
        return plain_mean(means)
    return math.fsum(mean * length for mean, length in zip(means, lengths, strict=True)) / sum(lengths)


def highest(by_device: Iterable[Iterable[Life]]) -> float | None:
    """The highest value of any device; None without a sample."""
    return max((value for device in by_device for life in device for _, value in life), default=None)


def highest_together(by_device: Iterable[Iterable[Life]]) -> float | None:
    """The highest sum over devices at one moment. Between two samples of a life a device keeps the earlier value; after
    its last one it counts for nothing."""
    changes: dict[int, list[tuple[int, float | None]]] = {}
    for number, life in enumerate(life for device in by_device for life in device):
        for order, (time_ns, value) in enumerate(life):
            changes.setdefault(order if time_ns is None else time_ns, []).append((number, value))
        if life and (last := life[-1][0]) is not None:
            changes.setdefault(last + 1, []).append((number, None))
    current: dict[int, float] = {}
    found: float | None = None
    for moment in sorted(changes):
        for number, shown in changes[moment]:
            if shown is None:
                del current[number]
            else:
                current[number] = shown
        together = sum(current.values())
        found = together if found is None else max(found, together)
    return found


def _extent(life: Life) -> tuple[int, int]:
    """First and last moment; the same for a life without times."""
    times = [time_ns for time_ns, _ in life if time_ns is not None]
    return (times[0], times[-1]) if times else (0, 0)


def _length(life: Life) -> int:
    start, end = _extent(life)
    return end - start


def _known(mean: float | None) -> float:
    assert mean is not None, "a life has samples"
    return mean
