"""From a results row and its spans to the rows of `traces` and `spans`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.books.calls import Call, calls_in
from smoltrace.books.spans import Event, Span
from smoltrace.records.execution import tool_spans
from smoltrace.records.money import amount_of
from smoltrace.records.schema import Row
from smoltrace.records.text import json_text

if TYPE_CHECKING:
    from smoltrace.records.energy import RunEnergy

_FROM_RESULT = (
    *("trace_id", "run_id", "test_id", "test_case_uid", "model", "agent_type", "provider", "gen_ai.system"),
    *(f"gen_ai.usage.cost.{part}" for part in ("prompt", "completion", "reasoning", "cache_read", "cache_write")),
    *("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens", "completion_tokens_details.reasoning_tokens"),
    *("cache_read_input_tokens", "cache_creation_input_tokens", "gen_ai.server.ttft"),
    *("gen_ai.request.temperature", "gen_ai.request.top_p", "gen_ai.request.max_tokens"),
    *("gen_ai.response.id", "gen_ai.response.finish_reasons", "gen_ai.response.model"),
)


def in_order(spans: Iterable[Span]) -> list[Span]:
    """The spans of a trace, each once, in order of their start; of those that start together the longest first."""
    once = {span.span_id: span for span in spans}
    return sorted(once.values(), key=lambda span: (span.start_ns, -span.end_ns, span.span_id))


def trace_row(result: Mapping[str, Any], spans: Sequence[Span], span_rows: Sequence[Row] | None = None) -> Row:
    """The row of `traces` of one execution. Its totals are those of its results row, so the two always agree.

    `span_rows` are its rows of `spans` where they are at hand, in the order of `in_order`.
    """
    ordered = in_order(spans)
    rows = span_rows_of(result, ordered) if span_rows is None else span_rows
    row = {name: result[name] for name in _FROM_RESULT}
    return row | {
        "total_tokens": result["gen_ai.usage.total_tokens"],
        "total_duration_ms": result["execution_time_ms"],
        "total_cost_usd": result["gen_ai.usage.cost.total"],
        "avg_tbt": result["gen_ai.server.tbt"],
        "llm.tools": _tool_definitions(ordered),
        "tool_call_count": len(tool_spans(ordered)),
        "timestamp": result["start_time"],
        "span_count": len(ordered),
        "spans": [_nested(span_row) for span_row in rows],
    }


def span_rows_of(
    result: Mapping[str, Any],
    ordered: Sequence[Span],
    calls: Sequence[Call] | None = None,
    energy: RunEnergy | None = None,
) -> list[Row]:
    """The rows of `spans` of one execution, in the order given. `calls` are the counted ones, where at hand; `energy`
    is that of the run, where it was measured."""
    calls = calls_in(ordered) if calls is None else calls
    counted = {call.span_id: call for call in calls}
    costs = _costs(result, ordered, counted)
    used = {} if energy is None else energy.span_columns(str(result["test_case_uid"]), ordered)
    return [
        span_row(span, result, counted.get(span.span_id), costs.get(span.span_id)) | used.get(span.span_id, {})
        for span in ordered
    ]


def span_row(span: Span, result: Mapping[str, Any], call: Call | None, cost: Decimal | None) -> Row:
    """The row of `spans` of one span. `call` is what the books count there, None on all other spans."""
    attributes = span.attributes
    usage = None if call is None else call.usage
    return {
        "run_id": result["run_id"],
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "test_case_uid": result["test_case_uid"],
        "name": span.name,
        "kind": span.kind,
        "operation": _text(attributes.get(names.OPERATION_NAME)),
        "start_time": span.start_ns,
        "end_time": span.end_ns,
        "duration_ms": span.duration_ms,
        "status": span.status,
        "status_description": span.status_description,
        "model": _text(attributes.get(names.RESPONSE_MODEL) or attributes.get(names.REQUEST_MODEL)),
        "tool": _text(attributes.get(names.TOOL_NAME)),
        "input_tokens": None if usage is None else usage.input_tokens,
        "output_tokens": None if usage is None else usage.output_tokens,
        "cache_read_tokens": None if usage is None else usage.cache_read_tokens,
        "cache_write_tokens": None if usage is None else usage.cache_write_tokens,
        "reasoning_tokens": None if usage is None else usage.reasoning_tokens,
        "cost_usd": cost,
        "error_type": _text(attributes.get(names.ERROR_TYPE)),
        **dict.fromkeys(("gpu_energy_wh", "co2_emissions_g", "power_cost_usd")),
        "scope": span.scope,
        "attributes": json_text(dict(attributes)),
        "events": json_text(
            [{"name": e.name, "time": e.time_ns, "attributes": dict(e.attributes)} for e in span.events]
        ),
        "resource": json_text(dict(span.resource)),
    }


def span_of(row: Mapping[str, Any]) -> Span:
    """The span that a row of `spans` was made from; the inverse of `span_row`."""
    import orjson

    events = orjson.loads(row["events"] or b"[]")
    return Span(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        name=row["name"],
        kind=row["kind"],
        start_ns=row["start_time"],
        end_ns=row["end_time"],
        attributes=orjson.loads(row["attributes"] or b"{}"),
        events=tuple(Event(event["name"], event["time"], event["attributes"]) for event in events),
        status=row["status"],
        status_description=row["status_description"],
        scope=row["scope"],
        resource=orjson.loads(row["resource"] or b"{}"),
    )


def _nested(row: Row) -> Row:
    return {
        "span_id": row["span_id"],
        "parent_span_id": row["parent_span_id"],
        "name": row["name"],
        "kind": row["kind"],
        "start_time": row["start_time"],
        "end_time": row["end_time"],
        "duration_ms": row["duration_ms"],
        "attributes": row["attributes"],
        "events": row["events"],
        "status": {"code": row["status"], "description": row["status_description"]},
        "resource": row["resource"],
    }


def _costs(result: Mapping[str, Any], spans: Sequence[Span], counted: Mapping[str, Call]) -> dict[str, Decimal | None]:
    """What each counted call cost, by its span's id. Where the parts do not add up to the test's total, the parts are
    unknown: the books balance, or say that they do not know."""
    by_id = {span.span_id: span for span in spans}
    costs = {span_id: reckoned_cost(by_id[span_id], by_id) for span_id in counted if span_id in by_id}
    total = result["gen_ai.usage.cost.total"]
    known = [float(cost) for cost in costs.values() if cost is not None]
    if total is not None and len(known) == len(costs) and not math.isclose(math.fsum(known), total, rel_tol=1e-9):
        return dict.fromkeys(costs)
    return costs


def reckoned_cost(span: Span, by_id: Mapping[str, Span]) -> Decimal | None:
    """What a call cost by the run's prices, USD, as its trace tells it; None where it does not.

    Our span of a call carries it; a span that another instrumentation nested in it has the same cost. What else another
    instrumentation says that a call cost is its own reckoning, and is not read.
    """
    if names.COST_OF_CALL in span.attributes:
        return amount_of(span.attributes[names.COST_OF_CALL])
    pricing = pricing_span(span, by_id)
    return None if pricing is None else amount_of(pricing.attributes.get(names.COST_TOTAL))


def pricing_span(span: Span, by_id: Mapping[str, Span]) -> Span | None:
    """Our span of the call that this span records: itself, or the next of ours above it where that is a call."""
    seen: set[str] = set()
    at: Span | None = span
    while at is not None and at.span_id not in seen:
        seen.add(at.span_id)
        if at.scope == names.SCOPE:
            is_call = at.attributes.get(names.OPERATION_NAME) in (names.CHAT, names.EMBEDDINGS)
            return at if is_call or at is span else None
        at = by_id.get(at.parent_span_id or "")
    return None


def _tool_definitions(spans: Iterable[Span]) -> str | None:
    for span in spans:
        tools = span.attributes.get(names.LLM_TOOLS) or span.attributes.get(names.TOOL_DEFINITIONS)
        if tools:
            return tools if isinstance(tools, str) else json_text(tools)
    return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
