"""Which price a call gets, and from whom."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smoltrace.books.prices import MappingSource, Price, PriceBook, per_token
from smoltrace.books.usage import Usage

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def price(amount: int) -> Price:
    return Price(Decimal(amount), Decimal(amount), source=f"price {amount}")


def source(name: str, explicit: bool = False, **prices: int) -> MappingSource:
    listed = {model.replace("__", "/").replace("_", "-"): price(amount) for model, amount in prices.items()}
    return MappingSource(listed, name=name, explicit=explicit)


def amount(found: Price | None) -> Decimal | None:
    return None if found is None else found.input


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("gpt-x", None, 1),
        ("GPT-X", "azure", 1),
        ("openai/gpt-x", None, 1),
        ("acme/big", None, 2),
        ("big", "acme", 2),
        ("big", None, None),
        ("solo", "openai", 3),
        ("solo", None, 3),
        ("openai/solo", None, 3),
        ("solo", "azure", None),
        ("my-gpt-x", None, None),
        ("gpt-x-mini", None, None),
        ("gpt", None, None),
    ],
)
def test_names_are_matched_whole(model: str, provider: str | None, expected: int | None) -> None:
    table = source("table", gpt_x=1, acme__big=2, openai__solo=3)
    assert amount(table.find(model, provider, NOW)) == expected


def test_one_name_cannot_have_two_prices() -> None:
    with pytest.raises(ValueError, match="twice"):
        MappingSource({"A": price(1), "a": price(2)}, name="table")


def test_the_first_source_that_knows_the_model_decides() -> None:
    book = PriceBook([source("one", a=1), source("two", a=2, b=3)])
    assert amount(book.find("a", None, None, NOW)) == 1
    assert amount(book.find("b", None, None, NOW)) == 3
    assert book.find("c", None, None, NOW) is None
    assert book.find(None, None, None, NOW) is None


def test_the_responses_model_is_looked_up_before_the_requested_one() -> None:
    book = PriceBook([source("one", alias=1), source("two", real=2)])
    assert amount(book.find("real", "alias", None, NOW)) == 2
    assert amount(book.find("unheard-of", "alias", None, NOW)) == 1


def test_what_the_user_declares_goes_before_every_table_under_either_name() -> None:
    book = PriceBook([source("table", real=2), source("mine", explicit=True, alias=1)])
    assert amount(book.find("real", "alias", None, NOW)) == 1


def test_every_source_can_be_heard() -> None:
    quotes = PriceBook([source("one"), source("two", a=2), source("three", a=3)]).explain("a", None, NOW)
    assert [(quote.source, amount(quote.price), quote.used) for quote in quotes] == [
        ("one", None, False),
        ("two", 2, True),
        ("three", 3, False),
    ]


def cost(book: PriceBook, usage: Usage, reported: Decimal | None = None) -> object:
    found = book.cost(usage, response_model="a", request_model=None, provider=None, at=NOW, reported=reported)
    return found.total, found.quality, found.source


def test_what_the_provider_reported_goes_before_all_prices() -> None:
    book = PriceBook([source("one", a=1)])
    assert cost(book, Usage(1, 1), Decimal("0.5")) == (Decimal("0.5"), "provider_reported", "provider")
    assert cost(book, Usage(), Decimal(0)) == (0, "provider_reported", "provider")
    assert cost(book, Usage(1, 1)) == (2, "priced", "price 1")


def test_a_call_without_usage_has_no_cost_unless_it_is_free() -> None:
    assert cost(PriceBook([source("one", a=1)]), Usage()) == (None, "unknown", "price 1")
    assert cost(PriceBook([]), Usage()) == (None, "unknown", None)
    assert cost(PriceBook([MappingSource({"a": Price.free("local")}, name="d")]), Usage()) == (0, "priced", "local")


def test_the_label_of_a_price_names_its_source_and_version() -> None:
    assert Price.free("table", "1.2").label == "table 1.2"
    assert Price.free("table").label == "table"


def test_prices_per_million_become_prices_per_token_exactly() -> None:
    assert per_token(Decimal("0.1")) == Decimal("0.0000001")
    long = Decimal("1.23456789012345678901234567890123")
    assert per_token(long) == Decimal("0.00000123456789012345678901234567890123")
