"""Sums over calls: of a test, of a run, of whatever is put in. Combining sums equals summing everything at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final, NamedTuple

from smoltrace.books.calls import Call
from smoltrace.books.cost import EXACT, ZERO, Cost

_NS = 1_000_000_000
_QUALITIES = ("unknown", "upper_bound", "priced", "provider_reported")


class Amounts(NamedTuple):
    """USD summed over the calls that say them."""

    prompt: Decimal = ZERO
    completion: Decimal = ZERO
    reasoning: Decimal = ZERO
    cache_read: Decimal = ZERO
    cache_write: Decimal = ZERO
    total: Decimal = ZERO

    def plus(self, other: Amounts) -> Amounts:
        return Amounts(*(EXACT.add(mine, theirs) for mine, theirs in zip(self, other, strict=True)))


NO_AMOUNTS: Final = Amounts()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a set of calls used and cost.

    Token sums are None where no call reported that count, and a lower bound where `calls_without_usage` is not 0. A
    cost is None when any call is unpriced, and when there was no call to price; `cost_known` (USD) is a lower bound
    always.
    """

    llm_calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    calls_without_usage: int = 0
    priced_calls: int = 0
    unpriced_calls: int = 0
    unitemised_calls: int = 0
    amounts: Amounts = NO_AMOUNTS
    cost_known: Decimal = ZERO
    pricing_sources: frozenset[str] = frozenset()
    cost_qualities: frozenset[str] = frozenset()
    retries: int = 0
    ttft_calls: int = 0
    ttft_ns: int = 0
    tbt_calls: int = 0
    tbt_ns: int = 0

    @property
    def cost_total(self) -> Decimal | None:
        """USD."""
        return self.amounts.total if self.priced_calls and not self.unpriced_calls else None

    @property
    def cost_prompt(self) -> Decimal | None:
        """USD; like all five components also None when a call has a total without a breakdown."""
        return self._component(self.amounts.prompt)

    @property
    def cost_completion(self) -> Decimal | None:
        return self._component(self.amounts.completion)

    @property
    def cost_reasoning(self) -> Decimal | None:
        return self._component(self.amounts.reasoning)

    @property
    def cost_cache_read(self) -> Decimal | None:
        return self._component(self.amounts.cache_read)

    @property
    def cost_cache_write(self) -> Decimal | None:
        return self._component(self.amounts.cache_write)

    def _component(self, amount: Decimal) -> Decimal | None:
        return amount if self.cost_total is not None and not self.unitemised_calls else None

    @property
    def pricing_source(self) -> str | None:
        """The price sources that were used, joined in order of their names."""
        return ", ".join(sorted(self.pricing_sources)) or None

    @property
    def cost_quality(self) -> str | None:
        """The weakest quality among the calls; None where there was nothing to price."""
        return next((quality for quality in _QUALITIES if quality in self.cost_qualities), None)

    @property
    def ttft_s(self) -> float | None:
        """Seconds to the first token, the mean over the calls that measured it."""
        return self.ttft_ns / self.ttft_calls / _NS if self.ttft_calls else None

    @property
    def tbt_s(self) -> float | None:
        """Seconds between tokens, the mean over the calls that measured it."""
        return self.tbt_ns / self.tbt_calls / _NS if self.tbt_calls else None

    @classmethod
    def combine(cls, parts: Iterable[Totals]) -> Totals:
        """The totals of all the calls behind `parts`."""
        total = cls()
        for part in parts:
            joined: dict[str, Any] = {f.name: _join(getattr(total, f.name), getattr(part, f.name)) for f in fields(cls)}
            total = cls(**joined)
        return total


def total_of(calls: Iterable[tuple[Call, Cost]]) -> Totals:
    """Sum calls with their costs."""
    return Totals.combine(_of_one(call, cost) for call, cost in calls)


def _of_one(call: Call, cost: Cost) -> Totals:
    usage = call.usage
    is_sum = call.usage_source == "agent_total" and usage.is_known
    covered = call.usage_source == "agent_total" and not usage.is_known
    priced = cost.total is not None and not covered
    return Totals(
        llm_calls=0 if is_sum else 1,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        calls_without_usage=0 if usage.is_known or covered else 1,
        priced_calls=1 if priced else 0,
        unpriced_calls=0 if priced or covered else 1,
        unitemised_calls=1 if priced and cost.prompt is None else 0,
        amounts=_amounts(cost) if priced else NO_AMOUNTS,
        cost_known=ZERO if covered else cost.known,
        pricing_sources=frozenset({cost.source}) if priced and cost.source else frozenset(),
        cost_qualities=frozenset() if covered else frozenset({cost.quality}),
        retries=call.retries,
        ttft_calls=0 if call.ttft_s is None else 1,
        ttft_ns=round((call.ttft_s or 0.0) * _NS),
        tbt_calls=0 if call.tbt_s is None else 1,
        tbt_ns=round((call.tbt_s or 0.0) * _NS),
    )


def _amounts(cost: Cost) -> Amounts:
    parts = (cost.prompt, cost.completion, cost.reasoning, cost.cache_read, cost.cache_write, cost.total)
    return Amounts(*(ZERO if part is None else part for part in parts))


def _join(mine: object, theirs: object) -> object:
    """Add two fields of one kind; None is neutral."""
    if mine is None or theirs is None:
        return theirs if mine is None else mine
    if isinstance(mine, Amounts) and isinstance(theirs, Amounts):
        return mine.plus(theirs)
    if isinstance(mine, frozenset) and isinstance(theirs, frozenset):
        return mine | theirs
    if isinstance(mine, Decimal) and isinstance(theirs, Decimal):
        return EXACT.add(mine, theirs)
    if isinstance(mine, int) and isinstance(theirs, int):
        return mine + theirs
    raise TypeError(f"cannot add {type(mine).__name__} and {type(theirs).__name__}")
