"""Energy in whole microjoules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.energy import UJ_PER_J, UJ_PER_WH, Trapezoid, uj_of, wh_of

SECOND = 1_000_000_000


def test_one_watt_hour_is_3600_joules() -> None:
    assert wh_of(3600 * UJ_PER_J) == 1.0
    assert uj_of(1.0) == UJ_PER_WH


@given(st.integers(0, 400_000 * UJ_PER_WH))
def test_watt_hours_give_the_same_microjoules_back(microjoules: int) -> None:
    assert uj_of(wh_of(microjoules)) == microjoules


def test_a_constant_power_is_power_times_time() -> None:
    meter = Trapezoid()
    for tenth in range(41):
        meter.add(tenth * SECOND // 10, 300_000)
    assert meter.uj == 300 * 4 * UJ_PER_J


def test_a_ramp_is_half_of_its_height() -> None:
    meter = Trapezoid()
    meter.add(0, 0)
    meter.add(2 * SECOND, 100_000)
    assert meter.uj == 100 * UJ_PER_J


def test_a_pause_adds_nothing_and_time_never_runs_back() -> None:
    meter = Trapezoid()
    meter.add(0, 10_000)
    meter.add(SECOND, 10_000)
    meter.add(SECOND // 2, 99_000)
    meter.pause()
    meter.add(5 * SECOND, 10_000)
    assert meter.uj == 10 * UJ_PER_J
    meter.add(6 * SECOND, 10_000)
    assert meter.uj == 20 * UJ_PER_J


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 700_000)), min_size=1))
def test_it_never_falls_and_is_exact_at_the_end(readings: list[tuple[int, int]]) -> None:
    meter, time_ns, before, twice = Trapezoid(), 0, 0, 0
    last: int | None = None
    for gap, milliwatts in readings:
        time_ns += gap
        meter.add(time_ns, milliwatts)
        twice += 0 if last is None else (last + milliwatts) * gap
        last = milliwatts
        assert meter.uj >= before
        before = meter.uj
    assert meter.uj == pytest.approx(twice / 2e6, abs=1)
