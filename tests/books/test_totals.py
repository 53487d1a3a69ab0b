"""Sums that say what they don't know."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from smoltrace.books.calls import Call
from smoltrace.books.cost import Cost
from smoltrace.books.totals import Totals, total_of
from smoltrace.books.usage import Usage

D = Decimal


def call(usage: Usage | None = None, **more: Any) -> Call:
    return Call(span_id="s", trace_id="t", start_ns=0, end_ns=1, usage=usage or Usage(), **more)


def priced(total: str, source: str = "table 1") -> Cost:
    amount = D(total)
    return Cost(amount, D(0), D(0), D(0), D(0), total=amount, known=amount, source=source, quality="priced")


UNKNOWN = Cost.unknown("no price", known=D("0.25"))


def test_nothing_has_no_tokens_and_no_cost() -> None:
    totals = total_of([])
    assert (totals.llm_calls, totals.total_tokens, totals.cost_total, totals.cost_known) == (0, None, None, 0)
    assert (totals.pricing_source, totals.cost_quality, totals.ttft_s) == (None, None, None)


def test_known_tokens_are_summed_and_unknown_ones_stay_unknown() -> None:
    totals = total_of([(call(Usage(10, 5, 4)), priced("1")), (call(Usage(20, 6)), priced("2"))])
    assert (totals.input_tokens, totals.output_tokens, totals.total_tokens) == (30, 11, 41)
    assert (totals.cache_read_tokens, totals.cache_write_tokens, totals.reasoning_tokens) == (4, None, None)
    assert (totals.cost_total, totals.cost_prompt, totals.cost_reasoning, totals.unpriced_calls) == (3, 3, 0, 0)


def test_one_unpriced_call_makes_the_total_null_beside_a_lower_bound() -> None:
    totals = total_of([(call(Usage(1, 1)), priced("1")), (call(Usage(1, 1)), UNKNOWN)])
    assert (totals.cost_total, totals.cost_prompt) == (None, None)
    assert (totals.cost_known, totals.unpriced_calls, totals.cost_quality) == (D("1.25"), 1, "unknown")
    assert totals.pricing_source == "table 1"


def test_a_failed_call_without_usage_is_unpriced_and_has_no_tokens() -> None:
    totals = total_of([(call(Usage(1, 1)), priced("1")), (call(error="boom"), Cost.unknown("no usage"))])
    assert (totals.llm_calls, totals.total_tokens, totals.calls_without_usage, totals.cost_total) == (2, 2, 1, None)


def test_a_total_without_a_breakdown_hides_the_components_and_not_the_total() -> None:
    totals = total_of([(call(Usage(1, 1)), priced("1")), (call(Usage(1, 1)), Cost.reported(D("0.5")))])
    assert (totals.cost_total, totals.cost_prompt) == (D("1.5"), None)
    assert (totals.pricing_source, totals.cost_quality) == ("provider, table 1", "priced")


def test_calls_that_an_agents_sum_covers_are_counted_but_not_priced_again() -> None:
    whole = call(Usage(10, 5), usage_source="agent_total")
    part = call(usage_source="agent_total")
    totals = total_of([(whole, priced("1")), (part, Cost.unknown("")), (part, Cost.unknown(""))])
    assert (totals.llm_calls, totals.total_tokens, totals.cost_total, totals.unpriced_calls) == (2, 15, 1, 0)
    assert totals.calls_without_usage == 0


def test_times_are_averaged_over_the_calls_that_measured_them() -> None:
    costs = priced("1")
    totals = total_of([(call(ttft_s=0.5, tbt_s=0.01), costs), (call(ttft_s=0.25), costs), (call(), costs)])
    assert totals.ttft_s == 0.375
    assert totals.tbt_s == 0.01


def test_an_empty_test_changes_no_total() -> None:
    some = total_of([(call(Usage(1, 1), retries=2), priced("1"))])
    assert Totals.combine([Totals(), some, total_of([])]) == some
    assert some.retries == 2
