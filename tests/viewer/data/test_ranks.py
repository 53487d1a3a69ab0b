from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smoltrace.viewer.data.ranks import Ranks

intervals = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda ends: (float(min(ends)), float(max(ends)))), min_size=1
)


def test_intervals_that_overlap_share_a_range() -> None:
    ranks = Ranks([(80.0, 90.0, 1), (75.0, 85.0, 1), (10.0, 20.0, 1)])
    assert [ranks.of(80.0, 90.0), ranks.of(75.0, 85.0), ranks.of(10.0, 20.0)] == [(1, 2), (1, 2), (3, 3)]


def test_intervals_that_touch_overlap() -> None:
    assert Ranks([(50.0, 60.0, 1), (60.0, 70.0, 1)]).of(50.0, 60.0) == (1, 2)


@given(intervals)
def test_a_range_is_what_its_definition_says(ends: list[tuple[float, float]]) -> None:
    ranks = Ranks((low, high, 1) for low, high in ends)
    for low, high in ends:
        better = sum(other_low > high for other_low, _ in ends)
        worse = sum(other_high < low for _, other_high in ends)
        assert ranks.of(low, high) == (1 + better, len(ends) - worse)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1))
def test_a_range_contains_the_place_of_the_run_itself(runs: list[tuple[int, int]]) -> None:
    """Whatever its interval is, as long as the rate lies in it."""
    rates = sorted((float(rate) for rate, _ in runs), reverse=True)
    ends = [(rate - width, rate + width) for rate, width in runs]
    ranks = Ranks((low, high, 1) for low, high in ends)
    for (rate, _), (low, high) in zip(runs, ends, strict=True):
        best, worst = ranks.of(low, high)
        assert 1 <= best <= 1 + rates.index(rate) <= worst <= len(runs)


@given(intervals)
def test_counted_together_is_as_counted_one_by_one(ends: list[tuple[float, float]]) -> None:
    one_by_one = Ranks((low, high, 1) for low, high in ends)
    together = Ranks((low, high, ends.count((low, high))) for low, high in set(ends))
    assert all(one_by_one.of(*each) == together.of(*each) for each in ends)
