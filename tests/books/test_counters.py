"""Cumulative counters: what they grew by, whatever happened to them on the way."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.counters import Count, increase, lives, step


def test_a_step_is_the_difference_and_after_a_reset_all_that_is_shown() -> None:
    assert step(10, 15) == 5
    assert step(10, 10) == 0
    assert step(10, 4) == 4


def test_no_points_grow_by_nothing() -> None:
    assert increase([]) == 0


def test_a_reset_and_a_new_start_keep_what_was() -> None:
    assert increase([Count(1, 10, 5), Count(1, 20, 2), Count(1, 30, 3)]) == 8
    assert increase([Count(1, 10, 5), Count(15, 20, 6)]) == 11


def test_increments_are_added_up() -> None:
    assert increase([Count(1, 10, 5, delta=True), Count(1, 20, 6, delta=True)]) == 11


def test_lives_are_in_order_of_time() -> None:
    points = [Count(50, 60, 1), Count(1, 20, 9), Count(1, 10, 5)]
    assert [[p.value for p in life] for life in lives(points)] == [[5, 9], [1]]


@given(steps=st.lists(st.integers(0, 10**18), min_size=1), data=st.data())
def test_order_repetition_and_finer_sampling_change_nothing_and_whole_numbers_stay_exact(
    steps: list[int], data: st.DataObject
) -> None:
    points = [Count(0, at, value) for at, value in enumerate(accumulate(steps))]
    some = data.draw(st.lists(st.sampled_from(points)))
    found = increase(data.draw(st.permutations([*points, *some])))
    assert found == sum(steps)
    assert isinstance(found, int)
    assert increase([*some, points[-1]]) == sum(steps)
