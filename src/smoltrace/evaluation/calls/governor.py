"""Stands between the agents of a run and its model: no call is made that the governor has not let through.

It lets few calls through until one is answered, as many as the server bears after that, none that the budget has no
room for, and none at all once the run stops.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from smoltrace.books.cost import ZERO
from smoltrace.evaluation.calls.budget import Budget, BudgetUsedUp
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.evaluation.calls.forecast import Amount, Forecast, Tariff
from smoltrace.evaluation.calls.limiter import Limiter, Passage
from smoltrace.store.spending import Spent
from smoltrace.tracing.scope import Stopped

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook
    from smoltrace.evaluation.limits import Limits


@dataclass(frozen=True, slots=True)
class Ask:
    """A call that a test wants to make: the size of its request, the limit on its output where it has one, and how many
    seconds it is to wait first, because the last attempt at it failed."""

    test: str
    prompt_bytes: int
    max_tokens: int | None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: tokens and USD that it used, None where unknown, and its failure where it had no answer."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    failure: Failure | None = None

    @property
    def has_usage(self) -> bool:
        return self.input_tokens is not None or self.output_tokens is not None or self.cost is not None


Record = Callable[[Ask, Outcome, bool], None]
"""Takes note of a settled call. True: nobody knows what it used, and the outcome holds what was set aside for it."""

ABANDONED: Final = Failure("abandoned", "The test was over before the call.", may_be_billed=True)
"""The failure of a call whose end nobody waited for."""

Announce = Callable[[Ask, Outcome], None]
"""Takes note of a call before it is made, with what is set aside for it: a process that is killed cannot settle it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A call under way, and what was set aside for it."""

    ask: Ask
    set_aside: Amount
    passage: Passage


class _Waiter:
    """A thread that waits for a call to be let through."""

    __slots__ = ("ask", "turn")

    def __init__(self, ask: Ask, lock: threading.RLock) -> None:  # type: ignore[valid-type,unused-ignore]
        self.ask, self.turn = ask, threading.Condition(lock)


class Governor:
    """Lets the calls of a run through, or not. One for a run, in the process that coordinates it; any thread may ask.

    `model` and `provider` are what the price book knows the model by; `spent` is what earlier lives of the run used;
    `announce` is told of each call that is about to be made, `record` of each that has ended. `failure` is what stopped
    the run for good, `stop_reason` says in words why it stops, where that is not the failure.

    Calls go in the order in which they came. Threads that wait are only woken when something has changed for them.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        price_book: PriceBook | None = None,
        model: str = "",
        provider: str | None = None,
        spent: Spent | None = None,
        record: Record | None = None,
        announce: Announce | None = None,
    ) -> None:
        self.failure: Failure | None = None
        self.stop_reason: str | None = None
        self.stopping = threading.Event()
        self._record, self._announce = record, announce
        self._forecast = Forecast(Tariff(price_book, model, provider))
        self._budget = Budget(limits, spent or Spent())
        self._limiter = Limiter(limits.rpm, limits.tpm)
        # Reentrant, because its owner is known: a thread that is interrupted in here cannot free another's lock.
        self._lock = threading.RLock()
        self._queue: deque[_Waiter] = deque()
        self._delayed: set[_Waiter] = set()
        self._calls: dict[int, _Call] = {}
        self._tickets = itertools.count(1)
        self._over: set[str] = set()

    # Tests

    def may_start(self) -> bool:
        """Whether another test would likely be finished within the run's budget."""
        with self._lock:
            return self._budget.may_start()

    def started(self, test: str) -> None:
        """A test begins."""
        with self._lock:
            self._over.discard(test)
            self._budget.started(test)

    def abandon(self, test: str) -> None:
        """A test is over, however it ended: its waits raise Stopped, and it makes no further call.

        What it has under way is taken to be charged for: what was set aside stays spent.
        """
        with self._lock:
            self._over.add(test)
            for waiter in [w for w in (*self._queue, *self._delayed) if w.ask.test == test]:
                self._leave(waiter)
                waiter.turn.notify_all()
            left = [ticket for ticket, call in self._calls.items() if call.ask.test == test]
        for ticket in left:
            self.settle(ticket, Outcome(failure=ABANDONED))
        with self._lock:
            self._budget.over(test)
            self._call_next()

    def stop(self, reason: str | None = None) -> None:
        """Let no further call through and end every wait. The first reason stays."""
        with self._lock:
            self.stop_reason = self.stop_reason or reason
            self.stopping.set()
            for waiter in (*self._queue, *self._delayed):
                waiter.turn.notify_all()

    # Calls

    def admit(self, ask: Ask) -> int:
        """Wait until the call may be made, and return the ticket that `settle` wants.

        Raises Stopped when the run stops or the test is over, LimitReached when the test's own budget is used up. When
        the run's is, that stops the run.
        """
        waiter = _Waiter(ask, self._lock)
        with self._lock:
            try:
                if ask.delay > 0:
                    self._sit_out(waiter)
                return self._let_through(ask, self._queue_up(waiter))
            except BudgetUsedUp as used_up:
                self.stop(str(used_up))
                raise Stopped from used_up
            finally:
                self._leave(waiter)
                self._call_next()

    def settle(self, ticket: int, outcome: Outcome) -> None:
        """Say how a call ended. A ticket that is settled already, or whose test is over, is past."""
        with self._lock:
            call = self._calls.pop(ticket, None)
            if call is None:
                return
            charged = _charged(call.set_aside, outcome)
            self._book(call, outcome, charged)
            failure = outcome.failure
            if failure is not None and failure.stops_run:
                self.failure = self.failure or failure
                self.stop()
            self._call_next()
        if self._record is not None:
            self._record(call.ask, charged, charged != outcome)

    def _check(self, test: str) -> None:
        if self.stopping.is_set() or test in self._over:
            raise Stopped

    def _sit_out(self, waiter: _Waiter) -> None:
        """Wait for as long as the call was put off."""
        self._delayed.add(waiter)
        until = time.monotonic() + waiter.ask.delay
        self._check(waiter.ask.test)
        while (left := until - time.monotonic()) > 0:
            waiter.turn.wait(left)
            self._check(waiter.ask.test)
        self._delayed.discard(waiter)

    def _queue_up(self, waiter: _Waiter) -> Amount:
        """Wait for the call's turn, and then until it may go. Returns what it may use."""
        ask = waiter.ask
        self._check(ask.test)
        self._queue.append(waiter)
        while True:
            amount = self._forecast.of(ask.prompt_bytes, ask.max_tokens)
            wait = self._wait_of(waiter, amount)
            if wait == 0:
                return amount
            waiter.turn.wait(wait)
            self._check(ask.test)

    def _wait_of(self, waiter: _Waiter, amount: Amount) -> float | None:
        """Seconds until the call may go, 0 at once, None when something else has to happen first."""
        if self._queue[0] is not waiter:
            return None
        ask, wait = waiter.ask, self._limiter.wait(time.monotonic(), amount.tokens)
        if wait == 0 and not self._budget.allows(ask.test, amount, bounded=ask.max_tokens is not None):
            return None
        return wait

    def _let_through(self, ask: Ask, amount: Amount) -> int:
        ticket = next(self._tickets)
        self._budget.set_aside(ask.test, amount)
        self._calls[ticket] = _Call(ask, amount, self._limiter.pass_through(time.monotonic(), amount.tokens))
        if self._announce is not None:
            self._announce(ask, Outcome(amount.input_tokens, amount.output_tokens, amount.cost))
        return ticket

    def _book(self, call: _Call, outcome: Outcome, charged: Outcome) -> None:
        used = Amount(charged.input_tokens or 0, charged.output_tokens or 0, charged.cost or ZERO)
        now, failure = time.monotonic(), outcome.failure
        self._budget.book(call.ask.test, call.set_aside, used)
        self._forecast.learn(call.ask.prompt_bytes, outcome.input_tokens, outcome.output_tokens, outcome.cost)
        if failure is None:
            self._limiter.answered(now, call.passage, used.tokens)
            return
        too_often = failure.error_type == "rate_limit"
        self._limiter.failed(now, call.passage, used.tokens, too_often=too_often, retry_after=failure.retry_after)

    def _leave(self, waiter: _Waiter) -> None:
        self._delayed.discard(waiter)
        if waiter in self._queue:
            self._queue.remove(waiter)

    def _call_next(self) -> None:
        if self._queue:
            self._queue[0].turn.notify_all()


def _charged(set_aside: Amount, outcome: Outcome) -> Outcome:
    """The outcome with what was set aside in the place of what is unknown, unless the call is known to be free."""
    failure = outcome.failure
    if failure is not None and not failure.may_be_billed and not outcome.has_usage:
        return outcome
    return replace(
        outcome,
        input_tokens=set_aside.input_tokens if outcome.input_tokens is None else outcome.input_tokens,
        output_tokens=set_aside.output_tokens if outcome.output_tokens is None else outcome.output_tokens,
        cost=set_aside.cost if outcome.cost is None else outcome.cost,
    )
