"""A call that fails for a passing reason is made again, within what the run allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from smoltrace.agents.recording import MalformedResponse
from smoltrace.books.usage import Usage
from smoltrace.evaluation.calls.governor import Ask, Governor, Outcome
from smoltrace.evaluation.calls.retrying import Retrying
from smoltrace.evaluation.limits import Limits
from smoltrace.tracing.scope import Stopped

REQUEST = httpx.Request("POST", "http://localhost/v1/chat/completions")
ANSWER = "the answer"
USED = Usage(input_tokens=10, output_tokens=5)


def status(code: int, **headers: str) -> httpx.HTTPStatusError:
    response = httpx.Response(code, request=REQUEST, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return httpx.HTTPStatusError(f"Client error '{code} {response.reason_phrase}'", request=REQUEST, response=response)


class Request:
    """One call of a model, of which each attempt comes to what `attempts` says next: an exception, or an answer."""

    test, prompt_bytes, max_tokens = "t", 100, 50

    def __init__(self, attempts: Iterable[BaseException | str], *, billed: bool = False) -> None:
        self._attempts, self._billed = iter(attempts), billed
        self.cancelled = threading.Event()
        self.usage, self.cost = Usage(), None
        self.made = 0

    def attempt(self) -> Any:
        self.made += 1
        self.usage, self.cost = Usage(), None
        result = next(self._attempts)
        if isinstance(result, str) or self._billed:
            self.usage, self.cost = USED, Decimal("0.5")
        if isinstance(result, BaseException):
            raise result
        return result


class Watched(Governor):
    """A governor that notes what it is asked, and lets nobody wait."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.outcomes: list[Outcome] = []
        super().__init__(Limits())

    def admit(self, ask: Ask) -> int:
        self.delays.append(ask.delay)
        return super().admit(Ask(ask.test, ask.prompt_bytes, ask.max_tokens))

    def settle(self, ticket: int, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        # The pause for all that a server asks for is the governor's, and its tests'.
        super().settle(ticket, Outcome(*(getattr(outcome, n) for n in ("input_tokens", "output_tokens", "cost"))))


def retrying(governor: Governor, retries: int = 4, jitter: Callable[[float], float] = lambda most: most) -> Retrying:
    return Retrying(governor, retries, jitter=jitter)


def test_an_answer_is_settled_with_what_it_used() -> None:
    governor = Watched()
    assert retrying(governor)(Request([ANSWER])) == ANSWER
    assert governor.outcomes == [Outcome(10, 5, Decimal("0.5"), None)]


@pytest.mark.parametrize(
    "error",
    [status(429), status(500), httpx.ReadError("reset"), httpx.ReadTimeout("slow"), MalformedResponse("<html>")],
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    governor, request = Watched(), Request([error, error, ANSWER])
    assert retrying(governor)(request) == ANSWER
    assert request.made == 3
    assert [outcome.failure is None for outcome in governor.outcomes] == [False, False, True]


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_only_as_often_as_the_run_allows(retries: int) -> None:
    errors = [status(500) for _ in range(9)]
    request = Request(errors)
    with pytest.raises(httpx.HTTPStatusError) as raised:
        retrying(Watched(), retries)(request)
    assert request.made == retries + 1
    assert raised.value is errors[retries]


@pytest.mark.parametrize("error", [status(400), ValueError("a fault of the model's class")])
def test_what_will_not_pass_is_raised_at_once(error: Exception) -> None:
    request = Request([error, ANSWER])
    with pytest.raises(type(error)):
        retrying(Watched())(request)
    assert request.made == 1


def test_each_wait_may_be_twice_as_long_and_none_is_longer_than_a_minute() -> None:
    governor = Watched()
    with pytest.raises(httpx.HTTPStatusError):
        retrying(governor, retries=8)(Request([status(500)] * 9))
    assert governor.delays == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_wait_is_drawn_from_all_that_it_may_be() -> None:
    delays = []
    for _ in range(50):
        governor = Watched()
        Retrying(governor, 1)(Request([status(500), ANSWER]))
        delays.append(governor.delays[1])
    assert all(0 <= delay <= 1 for delay in delays)
    assert len(set(delays)) > 10


def test_the_server_is_left_alone_for_as_long_as_it_asks_and_hardly_longer() -> None:
    governor = Watched()
    attempts = [status(429, retry_after="30"), status(503, retry_after_ms="200"), ANSWER]
    assert retrying(governor)(Request(attempts)) == ANSWER
    assert governor.delays == pytest.approx([0, 31, 0.22])


@pytest.mark.parametrize("error", [status(401), status(403), status(404), status(429, retry_after="86400")])
def test_what_every_call_would_meet_stops_the_run_and_not_the_test(error: Exception) -> None:
    governor, request = Governor(Limits()), Request([error, ANSWER])
    with pytest.raises(Stopped):
        retrying(governor)(request)
    assert request.made == 1
    assert governor.stopping.is_set()
    assert governor.failure is not None


def test_a_server_that_no_attempt_reaches_stops_the_run() -> None:
    governor, request = Governor(Limits()), Request([httpx.ConnectError("refused")] * 3)
    with pytest.raises(Stopped):
        retrying(governor, retries=2, jitter=lambda _: 0.0)(request)
    assert request.made == 3
    assert governor.failure is not None
    assert governor.failure.unreachable


def test_a_server_that_is_reached_again_goes_on() -> None:
    governor = Governor(Limits())
    request = Request([httpx.ConnectError("refused"), httpx.ConnectError("refused"), ANSWER])
    assert retrying(governor, retries=2, jitter=lambda _: 0.0)(request) == ANSWER
    assert not governor.stopping.is_set()


def test_an_answer_that_is_none_but_was_charged_for_is_asked_for_once_more() -> None:
    governor, request = Watched(), Request([MalformedResponse("neither text nor tool call")] * 5, billed=True)
    with pytest.raises(MalformedResponse):
        retrying(governor)(request)
    assert request.made == 2
    assert [outcome.cost for outcome in governor.outcomes] == [Decimal("0.5")] * 2


def test_a_call_that_was_cut_off_is_settled_as_one_whose_end_nobody_saw() -> None:
    governor = Watched()
    with pytest.raises(Stopped):
        retrying(governor)(Request([Stopped()]))
    (outcome,) = governor.outcomes
    assert outcome.failure is not None
    assert outcome.failure.may_be_billed


@pytest.mark.parametrize("end", ["stop", "abandon"])
def test_a_wait_between_attempts_ends_with_the_run_or_the_test(end: str) -> None:
    governor, request = Governor(Limits()), Request([status(500), ANSWER])
    raised: list[BaseException] = []

    def call() -> None:
        try:
            retrying(governor, jitter=lambda _: 600.0)(request)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    while request.made == 0:
        time.sleep(0.01)
    time.sleep(0.05)
    governor.stop() if end == "stop" else governor.abandon("t")
    thread.join(10)
    assert [type(error) for error in raised] == [Stopped]
    assert request.made == 1
