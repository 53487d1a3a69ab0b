"""Intervals of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.intervals import covered


def test_what_overlaps_counts_once() -> None:
    assert covered([(0, 10), (5, 20), (30, 31), (30, 31)]) == 21
    assert covered([]) == covered([(5, 5), (9, 3)]) == 0


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_it_is_the_number_of_moments_in_any(intervals: list[tuple[int, int]]) -> None:
    assert covered(intervals) == sum(any(start <= at < end for start, end in intervals) for at in range(60))
