from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import orjson
from support.runs import NO_PRICES, chat, execution, span, trace_of

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.spans import Event
from smoltrace.records.results import priced_spans, result_row
from smoltrace.records.schema import SPANS, TRACES
from smoltrace.records.traces import in_order, span_of, span_rows_of, trace_row


def test_a_trace_has_the_totals_of_its_result() -> None:
    done = execution()
    result = result_row(done)

    row = trace_row(result, done.spans)

    assert tuple(sorted(row)) == tuple(sorted(TRACES.names))
    assert row["total_tokens"] == 330
    assert row["total_duration_ms"] == 120.0
    assert row["total_cost_usd"] == result["gen_ai.usage.cost.total"]
    assert row["tool_call_count"] == 1
    assert row["span_count"] == len(row["spans"]) == 8
    assert row["timestamp"] == result["start_time"]


def test_nested_spans_are_in_order_and_whole() -> None:
    done = execution()

    spans = trace_row(result_row(done), list(reversed(done.spans)))["spans"]

    assert [s["name"] for s in spans] == [s.name for s in in_order(done.spans)]
    assert spans[0]["parent_span_id"] is None
    assert orjson.loads(spans[3]["attributes"])[names.REQUEST_MODEL] == "m"
    assert orjson.loads(spans[0]["resource"])["run_id"] == "made"
    assert spans[0]["status"] == {"code": "UNSET", "description": None}


def test_tokens_and_cost_stand_on_counted_spans_only_and_sum_to_the_test() -> None:
    done = execution()
    result = result_row(done)

    rows = span_rows_of(result, in_order(done.spans))

    assert all(set(row) == set(SPANS.names) for row in rows)
    counted = [row for row in rows if row["input_tokens"] is not None]
    assert [row["name"] for row in counted] == ["chat m", "chat m"]
    assert sum(row["input_tokens"] for row in counted) == result["gen_ai.usage.prompt_tokens"]
    assert sum(row["cost_usd"] for row in counted) == result["gen_ai.usage.cost.total"]
    assert {row["cost_usd"] for row in rows if row not in counted} == {None}


def test_a_foreign_span_nested_in_ours_is_counted_once_at_our_cost() -> None:
    spans = trace_of(1)
    ours = next(s for s in spans if s.name == "chat m")
    nested = replace(
        ours,
        span_id="f" * 16,
        parent_span_id=ours.span_id,
        scope="other",
        attributes={**ours.attributes, names.COST_TOTAL: 99.0},
    )
    done = execution(spans=[*spans, nested])
    result = result_row(done)

    rows = span_rows_of(result, in_order(done.spans))

    counted = [row for row in rows if row["input_tokens"] is not None]
    assert len(counted) == 2
    assert sum(row["cost_usd"] for row in counted) == result["gen_ai.usage.cost.total"] == Decimal("0.00135")


def test_a_call_that_only_another_instrumentation_saw_costs_its_span_what_it_costs_the_test() -> None:
    seen = replace(chat(1, 40, 22, (130, 135), (1000, 7)), scope="other")
    seen = replace(seen, attributes={**seen.attributes, names.COST_TOTAL: 99.0, names.RESPONSE_ID: "elsewhere"})
    done = execution(spans=[*trace_of(1), seen])
    calls = calls_in(done.spans)
    result = result_row(done, calls)

    rows = span_rows_of(result, in_order(priced_spans(done, calls)))

    (cost,) = (row["cost_usd"] for row in rows if row["span_id"] == seen.span_id)
    assert cost == Decimal("0.003105")
    assert sum(row["cost_usd"] for row in rows if row["input_tokens"] is not None) == result["gen_ai.usage.cost.total"]
    (kept,) = (span for span in priced_spans(done, calls) if span.span_id == seen.span_id)
    assert kept.attributes[names.COST_TOTAL] == 99.0
    assert kept.attributes[names.PRICING_SOURCE] == "test 1"


def test_what_another_instrumentation_reckons_is_not_read() -> None:
    seen = replace(chat(1, 40, 22, (130, 135), (1000, 7)), scope="other")
    done = execution(spans=[*trace_of(1), seen], price_book=NO_PRICES)
    calls = calls_in(done.spans)

    rows = span_rows_of(result_row(done, calls), in_order(priced_spans(done, calls)))

    assert {row["cost_usd"] for row in rows if row["span_id"] == seen.span_id} == {None}


def test_our_own_spans_stay_what_they_are() -> None:
    done = execution()
    assert priced_spans(done, calls_in(done.spans)) == list(done.spans)


def test_parts_that_do_not_add_up_to_the_total_are_unknown() -> None:
    spans = [
        replace(s, attributes={**s.attributes, names.COST_TOTAL: 5.0}) if s.name == "chat m" else s for s in trace_of(1)
    ]
    done = execution(spans=spans)

    rows = span_rows_of(result_row(done), in_order(spans))

    assert {row["cost_usd"] for row in rows} == {None}


def test_the_tools_that_a_model_was_offered() -> None:
    spans = trace_of(1)
    offered = [
        replace(s, attributes={**s.attributes, names.LLM_TOOLS: '[{"name":"get_weather"}]'})
        if s.name == "chat m"
        else s
        for s in spans
    ]

    assert trace_row(result_row(execution()), spans)["llm.tools"] is None
    assert trace_row(result_row(execution()), offered)["llm.tools"] == '[{"name":"get_weather"}]'


def test_a_span_comes_back_from_its_row() -> None:
    original = replace(
        span(1, 3, 1, "step 1", (0, 5), a=1, b=[1.5, "x"], c=True),
        events=(Event("exception", 17, {"exception.type": "ValueError"}),),
        status="ERROR",
        status_description="broken",
        scope="other",
    )

    (row,) = span_rows_of(result_row(execution()), [original])

    assert span_of(row) == original
    assert row["status_description"] == "broken"


def test_an_attribute_of_an_unexpected_type_is_no_cost() -> None:
    spans = [
        replace(s, attributes={**s.attributes, names.COST_TOTAL: odd}) if s.name == "chat m" else s
        for s, odd in zip(trace_of(1), [None, None, None, True, None, None, "much", None], strict=True)
    ]

    rows = span_rows_of(result_row(execution(spans=spans)), in_order(spans))

    assert {row["cost_usd"] for row in rows} == {None}
