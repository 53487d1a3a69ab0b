"""What a run is: all that decides its results, so that a run is only ever gone on with as what it began as."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from smoltrace.evaluation.lives.machine import versions

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.tasks.loaders import TaskSet

_SELECTION = ("difficulty", "category", "limit", "repeats", "agent_type")
_SHOWN = 12
"""So many digits of a fingerprint tell two apart."""
_LONGEST = 80


_ENVIRONMENT = frozenset({"tasks", "price_file", "prompt_file", "smoltrace", "smolagents", "python"})
"""What can change without the command: what files hold, and what is installed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a run began with, and what it is now. `place` is the file that it is about."""

    name: str
    then: Any
    now: Any
    place: Any = None

    @property
    def what(self) -> str:
        name = self.name.replace("_", " ")
        return name if self.place is None else f"{name} ({self.place})"

    @property
    def is_asked_for(self) -> bool:
        """Whether something else was asked for, and not the same found changed."""
        return self.name not in _ENVIRONMENT

    def __str__(self) -> str:
        return f"{self.what}: was {_shown(self.then)}, is now {_shown(self.now)}"

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "then": self.then, "now": self.now}


def identity_of(config: EvalConfig, spec: ModelSpec, tasks: TaskSet) -> dict[str, Any]:
    """What decides the results of an evaluation, as JSON values. Files count by what is in them, wherever they lie.

    `spec` is the resolved model. Workers, limits, the engine, the store, notes and tags are left out: they decide how
    the tests are run, and not what comes of them. Raises ConfigError for a file that is gone.
    """
    agent = config.agent.to_json()
    if config.agent.prompt_file is not None:
        agent["prompt_file"] = fingerprint(config.agent.prompt_file)
    if agent.get("working_directory") is not None:
        agent["working_directory"] = str(Path(agent["working_directory"]).resolve())
    installed = versions(config.instrument)
    return {
        "tasks": tasks.fingerprint,
        **{name: getattr(config, name) for name in _SELECTION},
        "model": local_model(spec) or spec.model_id,
        "provider": spec.provider,
        "base_url": without_password(spec.base_url),
        **spec.generation.to_json(),
        "stream": spec.stream,
        **{("agent" if name == "factory" else name): value for name, value in agent.items()},
        "scorers": list(config.scorers),
        "price_file": None if config.price_file is None else fingerprint(config.price_file),
        "instrument": list(config.instrument),
        "record_content": config.record_content,
        "redact": list(config.redact),
        "smoltrace": installed["smoltrace"],
        "smolagents": installed["smolagents"],
        "python": ".".join(str(installed["python"]).split(".")[:2]),
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any], config: EvalConfig) -> list[Difference]:
    """What is not as it was. What an earlier version did not record is taken to be the same."""
    places = {"tasks": config.tasks, "price_file": config.price_file, "prompt_file": config.agent.prompt_file}
    return [
        Difference(name, then[name], value, places.get(name))
        for name, value in now.items()
        if name in then and then[name] != value
    ]


def fingerprint(file: Path) -> str:
    """SHA-256, in hex, of what is in a file. Raises ConfigError for one that cannot be read."""
    from smoltrace.errors import ConfigError

    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}. Check the path.") from error


def local_model(spec: ModelSpec) -> str | None:
    """The whole path of a model that lies in a folder of this machine, None for any other."""
    folder = Path(spec.model_id).expanduser()
    return str(folder.resolve()) if spec.provider == "transformers" and folder.is_dir() else None


def without_password(url: str | None) -> str | None:
    """The address without what stands before its host: a user's name and password."""
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return f"sha256 {value[:_SHOWN]}…"
    text = ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
