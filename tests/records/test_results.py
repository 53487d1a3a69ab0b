from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from support.runs import NO_PRICES, chat, execution, failed, span, trace_of

from smoltrace.books import names
from smoltrace.records.execution import Verdict
from smoltrace.records.results import result_row
from smoltrace.records.schema import RESULTS


def test_the_row_has_every_column_in_order() -> None:
    assert tuple(result_row(execution())) == RESULTS.names


def test_tokens_and_cost_are_those_of_the_calls() -> None:
    row = result_row(execution())

    assert row["gen_ai.usage.prompt_tokens"] == 300
    assert row["gen_ai.usage.completion_tokens"] == 30
    assert row["gen_ai.usage.total_tokens"] == 330
    assert row["llm_calls"] == 2
    assert row["gen_ai.usage.cost.prompt"] == Decimal("0.0009")
    assert row["gen_ai.usage.cost.completion"] == Decimal("0.00045")
    assert row["gen_ai.usage.cost.total"] == Decimal("0.00135") == row["cost_known_usd"]
    assert row["pricing_source"] == "test 1"
    assert row["unpriced_calls"] == 0


def test_components_sum_to_the_total_to_the_last_decimal() -> None:
    row = result_row(execution())

    parts = ("prompt", "completion", "reasoning", "cache_read", "cache_write")
    assert sum(row[f"gen_ai.usage.cost.{part}"] for part in parts) == row["gen_ai.usage.cost.total"]


def test_an_unknown_price_is_null_and_not_zero() -> None:
    row = result_row(execution(price_book=NO_PRICES))

    assert row["gen_ai.usage.cost.total"] is None
    assert row["gen_ai.usage.cost.prompt"] is None
    assert row["unpriced_calls"] == 2
    assert row["cost_known_usd"] == 0
    assert row["gen_ai.usage.total_tokens"] == 330


def test_counts_that_nobody_reported_are_null() -> None:
    row = result_row(execution())

    assert row["completion_tokens_details.reasoning_tokens"] is None
    assert row["cache_read_input_tokens"] is None
    assert row["gen_ai.server.ttft"] is None


def test_the_order_and_the_number_of_copies_of_spans_make_no_difference() -> None:
    spans = trace_of(1)

    assert result_row(execution(spans=[*reversed(spans), *spans])) == result_row(execution(spans=spans))


def test_a_wrapping_instrumentation_makes_no_difference_to_the_books() -> None:
    spans = trace_of(1)
    outer = [
        replace(s, span_id="f" * 15 + str(n), scope="other", name="outer", start_ns=s.start_ns - 1)
        for n, s in enumerate(s for s in spans if s.attributes.get(names.OPERATION_NAME) == names.CHAT)
    ]
    moved = {s.start_ns + 1: s.span_id for s in outer}
    inner = [
        replace(s, parent_span_id=moved.get(s.start_ns, s.parent_span_id)) if "chat" in s.name else s for s in spans
    ]

    wrapped, bare = result_row(execution(spans=[*inner, *outer])), result_row(execution(spans=spans))

    assert {k: v for k, v in wrapped.items() if k != "enhanced_trace_info"} == {
        k: v for k, v in bare.items() if k != "enhanced_trace_info"
    }


def test_times_are_those_of_the_spans() -> None:
    row = result_row(execution())

    assert row["execution_time_ms"] == 120.0
    assert row["model_time_ms"] == 80.0
    assert row["tool_time_ms"] == 5.0
    assert row["start_time"] == row["evaluation_date"] == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    assert row["start_time_unix_nano"] == "1750000000000000000"
    assert row["end_time_unix_nano"] == "1750000000120000000"


def test_steps_tools_and_final_answer_are_read_off_the_spans() -> None:
    row = result_row(execution(verdict=Verdict(True)))

    assert row["steps"] == 2
    assert row["tool_called"] is True
    assert row["final_answer_called"] is True
    assert row["correct_tool"] is None
    assert row["tools_used"] == ["get_weather"]
    assert orjson.loads(row["tool_calls"]) == [
        {"name": "get_weather", "arguments": {"location": "Rome"}, "ok": True, "duration_ms": 5.0}
    ]


def test_the_trace_is_summed_up_as_readers_know_it() -> None:
    row = result_row(execution())

    assert orjson.loads(row["enhanced_trace_info"]) == {
        "trace_id": row["trace_id"],
        "total_tokens": 330,
        "duration_ms": 120.0,
        "cost_usd": 0.00135,
        "span_count": 8,
        "agrees_with_smolagents": None,
    }


@pytest.mark.parametrize(("monitor", "agrees"), [((300, 30), True), ((300, 31), False), (None, None)])
def test_a_difference_from_smolagents_own_count_is_told(monitor: tuple[int, int] | None, agrees: bool | None) -> None:
    row = result_row(replace(execution(), monitor_tokens=monitor))

    assert orjson.loads(row["enhanced_trace_info"])["agrees_with_smolagents"] is agrees
    assert row["gen_ai.usage.total_tokens"] == 330


def test_what_the_last_call_answered() -> None:
    row = result_row(execution())

    assert row["gen_ai.response.id"] == "response-1-21"
    assert row["gen_ai.response.model"] == "m-2025"
    assert row["gen_ai.response.finish_reasons"] == ["stop"]


def test_parameters_are_those_asked_for_else_those_that_the_calls_tell() -> None:
    told = [chat(1, 2, 1, (0, 9), (1, 1), gen_ai__request__top_p=0.9, gen_ai__request__temperature=0.1)]

    row = result_row(execution(spans=[*trace_of(1)[:1], *told], generation={"temperature": 0.0}))

    assert row["gen_ai.request.temperature"] == 0.0
    assert row["gen_ai.request.top_p"] == 0.9
    assert row["gen_ai.request.max_tokens"] is None


def test_times_to_tokens_are_means_over_the_calls_that_tell_them() -> None:
    def told(number: int, ttft: float) -> dict[str, float]:
        return {"gen_ai__server__ttft": ttft, "gen_ai__server__tbt": 0.01 * number}

    spans = [
        *trace_of(1)[:2],
        chat(1, 3, 2, (0, 9), (1, 1), **told(1, 0.2)),
        chat(1, 4, 2, (10, 19), (1, 1), **told(3, 0.4)),
        chat(1, 5, 2, (20, 29), (1, 1)),
    ]

    row = result_row(execution(spans=spans))

    assert row["gen_ai.server.ttft"] == pytest.approx(0.3)
    assert row["gen_ai.server.tbt"] == pytest.approx(0.02)


def test_retries_are_summed() -> None:
    spans = [*trace_of(1), chat(1, 90, 2, (0, 1), (1, 1), smoltrace__retries=2)]

    assert result_row(execution(spans=spans))["retries"] == 2


def test_a_test_that_ended_before_its_first_call_knows_what_it_can() -> None:
    spans = [span(1, 1, None, "test t1", (0, 7))]

    row = result_row(failed(1, "agent_error", spans=spans))

    assert row["execution_time_ms"] == 7.0
    assert row["llm_calls"] == 0
    assert row["model_time_ms"] == 0
    assert row["gen_ai.usage.total_tokens"] is None
    assert row["gen_ai.usage.cost.total"] is None
    assert row["unpriced_calls"] == 0
    assert (row["status"], row["error_type"]) == ("error", "agent_error")


def test_a_test_without_any_span_has_a_row() -> None:
    row = result_row(failed(1, "agent_error", spans=[]))

    assert row["trace_id"] is None
    assert row["execution_time_ms"] is None
    assert row["test_case_uid"] == "tool:t1:1"


def test_energy_is_unknown_without_a_device() -> None:
    row = result_row(execution())

    of_energy = RESULTS.names[RESULTS.names.index("gpu_energy_wh") :]
    assert {name: row[name] for name in of_energy if row[name] is not None} == {"energy_quality": "unknown"}


def test_the_tasks_expectation_and_the_scores_are_json() -> None:
    row = result_row(execution(verdict=Verdict(True, scores={"label": "good", "n": 0.5, "ok": True})))

    assert orjson.loads(row["expected"]) == {"tool": "get_weather"}
    assert orjson.loads(row["scores"]) == {"label": "good", "n": 0.5, "ok": True}
    assert result_row(execution(expected=None))["expected"] is None
