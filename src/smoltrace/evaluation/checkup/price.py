"""Whether the model has a price, and which: without one its runs have no cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smoltrace.books import names
from smoltrace.errors import UsageError
from smoltrace.evaluation.checkup.check import Check

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.prices import Price, PriceBook
    from smoltrace.books.spans import Span

NAME: Final = "price"


def open_books(spec: ModelSpec, price_file: Path | None) -> tuple[PriceBook, str | None]:
    """The price book of a run with a resolved model; with the fault of the price file, the book without it."""
    from smoltrace.agents.pricing import load_price_book
    from smoltrace.agents.providers import declared_prices

    declared = declared_prices(spec)
    try:
        return load_price_book(price_file, declared), None
    except UsageError as error:
        return load_price_book(None, declared), str(error)


def check_price(spec: ModelSpec, price_book: PriceBook, fault: str | None, span: Span | None) -> Iterator[Check]:
    """One check. `span` is that of the live call, where there was one: the model that answered is priced before the one
    that was asked for, as in a run."""
    from smoltrace.agents.providers import system_of

    if fault is not None:
        yield Check(NAME, "failed", fault, "correct the file of --price-file")
        return
    given = {} if span is None else span.attributes
    answered = given.get(names.RESPONSE_MODEL)
    system, now = system_of(spec), datetime.now(UTC)
    price = price_book.find(answered, spec.model_id, system, now)
    if price is not None:
        yield Check(NAME, "ok", _in_words(price))
    elif given.get(names.COST_QUALITY) == "provider_reported":
        yield Check(NAME, "ok", "in no table; the provider itself says what each call costs")
    else:
        asked = ", ".join(quote.source for quote in price_book.explain(spec.model_id, system, now))
        yield Check(
            NAME,
            "failed",
            f"no source knows {spec.model_id}, so its runs have no cost (asked: {asked})",
            f'give --price-file prices.toml with [models."{spec.model_id}"], input and output in USD per million '
            "tokens; 0 where it runs on your own hardware",
        )


def _in_words(price: Price) -> str:
    if price.declared_free:
        return f"free ({price.label})"
    output = "" if price.output is None else f", output {_per_million(price.output)}"
    return f"input {_per_million(price.input)}{output} USD per million tokens ({price.label})"


def _per_million(amount: Decimal) -> str:
    return format(amount.scaleb(6).normalize(), "f")
