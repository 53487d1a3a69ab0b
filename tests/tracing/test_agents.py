"""Agents that manage agents, and what tracing leaves behind in an agent: nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from smolagents import CodeAgent, ToolCallingAgent
from support.model_server import ModelServer, Reply
from support.traced import (
    KINDS,
    agent,
    calculator,
    get_weather,
    named,
    openai_model,
    served_equals_counted,
    trace,
    tree,
)

from smoltrace.books import names
from smoltrace.errors import UsageError


@pytest.mark.parametrize("kind", KINDS)
def test_a_managed_agent_works_under_its_managers_step(model_server: ModelServer, kind: type) -> None:
    model = openai_model(model_server)
    worker = agent(ToolCallingAgent, model, [get_weather], name="worker", description="knows the weather")
    boss = agent(kind, model, [calculator], managed_agents=[worker])
    test = trace(boss, "the weather [manage:worker]")
    assert tree(test.spans(), lambda span: "chat" not in span.name) == [
        "test t",
        f"  invoke_agent {kind.__name__}",
        "    step 1",
        "      invoke_agent worker",
        "        step 1",
        "          execute_tool get_weather",
        "        step 2",
        "          execute_tool final_answer",
        "    step 2",
        "      execute_tool final_answer",
    ]
    served_equals_counted(model_server, test.spans())
    totals = model_server.totals()
    assert test.monitor_tokens == (totals["input"], totals["output"])


def test_agents_may_manage_agents_that_manage(model_server: ModelServer) -> None:
    model = openai_model(model_server)
    leaf = agent(CodeAgent, model, [get_weather], name="leaf", description="knows the weather")
    middle = agent(ToolCallingAgent, model, [], name="middle", description="asks", managed_agents=[leaf])
    top = agent(CodeAgent, model, [], managed_agents=[middle])

    def script(request: dict[str, Any], index: int) -> Reply:
        talk = json.dumps(request)
        if request.get("tools"):
            name, arguments = ("leaf", {"task": "look"}) if index == 0 else ("final_answer", {"answer": "sunny"})
            return Reply(content="hm", tool_calls=[(name, arguments)])
        if "named 'leaf'" in talk:
            return Reply(content="<code>\nfinal_answer(get_weather('Oslo'))\n</code>")
        return Reply(
            content="<code>\nprint(middle('ask'))\n</code>" if not index else "<code>\nfinal_answer(1)\n</code>"
        )

    model_server.script = script
    test = trace(top, "go")
    assert tree(test.spans(), lambda span: "invoke" in span.name or "execute" in span.name) == [
        "  invoke_agent CodeAgent",
        "      invoke_agent middle",
        "          invoke_agent leaf",
        "              execute_tool get_weather",
        "              execute_tool final_answer",
        "          execute_tool final_answer",
        "      execute_tool final_answer",
    ]
    served_equals_counted(model_server, test.spans())


def test_a_worker_called_twice_at_once_keeps_its_calls_in_the_trace(model_server: ModelServer) -> None:
    model = openai_model(model_server)
    worker = agent(ToolCallingAgent, model, [get_weather], name="worker", description="knows the weather")
    boss = agent(ToolCallingAgent, model, [], managed_agents=[worker])

    def script(request: dict[str, Any], index: int) -> Reply:
        if any(t["function"]["name"] == "worker" for t in request["tools"]) and index == 0:
            return Reply(content="both", tool_calls=[("worker", {"task": "a"}), ("worker", {"task": "b"})])
        return Reply(content="done", tool_calls=[("final_answer", {"answer": "x"})])

    model_server.script = script
    test = trace(boss, "go")
    assert len(named(test.spans(), "invoke_agent worker")) == 2
    served_equals_counted(model_server, test.spans())


def test_an_agent_is_given_back_as_it_was(model_server: ModelServer) -> None:
    model = openai_model(model_server)
    worker = agent(ToolCallingAgent, model, [get_weather], name="worker", description="knows")
    boss = agent(CodeAgent, model, [calculator], managed_agents=[worker])
    before = [(a.model, a.tools, a.managed_agents, a.step_callbacks) for a in (boss, worker)]
    trace(boss, "weather [manage:worker]")
    model_server.add_fault(500)
    trace(boss, "weather", raises=Exception)
    after = [(a.model, a.tools, a.managed_agents, a.step_callbacks) for a in (boss, worker)]
    assert all(x is y for one, other in zip(before, after, strict=True) for x, y in zip(one, other, strict=True))


def test_callbacks_of_the_agents_own_still_fire(model_server: ModelServer) -> None:
    seen: list[int] = []
    built = agent(
        ToolCallingAgent, openai_model(model_server), step_callbacks=[lambda step: seen.append(step.step_number)]
    )
    trace(built, "weather")
    assert seen == [1, 2, 3]
    assert built.monitor.total_input_token_count == model_server.totals()["input"]


def test_an_agent_in_two_tests_at_once_is_refused(model_server: ModelServer) -> None:
    shared = agent(ToolCallingAgent, openai_model(model_server))

    def script(request: dict[str, Any], index: int) -> Reply:
        with pytest.raises(UsageError, match="two tests at once"):
            trace(shared, "again")
        return Reply(content="done", tool_calls=[("final_answer", {"answer": "first"})])

    model_server.script = script
    assert trace(shared, "weather").answer == "first"


def test_attributes_of_an_agents_run(model_server: ModelServer) -> None:
    test = trace(agent(CodeAgent, openai_model(model_server)), "weather")
    (invoke,) = named(test.spans(), "invoke_agent")
    assert invoke.attributes[names.OPERATION_NAME] == "invoke_agent"
    assert invoke.attributes[names.AGENT_NAME] == "CodeAgent"
    assert invoke.attributes[names.AGENT_TYPE] == "code"
    assert invoke.attributes[names.REQUEST_MODEL] == "gpt-4o-mini"
    tools = json.loads(invoke.attributes[names.LLM_TOOLS])
    assert [tool["name"] for tool in tools] == ["get_weather", "calculator", "final_answer"]
    assert tools[0]["parameters"]["required"] == ["location"]
    assert json.loads(invoke.attributes[names.OUTPUT_MESSAGES])[0]["parts"][0]["content"] == test.answer
