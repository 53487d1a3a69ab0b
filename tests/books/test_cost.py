"""Dollars of one call, to the last digit, or unknown and why."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.cost import Cost, cost_of, exact_sum
from smoltrace.books.prices import Price, Tier, per_token
from smoltrace.books.usage import Usage

D = Decimal


def price(**usd_per_million: str | None) -> Price:
    rates = {name: None if text is None else per_token(D(text)) for name, text in usd_per_million.items()}
    return Price(**{"output": None, **rates}, source="test", source_version="1")  # type: ignore[arg-type]


FULL = price(input="2.50", output="10", cache_read="1.25", cache_write="3.75", reasoning="12")


def test_a_call_with_everything_is_itemised() -> None:
    cost = cost_of(Usage(1000, 200, 600, 100, 50), FULL)
    assert cost.prompt == D("0.00075")
    assert cost.cache_read == D("0.00075")
    assert cost.cache_write == D("0.000375")
    assert cost.completion == D("0.0015")
    assert cost.reasoning == D("0.0006")
    assert cost.total == cost.known == D("0.003975")
    assert (cost.source, cost.quality, cost.reason) == ("test 1", "priced", None)


def test_reasoning_without_a_price_of_its_own_costs_what_output_costs() -> None:
    cost = cost_of(Usage(0, 100, None, None, 40), price(input="1", output="10"))
    assert (cost.completion, cost.reasoning, cost.total) == (D("0.0006"), D("0.0004"), D("0.001"))


def test_a_reasoning_price_of_zero_is_a_price() -> None:
    assert cost_of(Usage(0, 100, None, None, 100), price(input="1", output="10", reasoning="0")).total == 0


def test_cache_reads_without_a_price_are_charged_in_full_and_said_to_be_a_bound() -> None:
    cost = cost_of(Usage(1000, 0, 600), price(input="1", output="1"))
    assert (cost.total, cost.quality) == (D("0.001"), "upper_bound")
    assert cost.known == D("0.0004"), "a lower bound leaves out what may have been free"


def test_cache_writes_without_a_price_make_the_cost_unknown() -> None:
    cost = cost_of(Usage(1000, 0, None, 600), price(input="1", output="1"))
    assert (cost.total, cost.prompt, cost.quality) == (None, None, "unknown")
    assert cost.known == D("0.0004")
    assert "cache writes" in (cost.reason or "")


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (Usage(10, 5, 8, 8), "contradicts"),
        (Usage(10, 5, None, None, 6), "contradicts"),
        (Usage(), "no usage"),
        (Usage(None, 5), "input tokens"),
        (Usage(10, None), "output tokens"),
    ],
)
def test_usage_that_cannot_be_priced_costs_null_and_not_zero(usage: Usage, reason: str) -> None:
    cost = cost_of(usage, FULL)
    assert (cost.total, cost.known) == (None, 0)
    assert reason in (cost.reason or "")


def test_without_a_price_the_cost_is_null() -> None:
    assert cost_of(Usage(10, 5), None) == Cost.unknown("no price source knows the model")


def test_a_model_that_only_reads_needs_no_output_price() -> None:
    embedding = price(input="0.02")
    assert cost_of(Usage(1000, None), embedding).total == D("0.00002")
    assert cost_of(Usage(1000, 0), embedding).total == D("0.00002")
    assert cost_of(Usage(1000, 1), embedding).total is None


@pytest.mark.parametrize("usage", [Usage(1000, 200, 600, 100, 50), Usage(), Usage(None, 5)])
def test_what_is_declared_free_costs_zero_whatever_is_known(usage: Usage) -> None:
    cost = cost_of(usage, Price.free("local"))
    assert (cost.total, cost.prompt, cost.quality, cost.source) == (0, 0, "priced", "local")


def test_a_tier_is_chosen_by_all_input_and_holds_for_all_tokens() -> None:
    tiered = Price(
        D(1),
        D(10),
        D("0.5"),
        tiers=(Tier(200, input=D(2), output=D(15)), Tier(100, input=D("1.5"), cache_read=D("0.7"))),
    )
    assert cost_of(Usage(100, 1, 50), tiered).total == 50 + 25 + 10
    assert cost_of(Usage(101, 1, 50), tiered).total == 51 * D("1.5") + 35 + 10
    assert cost_of(Usage(201, 1, 50), tiered).total == 151 * 2 + 35 + 15


def test_a_reported_cost_has_no_breakdown() -> None:
    cost = Cost.reported(D("0.0123"))
    assert (cost.total, cost.known, cost.prompt) == (D("0.0123"), D("0.0123"), None)
    assert (cost.quality, cost.source) == ("provider_reported", "provider")


amounts = st.decimals(0, 10_000, allow_nan=False, places=9)
rates = st.builds(
    Price,
    amounts.map(per_token),
    amounts.map(per_token),
    st.none() | amounts.map(per_token),
    st.none() | amounts.map(per_token),
    st.none() | amounts.map(per_token),
)
tokens = st.integers(0, 10**9)


@given(st.builds(Usage, tokens, tokens, tokens, tokens, tokens), rates)
def test_components_sum_to_the_total_and_the_bound_holds(usage: Usage, at: Price) -> None:
    cost = cost_of(usage, at)
    parts = (cost.prompt, cost.completion, cost.reasoning, cost.cache_read, cost.cache_write)
    if cost.total is None:
        assert parts == (None,) * 5
        assert cost.reason
        return
    assert exact_sum(part for part in parts if part is not None) == cost.total
    assert 0 <= cost.known <= cost.total
    assert (cost.known == cost.total) or cost.quality == "upper_bound"


def test_sums_of_very_large_and_very_small_amounts_are_exact() -> None:
    assert exact_sum([D("1e12"), D("1e-20"), D("-1e12")]) == D("1e-20")
    assert exact_sum([]) == 0
