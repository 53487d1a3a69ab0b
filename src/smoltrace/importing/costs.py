"""What calls cost where their trace tells it: a run of smoltrace has priced them already, and its prices hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.calls import Call
from smoltrace.books.cost import EXACT, ZERO, Cost, exact_sum
from smoltrace.books.spans import Span
from smoltrace.records.execution import Execution
from smoltrace.records.money import amount_of
from smoltrace.records.results import cost_of_call
from smoltrace.records.traces import pricing_span

_PARTS: Final = {
    "prompt": names.COST_PROMPT,
    "completion": names.COST_COMPLETION,
    "reasoning": names.COST_REASONING,
    "cache_read": names.COST_CACHE_READ,
    "cache_write": names.COST_CACHE_WRITE,
}
_QUALITIES: Final = ("provider_reported", "priced", "upper_bound")


def told_costs(execution: Execution, calls: Iterable[Call]) -> dict[str, Cost]:
    """The cost of each call whose trace tells it, by the id of its span.

    Spans hold the double nearest to an amount. Where the price book of the execution gives the same by the same
    source, its exact amounts are taken; else the shortest decimals that give these doubles.
    """
    by_id = {span.span_id: span for span in execution.spans}
    found: dict[str, Cost] = {}
    for call in calls:
        span = by_id.get(call.span_id)
        told = None if span is None else _told(span, by_id)
        if told is None:
            continue
        reckoned = cost_of_call(execution, call)
        found[call.span_id] = reckoned if _agree(told, reckoned) else told
    return found


def _told(span: Span, by_id: Mapping[str, Span]) -> Cost | None:
    """What the span, or ours above it that records the same call, says that the call cost."""
    if names.COST_OF_CALL in span.attributes:
        return _whole(span.attributes, amount_of(span.attributes[names.COST_OF_CALL]))
    pricing = pricing_span(span, by_id)
    return None if pricing is None else _itemised(pricing.attributes)


def _itemised(about: Mapping[str, Any]) -> Cost | None:
    quality, total = about.get(names.COST_QUALITY), amount_of(about.get(names.COST_TOTAL))
    if quality is None and total is None:
        return None
    if total is None:
        return Cost.unknown("its run could not price it", source=_source(about))
    if quality == "provider_reported":
        return Cost.reported(amount_of(about.get(names.COST_REPORTED)) or total)
    amounts = {part: amount_of(about.get(name)) for part, name in _PARTS.items()}
    parts = [amount for amount in amounts.values() if amount is not None]
    if len(parts) < len(amounts) or float(exact := exact_sum(parts)) != float(total):
        return _whole(about, total)
    bounded = amounts["cache_read"] if quality == "upper_bound" else None
    return replace(
        _whole(about, exact),
        prompt=amounts["prompt"],
        completion=amounts["completion"],
        reasoning=amounts["reasoning"],
        cache_read=amounts["cache_read"],
        cache_write=amounts["cache_write"],
        known=EXACT.subtract(exact, bounded or ZERO),
    )


def _whole(about: Mapping[str, Any], total: Decimal | None) -> Cost:
    """A cost without its parts."""
    if total is None:
        return Cost.unknown("its run could not price it", source=_source(about))
    quality = about.get(names.COST_QUALITY)
    return Cost(
        total=total,
        known=total,
        source=_source(about),
        quality=quality if quality in _QUALITIES else "priced",
    )


def _source(about: Mapping[str, Any]) -> str | None:
    source = about.get(names.PRICING_SOURCE)
    return str(source) if source else None


def _agree(told: Cost, reckoned: Cost) -> bool:
    """Whether the price book says the same as the trace, which may not tell the parts."""
    if (told.source, told.quality) != (reckoned.source, reckoned.quality) or (told.total is None) != (
        reckoned.total is None
    ):
        return False
    pairs = [(getattr(told, name), getattr(reckoned, name)) for name in ("total", *_PARTS)]
    return all(mine is None or (theirs is not None and float(mine) == float(theirs)) for mine, theirs in pairs)
