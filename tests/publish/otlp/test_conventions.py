"""What receivers are sent of a trace: everything that is kept, and of each call the tokens once."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.runs import chat, span, trace_of
from support.spans import agent, chain, genai_otel, llm
from support.spans import chat as own_call
from support.spans import span as other

from smoltrace.books import names, signs
from smoltrace.books.calls import calls_in
from smoltrace.books.spans import Span
from smoltrace.publish.otlp.conventions import as_sent, same_resources
from smoltrace.records.otlp_proto import from_otlp_proto, to_otlp_proto

KIND = names.OPENINFERENCE_SPAN_KIND


COSTS = {"total": 0.00045, "prompt": 0.0002, "cache_read": 0.0001, "cache_write": 0.0, "completion": 0.00015}


def kept() -> list[Span]:
    """A test of two calls, each with what it cost in its parts."""
    costs = {f"gen_ai.usage.cost.{part}": usd for part, usd in {**COSTS, "reasoning": 0.0}.items()}
    return [
        replace(each, attributes={**each.attributes, **costs}) if each.name == "chat m" else each
        for each in trace_of(1)
    ]


def by_name(spans: list[Span], name: str) -> dict[str, Any]:
    return dict(next(each for each in spans if each.name == name).attributes)


@st.composite
def calls(draw: st.DrawFn) -> list[Span]:
    """A test with calls that several instrumentations recorded, in any nesting, some of them unsure of the usage."""
    ids = (f"{n:016x}" for n in count(1))
    root = other(next(ids), at=(0, 10**6))
    top = agent(next(ids), root.span_id, draw(st.sampled_from([None, (7, 7)])), at=(0, 10**6))
    spans = [root, top]
    for n in range(draw(st.integers(0, 3))):
        begin, tokens = 1000 * n, (draw(st.integers(1, 99)), draw(st.integers(0, 99)))
        step = chain(next(ids), top.span_id, (1, 1), at=(begin, begin + 950))
        spans.append(step)
        above, response = step.span_id, draw(st.sampled_from([None, "same", f"r{n}"]))
        for level in range(draw(st.integers(1, 3))):
            make = draw(st.sampled_from([own_call, llm, genai_otel]))
            counted = draw(st.sampled_from([tokens, tokens, tokens, None, (tokens[0] + 1, tokens[1])]))
            more = {} if make is llm else {"response_id": response}
            if make is own_call:
                more |= {"cached": draw(st.sampled_from([None, 1])), "gen_ai__request__model": "m"}
            spans.append(make(next(ids), above, counted, at=(begin + level, begin + 900 - level), **more))
            above = draw(st.sampled_from([above, spans[-1].span_id]))
    return spans


@given(calls())
def test_the_books_read_the_same_calls_in_what_is_sent(spans: list[Span]) -> None:
    sent = as_sent(spans)
    assert calls_in(from_otlp_proto(to_otlp_proto(sent))) == calls_in(spans)
    assert as_sent(sent) == sent


@given(calls())
def test_every_call_of_the_books_is_one_span_of_the_kind_llm(spans: list[Span]) -> None:
    sent = as_sent(spans)
    shown = [
        each for each in sent if str(each.attributes.get(KIND)) in ("LLM", "EMBEDDING") or signs.is_inference(each)
    ]
    counted = [call for call in calls_in(spans) if call.operation != names.INVOKE_AGENT]  # an agent's sum is no call
    assert len(shown) == len(counted)
    if any(call.usage.is_known and call.usage_source == "call" for call in counted):
        tokens = [signs.usage_of(each) for each in sent]
        assert sum(usage.is_known for usage in tokens) == sum(call.usage.is_known for call in counted)
        assert sum(u.output_tokens or 0 for u in tokens) == sum(c.usage.output_tokens or 0 for c in counted)


def test_a_trace_of_ours_says_in_both_conventions_what_each_span_is_and_used() -> None:
    sent = as_sent(kept())
    assert {each.name: each.attributes[KIND] for each in sent} == {
        "test t1": "CHAIN",
        "invoke_agent main": "AGENT",
        "step 1": "CHAIN",
        "chat m": "LLM",
        "execute_tool get_weather": "TOOL",
        "step 2": "CHAIN",
        "execute_tool final_answer": "TOOL",
    }
    call = by_name(sent, "chat m")
    assert (call["llm.model_name"], call["llm.response.model_name"], call["llm.provider"]) == ("m", "m-2025", "maker")
    assert (call["llm.token_count.prompt"], call["llm.token_count.completion"], call["llm.token_count.total"]) == (
        *(100, 10),
        110,
    )
    assert call["llm.cost.total"] == call[names.COST_TOTAL] == 0.00045
    assert (call["llm.cost.prompt"], call["llm.cost.completion"]) == (0.0003, 0.00015)
    assert json.loads(call["mlflow.llm.cost"]) == {
        "total_cost": 0.00045,
        "input_cost": 0.0003,
        "output_cost": 0.00015,
    }
    # Nobody told what was read from a cache, and nobody is told.
    assert not [name for name in call if "cache_read" in name and "cost" not in name]
    tool = by_name(sent, "execute_tool get_weather")
    assert (tool["tool.name"], tool["tool.parameters"]) == ("get_weather", '{"location":"Rome"}')
    before = {each.span_id: each.attributes.items() for each in kept()}
    assert all(before[each.span_id] <= each.attributes.items() for each in sent)


def test_prompts_are_whole_and_tests_bear_the_question_and_the_answer_of_their_agent() -> None:
    said = [json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}]) for text in ("one", "two")]
    more = {names.INPUT_FIRST: 1, names.INPUT_REFS: "[[0,1]]", names.INPUT_MESSAGES: said[1]}
    refs = {names.INPUT_FIRST: 0, names.INPUT_REFS: "[0]", names.INPUT_MESSAGES: said[0]}
    spans = [
        span(1, 1, None, "test", (0, 99), **{names.TEST_ID: "t1", names.SMOLTRACE_RUN_ID: "r", names.TEST_ATTEMPT: 2}),
        span(1, 2, 1, "agent", (1, 98), **{names.OPERATION_NAME: names.INVOKE_AGENT, names.LLM_TOOLS: "[1]"}
             | {names.INPUT_MESSAGES: said[0], names.OUTPUT_MESSAGES: said[1]}),
        chat(1, 3, 2, (2, 3), (5, 1), **refs),
        chat(1, 4, 2, (4, 5), (9, 1), **more),
    ]  # fmt: skip
    test, of_agent, _, second = (dict(each.attributes) for each in as_sent(spans))
    assert json.loads(second[names.INPUT_MESSAGES]) == [*json.loads(said[0]), *json.loads(said[1])]
    assert names.INPUT_REFS not in second
    assert (test["input.value"], test["output.value"]) == ("one", "two")
    assert test["session.id"] == "r"
    assert json.loads(test["metadata"]) == {"run_id": "r", "test_id": "t1", "attempt": 2}
    assert (of_agent[names.TOOL_DEFINITIONS], names.LLM_TOOLS in of_agent) == ("[1]", False)


def test_without_content_nothing_is_left_of_what_was_said_in_spans_and_resources() -> None:
    secret = {names.INPUT_MESSAGES: '[{"role":"user","parts":[{"type":"text","content":"marmalade"}]}]'}
    resource = {"service.name": "s", "run.id": "r", "process.command_args": ["--prompt", "marmalade"]}
    spans = [
        span(1, 2, None, "agent", (0, 9), **{names.OPERATION_NAME: names.INVOKE_AGENT}, **secret),
        chat(1, 3, 2, (2, 3), (5, 1), **{names.INPUT_REFS: "[[0,1]]"}, **secret),
        other("f" * 16, "0000000100000003", scope="x", trace=f"{1:032x}", said="marmalade", error="marmalade"),
    ]  # fmt: skip
    sent = as_sent([replace(each, resource=resource) for each in spans], content=False)
    assert "marmalade" not in repr(sent)
    call = next(each.attributes for each in sent if each.name == "chat m")
    assert names.INPUT_REFS not in call
    assert call["llm.token_count.prompt"] == 5
    assert calls_in(sent)[0].usage == calls_in(spans)[0].usage


def test_equal_resources_are_sent_once() -> None:
    spans = [replace(each, resource={"run.id": "r", "n": [1]}) for each in kept()]
    assert to_otlp_proto(same_resources()(spans)).count(b"run.id") == 1
