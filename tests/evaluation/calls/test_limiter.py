"""How fast a server is asked. The clock is a number that the tests move."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.evaluation.calls.limiter import (
    BETWEEN_DECREASES_S,
    CALLS_BEFORE_THE_FIRST_ANSWER,
    MINUTE_S,
    PACE_S,
    Limiter,
    Passage,
    Rate,
)

ASKED = 10
"""Tokens that a call is expected to use, where it makes no difference."""


class Traffic:
    """A limiter, the calls that it let through, and the time."""

    def __init__(self, rpm: int | None = None, tpm: int | None = None, *, answered: bool = True) -> None:
        self.limiter = Limiter(rpm, tpm)
        self.now = 1000.0
        self.open: list[Passage] = []
        if answered:
            self.go()
            self.answer()
            self.now += MINUTE_S

    def may(self, tokens: int = ASKED) -> bool:
        return self.limiter.wait(self.now, tokens) == 0

    def go(self, tokens: int = ASKED) -> None:
        assert self.may(tokens)
        self.open.append(self.limiter.pass_through(self.now, tokens))

    def go_all(self) -> int:
        """Let as many through as may go now, at most 100."""
        begun = 0
        while self.may() and begun < 100:
            self.go()
            begun += 1
        return begun

    def answer(self, tokens: int = ASKED) -> None:
        self.limiter.answered(self.now, self.open.pop(0), tokens)

    def refuse(self, retry_after: float | None = None) -> None:
        self.limiter.failed(self.now, self.open.pop(0), 0, too_often=True, retry_after=retry_after)

    def later(self, seconds: float) -> None:
        self.now += seconds


def test_few_calls_go_until_one_is_answered_and_any_number_then() -> None:
    traffic = Traffic(answered=False)
    assert traffic.go_all() == CALLS_BEFORE_THE_FIRST_ANSWER
    assert traffic.limiter.wait(traffic.now, ASKED) is None
    traffic.answer()
    assert traffic.go_all() == 100


def test_a_failure_is_no_answer_but_makes_room() -> None:
    traffic = Traffic(answered=False)
    traffic.go_all()
    traffic.limiter.failed(traffic.now, traffic.open.pop(), 0)
    assert traffic.go_all() == 1


def test_refused_first_calls_do_not_block_for_ever() -> None:
    traffic = Traffic(answered=False)
    for _ in range(10):
        traffic.go_all()
        traffic.later(2)
        while traffic.open:
            traffic.refuse()
    assert traffic.go_all() == 1


def test_a_refusal_halves_what_was_under_way() -> None:
    traffic = Traffic()
    for _ in range(9):
        traffic.go()
    traffic.refuse()
    assert traffic.limiter.concurrency == 4
    assert not traffic.may()
    for _ in range(5):
        traffic.answer()
    assert traffic.may()


def test_refusals_of_one_round_halve_once() -> None:
    traffic = Traffic()
    traffic.go_all()
    traffic.refuse()
    traffic.later(5)
    while traffic.open:
        traffic.refuse()
    assert traffic.limiter.concurrency == 50


def test_there_is_one_decrease_in_a_second() -> None:
    traffic = Traffic()
    traffic.go_all()
    while traffic.open:
        traffic.refuse()
    traffic.later(BETWEEN_DECREASES_S / 4)
    traffic.go_all()
    traffic.later(BETWEEN_DECREASES_S / 4)
    traffic.refuse()
    assert traffic.limiter.concurrency == 50
    traffic.later(BETWEEN_DECREASES_S / 2)
    traffic.refuse()
    assert traffic.limiter.concurrency == 24


def test_it_never_falls_below_one() -> None:
    traffic = Traffic()
    for _ in range(20):
        traffic.go()
        traffic.later(2)
        traffic.refuse()
    assert traffic.limiter.concurrency == 1


def test_a_round_of_answers_allows_one_more() -> None:
    traffic = Traffic()
    for _ in range(4):
        traffic.go()
    traffic.refuse()
    seen = []
    for _ in range(2 + 3 + 4):
        while traffic.may():
            traffic.go()
        traffic.answer()
        seen.append(traffic.limiter.concurrency)
    assert seen == [2, 3, 3, 3, 4, 4, 4, 4, 5]


def test_everybody_waits_as_long_as_the_server_asks() -> None:
    traffic = Traffic()
    traffic.go()
    traffic.go()
    traffic.refuse(retry_after=7)
    assert traffic.limiter.wait(traffic.now, ASKED) is None  # one may be under way, and is
    traffic.answer()
    assert traffic.limiter.wait(traffic.now, ASKED) == 7
    traffic.later(6)
    assert traffic.limiter.wait(traffic.now, ASKED) == 1
    traffic.later(1)
    assert traffic.may()


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    traffic = Traffic()
    for _ in range(4):
        traffic.go()
    traffic.refuse(retry_after=30)
    traffic.refuse(retry_after=1)
    traffic.answer()
    traffic.answer()
    assert traffic.limiter.wait(traffic.now, ASKED) == 30


def test_a_minute_does_not_begin_with_all_of_its_calls() -> None:
    traffic = Traffic(rpm=60)
    assert traffic.go_all() == 6
    assert traffic.limiter.wait(traffic.now, ASKED) == PACE_S


def test_a_call_of_more_than_a_minutes_tokens_goes_alone() -> None:
    traffic = Traffic(tpm=100)
    traffic.go(500)
    assert traffic.limiter.wait(traffic.now, 1) == MINUTE_S
    traffic.later(MINUTE_S)
    traffic.go(500)


def test_tokens_are_corrected_when_they_are_known() -> None:
    traffic = Traffic(tpm=1000)
    traffic.go(900)
    traffic.later(PACE_S)
    assert not traffic.may(200)
    traffic.answer(tokens=100)
    assert traffic.may(200)
    traffic.go(200)
    traffic.answer(tokens=950)
    traffic.later(PACE_S)
    assert traffic.limiter.wait(traffic.now, 1) == MINUTE_S - 2 * PACE_S  # until the first of them is past


def test_a_correction_that_comes_too_late_changes_nothing() -> None:
    traffic = Traffic(tpm=1000)
    traffic.go(900)
    traffic.later(MINUTE_S)
    traffic.answer(tokens=10_000)
    assert traffic.may(900)


@given(
    a_minute=st.integers(1, 200),
    course=st.lists(st.tuples(st.integers(1, 60), st.floats(0, 20)), min_size=1, max_size=80),
)
def test_no_window_of_a_minute_holds_more_than_the_limit(a_minute: int, course: list[tuple[int, float]]) -> None:
    rate, now, begun = Rate(a_minute), 0.0, []
    for weight, idle in course:
        now += idle
        while (wait := rate.wait(now, weight)) > 0:
            assert wait <= MINUTE_S + 1e-6
            now += max(wait, 1e-6)
        rate.add(now, weight)
        begun.append((now, weight))
    times = [at for at, _ in begun]
    for index, (end, _) in enumerate(begun):
        # A thousandth less than a minute: the sums of floats here are not to the last digit those in there.
        first = bisect_left(times, end - MINUTE_S + 1e-3)
        inside = [weight for _, weight in begun[first : index + 1]]
        assert sum(inside) <= a_minute or len(inside) == 1


@given(st.integers(1, 120))
def test_a_rate_is_reached(a_minute: int) -> None:
    """Who asks all the time is let through as often as the limit says, after the first minute too."""
    rate, now, begun = Rate(a_minute), 0.0, 0
    while True:
        while (wait := rate.wait(now, 1)) > 0:
            now += max(wait, 1e-6)
        if now >= 5 * MINUTE_S:
            break
        rate.add(now, 1)
        begun += 1
    assert begun == pytest.approx(5 * a_minute, abs=1)
