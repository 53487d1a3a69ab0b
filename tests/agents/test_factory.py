"""Bring your own agent: the function gets what it names, and every mistake is told before a call is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import smolagents

from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.spec import AgentSpec
from smoltrace.errors import UsageError

MODULE = """
from smolagents import CodeAgent, ToolCallingAgent, LogLevel

def all_of_it(model, agent_type, tools, stream, max_steps, planning_interval, instructions):
    kind = ToolCallingAgent if agent_type == "tool" else CodeAgent
    return kind(tools=tools, model=model, max_steps=max_steps or 5, stream_outputs=stream, instructions=instructions)

def little(model):
    return ToolCallingAgent(tools=[], model=model, name="little", verbosity_level=LogLevel.DEBUG)

def anything(**settings):
    return ToolCallingAgent(tools=settings["tools"], model=settings["model"])

def team(model, tools):
    helper = ToolCallingAgent(tools=tools, model=model, name="helper", description="Helps.")
    return ToolCallingAgent(tools=[], model=model, managed_agents=[helper])

def with_extra(model, tools, *, flavour="plain"):
    return ToolCallingAgent(tools=tools, model=model, name=flavour)

def greedy(model, database):
    return None

def nothing(model):
    return None

async def waits(model):
    return None

def fails(model):
    raise RuntimeError("no database today")

_kept = []
def same(model):
    if not _kept:
        _kept.append(little(model))
    return _kept[0]

def same_helper(model):
    if not _kept:
        _kept.append(ToolCallingAgent(tools=[], model=model, name="helper", description="Helps."))
    return ToolCallingAgent(tools=[], model=model, managed_agents=[_kept[0]])

number = 7
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"own_agents_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def built(reference: str, kind: Any = "tool", stream: bool = False, **settings: Any) -> Any:
    builder = AgentBuilder(
        AgentSpec(factory=reference, **settings), DemoModel(first_token_s=0, token_s=0), stream=stream
    )
    builder.check([kind])
    return builder.build(kind)


def test_a_function_gets_the_arguments_that_it_names(module: str) -> None:
    agent = built(f"{module}:all_of_it", "code", stream=True, max_steps=4, instructions="Brief.")
    assert isinstance(agent, smolagents.CodeAgent)
    assert (agent.max_steps, agent.instructions, agent.stream_outputs) == (4, "Brief.", True)
    assert "calculator" in agent.tools


@pytest.mark.parametrize("function", ["little", "anything", "team", "with_extra"])
def test_a_function_may_name_few_all_or_more_with_a_default(module: str, function: str) -> None:
    assert isinstance(built(f"{module}:{function}"), smolagents.ToolCallingAgent)


def test_settings_that_the_function_does_not_take_are_set_on_the_agent(module: str) -> None:
    agent = built(f"{module}:little", max_steps=2, planning_interval=1, instructions="Brief.")
    assert (agent.max_steps, agent.planning_interval, agent.instructions) == (2, 1, "Brief.")
    assert "Brief." in agent.system_prompt


def test_the_agent_and_those_it_manages_are_silenced(module: str, capfd: pytest.CaptureFixture[str]) -> None:
    built(f"{module}:little", max_steps=1).run("What is the weather in Paris?")
    team = built(f"{module}:team", max_steps=1)
    team.run("What is the capital of France?")
    team.managed_agents["helper"].run("What is the weather in Paris?")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "settings", "complaint"),
    [
        ("greedy", {}, "it needs database; it can be given: model, agent_type, tools"),
        ("nothing", {}, "returned NoneType, not a smolagents agent; for example def make_agent"),
        ("waits", {}, "returned coroutine"),
        ("fails", {}, "raised RuntimeError: no database today"),
        ("same", {}, "returns the same agent"),
        ("same_helper", {}, "returns the same agent \\(or managed agent\\) twice"),
        ("number", {}, "is int, not a function"),
        ("absent", {}, "has no 'absent'; it offers: .*all_of_it"),
        ("little", {"prompt_file": Path("p.yaml")}, "--prompt-file does not reach an agent that you build"),
        ("little", {"executor": "docker"}, "--executor does not reach"),
        ("little", {"authorized_imports": ("numpy",)}, "authorised imports does not reach"),
    ],
)
def test_what_is_wrong_is_told_before_a_call(module: str, function: str, settings: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=f"--agent .*{function}.*{complaint}"):
        built(f"{module}:{function}", **settings)
