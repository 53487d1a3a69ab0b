"""What a run and each of its tests may still use: every call is set aside before it is made, and booked when it ends.

A call is let through when what is spent, what is set aside and what it may use itself stay within the limit, so a
budget is kept as far as calls stay within their forecast; with `max_tokens` their output cannot leave it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final, Literal

from smoltrace.books.cost import EXACT, ZERO
from smoltrace.errors import UsageError
from smoltrace.evaluation.calls.limiter import CALLS_BEFORE_THE_FIRST_ANSWER
from smoltrace.tracing.scope import LimitReached

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.prices import PriceBook
    from smoltrace.evaluation.calls.forecast import Amount
    from smoltrace.evaluation.limits import Limits
    from smoltrace.store.spending import Spent

CALLS_OF_A_TEST: Final = 3
"""What a test is taken to need until one is finished: a tool, another, and the answer."""

_COST_OPTIONS: Final = {"run": "--max-cost", "test": "--max-cost-per-test"}
_TOKENS_OPTIONS: Final = {"run": "--max-tokens-total", "test": "--max-tokens-per-test"}


class BudgetUsedUp(Exception):
    """The next call may cost more than the run has left; the text says it to the user."""


@dataclass(slots=True)
class Purse:
    """Limits on tokens and USD (None: no limit), what is spent of them, and what is set aside for calls under way."""

    max_tokens: int | None = None
    max_cost: Decimal | None = None
    tokens: int = 0
    cost: Decimal = ZERO
    set_aside_tokens: int = 0
    set_aside_cost: Decimal = ZERO
    under_way: int = 0

    def allows(self, amount: Amount) -> bool:
        """Whether a call that may use this much fits beside all the others."""
        return not self.short_of_tokens(amount) and not self.short_of_cost(amount)

    def short_of_tokens(self, amount: Amount) -> bool:
        return self.max_tokens is not None and self.tokens + self.set_aside_tokens + amount.tokens > self.max_tokens

    def short_of_cost(self, amount: Amount) -> bool:
        if self.max_cost is None:
            return False
        taken = EXACT.add(self.cost, self.set_aside_cost)
        return EXACT.add(taken, amount.cost or ZERO) > self.max_cost

    def set_aside(self, amount: Amount) -> None:
        self.set_aside_tokens += amount.tokens
        self.set_aside_cost = EXACT.add(self.set_aside_cost, amount.cost or ZERO)
        self.under_way += 1

    def book(self, set_aside: Amount, used: Amount) -> None:
        """A call for which so much was set aside has used so much."""
        self.set_aside_tokens -= set_aside.tokens
        self.set_aside_cost = EXACT.subtract(self.set_aside_cost, set_aside.cost or ZERO)
        self.under_way -= 1
        self.tokens += used.tokens
        self.cost = EXACT.add(self.cost, used.cost or ZERO)


@dataclass(slots=True)
class _Mean:
    """Tokens and USD of finished tests, or of calls."""

    count: int = 0
    tokens: int = 0
    cost: Decimal = ZERO

    def add(self, tokens: int, cost: Decimal) -> None:
        self.count, self.tokens, self.cost = self.count + 1, self.tokens + tokens, EXACT.add(self.cost, cost)

    def of(self, times: int = 1) -> tuple[Decimal, Decimal]:
        """Mean tokens and mean USD, so many times."""
        share = EXACT.divide(Decimal(times), Decimal(self.count))
        return EXACT.multiply(Decimal(self.tokens), share), EXACT.multiply(self.cost, share)


@dataclass(slots=True)
class Budget:
    """The purses of a run and of the tests that run. Not thread-safe. `spent` is what earlier lives of the run used."""

    limits: Limits
    spent: Spent
    run: Purse = field(init=False)
    _tests: dict[str, Purse] = field(init=False, default_factory=dict)
    _finished: _Mean = field(init=False, default_factory=_Mean)
    _calls: _Mean = field(init=False, default_factory=_Mean)

    def __post_init__(self) -> None:
        limits, spent = self.limits, self.spent
        self.run = Purse(limits.max_tokens_total, limits.max_cost, spent.tokens, spent.cost)

    def started(self, test: str) -> None:
        """A test begins, with a purse of its own that nothing was taken from."""
        self._tests[test] = Purse(self.limits.max_tokens_per_test, self.limits.max_cost_per_test)

    def over(self, test: str) -> None:
        """A test has ended; what it used tells what the next ones may need."""
        purse = self._tests.pop(test, None)
        if purse is not None:
            self._finished.add(purse.tokens, purse.cost)

    def allows(self, test: str, amount: Amount, *, bounded: bool) -> bool:
        """Whether a call of this test may be made; False when others have to end before that can be told.

        `bounded` says that the call's output has a limit. Raises LimitReached when the test has not enough left for it,
        BudgetUsedUp when the run has not.
        """
        purse = self._purse(test)
        if not purse.allows(amount):
            if purse.under_way:
                return False
            raise LimitReached(_shortage(purse, amount, "test", bounded))
        if not self.run.allows(amount):
            if self.run.under_way:
                return False
            raise BudgetUsedUp(_shortage(self.run, amount, "run", bounded))
        return True

    def set_aside(self, test: str, amount: Amount) -> None:
        self._purse(test).set_aside(amount)
        self.run.set_aside(amount)

    def book(self, test: str, set_aside: Amount, used: Amount) -> None:
        """A call has ended: what was set aside for it is free, and what it used is spent."""
        self._purse(test).book(set_aside, used)
        self.run.book(set_aside, used)
        if used.tokens:
            self._calls.add(used.tokens, used.cost or ZERO)

    def may_start(self) -> bool:
        """Whether another test would likely be finished within the run's budget, beside those that run.

        Each test is taken to need what finished ones did on average; until one is finished, a few calls, or what the
        longest has used so far. A test alone may always begin: its calls tell how far it comes.
        """
        if self.run.max_cost is None and self.run.max_tokens is None:
            return True
        if not self._tests or not self._calls.count:
            return len(self._tests) < CALLS_BEFORE_THE_FIRST_ANSWER
        tokens, cost = self._need_of_a_test()
        need_tokens = tokens + sum(max(tokens - purse.tokens, Decimal(0)) for purse in self._tests.values())
        need_cost = cost
        for purse in self._tests.values():
            need_cost = EXACT.add(need_cost, max(EXACT.subtract(cost, purse.cost), ZERO))
        run = self.run
        enough_tokens = run.max_tokens is None or run.tokens + need_tokens <= run.max_tokens
        return enough_tokens and (run.max_cost is None or EXACT.add(run.cost, need_cost) <= run.max_cost)

    def _need_of_a_test(self) -> tuple[Decimal, Decimal]:
        if self._finished.count:
            return self._finished.of()
        tokens, cost = self._calls.of(CALLS_OF_A_TEST)
        most_tokens = max(Decimal(purse.tokens) for purse in self._tests.values())
        return max(tokens, most_tokens), max(cost, *(purse.cost for purse in self._tests.values()))

    def _purse(self, test: str) -> Purse:
        if test not in self._tests:
            self.started(test)
        return self._tests[test]


def _shortage(purse: Purse, amount: Amount, whose: Literal["run", "test"], bounded: bool) -> str:
    """What lacks, in words: the limit, what is spent, what the next call may use, and how to go on."""
    if purse.short_of_cost(amount):
        option = _COST_OPTIONS[whose]
        limit, spent, more = usd(purse.max_cost or ZERO), usd(purse.cost), usd(amount.cost or ZERO)
    else:
        option = _TOKENS_OPTIONS[whose]
        limit, spent, more = f"{purse.max_tokens} tokens", f"{purse.tokens}", f"{amount.tokens}"
    text = (
        f"The {whose}'s budget of {limit} ({option}) is used up: {spent} is spent, and the next call may take {more}. "
        f"Give it more with a higher {option}."
    )
    return text if bounded else f"{text} --max-tokens, which limits each answer, makes the bound firm."


def usd(amount: Decimal) -> str:
    """Dollars and cents, with as many further digits as a small amount needs to be seen."""
    digits = 2 if amount >= 1 or not amount else max(2, 3 - amount.adjusted())
    text = f"{amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN, EXACT):f}"
    return f"${text[:-2] + text[-2:].rstrip('0') if digits > 2 else text}"


def check_priced(price_book: PriceBook, spec: ModelSpec, limits: Limits, *, provider: str | None = None) -> None:
    """Raises UsageError when a limit in USD is set and no source knows what the model costs.

    `spec` is resolved; `provider` is whose models are asked, by default as the specification says.
    """
    from smoltrace.agents.providers import system_of
    from smoltrace.evaluation.calls.forecast import Tariff

    if not limits.is_costed or limits.allow_unpriced:
        return
    provider = system_of(spec) if provider is None else provider
    if Tariff(price_book, spec.model_id, provider).quote(1, 1) is not None:
        return
    option = "--max-cost" if limits.max_cost is not None else "--max-cost-per-test"
    raise UsageError(
        f"{option} needs a price, and no source has one for the model {spec.model_id!r} of {provider!r}. Give one with "
        f"--price-file (see: smoltrace prices {spec.model_id}), or run with --allow-unpriced: its calls then count as "
        "$0, and only --max-tokens-total bounds them."
    )
