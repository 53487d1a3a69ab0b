"""From a specification to agents: a fresh, silent one for every test.

smolagents parses its prompt file and compiles the system prompt for each agent it makes: 8 to 14 ms of work whose
result is always the same. Here both are done once for a run, and an agent costs about half a millisecond.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import smolagents
from rich.console import Console
from smolagents.agent_types import handle_agent_output_types
from smolagents.monitoring import AgentLogger, LogLevel
from smolagents.tools import get_tools_definition_code

from smoltrace.agents.executor import LocalExecutor
from smoltrace.agents.factory import AgentFactory
from smoltrace.agents.file_tools import FileTool
from smoltrace.agents.mcp import McpServers
from smoltrace.agents.parsing import parse_one_at_a_time
from smoltrace.agents.prompts import AgentType, Templates, load_templates, standard_templates
from smoltrace.agents.spec import EXECUTORS, AgentSpec
from smoltrace.agents.tools import build_tools, tool_makers
from smoltrace.errors import UsageError


class SilentConsole(Console):
    """A rich console that prints nothing and renders nothing, whatever the terminal or the environment."""

    def __init__(self) -> None:
        # Not a terminal, also under FORCE_COLOR: a live display on a terminal would capture the process's own stdout.
        super().__init__(file=io.StringIO(), quiet=True, force_terminal=False, color_system=None)

    def print(self, *objects: Any, **options: Any) -> None:
        return None


def silent_logger() -> AgentLogger:
    return AgentLogger(level=LogLevel.OFF, console=SilentConsole())


class _RemembersItsPrompt:
    """Compiles the system prompt once for all agents that share `prompts` and bear the same tools and settings."""

    prompts: dict[Any, str]

    def __init__(self, *, prompts: dict[Any, str], **settings: Any) -> None:
        self.prompts = prompts
        super().__init__(**settings)

    def initialize_system_prompt(self) -> str:
        agent: Any = self
        key = (
            agent.prompt_templates["system_prompt"],
            agent.instructions,
            tuple((tool.to_code_prompt(), repr(tool.inputs)) for tool in agent.tools.values()),
            tuple((name, helper.description) for name, helper in agent.managed_agents.items()),
        )
        if key not in self.prompts:
            self.prompts[key] = super().initialize_system_prompt()  # type: ignore[misc]
        return self.prompts[key]


# The names are smolagents': traces and smolagents itself tell the kinds apart by the class's name.
class ToolCallingAgent(_RemembersItsPrompt, smolagents.ToolCallingAgent):
    pass


class CodeAgent(_RemembersItsPrompt, smolagents.CodeAgent):
    def create_python_executor(self) -> Any:
        if self.executor_type != "local":
            return super().create_python_executor()
        settings = {"max_print_outputs_length": self.max_print_outputs_length, **self.executor_kwargs}
        return LocalExecutor(self.additional_authorized_imports, **settings)


class AgentBuilder:
    """Builds the agents of a run. Use it as a context manager: MCP servers are closed when it ends.

    `model` is shared by all agents; `stream` asks it for its answers piece by piece. Any thread may build.
    """

    def __init__(self, spec: AgentSpec, model: smolagents.Model, *, stream: bool = False) -> None:
        parse_one_at_a_time()
        self.spec, self.model, self.stream = spec, model, stream
        self._factory = AgentFactory(spec) if spec.factory is not None else None
        self._mcp = McpServers(spec.mcp)
        self._lock = threading.Lock()
        self._tools: list[Callable[[], smolagents.Tool]] | None = None
        self._templates: dict[AgentType, Templates] = {}
        self._prompts: dict[AgentType, dict[Any, str]] = {"tool": {}, "code": {}}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._mcp.close()

    def check(self, agent_types: Iterable[AgentType] = ("tool", "code")) -> None:
        """Try everything that can fail before a model is called, by building an agent of each kind.

        Raises UsageError (ConfigError for the prompt file, MissingExtraError for MCP) that says what to change.
        """
        if self.spec.executor not in EXECUTORS:
            raise UsageError(f"--executor {self.spec.executor}: choose one of {', '.join(EXECUTORS)}")
        # On the first result that is no text smolagents imports torch where it is installed: seconds, not some test's.
        handle_agent_output_types(0)
        tools = build_tools(self.spec.tools, self.spec.working_directory)
        if self.spec.executor != "local":
            _check_sendable(tools)
        for agent_type in agent_types:
            if self._factory is not None:
                self._factory.check(self.model, agent_type, self._make_tools(), self.stream)
            else:
                self.release(self.build(agent_type))

    def build(self, agent_type: AgentType) -> smolagents.MultiStepAgent:
        """A fresh agent that writes nothing to the terminal. Raises UsageError when it cannot be made."""
        if self._factory is not None:
            agent = self._factory.make(self.model, agent_type, self._make_tools(), self.stream)
            for each in family(agent):
                each.logger.level, each.logger.console = LogLevel.OFF, SilentConsole()
            return agent
        settings = self._settings(agent_type)
        try:
            if agent_type == "tool":
                return ToolCallingAgent(**settings)
            imports = list(self.spec.authorized_imports)
            return CodeAgent(additional_authorized_imports=imports, executor_type=self.spec.executor, **settings)
        # A remote executor starts here, and each has its own ways to fail: no package, no daemon, no key.
        except Exception as error:
            where = "" if self.spec.executor == "local" else f" with --executor {self.spec.executor}"
            raise UsageError(f"cannot build a {agent_type} agent{where}: {error}") from error

    def release(self, agent: smolagents.MultiStepAgent) -> None:
        """When its test ended: give back what an agent holds outside this process, such as an executor's container."""
        for each in family(agent):
            if isinstance(each, smolagents.CodeAgent):
                each.cleanup()

    def _settings(self, agent_type: AgentType) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "tools": self._make_tools(),
            "model": self.model,
            "prompt_templates": self._templates_of(agent_type),
            "prompts": self._prompts[agent_type],
            "instructions": self.spec.instructions,
            "planning_interval": self.spec.planning_interval,
            "stream_outputs": self.stream,
            "logger": silent_logger(),
        }
        if self.spec.max_steps is not None:
            settings["max_steps"] = self.spec.max_steps
        return settings

    def _templates_of(self, agent_type: AgentType) -> Templates:
        with self._lock:
            if agent_type not in self._templates:
                path = self.spec.prompt_file
                self._templates[agent_type] = (
                    standard_templates(agent_type) if path is None else load_templates(path, agent_type)
                )
            templates = self._templates[agent_type]
        # smolagents only reads them, but a callback of the user's may write: no agent can change another's.
        return {key: dict(value) if isinstance(value, dict) else value for key, value in templates.items()}

    def _make_tools(self) -> list[smolagents.Tool]:
        with self._lock:
            if self._tools is None:
                self._tools = tool_makers(self.spec.tools, self.spec.working_directory)
                self._mcp.connect()
        tools = [make() for make in self._tools] + self._mcp.tools()
        names = [tool.name for tool in tools]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"two tools are named {', '.join(sorted(twice))}; drop one from --tools or --mcp")
        return tools


def _check_sendable(tools: list[smolagents.Tool]) -> None:
    """A remote executor is sent each tool's source, which has to stand on its own there."""
    for tool in tools:
        if isinstance(tool, FileTool):
            raise UsageError(
                f"--tools {tool.name}: a file tool works on this machine's folder and cannot be sent to an executor; "
                "drop it, or use --executor local"
            )
        try:
            get_tools_definition_code({tool.name: tool})
        except Exception as error:
            raise UsageError(f"--tools {tool.name}: its source cannot be sent to an executor: {error}") from error


def family(agent: smolagents.MultiStepAgent) -> Iterator[smolagents.MultiStepAgent]:
    """The agent and, below it, every agent that it manages."""
    yield agent
    for managed in agent.managed_agents.values():
        if isinstance(managed, smolagents.MultiStepAgent):
            yield from family(managed)
