"""Who lets calls through: order, limits, what ends a wait, and what is noted of each call."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from smoltrace.books.prices import MappingSource, Price, PriceBook
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.evaluation.calls.governor import Ask, Governor, Outcome
from smoltrace.evaluation.calls.limiter import CALLS_BEFORE_THE_FIRST_ANSWER
from smoltrace.evaluation.limits import Limits
from smoltrace.store.spending import Spent
from smoltrace.tracing.scope import LimitReached, Stopped

DOLLAR_A_TOKEN = PriceBook([MappingSource({"m": Price(Decimal(1), Decimal(1))}, name="test")])
ANSWER = Outcome(10, 10, Decimal(20))
WRONG_KEY = Outcome(failure=Failure("auth", "no", stops_run=True))
BUSY = Outcome(failure=Failure("rate_limit", "slow down", retryable=True))
REFUSED = Outcome(failure=Failure("llm_error", "500", retryable=True))
DROPPED = Outcome(failure=Failure("llm_error", "dropped", retryable=True, may_be_billed=True))


def ask(test: str = "t", *, prompt_bytes: int = 20, max_tokens: int | None = 10, delay: float = 0.0) -> Ask:
    """By default a call of at most 20 tokens: 10 in, 10 out, as `ANSWER` uses."""
    return Ask(test, prompt_bytes, max_tokens, delay)


class Court:
    """A governor, what it noted, and threads that ask it."""

    def __init__(self, *, answered: bool = True, spent: Spent | None = None, **limits: Any) -> None:
        self.noted: list[tuple[Ask, Outcome, bool]] = []
        self.governor = Governor(
            Limits(**limits),
            price_book=DOLLAR_A_TOKEN,
            model="m",
            provider="openai",
            spent=spent,
            record=lambda *note: self.noted.append(note),
        )
        if answered:
            self.governor.settle(self.governor.admit(ask("first", max_tokens=1)), Outcome(0, 0, Decimal(0)))
            self.governor.abandon("first")
            self.noted.clear()

    def asking(self, given: Ask | None = None) -> Future[int]:
        """A thread that asks, and is given the time to."""
        future: Future[int] = Future()

        def admit() -> None:
            try:
                future.set_result(self.governor.admit(given or ask()))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=admit, daemon=True).start()
        settled_down()
        return future


def settled_down() -> None:
    """Threads that can go on do so."""
    time.sleep(0.05)


def waits(*futures: Future[int]) -> bool:
    settled_down()
    return not any(future.done() for future in futures)


def ended(future: Future[int]) -> bool:
    return isinstance(future.exception(5), Stopped)


def test_few_calls_are_under_way_until_one_is_answered() -> None:
    court = Court(answered=False)
    futures = [court.asking() for _ in range(10)]
    open_calls = [future for future in futures if future.done()]
    assert len(open_calls) == CALLS_BEFORE_THE_FIRST_ANSWER
    court.governor.settle(open_calls[0].result(), ANSWER)
    for future in futures:
        future.result(5)


def test_a_wrong_key_costs_no_more_than_those() -> None:
    court = Court(answered=False)
    futures = [court.asking() for _ in range(10)]
    tickets = [future.result() for future in futures if future.done()]
    court.governor.settle(tickets[0], WRONG_KEY)
    assert sum(ended(future) for future in futures if future.exception(5)) == 10 - len(tickets)
    assert court.governor.failure == WRONG_KEY.failure
    assert court.governor.stopping.is_set()


def test_failures_of_the_first_calls_let_others_through() -> None:
    court = Court(answered=False)
    for outcome in [DROPPED, REFUSED] * 5:
        court.governor.settle(court.governor.admit(ask()), outcome)
    court.governor.settle(court.governor.admit(ask()), ANSWER)
    assert all(future.result(5) for future in [court.asking() for _ in range(10)])


def test_calls_go_in_the_order_in_which_they_came() -> None:
    court = Court(answered=False)
    first = [court.governor.admit(ask()) for _ in range(CALLS_BEFORE_THE_FIRST_ANSWER)]
    later = [court.asking() for _ in range(3)]
    court.governor.settle(first[0], REFUSED)
    assert later[0].result(5)
    assert waits(*later[1:])
    court.governor.settle(first[1], REFUSED)
    assert later[1].result(5)
    assert waits(later[2])


def test_a_refusal_halves_the_calls_under_way_for_all() -> None:
    court = Court()
    tickets = [court.governor.admit(ask()) for _ in range(4)]
    court.governor.settle(tickets[0], BUSY)
    waiting = court.asking()
    court.governor.settle(tickets[1], ANSWER)
    assert waits(waiting)
    court.governor.settle(tickets[2], ANSWER)
    assert waiting.result(5)


def test_a_wait_that_the_server_asks_for_holds_for_all() -> None:
    court = Court()
    tickets = [court.governor.admit(ask()) for _ in range(2)]
    began = time.monotonic()
    busy = Failure("rate_limit", "slow down", retryable=True, retry_after=0.3)
    court.governor.settle(tickets[0], Outcome(failure=busy))
    court.governor.settle(tickets[1], ANSWER)
    court.governor.admit(ask("another"))
    assert time.monotonic() - began >= 0.3


def test_a_call_that_is_put_off_is_made_after_its_time() -> None:
    court = Court()
    began = time.monotonic()
    court.governor.admit(ask(delay=0.3))
    assert time.monotonic() - began >= 0.3


def test_a_call_that_is_put_off_stands_in_nobodys_way() -> None:
    court = Court()
    late = court.asking(ask(delay=60))
    assert court.asking().result(5)
    assert waits(late)


PUT_OFF = {
    "by its own failure": lambda court: court.asking(ask(delay=60)),
    "by the calls under way": lambda court: [court.asking() for _ in range(CALLS_BEFORE_THE_FIRST_ANSWER + 1)][-1],
}


@pytest.mark.parametrize("wait", PUT_OFF)
@pytest.mark.parametrize("end", ["stop", "abandon"])
def test_every_wait_ends_at_once(wait: str, end: str) -> None:
    court = Court(answered=False)
    waiting = PUT_OFF[wait](court)
    assert waits(waiting)
    court.governor.stop("enough") if end == "stop" else court.governor.abandon("t")
    assert ended(waiting)


def test_waits_for_rates_and_pauses_end_at_once_too() -> None:
    court = Court(rpm=1, answered=False)
    court.governor.admit(ask("other"))
    waiting = court.asking()
    assert waits(waiting)
    court.governor.stop()
    assert ended(waiting)


def test_nothing_is_let_through_after_the_end() -> None:
    court = Court()
    court.governor.abandon("t")
    with pytest.raises(Stopped):
        court.governor.admit(ask("t"))
    assert court.governor.admit(ask("other"))
    court.governor.stop("first")
    court.governor.stop("second")
    assert court.governor.stop_reason == "first"
    with pytest.raises(Stopped):
        court.governor.admit(ask("other"))


def test_a_test_that_is_begun_again_may_call_again() -> None:
    court = Court()
    court.governor.abandon("t")
    court.governor.started("t")
    assert court.governor.admit(ask("t"))


def test_an_abandoned_test_gives_its_places_to_others() -> None:
    court = Court(answered=False)
    for _ in range(CALLS_BEFORE_THE_FIRST_ANSWER):
        court.governor.admit(ask("hangs"))
    waiting = court.asking(ask("other"))
    assert waits(waiting)
    court.governor.abandon("hangs")
    assert waiting.result(5)


def test_a_call_whose_end_nobody_saw_stays_charged() -> None:
    court = Court(max_cost=100)
    ticket = court.governor.admit(ask("t"))
    court.governor.abandon("t")
    court.governor.settle(ticket, ANSWER)  # too late: it is past
    ((noted, outcome, reserved),) = court.noted
    assert (noted.test, outcome.input_tokens, outcome.output_tokens, outcome.cost) == ("t", 0, 10, 10)
    assert reserved
    assert outcome.failure is not None
    assert outcome.failure.error_type == "abandoned"


@pytest.mark.parametrize(
    ("outcome", "charged", "reserved"),
    [
        (ANSWER, (10, 10, 20), False),
        (Outcome(), (10, 10, 20), True),
        (Outcome(10, 10, None), (10, 10, 20), True),
        (Outcome(7, None, Decimal(3)), (7, 10, 3), True),
        (DROPPED, (10, 10, 20), True),
        (Outcome(5, 5, Decimal(10), DROPPED.failure), (5, 5, 10), False),
        (REFUSED, (None, None, None), False),
        (BUSY, (None, None, None), False),
    ],
)
def test_what_is_charged_for_a_call(
    outcome: Outcome, charged: tuple[int | None, int | None, int | None], reserved: bool
) -> None:
    court = Court(answered=False)
    court.governor.settle(court.governor.admit(ask()), outcome)
    ((_, noted, as_reserved),) = court.noted
    assert (noted.input_tokens, noted.output_tokens, noted.cost) == charged
    assert as_reserved is reserved
    assert noted.failure == outcome.failure


def test_a_call_is_announced_with_what_is_set_aside_before_it_is_made() -> None:
    announced: list[tuple[Ask, Outcome]] = []
    governor = Governor(Limits(), price_book=DOLLAR_A_TOKEN, model="m", announce=lambda *call: announced.append(call))
    governor.admit(ask("t"))
    assert announced == [(ask("t"), Outcome(10, 10, Decimal(20)))]


def test_a_budget_that_is_used_up_stops_the_run_and_says_so() -> None:
    court = Court(max_cost=50, answered=False)
    for _ in range(2):
        court.governor.settle(court.governor.admit(ask()), ANSWER)
    with pytest.raises(Stopped):
        court.governor.admit(ask())
    assert court.governor.stopping.is_set()
    assert court.governor.failure is None
    assert "run's budget of $50.00 (--max-cost) is used up: $40.00 is spent" in (court.governor.stop_reason or "")


def test_what_others_have_set_aside_is_waited_for() -> None:
    court = Court(max_cost=50, answered=False)
    tickets = [court.governor.admit(ask(max_tokens=15)) for _ in range(2)]
    waiting = court.asking()
    assert waits(waiting)
    court.governor.settle(tickets[0], Outcome(1, 1, Decimal(2)))
    assert waiting.result(5)
    assert not court.governor.stopping.is_set()


def test_a_tests_own_budget_ends_the_test_only() -> None:
    court = Court(max_cost_per_test=30)
    court.governor.settle(court.governor.admit(ask()), Outcome(10, 15, Decimal(25)))
    with pytest.raises(LimitReached, match="test's budget"):
        court.governor.admit(ask())
    assert court.governor.admit(ask("other"))
    assert not court.governor.stopping.is_set()


def test_earlier_lives_of_the_run_count() -> None:
    court = Court(max_cost=50, answered=False, spent=Spent(2, 40, Decimal(40)))
    with pytest.raises(Stopped):
        court.governor.admit(ask())


def test_tests_are_begun_while_the_budget_lasts() -> None:
    court = Court(max_cost=100, answered=False)
    court.governor.started("t")
    court.governor.settle(court.governor.admit(ask("t")), ANSWER)
    court.governor.abandon("t")
    begun = 0
    while court.governor.may_start():
        court.governor.started(str(begun))
        begun += 1
    assert begun == 4


def test_what_is_asked_and_how_it_ended_goes_to_another_process() -> None:
    for value in ask(), DROPPED, ANSWER:
        assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("seed", range(3))
def test_many_threads_never_spend_more_than_the_limit(seed: int) -> None:
    """Threads call, fail, hang and are abandoned in any order; what is noted adds up, and nothing is left waiting."""
    court = Court(max_cost=2000, max_tokens_total=1500, answered=False)
    counted = threading.Lock()
    served = [0]

    def test(name: str) -> None:
        random = Random(f"{seed} {name}")
        court.governor.started(name)
        try:
            for _ in range(random.randint(1, 6)):
                ticket = court.governor.admit(ask(name))
                outcome = random.choice([ANSWER, ANSWER, Outcome(3, 4, Decimal(7)), DROPPED, REFUSED, BUSY, None])
                if outcome is None:
                    return  # it hangs, until its test is given up
                with counted:
                    served[0] += 20 if outcome is DROPPED else int(outcome.cost or 0)
                court.governor.settle(ticket, outcome)
        finally:
            court.governor.abandon(name)

    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(test, f"{n}") for n in range(60)]
    assert {type(future.exception()) for future in futures} <= {type(None), Stopped}
    noted = sum(outcome.cost or 0 for _, outcome, _ in court.noted)
    assert served[0] <= noted <= 2000
    assert sum((outcome.input_tokens or 0) + (outcome.output_tokens or 0) for _, outcome, _ in court.noted) <= 1500


def test_a_note_may_stop_the_run() -> None:
    """The disk refuses the note of a call: whoever takes it stops the governor from in there."""
    stop: list[Callable[[], None]] = []
    governor = Governor(Limits(), record=lambda *_: stop[0]())
    stop.append(governor.stop)
    governor.settle(governor.admit(ask()), ANSWER)
    assert governor.stopping.is_set()


def test_a_call_is_announced_before_it_is_made_and_with_what_is_set_aside_for_it() -> None:
    told: list[tuple[Ask, Outcome]] = []
    governor = Governor(
        Limits(), price_book=DOLLAR_A_TOKEN, model="m", provider="openai", announce=lambda *note: told.append(note)
    )
    ticket = governor.admit(ask("a"))
    assert told == [(ask("a"), Outcome(10, 10, Decimal(20)))]
    governor.settle(ticket, ANSWER)
    governor.stop()
    with pytest.raises(Stopped):
        governor.admit(ask("b"))
    assert len(told) == 1
