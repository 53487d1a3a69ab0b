"""The steps of an agent as spans."""

from __future__ import annotations

from typing import Any

import pytest
from smolagents import CodeAgent, ToolCallingAgent
from support.model_server import ModelServer
from support.traced import (
    KINDS,
    QUIET,
    agent,
    named,
    openai_model,
    served_equals_counted,
    trace,
)

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.records.execution import final_answer_called, step_count


@pytest.mark.parametrize("kind", KINDS)
def test_planning_is_a_step_of_its_own_kind(model_server: ModelServer, kind: type) -> None:
    test = trace(agent(kind, openai_model(model_server), planning_interval=1), "weather [steps:1]")
    steps = [span for span in test.spans() if names.STEP_KIND in span.attributes]
    assert [(s.name, s.attributes[names.STEP_KIND], s.attributes[names.STEP_NUMBER]) for s in steps] == [
        ("planning 1", "planning", 1),
        ("step 1", "action", 1),
        ("planning 2", "planning", 2),
        ("step 2", "action", 2),
    ]
    assert step_count(test.spans()) == 2
    served_equals_counted(model_server, test.spans())
    totals = model_server.totals()
    assert test.monitor_tokens == (totals["input"], totals["output"])


def test_parallel_tool_calls_belong_to_one_step(model_server: ModelServer) -> None:
    test = trace(agent(ToolCallingAgent, openai_model(model_server)), "weather [parallel] [steps:1]")
    first = named(test.spans(), "step 1")[0]
    tools = [s for s in test.spans() if s.name.startswith("execute_tool") and s.parent_span_id == first.span_id]
    assert {s.name for s in tools} == {"execute_tool get_weather", "execute_tool calculator"}


@pytest.mark.parametrize("kind", KINDS)
def test_running_out_of_steps_is_no_final_answer(model_server: ModelServer, kind: type) -> None:
    test = trace(agent(kind, openai_model(model_server), max_steps=1), "weather")
    last = named(test.spans(), "step 2")[0]
    assert last.attributes[names.STEP_KIND] == "final_answer"
    assert last.attributes[names.STEP_FINAL_ANSWER] is False
    assert (last.attributes[names.ERROR_TYPE], last.status) == ("max_steps", "ERROR")
    assert not final_answer_called(test.spans())
    assert step_count(test.spans()) == 1
    served_equals_counted(model_server, test.spans())
    assert test.answer == "The steps ran out; the best answer so far is 42."


def test_a_plan_that_cannot_be_made_ends_its_step(model_server: ModelServer) -> None:
    model_server.add_fault(500)
    built = agent(ToolCallingAgent, openai_model(model_server), planning_interval=1)
    spans = trace(built, "weather", raises=Exception).spans()
    assert not any(names.UNFINISHED in span.attributes for span in spans)
    assert {span.status for span in spans} == {"ERROR"}


def test_monitor_tokens_are_unknown_where_a_step_was_not_counted(model_server: ModelServer) -> None:
    from smolagents import ChatMessage, MessageRole, Model

    class Uncounted(Model):
        def generate(self, messages: list[Any], **_: Any) -> ChatMessage:
            return ChatMessage(role=MessageRole.ASSISTANT, content="<code>\nfinal_answer(1)\n</code>")

    built = CodeAgent(tools=[], model=Uncounted(model_id="u"), verbosity_level=QUIET)
    test = trace(built, "go")
    assert test.monitor_tokens is None
    assert calls_in(test.spans())[0].usage.total_tokens is None
