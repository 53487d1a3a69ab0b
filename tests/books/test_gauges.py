"""Gauges over time: averages of what was read, while it was read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.gauges import highest, highest_together, in_time, mean_of_each, mean_together, time_weighted_mean

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def life(*values: float, start: int = 0) -> list[tuple[int | None, float]]:
    """One sample a second."""
    return [(start + n * SECOND, value) for n, value in enumerate(values)]


def test_samples_weigh_by_the_time_around_them() -> None:
    assert time_weighted_mean([(0, 0.0), (1, 10.0), (10, 10.0)]) == pytest.approx(
        (1 * 0 + 5 * 10 + 9 * 10) / 15, rel=0.2
    )
    assert time_weighted_mean([]) is None
    assert time_weighted_mean(life(1.0, 2.0, 3.0)) == 2.0


def test_one_sample_a_moment_in_order() -> None:
    assert in_time([(5, 2.0), (None, 9.0), (1, 1.0), (5, 2.0)]) == [(None, 9.0), (1, 1.0), (5, 2.0)]


def test_a_pause_between_two_lives_is_no_time_of_the_device() -> None:
    busy = [50.0, *[300.0] * 9, 50.0]
    device = [life(*busy), life(*busy, start=HOUR)]
    assert mean_together([device]) == pytest.approx(time_weighted_mean(life(*busy)))
    assert mean_of_each([device]) == pytest.approx(time_weighted_mean(life(*busy)))


def test_devices_of_different_lives_were_never_there_together() -> None:
    first = [[life(300.0, 300.0, 300.0)], [life(100.0, 100.0, 100.0)]]
    second = [[life(200.0, 200.0, 200.0, start=HOUR)]]
    assert highest_together([*first, *second]) == 400.0
    assert mean_together([*first, *second]) == 300.0
    assert highest([*first, *second]) == 300.0


def test_a_device_that_was_read_for_half_the_time_counts_for_half() -> None:
    whole, half = [life(*[100.0] * 11)], [life(*[100.0] * 6)]
    assert mean_together([whole, half]) == pytest.approx(150.0)
    assert mean_of_each([[life(*[90.0] * 11)], [life(*[30.0] * 6)]]) == pytest.approx(70.0)


def test_between_two_samples_a_device_keeps_the_earlier_value() -> None:
    assert highest_together([[[(0, 5.0), (10, 1.0)]], [[(5, 7.0), (20, 0.0)]]]) == 12.0


def test_nothing_read_is_none_and_zero_is_a_value() -> None:
    for combine in (mean_together, mean_of_each, highest, highest_together):
        assert combine([]) is None
        assert combine([[life(0.0, 0.0)]]) == 0.0


samples = st.lists(st.lists(st.floats(0, 1e6), min_size=2, max_size=6), min_size=1, max_size=4)


@given(devices=samples, order=st.randoms())
def test_the_order_of_the_devices_does_not_count(devices: list[list[float]], order: object) -> None:
    found = [[life(*values)] for values in devices]
    mixed = list(found)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    for combine in (mean_together, mean_of_each, highest, highest_together):
        assert combine(mixed) == pytest.approx(combine(found))
