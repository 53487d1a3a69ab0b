"""Agents are fresh, silent and cheap, and everything that can fail before a call does so in `check`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import smolagents
from smolagents.models import ChatMessage

from smoltrace.agents.build import AgentBuilder, SilentConsole
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.spec import AgentSpec
from smoltrace.errors import ConfigError, UsageError

KINDS: tuple[Literal["tool", "code"], ...] = ("tool", "code")
QUESTION = "What is the weather in Paris?"


@pytest.fixture
def model() -> DemoModel:
    return DemoModel(first_token_s=0, token_s=0)


def test_both_kinds_of_agents_run_with_the_default_tools(model: DemoModel) -> None:
    with AgentBuilder(AgentSpec(), model) as builder:
        builder.check()
        tool, code = builder.build("tool"), builder.build("code")
        assert isinstance(tool, smolagents.ToolCallingAgent)
        assert isinstance(code, smolagents.CodeAgent)
        assert tool.run(QUESTION) == code.run(QUESTION) == "Paris: 12 °C, partly cloudy"


def test_agents_share_the_model_and_nothing_else(model: DemoModel) -> None:
    builder = AgentBuilder(AgentSpec(), model)
    one, other = builder.build("tool"), builder.build("tool")
    assert one.model is other.model is model
    for name in ("memory", "monitor", "tools", "logger", "prompt_templates", "step_callbacks"):
        assert getattr(one, name) is not getattr(other, name)
    one.prompt_templates["planning"]["initial_plan"] = "spoilt"
    assert other.prompt_templates["planning"]["initial_plan"] != "spoilt"
    assert builder.build("tool").prompt_templates["planning"]["initial_plan"] != "spoilt"


@pytest.mark.parametrize("kind", KINDS)
def test_the_remembered_system_prompt_is_what_smolagents_would_make(
    kind: Literal["tool", "code"], model: DemoModel
) -> None:
    spec = AgentSpec(instructions="Be brief.", authorized_imports=("numpy",))
    agent = AgentBuilder(spec, model).build(kind)
    tools = [tool for name, tool in agent.tools.items() if name != "final_answer"]
    bare = (
        smolagents.ToolCallingAgent(tools=tools, model=model, instructions="Be brief.")
        if kind == "tool"
        else smolagents.CodeAgent(
            tools=tools, model=model, instructions="Be brief.", additional_authorized_imports=["numpy"]
        )
    )
    assert agent.system_prompt == bare.system_prompt


def test_a_tool_that_is_added_later_stands_in_the_system_prompt(model: DemoModel) -> None:
    agent = AgentBuilder(AgentSpec(tools=("calculator",)), model).build("tool")
    assert "visit_webpage" not in agent.system_prompt
    agent.tools["visit_webpage"] = smolagents.VisitWebpageTool()
    assert "visit_webpage" in agent.system_prompt


def test_the_settings_arrive(model: DemoModel, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("system_prompt: Terse. {{custom_instructions}}")
    spec = AgentSpec(
        tools=("calculator",),
        prompt_file=tmp_path / "p.yaml",
        max_steps=3,
        planning_interval=2,
        instructions="Brief.",
        authorized_imports=("fractions",),
    )
    agent = AgentBuilder(spec, model).build("code")
    assert set(agent.tools) == {"calculator", "final_answer"}
    assert agent.system_prompt == "Terse. Brief."
    assert (agent.max_steps, agent.planning_interval) == (3, 2)
    assert "fractions" in agent.authorized_imports
    assert AgentBuilder(AgentSpec(), model).build("tool").max_steps == 20


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_reaches_the_terminal(
    stream: bool,
    kind: Literal["tool", "code"],
    model: DemoModel,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    stdout = sys.stdout
    builder = AgentBuilder(AgentSpec(planning_interval=1, max_steps=2), model, stream=stream)
    assert builder.build(kind).run(QUESTION) == "Paris: 12 °C, partly cloudy"
    builder.build(kind).run("What is the weather in Atlantis?")
    assert sys.stdout is stdout
    assert capfd.readouterr() == ("", "")


def test_the_silent_console_is_silent_whatever_it_is_given(capfd: pytest.CaptureFixture[str]) -> None:
    console = SilentConsole()
    console.print("text")
    console.rule("rule")
    console.log("log")
    assert capfd.readouterr() == ("", "")


def test_streaming_asks_the_model_for_a_stream(model: DemoModel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    streamed = model.generate_stream

    def counted(*given: Any, **options: Any) -> Iterator[Any]:
        asked.append(1)
        return streamed(*given, **options)

    monkeypatch.setattr(model, "generate_stream", counted)
    assert AgentBuilder(AgentSpec(), model, stream=True).build("tool").run(QUESTION) == "Paris: 12 °C, partly cloudy"
    assert len(asked) == 2


def test_many_threads_may_build_and_run_at_once(model: DemoModel) -> None:
    answers: dict[str, Any] = {}
    cities = {"Paris": "12 °C", "Tokyo": "8 °C", "Rome": "15 °C", "Cairo": "20 °C"}
    with AgentBuilder(AgentSpec(), model) as builder:

        def work(city: str, kind: Literal["tool", "code"], number: int) -> None:
            answers[f"{city} {kind} {number}"] = builder.build(kind).run(f"What is the weather in {city}?")

        threads = [
            threading.Thread(target=work, args=(city, kind, number))
            for city in cities
            for kind in KINDS
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 32
    assert all(cities[name.split()[0]] in answer for name, answer in answers.items())


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (AgentSpec(executor="mainframe"), "--executor mainframe: choose one of local, docker"),
        (AgentSpec(tools=("nonsense",)), "no such tool"),
        (AgentSpec(tools=("calculator", "calculator")), "twice"),
        (AgentSpec(prompt_file=Path("absent.yaml")), "no such prompt file"),
        (AgentSpec(mcp=("no-such-program-anywhere",)), "--mcp no-such-program-anywhere: there is no program"),
        (AgentSpec(factory="no_such_module:make"), "--agent no_such_module:make|no module"),
    ],
)
def test_check_refuses_what_would_fail_later(spec: AgentSpec, complaint: str, model: DemoModel) -> None:
    with AgentBuilder(spec, model) as builder, pytest.raises(UsageError, match=complaint):
        builder.check()


def test_check_looks_at_the_kinds_that_are_asked_for(model: DemoModel, tmp_path: Path) -> None:
    path = tmp_path / "code.yaml"
    path.write_text("system_prompt: '{{authorized_imports}}'")
    builder = AgentBuilder(AgentSpec(prompt_file=path), model)
    builder.check(["code"])
    with pytest.raises(ConfigError, match="a tool agent does not provide"):
        builder.check(["tool"])


def test_a_tool_that_cannot_be_sent_to_an_executor_is_refused(
    model: DemoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_bound_tool.py").write_text(
        "import smolagents\nTABLE = {}\n\n"
        "class Bound(smolagents.Tool):\n    name = 'bound'\n    description = 'Looks up.'\n"
        "    inputs = {'key': {'type': 'string', 'description': 'The key.'}}\n    output_type = 'string'\n"
        "    def forward(self, key: str) -> str:\n        return TABLE[key]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = AgentSpec(tools=("own_bound_tool:Bound",), executor="docker")
    with pytest.raises(UsageError, match="--tools bound: its source cannot be sent"):
        AgentBuilder(spec, model).check()


class Silent(smolagents.Model):  # type: ignore[misc,unused-ignore]
    """A model that must never be asked."""

    def generate(self, *_: Any, **__: Any) -> ChatMessage:
        raise AssertionError("the model was called")


def test_check_does_not_call_the_model() -> None:
    AgentBuilder(AgentSpec(), Silent(model_id="none")).check()
