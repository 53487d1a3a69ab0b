"""Bring your own agent: `--agent module:function` names a function that builds it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

import smolagents

from smoltrace.agents.references import load_reference
from smoltrace.agents.spec import AgentSpec
from smoltrace.errors import UsageError

_EXAMPLE: Final = "def make_agent(model, tools): return CodeAgent(tools=tools, model=model)"


class AgentFactory:
    """The user's function. It is called once for every test with those of these arguments that it names:

    model (the smolagents model of the run), agent_type ("tool" or "code"), tools (fresh smolagents tools), stream
    (bool), and max_steps, planning_interval, instructions (None where the run leaves them open). It returns a new
    MultiStepAgent. What the run sets of the last three and the function does not take is set on the agent.
    """

    def __init__(self, spec: AgentSpec) -> None:
        assert spec.factory is not None
        self.spec, self.reference = spec, spec.factory
        self._function: Callable[..., Any] | None = None

    def check(
        self, model: smolagents.Model, agent_type: str, tools: list[smolagents.Tool], stream: bool = False
    ) -> None:
        """Build two agents. Raises UsageError when that fails, or when they are the same or share a managed agent."""
        ignored = {
            "--prompt-file": self.spec.prompt_file is not None,
            "--executor": self.spec.executor != "local",
            "authorised imports": bool(self.spec.authorized_imports),
        }
        for option, given in ignored.items():
            if given:
                raise self._fault(f"{option} does not reach an agent that you build; set it in your function instead")
        first = self.make(model, agent_type, tools, stream)
        second = self.make(model, agent_type, tools, stream)
        if {id(agent) for agent in _all_agents(first)} & {id(agent) for agent in _all_agents(second)}:
            raise self._fault(
                "it returns the same agent (or managed agent) twice; tests run side by side need their own"
            )

    def make(
        self, model: smolagents.Model, agent_type: str, tools: list[smolagents.Tool], stream: bool = False
    ) -> smolagents.MultiStepAgent:
        """A new agent of the user's. Raises UsageError when the function cannot be called or returns something else."""
        function = self._load()
        settings = {
            "max_steps": self.spec.max_steps,
            "planning_interval": self.spec.planning_interval,
            "instructions": self.spec.instructions,
        }
        offered = {"model": model, "agent_type": agent_type, "tools": tools, "stream": stream, **settings}
        taken = self._arguments(function, offered)
        try:
            agent = function(**taken)
        # The user's code may raise anything; they see it as one line that names their function.
        except Exception as error:
            raise self._fault(f"it raised {type(error).__name__}: {error}") from error
        if not isinstance(agent, smolagents.MultiStepAgent):
            if inspect.iscoroutine(agent):
                agent.close()
            raise self._fault(f"it returned {type(agent).__name__}, not a smolagents agent; for example {_EXAMPLE}")
        for name, value in settings.items():
            if value is not None and name not in taken:
                setattr(agent, name, value)
        return agent

    def _load(self) -> Callable[..., Any]:
        if self._function is None:
            function = load_reference(self.reference, "--agent")
            if isinstance(function, smolagents.MultiStepAgent):
                raise self._fault(f"it is one agent, and every test needs its own; name a function: {_EXAMPLE}")
            if not callable(function):
                raise self._fault(f"it is {type(function).__name__}, not a function; for example {_EXAMPLE}")
            self._function = function
        return self._function

    def _arguments(self, function: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError) as error:
            raise self._fault(f"its parameters cannot be read: {error}") from error
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return offered
        by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        needed = {p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL}
        if unknown := sorted(needed - (by_name & set(offered))):
            raise self._fault(f"it needs {', '.join(unknown)}; it can be given: {', '.join(offered)}")
        return {name: value for name, value in offered.items() if name in by_name}

    def _fault(self, problem: str) -> UsageError:
        return UsageError(f"--agent {self.reference}: {problem}")


def _all_agents(agent: smolagents.MultiStepAgent) -> Iterator[smolagents.MultiStepAgent]:
    yield agent
    for managed in agent.managed_agents.values():
        yield from _all_agents(managed)
