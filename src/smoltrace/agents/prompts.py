"""The prompt templates of an agent: smolagents' own, parsed once, and those of the user's file laid over them."""

from __future__ import annotations

import copy
import difflib
import functools
import importlib.resources
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import jinja2
import jinja2.meta
import yaml

from smoltrace.errors import ConfigError

AgentType = Literal["tool", "code"]
Templates = dict[str, Any]
"""`system_prompt`, a text, and the groups `planning`, `managed_agent` and `final_answer`, mappings of texts."""

_STANDARD: Final[dict[AgentType, str]] = {"tool": "toolcalling_agent.yaml", "code": "code_agent.yaml"}
_SYSTEM: Final = frozenset({"tools", "managed_agents", "custom_instructions"})
_CODE_SYSTEM: Final = _SYSTEM | {"authorized_imports", "code_block_opening_tag", "code_block_closing_tag"}
# What smolagents 1.26 hands to each template; a name outside these fails in the middle of a run.
_VARIABLES: Final[dict[str, frozenset[str]]] = {
    "planning.initial_plan": frozenset({"task", "tools", "managed_agents"}),
    "planning.update_plan_pre_messages": frozenset({"task"}),
    "planning.update_plan_post_messages": frozenset({"task", "tools", "managed_agents", "remaining_steps"}),
    "managed_agent.task": frozenset({"name", "task"}),
    "managed_agent.report": frozenset({"name", "final_answer"}),
    "final_answer.post_messages": frozenset({"task"}),
}


def standard_templates(agent_type: AgentType) -> Templates:
    """smolagents' own templates for a tool-calling or a code agent; a copy that the caller may change."""
    return copy.deepcopy(_standard(agent_type))


@functools.cache
def _standard(agent_type: AgentType) -> Templates:
    text = importlib.resources.files("smolagents.prompts").joinpath(_STANDARD[agent_type]).read_text(encoding="utf-8")
    templates: Templates = yaml.safe_load(text)
    return templates


def load_templates(path: Path, agent_type: AgentType) -> Templates:
    """The templates of a YAML or JSON file, laid over the standard ones.

    The file has smolagents' layout: `system_prompt: text`, and groups such as `planning: {initial_plan: text}`; what it
    leaves out stays standard. A file with the keys `tool` and `code` holds such a layout for each kind of agent.
    Raises ConfigError, which names file and key, for anything that would fail in a run: an unknown key, a value that is
    no text, faulty Jinja, a variable that smolagents does not provide.
    """
    given = _read(path)
    if set(given) and set(given) <= {"tool", "code"}:
        given = _mapping(given.get(agent_type) or {}, path, agent_type)
    templates = standard_templates(agent_type)
    for key, value in given.items():
        _known(key, templates, path, "")
        if isinstance(templates[key], str):
            templates[key] = _template(value, path, key, agent_type)
            continue
        for name, text in _mapping(value, path, key).items():
            _known(name, templates[key], path, f"{key}.")
            templates[key][name] = _template(text, path, f"{key}.{name}", agent_type)
    return templates


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such prompt file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the prompt file cannot be read as UTF-8 text: {error}") from error
    try:
        data = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        kind = "JSON" if isinstance(error, json.JSONDecodeError) else "YAML"
        raise ConfigError(f"{path}: not valid {kind}: {' '.join(str(error).split())}") from error
    return _mapping(data, path, "the file")


def _mapping(value: Any, path: Path, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{path}: {where} must be a mapping of names to prompt texts, not {type(value).__name__}")
    return value


def _known(key: str, known: Mapping[str, Any], path: Path, prefix: str) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1) or sorted(known)
        raise ConfigError(f"{path}: smolagents has no prompt {prefix + key!r}; there is: {', '.join(near)}")


def _template(text: Any, path: Path, key: str, agent_type: AgentType) -> str:
    if not isinstance(text, str):
        raise ConfigError(f"{path}: {key} must be a text, not {type(text).__name__}")
    try:
        used = jinja2.meta.find_undeclared_variables(jinja2.Environment(autoescape=False).parse(text))
    except jinja2.TemplateSyntaxError as error:
        raise ConfigError(f"{path}: {key}, line {error.lineno}: not a valid Jinja template: {error.message}") from error
    provided = (_CODE_SYSTEM if agent_type == "code" else _SYSTEM) if key == "system_prompt" else _VARIABLES.get(key)
    if provided is not None and (unknown := sorted(used - provided)):
        raise ConfigError(
            f"{path}: {key} uses {', '.join(unknown)}, which a {agent_type} agent does not provide; "
            f"it provides: {', '.join(sorted(provided))}"
        )
    return text
