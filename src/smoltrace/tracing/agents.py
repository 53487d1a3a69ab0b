"""Agents, and the agents that they manage, made traceable for the time of one run and given back as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry.sdk.trace import Span as SdkSpan
from smolagents.agents import CodeAgent
from smolagents.memory import MemoryStep
from smolagents.models import get_tool_json_schema
from smolagents.remote_executors import RemotePythonExecutor

from smoltrace.books import names
from smoltrace.errors import UsageError
from smoltrace.records.text import json_text
from smoltrace.tracing.content import result_text, text_message
from smoltrace.tracing.model import TracedModel, unwrapped
from smoltrace.tracing.scope import Scope, current, end, fail, note
from smoltrace.tracing.steps import Invocation, StepObserver, active, active_invocation
from smoltrace.tracing.tools import TracedTool

T = TypeVar("T")

_swapping = threading.Lock()


class AgentTrace:
    """One agent during one test: its model, tools, managed agents and callbacks are delegates until `restore`."""

    def __init__(self, agent: Any, scope: Scope) -> None:
        self.agent, self._scope = agent, scope
        self._running: list[Invocation] = []
        self._originals: dict[str, Any] = {}

    def current(self) -> Invocation | None:
        """The run of this agent that the caller belongs to; in a thread without our context, the latest one."""
        invocation = active_invocation()
        if invocation is not None and invocation in self._running:
            return invocation
        return self._running[-1] if self._running else None

    def invoke(self, parent: SdkSpan, task: str | None, call: Callable[[], T]) -> T:
        """`call`, which runs the agent, under a span `invoke_agent {name}`."""
        name = agent_name(self.agent)
        span = self._scope.start(f"invoke_agent {name}", parent, self._attributes(name, task))
        invocation = Invocation(self._scope, span, self.agent)
        self._running.append(invocation)
        try:
            with current(span), active(invocation):
                result = call()
            if self._scope.settings.record_content:
                note(span, {names.OUTPUT_MESSAGES: text_message("assistant", result_text(result))})
            return result
        except BaseException as error:
            fail(span, error)
            raise
        finally:
            self._running.remove(invocation)
            invocation.abandon_step()
            end(span)

    def _attributes(self, name: str, task: str | None) -> dict[str, Any]:
        settings = self._scope.settings
        attributes = {
            names.OPERATION_NAME: names.INVOKE_AGENT,
            names.AGENT_NAME: name,
            names.AGENT_TYPE: agent_type(self.agent),
            names.PROVIDER_NAME: settings.system,
            names.SYSTEM: settings.system,
        }
        model_id = getattr(self._originals.get("model"), "model_id", None)
        if model_id is not None:
            attributes[names.REQUEST_MODEL] = str(model_id)
        if description := getattr(self.agent, "description", None):
            attributes[names.AGENT_DESCRIPTION] = str(description)
        if settings.record_content:
            attributes[names.LLM_TOOLS] = tool_definitions(self.agent)
            if task is not None:
                attributes[names.INPUT_MESSAGES] = text_message("user", task)
        return attributes

    def instrument(self, traces: dict[int, AgentTrace]) -> None:
        """Put the delegates in place, in the agents that it manages too; `traces` holds those already done, by id."""
        with _swapping:
            if isinstance(getattr(self.agent, "step_callbacks", None), StepObserver):
                raise UsageError(
                    f"The agent '{agent_name(self.agent)}' runs in two tests at once. "
                    "An agent keeps its conversation in itself, so build a fresh one for every test."
                )
            if hasattr(self.agent, "step_callbacks"):
                self._swap("step_callbacks", StepObserver(self.agent.step_callbacks, self._step_ended))
        if hasattr(self.agent, "model"):
            self._swap("model", TracedModel(unwrapped(self.agent.model), self._scope, self.current))
        if runs_tools_here(self.agent):
            tools = getattr(self.agent, "tools", {})
            self._swap("tools", {n: TracedTool(tool, self._scope, self.current) for n, tool in tools.items()})
        managed = getattr(self.agent, "managed_agents", None)
        if managed:
            self._swap("managed_agents", {n: self._managed(agent, traces) for n, agent in managed.items()})

    def _managed(self, agent: Any, traces: dict[int, AgentTrace]) -> TracedAgent:
        trace = traces.get(id(agent))
        if trace is None:
            trace = traces[id(agent)] = AgentTrace(agent, self._scope)
            trace.instrument(traces)
        return TracedAgent(agent, trace, self)

    def _step_ended(self, memory_step: MemoryStep) -> None:
        invocation = self.current()
        if invocation is not None:
            invocation.close_step(memory_step)

    def _swap(self, attribute: str, delegate: Any) -> None:
        self._originals[attribute] = getattr(self.agent, attribute)
        setattr(self.agent, attribute, delegate)

    def restore(self) -> None:
        """Give the agent back as it was."""
        for attribute, original in self._originals.items():
            setattr(self.agent, attribute, original)
        self._originals.clear()

    @property
    def parent(self) -> SdkSpan:
        """What an agent that this one calls now belongs to."""
        invocation = self.current()
        return self._scope.root if invocation is None else invocation.parent


class TracedAgent:
    """A managed agent as its manager calls it; everything but the call is the agent's own."""

    def __init__(self, inner: Any, trace: AgentTrace, manager: AgentTrace) -> None:
        self._inner, self._trace, self._manager = inner, trace, manager

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        task = args[0] if args else kwargs.get("task")
        return self._trace.invoke(
            self._manager.parent, None if task is None else str(task), lambda: self._inner(*args, **kwargs)
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)


def agent_name(agent: Any) -> str:
    """The agent's own name, or that of its class."""
    return str(getattr(agent, "name", None) or type(agent).__name__)


def agent_type(agent: Any) -> str:
    """`code` for agents that write code, else `tool`."""
    return "code" if isinstance(agent, CodeAgent) else "tool"


def runs_tools_here(agent: Any) -> bool:
    """False where tools are sent as source to another machine: a delegate could not go with them."""
    if getattr(agent, "executor_type", None) not in (None, "local"):
        return False
    return not isinstance(getattr(agent, "python_executor", None), RemotePythonExecutor)


def tool_definitions(agent: Any) -> str:
    """What the agent's model is offered, tools and managed agents, as a JSON list in the shape of the conventions."""
    offered = [*getattr(agent, "tools", {}).values(), *(getattr(agent, "managed_agents", None) or {}).values()]
    return json_text([{"type": "function", **get_tool_json_schema(tool)["function"]} for tool in offered])
