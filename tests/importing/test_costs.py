"""What a trace tells that its calls cost is what they cost, to the last decimal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.runs import NO_PRICES, PRICES, chat, execution, span

from smoltrace.books import names
from smoltrace.books.calls import Call, calls_in
from smoltrace.books.cost import Cost, cost_of
from smoltrace.books.prices import MappingSource, Price, PriceBook
from smoltrace.books.usage import Usage
from smoltrace.importing.costs import told_costs
from smoltrace.records.results import cost_of_call
from smoltrace.tracing.call import cost_attributes, usage_attributes

rates = st.decimals(min_value=0, max_value=100, places=4).map(lambda per_million: per_million / 1_000_000)
tokens = st.integers(0, 200_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    read, written, reasoned = draw(tokens), draw(tokens), draw(tokens)
    return Usage(
        input_tokens=draw(tokens) + read + written,
        output_tokens=draw(tokens) + reasoned,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=reasoned,
    )


def told(cost: Cost, usage: Usage, book: PriceBook, **more: Any) -> tuple[Cost | None, Cost]:
    """What is told of a call that bears this cost, and what a price book says of it."""
    about = {**usage_attributes(usage), **cost_attributes(cost, more.pop("reported", None))}
    spans = [span(1, 1, None, "test t", (0, 50)), chat(1, 2, 1, (0, 10), None, **about, **more)]
    done = execution(1, spans=spans, price_book=book)
    (call,) = calls_in(spans)
    return told_costs(done, [call]).get(call.span_id), cost_of_call(done, call)


@given(usages(), rates, rates, st.none() | rates, st.none() | rates, st.none() | rates)
def test_a_cost_comes_back_with_its_parts_whatever_the_prices_are_now(
    usage: Usage, sent: Decimal, got: Decimal, read: Decimal | None, written: Decimal | None, reasoned: Decimal | None
) -> None:
    price = Price(sent, got, read, written, reasoned, source="then", source_version="1")
    cost = cost_of(usage, price)
    found, _ = told(cost, usage, PRICES)
    assert found is not None
    assert (found.total, found.quality, found.source) == (cost.total, cost.quality, cost.source)
    for part in ("prompt", "completion", "reasoning", "cache_read", "cache_write"):
        assert getattr(found, part) == getattr(cost, part)
    if cost.total is not None:
        assert found.known == cost.known
    # Where the same prices are known here, nothing at all is lost.
    again, reckoned = told(cost, usage, PriceBook([MappingSource({"m": price}, name="then")]))
    assert again == reckoned == cost


def test_what_the_provider_reported_comes_back_exactly() -> None:
    amount = Decimal("0.000000000000000000123456789")
    found, _ = told(Cost.reported(amount), Usage(10, 1), PRICES, reported=amount)
    assert found == Cost.reported(amount)


def test_a_call_that_nobody_priced_is_left_to_the_price_book() -> None:
    spans = [span(1, 1, None, "test t", (0, 50)), chat(1, 2, 1, (0, 10), None)]
    assert told_costs(execution(1, spans=spans), calls_in(spans)) == {}


def test_a_call_inside_ours_costs_what_ours_says() -> None:
    inner = chat(1, 3, 2, (1, 9), (100, 10), scope="other", gen_ai__usage__cost__total=99.0)
    spans = [span(1, 1, None, "test t", (0, 50)), chat(1, 2, 1, (0, 10), (100, 10)), inner]
    (call,) = calls_in(spans)
    assert call.span_id == inner.span_id
    found = told_costs(execution(1, spans=spans, price_book=NO_PRICES), [call])
    assert found[call.span_id].total == Decimal("0.00045")


def test_the_mark_of_a_run_on_a_foreign_span_counts_and_its_own_reckoning_does_not() -> None:
    def of(**more: Any) -> dict[str, Cost]:
        spans = [chat(1, 2, 1, (0, 10), (100, 10), scope="other", **more)]
        return told_costs(execution(1, spans=spans, price_book=NO_PRICES), calls_in(spans))

    assert of(gen_ai__usage__cost__total=99.0) == {}
    (marked,) = of(**{names.COST_OF_CALL: 0.25, names.PRICING_SOURCE: "then 1"}).values()
    assert (marked.total, marked.source, marked.prompt) == (Decimal("0.25"), "then 1", None)


def test_calls_without_a_span_are_left_out() -> None:
    call = Call(span_id="f" * 16, trace_id="e" * 32, start_ns=0, end_ns=1)
    assert told_costs(execution(1), [call]) == {}
