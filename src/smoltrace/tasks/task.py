"""One task: a prompt for an agent and what is expected of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

AgentType = Literal["tool", "code"]
TaskAgentType = Literal["tool", "code", "both"]
KeywordMatch = Literal["all", "any"]

AGENT_TYPES: tuple[str, ...] = get_args(TaskAgentType)
KEYWORD_MATCHES: tuple[str, ...] = get_args(KeywordMatch)

_EXPECTATIONS = ("expected_tool", "expected_tool_calls", "expected_keywords", "keyword_match", "expected_answer")
_ALWAYS_SHOWN = ("id", "prompt", "agent_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What an agent is asked, and what a right answer looks like.

    `agent_type` says which kind of agent the task is for. `expected_tool` is the tool that must be used, at least
    `expected_tool_calls` times (once when that is None); a task without it needs no tool. `expected_keywords` are whole
    words the answer must hold: each of them, or one of them when `keyword_match` is "any". `expected_answer` is any
    JSON value. `files` are absolute paths of files that belong to the task. `metadata` keeps the columns of the tasks
    file that smoltrace does not know, as JSON values. A field that the tasks file leaves out is None or empty.
    """

    id: str
    prompt: str
    agent_type: TaskAgentType = "both"
    difficulty: str | None = None
    category: str | None = None
    expected_tool: str | None = None
    expected_tool_calls: int | None = None
    expected_keywords: tuple[str, ...] = ()
    keyword_match: KeywordMatch = "all"
    expected_answer: Any = field(default=None, hash=False)
    files: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def for_agent(self, agent_type: str) -> bool:
        """Whether an agent of this kind ("tool" or "code"; "both" asks for either) is given the task."""
        return agent_type == "both" or self.agent_type in ("both", agent_type)

    @property
    def expected(self) -> dict[str, Any]:
        """What is expected, as JSON values under the field names; empty when the task expects nothing."""
        found = {name: _json(getattr(self, name)) for name in _EXPECTATIONS if _is_set(getattr(self, name))}
        if not self.expected_keywords:
            found.pop("keyword_match", None)
        return found

    def to_json(self) -> dict[str, Any]:
        """The task as a mapping of JSON values that `load_tasks` reads back; unset fields are left out.

        Columns in `metadata` stand beside the fields, as they stood in the tasks file.
        """
        known = [(item.name, getattr(self, item.name)) for item in fields(self) if item.name != "metadata"]
        row = {name: _json(value) for name, value in known if name in _ALWAYS_SHOWN or _is_set(value)}
        if not self.expected_keywords:
            row.pop("keyword_match", None)
        return row | {name: value for name, value in self.metadata.items() if name not in row}


def _is_set(value: Any) -> bool:
    return value is not None and value != ()


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
