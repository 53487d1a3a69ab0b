"""What one call cost, from its tokens and its price. Money is Decimal and is never rounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, Literal

from smoltrace.books.usage import Usage

if TYPE_CHECKING:
    from smoltrace.books.prices import Price, Rates

Quality = Literal["provider_reported", "priced", "upper_bound", "unknown"]

EXACT: Final = Context(prec=60)
"""Products of a price and a token count, and their sums, need some 30 digits; Python's default keeps 28 and rounds."""

ZERO: Final = Decimal(0)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts of money without rounding, 0 for none."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one call in USD.

    `prompt` (fresh input), `completion` (output without reasoning), `reasoning`, `cache_read` and `cache_write` sum to
    `total` exactly, or are all None. `total` is None where the cost is unknown; `reason` then says why. `known` is a
    lower bound of the cost, 0 where nothing is known. `source` names the price table and its version. `upper_bound`
    means that cache reads were charged as fresh input, because the table has no price for them.
    """

    prompt: Decimal | None = None
    completion: Decimal | None = None
    reasoning: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    total: Decimal | None = None
    known: Decimal = ZERO
    source: str | None = None
    quality: Quality = "unknown"
    reason: str | None = None

    @classmethod
    def unknown(cls, reason: str, *, source: str | None = None, known: Decimal = ZERO) -> Cost:
        """A cost that cannot be told, and why."""
        return cls(reason=reason, source=source, known=known)

    @classmethod
    def reported(cls, total: Decimal) -> Cost:
        """What the provider itself says the call cost, in USD; it gives no breakdown."""
        return cls(total=total, known=total, source="provider", quality="provider_reported")


def cost_of(usage: Usage, price: Price | None) -> Cost:
    """The cost of a call with these tokens at this price.

    The sum of tokens times rate over fresh input (input less both cache counts), cache reads, cache writes, output less
    reasoning, and reasoning, which is charged as output where it has no price of its own. The request's whole input
    chooses the tier. Counts that contradict each other, a missing count and a missing price all give an unknown cost,
    never 0. A declared price of 0 needs no counts.
    """
    if price is None:
        return Cost.unknown("no price source knows the model")
    if price.declared_free:
        return Cost(ZERO, ZERO, ZERO, ZERO, ZERO, total=ZERO, source=price.label, quality="priced")
    if not usage.is_known:
        return Cost.unknown("the provider reported no usage", source=price.label)
    if not usage.is_valid:
        return Cost.unknown("the usage contradicts itself", source=price.label)
    if usage.input_tokens is None:
        return Cost.unknown("the input tokens are unknown", source=price.label)
    rates = price.rates(usage.input_tokens)
    if rates.output is None and usage.output_tokens:
        return Cost.unknown("the source has no price for output", source=price.label)
    if usage.output_tokens is None and rates.output:
        return Cost.unknown("the output tokens are unknown", source=price.label)
    return _itemised(usage, rates, price.label)


def _itemised(usage: Usage, rates: Rates, source: str) -> Cost:
    read, written, reasoned = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0, usage.reasoning_tokens or 0
    output_rate = ZERO if rates.output is None else rates.output
    reasoning_rate = output_rate if rates.reasoning is None else rates.reasoning
    read_rate = rates.input if rates.cache_read is None else rates.cache_read
    prompt = _times(usage.fresh_tokens or 0, rates.input)
    completion = _times((usage.output_tokens or 0) - reasoned, output_rate)
    reasoning = _times(reasoned, reasoning_rate)
    cache_read = _times(read, read_rate)
    bounded = read > 0 and rates.cache_read is None
    certain = (prompt, completion, reasoning) if bounded else (prompt, completion, reasoning, cache_read)
    known = exact_sum(certain)
    if written and rates.cache_write is None:
        return Cost.unknown("the source has no price for cache writes", source=source, known=known)
    cache_write = _times(written, rates.cache_write or ZERO)
    return Cost(
        prompt=prompt,
        completion=completion,
        reasoning=reasoning,
        cache_read=cache_read,
        cache_write=cache_write,
        total=exact_sum((prompt, completion, reasoning, cache_read, cache_write)),
        known=EXACT.add(known, cache_write),
        source=source,
        quality="upper_bound" if bounded else "priced",
    )


def _times(tokens: int, rate: Decimal) -> Decimal:
    return EXACT.multiply(Decimal(tokens), rate)
