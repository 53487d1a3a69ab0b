"""What was read, kept while it is true."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from smoltrace.viewer.data.readings import Readings, state_of


def counting() -> tuple[list[int], Any]:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return len(made)

    return made, make


def test_it_is_made_again_only_when_its_state_is_another() -> None:
    readings = Readings()
    _, make = counting()
    assert [readings.of("a", state, make, lambda _: 1) for state in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 3]


def test_the_longest_unused_is_forgotten_first() -> None:
    readings = Readings(limit=10)
    made, make = counting()
    for name in ("a", "b", "a", "c", "a", "b"):
        readings.of(name, 0, make, lambda _: 4)
        assert readings.weight <= 10
    assert len(made) == 4  # b went when c came


def test_what_is_too_heavy_is_given_and_not_kept() -> None:
    readings = Readings(limit=10)
    _, make = counting()
    assert [readings.of("a", 0, make, lambda _: 11) for _ in range(2)] == [1, 2]
    assert readings.weight == 0


def test_a_heavier_one_takes_the_place_of_the_one_before() -> None:
    readings = Readings(limit=10)
    _, make = counting()
    readings.of("a", 0, make, lambda _: 3)
    readings.of("a", 1, make, lambda _: 7)
    assert readings.weight == 7


def test_nothing_is_kept_of_what_failed() -> None:
    readings = Readings()

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        readings.of("a", 0, fail, lambda _: 1)
    _, make = counting()
    assert readings.of("a", 0, make, lambda _: 1) == 1


def test_two_threads_never_make_the_same_at_once() -> None:
    readings = Readings()
    running, most, made = 0, 0, 0
    guard = threading.Lock()

    def make() -> int:
        nonlocal running, most, made
        with guard:
            running, made = running + 1, made + 1
            most = max(most, running)
        time.sleep(0.01)
        with guard:
            running -= 1
        return 7

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(readings.of("a", 0, make, lambda _: 1))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, most, made) == ([7] * 12, 1, 1)


def test_others_are_made_meanwhile() -> None:
    readings = Readings()
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert go_on.wait(10)
        return 1

    thread = threading.Thread(target=lambda: readings.of("slow", 0, slow, lambda _: 1))
    thread.start()
    assert begun.wait(10)
    assert readings.of("quick", 0, lambda: 2, lambda _: 1) == 2
    go_on.set()
    thread.join()


def test_with_patience_an_older_one_serves_for_a_while() -> None:
    readings = Readings()
    _, make = counting()

    def slow() -> int:
        time.sleep(0.02)
        return int(make())

    assert [readings.of("a", state, slow, lambda _: 1, patience=1e6) for state in (1, 2, 3)] == [1, 1, 1]
    assert readings.of("a", 4, slow, lambda _: 1) == 2


def test_what_grows_is_made_from_the_one_before() -> None:
    readings = Readings()

    def more(before: list[int] | None) -> list[int]:
        return [*(before or []), len(before or [])]

    assert [readings.grown("a", state, more, len) for state in (1, 2, 2)] == [[0], [0, 1], [0, 1]]


def test_the_state_of_a_file_changes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "a"
    assert state_of(file) is None
    file.write_text("1")
    first = state_of(file)
    file.write_text("12")
    assert None not in (first, state_of(file))
    assert state_of(file) != first
    assert state_of(file / "below") is None
