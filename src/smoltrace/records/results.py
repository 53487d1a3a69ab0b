"""From an execution to its row of `results`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.books.calls import Call, calls_in
from smoltrace.books.spans import Span
from smoltrace.books.totals import Totals, total_of
from smoltrace.records.estimates import estimate_columns
from smoltrace.records.execution import Execution, final_answer_called, step_count, tool_spans, tool_uses
from smoltrace.records.schema import RESULTS, Row, empty_row, time_of
from smoltrace.records.text import json_text
from smoltrace.records.traces import reckoned_cost

if TYPE_CHECKING:
    from smoltrace.books.cost import Cost

GENERATION = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty")


def result_row(execution: Execution, calls: Sequence[Call] | None = None) -> Row:
    """The row of `results` of one execution: every column, null where the quantity is unknown. `calls` are those that
    the books count, where at hand.

    Tokens and money are those of the calls that the books count, so wrapping instrumentations change nothing.
    """
    calls = calls_in(execution.spans) if calls is None else calls
    totals = total_of((call, cost_of_call(execution, call)) for call in calls)
    row = empty_row(RESULTS)
    row |= _identity(execution)
    row |= _verdict(execution)
    row |= _request_and_response(execution, calls)
    row |= token_columns(totals)
    row |= _cost(totals)
    row |= _times(execution.spans, calls)
    row["energy_quality"] = "unknown"
    row |= estimate_columns(execution, calls)
    row["enhanced_trace_info"] = json_text(
        {
            "trace_id": row["trace_id"],
            "total_tokens": totals.total_tokens,
            "duration_ms": row["execution_time_ms"],
            "cost_usd": None if totals.cost_total is None else float(totals.cost_total),
            "span_count": len({span.span_id for span in execution.spans}),
            "agrees_with_smolagents": _agrees(totals, execution.monitor_tokens),
        }
    )
    return row


def _agrees(totals: Totals, monitor: tuple[int, int] | None) -> bool | None:
    """Whether smolagents counted the same tokens, None where one side does not know. A difference is only told."""
    if monitor is None or totals.input_tokens is None or totals.output_tokens is None or totals.calls_without_usage:
        return None
    return monitor == (totals.input_tokens, totals.output_tokens)


def cost_of_call(execution: Execution, call: Call) -> Cost:
    """What one call cost, by the execution's price book and the prices of the call's date, unless its trace told it."""
    if (told := execution.told_costs.get(call.span_id)) is not None:
        return told
    return execution.price_book.cost(
        call.usage,
        response_model=call.response_model,
        request_model=call.request_model or execution.model,
        provider=call.provider or execution.system,
        at=time_of(call.start_ns),
        reported=call.reported_cost,
    )


def priced_spans(execution: Execution, calls: Sequence[Call]) -> list[Span]:
    """The spans of the execution; those of `calls` that nobody priced by the run's prices, since only another
    instrumentation saw the call, bear what it cost beside what they say."""
    by_id = {span.span_id: span for span in execution.spans}
    for call in calls:
        span = by_id.get(call.span_id)
        if span is None or reckoned_cost(span, by_id) is not None:
            continue
        cost = cost_of_call(execution, call)
        if cost.total is not None:
            added: dict[str, Any] = {names.COST_OF_CALL: float(cost.total), names.COST_QUALITY: cost.quality}
            added |= {} if cost.source is None else {names.PRICING_SOURCE: cost.source}
            by_id[call.span_id] = replace(span, attributes={**span.attributes, **added})
    return [by_id[span.span_id] for span in execution.spans]


def is_sum(call: Call) -> bool:
    """Whether this is no single call but what an agent reported for all of its calls together."""
    return call.usage_source == "agent_total" and call.usage.is_known


def root_of(spans: Iterable[Span]) -> Span | None:
    """The span of the test itself: ours without a parent in the trace, else the earliest such of anybody's."""
    spans = list(spans)
    known = {span.span_id for span in spans}
    roots = [span for span in spans if span.parent_span_id not in known]
    return min(roots, key=lambda span: (span.scope != names.SCOPE, span.start_ns, span.span_id), default=None)


def _identity(execution: Execution) -> Row:
    root = root_of(execution.spans)
    return {
        "run_id": execution.run_id,
        "test_index": execution.test_index,
        "test_id": execution.test_id,
        "test_case_uid": execution.uid,
        "attempt": execution.attempt,
        "trace_id": None if root is None else root.trace_id,
        "model": execution.model,
        "provider": execution.provider,
        "agent_type": execution.agent_type,
        "evaluation_date": None if root is None else time_of(root.start_ns),
        "difficulty": execution.difficulty,
        "category": execution.category,
        "prompt": execution.prompt,
        "expected": None if execution.expected is None else json_text(execution.expected),
    }


def _verdict(execution: Execution) -> Row:
    verdict, uses = execution.verdict, tool_uses(execution.spans)
    called = verdict.final_answer_called
    return {
        "success": verdict.success,
        "score": None if verdict.score is None else float(verdict.score),
        "scores": json_text(verdict.scores),
        "tool_called": bool(uses) if verdict.tool_called is None else verdict.tool_called,
        "correct_tool": verdict.correct_tool,
        "final_answer_called": final_answer_called(execution.spans) if called is None else called,
        "response_correct": verdict.response_correct,
        "tools_used": list(dict.fromkeys(use.name for use in uses)),
        "tool_calls": json_text([use.to_json() for use in uses]),
        "steps": step_count(execution.spans),
        "response": execution.response,
        "error": execution.error,
        "error_type": execution.error_type,
        "status": execution.status,
    }


def _request_and_response(execution: Execution, calls: Sequence[Call]) -> Row:
    """What was asked of the model and what the last call's response says of itself.

    A parameter that the run leaves open may be set on a model that was handed in; then the calls tell it.
    """
    last = next((call for call in reversed(calls) if not is_sum(call)), None)
    row: Row = {"gen_ai.system": execution.system}
    for name in GENERATION:
        asked = execution.generation.get(name)
        row[f"gen_ai.request.{name}"] = getattr(last, name, None) if asked is None else asked
    if last is not None:
        row["gen_ai.response.id"] = last.response_id
        row["gen_ai.response.finish_reasons"] = list(last.finish_reasons) or None
        row["gen_ai.response.model"] = last.response_model
    return row


def token_columns(totals: Totals) -> Row:
    """The token columns that results and traces share, and the number of calls."""
    return {
        "gen_ai.usage.prompt_tokens": totals.input_tokens,
        "gen_ai.usage.completion_tokens": totals.output_tokens,
        "gen_ai.usage.total_tokens": totals.total_tokens,
        "completion_tokens_details.reasoning_tokens": totals.reasoning_tokens,
        "cache_read_input_tokens": totals.cache_read_tokens,
        "cache_creation_input_tokens": totals.cache_write_tokens,
        "llm_calls": totals.llm_calls,
        "retries": totals.retries,
    }


def _cost(totals: Totals) -> Row:
    return {
        "gen_ai.usage.cost.total": totals.cost_total,
        "gen_ai.usage.cost.prompt": totals.cost_prompt,
        "gen_ai.usage.cost.completion": totals.cost_completion,
        "gen_ai.usage.cost.reasoning": totals.cost_reasoning,
        "gen_ai.usage.cost.cache_read": totals.cost_cache_read,
        "gen_ai.usage.cost.cache_write": totals.cost_cache_write,
        "pricing_source": totals.pricing_source,
        "cost_known_usd": totals.cost_known,
        "unpriced_calls": totals.unpriced_calls,
        "gen_ai.server.ttft": totals.ttft_s,
        "gen_ai.server.tbt": totals.tbt_s,
    }


def _times(spans: Sequence[Span], calls: Sequence[Call]) -> Row:
    root = root_of(spans)
    if root is None:
        return {}
    return {
        "execution_time_ms": root.duration_ms,
        "model_time_ms": _model_time_ms(spans, calls),
        "tool_time_ms": sum(span.duration_ms for span in tool_spans(spans)),
        "start_time": time_of(root.start_ns),
        "end_time": time_of(root.end_ns),
        "start_time_unix_nano": str(root.start_ns),
        "end_time_unix_nano": str(root.end_ns),
    }


def _model_time_ms(spans: Sequence[Span], calls: Sequence[Call]) -> float | None:
    """The sum over our chat spans; where another instrumentation alone saw the calls, over those."""
    ours = {
        span.span_id: span.duration_ms
        for span in spans
        if span.scope == names.SCOPE and span.attributes.get(names.OPERATION_NAME) == names.CHAT
    }
    if ours:
        return sum(ours.values())
    single = [call for call in calls if not is_sum(call)]
    return sum((call.end_ns - call.start_ns) / 1e6 for call in single) if single or not calls else None
