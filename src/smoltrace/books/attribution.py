"""Energy of shared devices, split exactly: to the tests that ran meanwhile, and within a test to its spans.

All amounts are whole microjoules and all times nanoseconds. Every split is by largest remainder, so its parts add up to
the whole, whatever was rounded.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from smoltrace.books.intervals import Interval, covered

_PARTS = 720_720
"""Divisible by every number up to 14: by so many spans at once a moment is shared out without a remainder."""


class Segment(NamedTuple):
    """What one device used between two readings."""

    start_ns: int
    end_ns: int
    uj: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A test that may have used the device. `inference` are the times of its calls where the model runs on the device
    itself; without them the test's time counts."""

    key: str
    start_ns: int
    end_ns: int
    inference: tuple[Interval, ...] = ()


class Share(NamedTuple):
    """A part of a segment's energy."""

    segment: Segment
    uj: int


@dataclass(slots=True)
class _Parts:
    """The parts of one test, in the segments from number `first` on: eight bytes each, for runs of many hours."""

    first: int
    uj: array[int]


@dataclass(slots=True)
class Attribution:
    """How the energy of one device was split: shares by test, and what belongs to none. Both together are what the
    segments hold."""

    unattributed_uj: int = 0
    _segments: list[Segment] = field(default_factory=list)
    _parts: dict[str, _Parts] = field(default_factory=dict)

    def shares_of(self, key: str) -> Iterator[Share]:
        """What a test has, segment by segment, in order of time."""
        parts = self._parts.get(key)
        if parts is not None:
            for place, uj in enumerate(parts.uj, start=parts.first):
                if uj:
                    yield Share(self._segments[place], uj)

    def uj_of(self, key: str) -> int:
        """What a test has of all segments; 0 for one that overlaps none."""
        parts = self._parts.get(key)
        return 0 if parts is None else sum(parts.uj)

    @property
    def attributed_uj(self) -> int:
        return sum(sum(parts.uj) for parts in self._parts.values())

    def add(self, segment: Segment, unattributed: int, parts: Iterable[tuple[str, int]]) -> None:
        """Keep how the next segment was split. A test's segments follow each other."""
        place = len(self._segments)
        self._segments.append(segment)
        self.unattributed_uj += unattributed
        for key, uj in parts:
            kept = self._parts.setdefault(key, _Parts(place, array("q")))
            kept.uj.extend([0] * (place - kept.first - len(kept.uj)))
            kept.uj.append(uj)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts in proportion to the weights, by largest remainder; ties go to the earlier one.

    Raises ValueError when no weight is positive and there is something to split.
    """
    whole = sum(weights)
    if whole <= 0:
        if total:
            raise ValueError("nothing to split by: no weight is positive")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def attribute(segments: Iterable[Segment], claims: Iterable[Claim]) -> Attribution:
    """Split the energy of one device over the tests that ran.

    Of each segment the part of the time that any test covers is busy, the rest belongs to none. The busy part goes to
    the tests in proportion to their inference time in the segment, where any has some, else to their time in it. Ties
    go by key.
    """
    result = Attribution()
    upcoming = sorted(claims, key=lambda claim: (claim.start_ns, claim.key))
    active: list[Claim] = []
    place = 0
    for segment in sorted(segments):
        while place < len(upcoming) and upcoming[place].start_ns < segment.end_ns:
            active.append(upcoming[place])
            place += 1
        active = [claim for claim in active if claim.end_ns > segment.start_ns]
        _split(segment, sorted(active, key=lambda claim: claim.key), result)
    return result


def _split(segment: Segment, claims: Sequence[Claim], result: Attribution) -> None:
    length = segment.end_ns - segment.start_ns
    busy_ns = _union(segment, claims) if length > 0 else 0
    if not busy_ns:
        result.add(segment, segment.uj, ())
        return
    busy, idle = apportion(segment.uj, (busy_ns, length - busy_ns))
    weights = [sum(_overlap(segment, interval) for interval in claim.inference) for claim in claims]
    if not any(weights):
        weights = [_overlap(segment, (claim.start_ns, claim.end_ns)) for claim in claims]
    result.add(segment, idle, zip((claim.key for claim in claims), apportion(busy, weights), strict=True))


def _overlap(segment: Segment, interval: Interval) -> int:
    return max(0, min(segment.end_ns, interval[1]) - max(segment.start_ns, interval[0]))


def _union(segment: Segment, claims: Sequence[Claim]) -> int:
    clipped = [(max(c.start_ns, segment.start_ns), min(c.end_ns, segment.end_ns)) for c in claims]
    return covered(clipped)


# Within a test


class SpanTime(NamedTuple):
    """A span as far as energy goes. `inference` marks a call to a model that runs on the device itself."""

    key: str
    parent: str | None
    start_ns: int
    end_ns: int
    inference: bool = False


def attribute_to_spans(shares: Iterable[Share], spans: Sequence[SpanTime]) -> dict[str, int]:
    """Split a test's shares over its spans: microjoules by span, those with nothing left out; they sum to the test's.

    A share goes to the calls that overlap its segment, in proportion, where any is an inference; else each moment of it
    goes to the innermost spans of that moment. So a span has what was used in it and in no span within it. A share that
    overlaps no span stays with the first root.
    """
    if not spans:
        return {}
    calls = sorted((span for span in spans if span.inference), key=lambda span: span.key)
    moments = list(_innermost(spans))
    root = min(spans, key=lambda span: (span.parent is not None, span.start_ns, span.key)).key
    found: dict[str, int] = {}
    for share in shares:
        weights = {span.key: _overlap(share.segment, (span.start_ns, span.end_ns)) for span in calls}
        if not any(weights.values()):
            weights = _weights_at(share.segment, moments) or {root: 1}
        keys = sorted(weights)
        for key, uj in zip(keys, apportion(share.uj, [weights[key] for key in keys]), strict=True):
            if uj:
                found[key] = found.get(key, 0) + uj
    return found


Moment = tuple[int, int, tuple[str, ...]]


def _innermost(spans: Sequence[SpanTime]) -> Iterator[Moment]:
    """The time of the spans cut at every start and end, each piece with the spans that are innermost in it."""
    above = _ancestors(spans)
    lasting = [span for span in spans if span.end_ns > span.start_ns]
    events = sorted(
        [(span.start_ns, 1, span.key) for span in lasting] + [(span.end_ns, 0, span.key) for span in lasting]
    )
    within: dict[str, int] = {}
    open_spans: set[str] = set()
    innermost: dict[str, None] = {}
    before = 0
    for time_ns, opens, key in events:
        if innermost and time_ns > before:
            yield (before, time_ns, tuple(innermost))
        before = time_ns
        (open_spans.add if opens else open_spans.remove)(key)
        innermost.pop(key, None)
        if opens and not within.get(key):
            innermost[key] = None
        for outer in above[key]:
            within[outer] = within.get(outer, 0) + (1 if opens else -1)
            innermost.pop(outer, None)
            if outer in open_spans and not within[outer]:
                innermost[outer] = None


def _ancestors(spans: Iterable[SpanTime]) -> dict[str, list[str]]:
    """By span all that it is in, also those that ended before it; a span that is in itself ends the way."""
    parents = {span.key: span.parent for span in spans}
    found: dict[str, list[str]] = {}
    for key in parents:
        way: dict[str, None] = {}
        at = parents[key]
        while at is not None and at in parents and at not in way and at != key:
            way[at] = None
            at = parents[at]
        found[key] = list(way)
    return found


def _weights_at(segment: Segment, moments: Sequence[Moment]) -> dict[str, int]:
    weights: dict[str, int] = {}
    first = bisect_right(moments, segment.start_ns, key=lambda moment: moment[1])
    for start, end, keys in islice(moments, first, None):
        if start >= segment.end_ns:
            break
        if overlap := _overlap(segment, (start, end)):
            for key in keys:
                weights[key] = weights.get(key, 0) + overlap * _PARTS // len(keys)
    return weights


def sum_by_key(found: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Microjoules by key, over several devices."""
    total: dict[str, int] = {}
    for each in found:
        for key, uj in each.items():
            total[key] = total.get(key, 0) + uj
    return total
