"""`smoltrace prices MODEL`: what each price source says about a model, and which one is used."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from smoltrace.books.prices import Price, Quote

_COMPONENTS = ("input", "output", "cache_read", "cache_write", "reasoning")

_EPILOG = """\b
Examples:
  smoltrace prices gpt-4o
  smoltrace prices anthropic/claude-sonnet-4-5 --json
  smoltrace prices my-model --price-file prices.toml
"""


@click.command("prices", epilog=_EPILOG)
@click.argument("model")
@click.option("--provider", help="Who serves the model; without it, its prefix or its maker.")
@click.option(
    "--price-file",
    type=click.Path(path_type=Path),
    help="Your own prices: TOML or JSON, USD per million tokens. They go before the public tables.",
)
@click.option(
    "--date",
    "date",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Prices as they were on that day (UTC). Default: now.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def command(model: str, provider: str | None, price_file: Path | None, date: datetime | None, as_json: bool) -> None:
    """Say what each price source knows about MODEL, and which of them is used.

    Amounts are USD per million tokens.
    """
    from smoltrace.agents.pricing import load_price_book

    at = datetime.now(UTC) if date is None else date.replace(tzinfo=UTC)
    quotes = load_price_book(price_file).explain(model, provider, at)
    if as_json:
        document = {
            "model": model,
            "provider": provider,
            "at": at.isoformat(),
            "used": next((quote.price.label for quote in quotes if quote.used and quote.price), None),
            "sources": [_quote(quote) for quote in quotes],
        }
        click.echo(json.dumps(document, indent=2))
        return
    for line in _lines(model, quotes):
        click.echo(line)


def _lines(model: str, quotes: list[Quote]) -> list[str]:
    lines = [f"{model}, USD per million tokens:"]
    for quote in quotes:
        label = quote.source if quote.version is None else f"{quote.source} {quote.version}"
        mark = "*" if quote.used else " "
        lines.append(f"{mark} {label}: {'does not know it' if quote.price is None else _in_words(quote.price)}")
        if quote.price is not None:
            lines.extend(f"    above {tier.above} input tokens: {_amounts(tier)}" for tier in quote.price.tiers)
    if any(quote.used for quote in quotes):
        lines.append("* is used.")
    else:
        lines.append("No source knows the model, so its calls have no cost. Declare one with --price-file.")
    return lines


def _in_words(price: Price) -> str:
    return "free" if price.declared_free else _amounts(price)


def _amounts(rates: Any) -> str:
    known = ((name, getattr(rates, name)) for name in _COMPONENTS)
    return ", ".join(f"{name.replace('_', ' ')} {_per_million(amount)}" for name, amount in known if amount is not None)


def _quote(quote: Quote) -> dict[str, Any]:
    price = quote.price
    return {
        "source": quote.source,
        "version": quote.version,
        "used": quote.used,
        "declared_free": None if price is None else price.declared_free,
        "usd_per_million_tokens": None if price is None else _as_json(price),
        "tiers": []
        if price is None
        else [{"above_input_tokens": tier.above, "usd_per_million_tokens": _as_json(tier)} for tier in price.tiers],
    }


def _as_json(rates: Any) -> dict[str, str | None]:
    amounts = {name: getattr(rates, name) for name in _COMPONENTS}
    return {name: None if amount is None else _per_million(amount) for name, amount in amounts.items()}


def _per_million(amount: Decimal) -> str:
    """Decimal text without an exponent and without trailing zeros."""
    return format(amount.scaleb(6).normalize(), "f")
