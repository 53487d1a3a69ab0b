"""What a run asks of its model and agent, as plain data: it can be written to a run's manifest and sent to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

PROVIDERS: Final = ("auto", "openai", "litellm", "inference", "transformers", "ollama", "demo")
EXECUTORS: Final = ("local", "docker", "e2b", "modal", "blaxel")
_PATHS: Final = ("prompt_file", "working_directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationParams:
    """Sampling parameters of every model call; None means not sent, so that the provider's own default holds."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None

    def sent(self) -> dict[str, float | int]:
        """The parameters that go into the request, by their OpenAI names."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    def to_json(self) -> dict[str, float | int | None]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationParams:
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Which model answers, and how it is asked.

    `provider` is one of PROVIDERS; `auto` is decided from the model id by `smoltrace.agents.providers.resolve`.
    `request_timeout` is in seconds for one request. The key is never printed and never serialised.
    """

    model_id: str
    provider: str = "auto"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    generation: GenerationParams = field(default_factory=GenerationParams)
    request_timeout: float | None = None
    stream: bool = False

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        del data["api_key"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelSpec:
        """The inverse of `to_json`; the key has to come from the environment again."""
        return cls(**{**data, "generation": GenerationParams.from_json(data.get("generation") or {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """How the agent of each test is built.

    tools               names as `smoltrace.agents.tools.build_tools` takes them; empty: the three offline default tools
    mcp                 MCP servers: URLs, or commands as one would type them in a shell
    prompt_file         YAML or JSON with smolagents prompt templates that replace the standard ones
    factory             `module:function` that builds the agent instead (bring your own agent)
    max_steps           None: smolagents' own default (20)
    authorized_imports  modules that a code agent may import besides smolagents' own list
    executor            where a code agent's code runs, one of EXECUTORS
    working_directory   root of the file tools, which see nothing outside of it; None: there are none
    """

    tools: tuple[str, ...] = ()
    mcp: tuple[str, ...] = ()
    prompt_file: Path | None = None
    factory: str | None = None
    max_steps: int | None = None
    planning_interval: int | None = None
    instructions: str | None = None
    authorized_imports: tuple[str, ...] = ()
    executor: str = "local"
    working_directory: Path | None = None

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for name in ("tools", "mcp", "authorized_imports"):
            data[name] = list(data[name])
        for name in _PATHS:
            data[name] = None if data[name] is None else str(data[name])
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AgentSpec:
        plain = dict(data)
        for name in ("tools", "mcp", "authorized_imports"):
            plain[name] = tuple(plain.get(name) or ())
        for name in _PATHS:
            plain[name] = None if plain.get(name) is None else Path(plain[name])
        return cls(**plain)
