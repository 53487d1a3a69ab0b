"""Makes a call of a model again when it failed for a passing reason, as often as the run allows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from smoltrace.evaluation.calls.failures import Failure, classify
from smoltrace.evaluation.calls.governor import ABANDONED, Ask, Outcome
from smoltrace.tracing.scope import Stopped

if TYPE_CHECKING:
    from smoltrace.tracing.scope import ModelRequest

FIRST_WAIT_S: Final = 1.0
LONGEST_BACKOFF_S: Final = 60.0
BILLED_RETRIES: Final = 1
"""How often an answer that was charged for, but is none, is asked for again: each time costs what an answer does."""


class Admission(Protocol):
    """A governor, or what stands for it in a worker process."""

    def admit(self, ask: Ask) -> int: ...
    def settle(self, ticket: int, outcome: Outcome) -> None: ...


class Retrying:
    """The call policy of a run: each attempt is let through by the governor, and settled with it.

    After the n-th failure (from 0) a call waits a random time of at most 2^n s and at most 60 s, or as long as the
    server asks for. `retries` attempts may follow the first. A server that cannot be reached in all of them stops the
    run. `jitter` picks a number of seconds between 0 and the one given.
    """

    def __init__(
        self,
        governor: Admission,
        retries: int,
        *,
        jitter: Callable[[float], float] = lambda most: random.uniform(0.0, most),
    ) -> None:
        self._governor, self._retries, self._jitter = governor, retries, jitter

    def __call__(self, request: ModelRequest) -> Any:
        """Raises what the last attempt raised, or Stopped when the run stops or the test is over."""
        ask = Ask(request.test, request.prompt_bytes, request.max_tokens)
        failures = billed = 0
        while True:
            ticket = self._governor.admit(ask)
            failure: Failure | None = ABANDONED
            try:
                answer = request.attempt()
                failure = None
                return answer
            except Exception as error:
                billed += request.usage.is_known
                last = failures == self._retries or billed > BILLED_RETRIES
                failure = _at_last(classify(error)) if last else classify(error)
                if failure.stops_run:
                    raise Stopped from error
                if last or not failure.retryable:
                    raise
                ask = replace(ask, delay=self._delay(failures, failure))
                failures += 1
            finally:
                self._governor.settle(ticket, _outcome(request, failure))

    def _delay(self, failures: int, failure: Failure) -> float:
        if failure.retry_after is not None:
            # A little later than asked for, so that those who were all sent away do not all come back at once.
            return failure.retry_after + self._jitter(min(FIRST_WAIT_S, failure.retry_after / 10))
        return self._jitter(min(LONGEST_BACKOFF_S, FIRST_WAIT_S * 2**failures))


def _at_last(failure: Failure) -> Failure:
    """The failure of a call that is not made again: one that never reached its server will not be the only one."""
    return replace(failure, stops_run=True) if failure.unreachable else failure


def _outcome(request: ModelRequest, failure: Failure | None) -> Outcome:
    return Outcome(request.usage.input_tokens, request.usage.output_tokens, request.cost, failure)
