"""The energy of one device since its baseline: a law over any series of readings."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.devices import watched
from smoltrace.devices.device import DeviceInfo, DeviceLost, Gauges, Method
from smoltrace.devices.watched import Watched


@dataclass
class Meter:
    """A device that shows what it is told: counter values, or watts; an error is raised."""

    method: Method | None = "energy_counter"
    shown: list[int | float | DeviceLost | None] = field(default_factory=list)
    asked: int = 0

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("gpu", "0", "GPU-1", "Meter", self.method, "device")

    def next(self) -> int | float | None:
        self.asked += 1
        shown = self.shown.pop(0)
        if isinstance(shown, DeviceLost):
            raise shown
        return shown

    def counter_uj(self) -> int | None:
        value = self.next()
        return None if value is None else int(value)

    def gauges(self) -> Gauges:
        return Gauges(power_w=self.next() if self.method != "energy_counter" else None)

    def close(self) -> None:
        pass


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost device is asked again at once."""
    monkeypatch.setattr(watched, "RETRY_NS", 0)


def energies(one: Watched, readings: int) -> list[int | None]:
    """What is told after each reading; those that were not possible are left out."""
    return [one.reading(0, with_gauges=True).energy_uj for _ in range(readings) if one.read()]


@given(st.lists(st.integers(0, 10**15), min_size=1))
def test_energy_never_falls_and_a_counter_that_begins_anew_counts_in_full(values: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watched, "MOST_W", 10**18)  # the readings follow each other at once here
        found = energies(Watched(Meter(shown=list(values))), len(values))
    truth = 0
    for before, value, told in zip([values[0], *values], values, found, strict=False):
        truth += value - before if value >= before else value
        assert told == truth
    assert found == sorted(found, key=lambda energy: energy or 0)


def test_a_counter_that_only_stumbles_is_not_taken_for_one_that_began_anew() -> None:
    one = Watched(Meter(shown=[5_000_000_030_000, 5_000_000_029_000, 5_000_000_031_000]))
    assert energies(one, 3) == [0, 0, 2_000]
    assert "went back" in (one.fault or "")


@given(st.lists(st.integers(0, 10**6), min_size=1), st.data())
def test_finer_reading_changes_nothing(steps: list[int], data: st.DataObject) -> None:
    values = [sum(steps[: i + 1]) for i in range(len(steps))]
    chosen = data.draw(st.sets(st.integers(0, len(values) - 1)))
    some = [value for i, value in enumerate(values) if i in chosen | {0, len(values) - 1}]
    every = energies(Watched(Meter(shown=list(values))), len(values))
    assert energies(Watched(Meter(shown=list(some))), len(some))[-1] == every[-1]


def test_what_a_lost_device_used_is_counted_when_its_counter_went_on(at_once: None) -> None:
    one = Watched(Meter(shown=[100, 150, DeviceLost("GPU is lost"), DeviceLost("GPU is lost"), 400]))
    assert energies(one, 5) == [0, 50, 300]
    assert one.fault == "gpu 0 (Meter) could not be read for a while: GPU is lost"


def test_a_device_that_is_lost_at_first_begins_with_0_when_it_comes(at_once: None) -> None:
    assert energies(Watched(Meter(shown=[DeviceLost("gone"), 7_000, 7_010])), 3) == [0, 10]


def test_a_lost_device_is_not_asked_again_for_two_seconds() -> None:
    meter = Meter(shown=[DeviceLost("gone"), 1])
    assert energies(Watched(meter), 5) == []
    assert meter.asked == 1


def test_power_that_is_not_shown_for_a_moment_adds_nothing() -> None:
    one = Watched(Meter("power_trapezoid", [100.0, 100.0, None, 100.0]))
    found = energies(one, 4)
    assert found[0] == 0
    assert found[2] is None
    assert found[3] == found[1]


def test_the_power_of_a_lost_device_is_not_made_up(at_once: None) -> None:
    one = Watched(Meter("power_trapezoid", [100.0, 100.0, DeviceLost("gone"), 100.0]))
    found = energies(one, 4)
    assert found[1] == found[2]


def test_without_a_way_to_read_energy_it_is_unknown() -> None:
    assert energies(Watched(Meter(None, [100.0, 100.0])), 2) == [None, None]


def test_a_counter_that_shows_nothing_is_unknown_then() -> None:
    assert energies(Watched(Meter(shown=[100, None, 130])), 3) == [0, None, 30]


def test_an_energy_that_was_read_is_told_when_the_gauges_are_lost_after_it() -> None:
    class Half(Meter):
        def gauges(self) -> Gauges:
            raise DeviceLost("gone")

    one = Watched(Half(shown=[100, 150]))
    assert one.read()
    assert one.reading(0, with_gauges=True).gauges == Gauges()
    assert one.fault is not None
    assert not one.read()
