"""A run without content keeps its numbers and names, and no word of what was said; other instrumentations' neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import get_tracer
from smolagents import tool
from support.model_server import ModelServer, Reply
from support.runs import failed
from support.traced import KINDS, agent, openai_model, trace, tracing

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.records.execution import Verdict
from smoltrace.records.results import result_row
from smoltrace.tracing.no_content import class_of, row_without_content

PROMPT = "[test:t] [tool:broken] A prompt of marmalade words."


@tool
def get_weather(location: str) -> str:
    """The weather of a place.

    Args:
        location: where
    """
    return f"marmalade weather in {location}"


@tool
def broken(task: str) -> str:
    """Always fails.

    Args:
        task: anything
    """
    raise RuntimeError(f"no luck with {task}")


@pytest.mark.parametrize("cls", KINDS)
def test_a_trace_holds_no_word_of_what_was_said(model_server: ModelServer, cls: type) -> None:
    built = agent(cls, openai_model(model_server), [broken, get_weather])
    with_content = trace(built, PROMPT, by=tracing()).spans()
    without = trace(built, PROMPT, by=tracing(record_content=False)).spans()
    assert "marmalade" in repr(with_content)
    assert [span.name for span in without] == [span.name for span in with_content]
    said = ("marmalade", "no luck", "Traceback", "Paris", "144 / 12", "RuntimeError(")
    assert not [word for word in said if word in repr(without)]
    assert sum(call.usage.total_tokens or 0 for call in calls_in(without)) == model_server.totals()["input"] // 2 + (
        model_server.totals()["output"] // 2
    )


def test_an_error_keeps_its_class(model_server: ModelServer) -> None:
    spans = trace(
        agent(KINDS[0], openai_model(model_server), [broken]), PROMPT, by=tracing(record_content=False)
    ).spans()
    (called, *_) = [span for span in spans if span.name == "execute_tool broken"]
    assert (called.status, called.status_description) == ("ERROR", "RuntimeError")
    (event,) = called.events
    assert event.attributes[names.EXCEPTION_TYPE] == "RuntimeError"
    assert names.EXCEPTION_MESSAGE not in event.attributes
    assert names.EXCEPTION_STACKTRACE not in event.attributes


def test_spans_of_other_instrumentations_lose_their_words_too() -> None:
    ours = tracing(record_content=False)
    foreign = get_tracer("someone.else", tracer_provider=ours.tracer_provider)
    with ours.test("test t") as test, foreign.start_as_current_span("theirs") as span:
        span.set_attributes(
            {
                "input.value": "marmalade",
                "llm.input_messages.0.message.content": "marmalade",
                "embedding.vector": [0.1, 0.2],
                "llm.token_count.prompt": 7,
                "openinference.span.kind": "LLM",
                "gen_ai.request.model": "m",
                "gen_ai.response.finish_reasons": ["stop"],
            }
        )
        span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": "marmalade", "n": 1})
    theirs = next(span for span in test.spans() if span.name == "theirs")
    assert theirs.attributes == {
        "llm.token_count.prompt": 7,
        "openinference.span.kind": "LLM",
        "gen_ai.request.model": "m",
        "gen_ai.response.finish_reasons": ["stop"],
    }
    assert [(event.name, event.attributes) for event in theirs.events] == [("gen_ai.content.prompt", {"n": 1})]


def test_an_evaluation_keeps_its_verdict_and_no_text() -> None:
    with tracing(record_content=False).test("test t") as test:
        test.event(names.EVALUATION_EVENT, {names.EVALUATION_NAME: "success", names.EVALUATION_SCORE_LABEL: "pass"})
        test.event(names.EVALUATION_EVENT, {names.EVALUATION_NAME: "judge", names.EVALUATION_SCORE_LABEL: "he said no"})
        test.event(names.EVALUATION_EVENT, {names.EVALUATION_NAME: "length", names.EVALUATION_SCORE_VALUE: 0.5})
    (root,) = test.spans()
    assert [dict(event.attributes) for event in root.events] == [
        {names.EVALUATION_NAME: "success", names.EVALUATION_SCORE_LABEL: "pass"},
        {names.EVALUATION_NAME: "judge"},
        {names.EVALUATION_NAME: "length", names.EVALUATION_SCORE_VALUE: 0.5},
    ]


def row(**changes: Any) -> dict[str, Any]:
    scores = {
        "keywords": True,
        "length": 0.5,
        "judge": "he said no",
        "other": None,
        "other.error": "ValueError: marmalade",
    }
    verdict = Verdict(False, 0.0, scores, True, True, True, False)
    return result_row(failed(1, **{"verdict": verdict, **changes}))


def test_a_row_keeps_its_numbers_and_verdicts() -> None:
    full = row()
    bare = row_without_content(full)
    assert bare["prompt"] is bare["response"] is bare["expected"] is None
    (use,) = json.loads(bare["tool_calls"])[:1]
    assert (use["name"], use["arguments"], use["ok"]) == ("get_weather", None, True)
    assert json.loads(bare["scores"]) == {
        "keywords": True,
        "length": 0.5,
        "judge": None,
        "other": None,
        "other.error": "ValueError",
    }
    said = {"prompt", "response", "expected", "tool_calls", "scores", "error"}
    assert {name: value for name, value in bare.items() if name not in said} == {
        name: value for name, value in full.items() if name not in said
    }


@pytest.mark.parametrize(
    ("message", "error_type", "kept"),
    [
        ("AgentParsingError: Error in code parsing: 'marmalade'", "parse_error", "AgentParsingError"),
        ("openai.RateLimitError: Error code: 429 - marmalade", "rate_limit", "openai.RateLimitError"),
        ("Every one of 3 steps failed. Last: marmalade", "parse_error", "parse_error"),
        ("Marmalade: it said", "agent_error", "agent_error"),
        ("ValueError", "agent_error", "ValueError"),
        ("", None, None),
    ],
)
def test_of_a_message_the_class_remains(message: str, error_type: str | None, kept: str | None) -> None:
    assert class_of(message, error_type) == kept


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def test_a_parse_error_does_not_quote_the_model() -> None:
    with ModelServer(lambda *_: Reply(content="marmalade without an action")) as server:
        built = agent(KINDS[1], openai_model(server), [get_weather], max_steps=2)
        spans = trace(built, "p", by=tracing(record_content=False)).spans()
    assert "marmalade" not in repr(spans)
    assert any(span.attributes.get(names.ERROR_TYPE) == "AgentParsingError" for span in spans)
