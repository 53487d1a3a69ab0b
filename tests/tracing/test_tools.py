from __future__ import annotations

import copy
import json
import threading
from typing import Any

import pytest
from opentelemetry import trace as otel
from smolagents import CodeAgent, Tool, ToolCallingAgent
from support.model_server import ModelServer, Reply
from support.traced import KINDS, agent, broken, get_weather, named, openai_model, trace, tracing

from smoltrace.books import names
from smoltrace.records.execution import tool_uses
from smoltrace.tracing.agents import runs_tools_here
from smoltrace.tracing.tools import TracedTool


def calls_then_answers(code: str, *calls: tuple[str, Any]) -> Any:
    """A script whose first step makes these calls (or runs this code), and whose second gives the answer."""

    def script(request: dict[str, Any], index: int) -> Reply:
        if request.get("tools"):
            return Reply(content="so", tool_calls=calls if index == 0 else [("final_answer", {"answer": "done"})])
        return Reply(content=f"<code>\n{code if index == 0 else 'final_answer(1)'}\n</code>")

    return script


def test_arguments_and_result_are_kept(model_server: ModelServer) -> None:
    model_server.script = calls_then_answers("", ("get_weather", {"location": "Rome"}))
    spans = trace(agent(ToolCallingAgent, openai_model(model_server)), "go").spans()
    (span,) = named(spans, "execute_tool get_weather")
    assert span.attributes[names.OPERATION_NAME] == "execute_tool"
    assert json.loads(span.attributes[names.TOOL_CALL_ARGUMENTS]) == {"location": "Rome"}
    assert span.attributes[names.TOOL_CALL_RESULT] == "It is 22 degrees in Rome"


def test_positional_arguments_of_code_have_their_names(model_server: ModelServer) -> None:
    model_server.script = calls_then_answers("get_weather('Rome')\nget_weather(location='Oslo')")
    spans = trace(agent(CodeAgent, openai_model(model_server)), "go").spans()
    assert [use.arguments for use in tool_uses(spans)] == [{"location": "Rome"}, {"location": "Oslo"}]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_that_fails_fails_its_span_and_its_step(model_server: ModelServer, kind: type) -> None:
    model_server.script = calls_then_answers("broken('x')", ("broken", {"expression": "x"}))
    spans = trace(agent(kind, openai_model(model_server), [broken]), "go").spans()
    (span,) = named(spans, "execute_tool broken")
    assert (span.status, span.attributes[names.ERROR_TYPE]) == ("ERROR", "RuntimeError")
    assert span.status_description == "no luck with x"
    assert names.TOOL_CALL_RESULT not in span.attributes
    step = named(spans, "step 1")[0]
    expected = "AgentToolExecutionError" if kind is ToolCallingAgent else "AgentExecutionError"
    assert (step.status, step.attributes[names.ERROR_TYPE]) == ("ERROR", expected)
    assert [use.ok for use in tool_uses(spans)] == [False]


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_inside_a_tool_ends_every_span(model_server: ModelServer, kind: type) -> None:
    class Stop(Tool):
        name, description, inputs, output_type = "stop", "stops all", {}, "string"

        def forward(self) -> str:
            raise KeyboardInterrupt

    model_server.script = calls_then_answers("stop()", ("stop", {}))
    spans = trace(agent(kind, openai_model(model_server), [Stop()]), "go", raises=KeyboardInterrupt).spans()
    assert not any(names.UNFINISHED in span.attributes for span in spans)
    failed = [span.name for span in spans if span.status == "ERROR"]
    assert failed == ["execute_tool stop", "step 1", f"invoke_agent {kind.__name__}", "test t"]


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_spans_of_a_tool_lie_under_it(model_server: ModelServer, kind: type) -> None:
    ours = tracing()
    foreign = otel.get_tracer("someone.else", tracer_provider=ours.tracer_provider)
    threads: list[int] = []

    class Looks(Tool):
        name, description, inputs, output_type = "looks", "looks", {}, "string"

        def forward(self) -> str:
            threads.append(threading.get_ident())
            with foreign.start_as_current_span("theirs"):
                return "seen"

    model_server.script = calls_then_answers("looks()", ("looks", {}))
    spans = trace(agent(kind, openai_model(model_server), [Looks()]), "go", by=ours).spans()
    (theirs,), (tool,) = named(spans, "theirs"), named(spans, "execute_tool looks")
    assert theirs.parent_span_id == tool.span_id
    assert (threads[0] != threading.get_ident()) == (kind is CodeAgent)


def test_a_tool_that_does_not_exist_leaves_only_the_steps_error(model_server: ModelServer) -> None:
    model_server.script = calls_then_answers("", ("nonsense", {}))
    spans = trace(agent(ToolCallingAgent, openai_model(model_server)), "go").spans()
    assert tool_uses(spans) == []
    assert named(spans, "step 1")[0].attributes[names.ERROR_TYPE] == "AgentToolExecutionError"


def test_an_unreadable_action_is_a_parsing_error(model_server: ModelServer) -> None:
    def script(request: dict[str, Any], index: int) -> Reply:
        return Reply(content="no code at all") if index == 0 else Reply(content="<code>\nfinal_answer(1)\n</code>")

    model_server.script = script
    spans = trace(agent(CodeAgent, openai_model(model_server)), "go").spans()
    first, second = named(spans, "step ")
    assert first.attributes[names.ERROR_TYPE] == "AgentParsingError"
    assert first.attributes[names.STEP_FINAL_ANSWER] is False
    assert second.attributes[names.STEP_FINAL_ANSWER] is True


def test_a_final_answer_that_a_check_refuses_is_none(model_server: ModelServer) -> None:
    model = openai_model(model_server)
    built = agent(CodeAgent, model, final_answer_checks=[lambda answer, memory, agent: False], max_steps=1)
    spans = trace(built, "x [steps:0]").spans()
    assert named(spans, "step 1")[0].attributes[names.STEP_FINAL_ANSWER] is False


def test_the_delegate_is_the_tool_in_all_else() -> None:
    traced = TracedTool(get_weather, None, lambda: None)
    assert traced.name == "get_weather"
    assert traced.inputs is get_weather.inputs
    assert traced.to_tool_calling_prompt() == get_weather.to_tool_calling_prompt()
    assert traced.to_dict() == get_weather.to_dict()
    assert copy.copy(traced).name == "get_weather"
    with pytest.raises(AttributeError):
        _ = traced.nothing_of_the_kind


def test_tools_that_are_sent_elsewhere_stay_as_they_are(model_server: ModelServer) -> None:
    built = agent(CodeAgent, openai_model(model_server))
    assert runs_tools_here(built)
    built.executor_type = "docker"
    assert not runs_tools_here(built)
    sent: list[Any] = []
    built.python_executor.send_tools = lambda tools: sent.append(tools)
    trace(built, "x", raises=Exception)
    assert sent[0]["get_weather"] is get_weather
