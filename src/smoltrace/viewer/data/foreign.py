"""Messages as other instrumentations put them on their spans: flat attributes, older attributes, events.

OpenInference writes `llm.input_messages.0.message.content`, older conventions `gen_ai.prompt.0.content`, others the
events `gen_ai.user.message` or `gen_ai.prompt.0`. All are brought into the form of a request's body, which
`smoltrace.viewer.data.messages` reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from smoltrace.books import names
from smoltrace.books.spans import Event
from smoltrace.viewer.data.texts import document

_DEEPEST: Final = 16
_LEAF: Final = ""
_ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_NUMBERED: Final = re.compile(r"gen_ai\.(prompt|completion)\.(?:\d+|system)")
_DETAILS: Final = "gen_ai.client.inference.operation.details"


class Side(NamedTuple):
    """Where the messages of one direction may stand, the first that is there counts."""

    convention: str
    openinference: str
    numbered: str
    events: tuple[str, ...]
    last: tuple[str, ...]


INPUT: Final = Side(
    names.INPUT_MESSAGES,
    "llm.input_messages",
    "gen_ai.prompt",
    ("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message"),
    ("gen_ai.prompt", "input.value", "gen_ai.request.first_message"),
)
OUTPUT: Final = Side(
    names.OUTPUT_MESSAGES,
    "llm.output_messages",
    "gen_ai.completion",
    ("gen_ai.choice",),
    ("gen_ai.completion", "output.value", "gen_ai.response"),
)


def raw_messages(attributes: Mapping[str, Any], events: Sequence[Event], side: Side) -> Any:
    """What `messages_of` reads: a list of messages, JSON text, plain text, or None where nothing was said."""
    if attributes.get(side.convention) is not None:
        return attributes[side.convention]
    if (found := _openinference(attributes, side.openinference)) is not None:
        return found
    if flat := _listed(_nested(attributes, side.numbered)):
        return [_openllmetry(item) for item in flat]
    if (found := _of_events(events, side)) is not None:
        return found
    return next((attributes[name] for name in side.last if attributes.get(name) is not None), None)


def raw_tools(attributes: Mapping[str, Any]) -> Any:
    """The definitions of the tools that a call was offered, for `tools_of`; None where it does not say."""
    for name in (names.LLM_TOOLS, names.TOOL_DEFINITIONS):
        if attributes.get(name):
            return attributes[name]
    listed = _listed(_nested(attributes, "llm.tools")) or _listed(_nested(attributes, "llm.request.functions"))
    schemas = [_at(item, "tool", "json_schema") or item for item in listed]
    return schemas or None


def _openinference(attributes: Mapping[str, Any], prefix: str) -> list[Any] | None:
    if prefix in attributes:
        found = document(attributes[prefix])
        listed = found if isinstance(found, list) else [found]
        return [_of_openinference(_unflat(item) if isinstance(item, Mapping) else item) for item in listed]
    listed = _listed(_nested(attributes, prefix))
    return [_of_openinference(item) for item in listed] or None


def _of_openinference(item: Any) -> Any:
    """OpenInference's names as those of a request's body."""
    message = _at(item, "message")
    if not isinstance(message, Mapping):
        return item
    body: dict[str, Any] = {"role": message.get("role"), "content": message.get("content")}
    if contents := _listed(message.get("contents")):
        body["content"] = [_content(content) for content in contents]
    if calls := _listed(message.get("tool_calls")):
        body["tool_calls"] = [_at(call, "tool_call") or call for call in calls]
    if (name := message.get("function_call_name")) is not None:
        body["function_call"] = {"name": name, "arguments": message.get("function_call_arguments_json")}
    body |= {key: message[key] for key in ("tool_call_id", "name") if message.get(key) is not None}
    return body


def _content(item: Any) -> Any:
    content = _at(item, "message_content")
    url = _at(content, "image", "image", "url")
    if isinstance(url, str):
        return {"type": "image_url", "image_url": {"url": url}}
    return content if content is not None else item


def _openllmetry(item: Any) -> Any:
    """`gen_ai.prompt.0.…`: the tool calls are numbered too."""
    if not isinstance(item, Mapping):
        return item
    content = document(item.get("content"))
    body = {**item, "content": content if isinstance(content, list) else item.get("content")}
    if calls := _listed(item.get("tool_calls")):
        body["tool_calls"] = calls
    return body


def _of_events(events: Sequence[Event], side: Side) -> Any:
    found: list[Any] = []
    for event in events:
        if event.name == _DETAILS and event.attributes.get(side.convention) is not None:
            return event.attributes[side.convention]
        if event.name in side.events:
            found.append(_of_event(event))
        elif (match := _NUMBERED.fullmatch(event.name)) and f"gen_ai.{match.group(1)}" == side.numbered:
            told = {key: event.attributes.get(f"{side.numbered}.{key}") for key in ("role", "content")}
            found.append(told)
        elif event.name == f"gen_ai.content.{side.numbered.removeprefix('gen_ai.')}":
            whole = document(event.attributes.get(side.numbered))
            found += whole if isinstance(whole, list) else [whole]
    return found or None


def _of_event(event: Event) -> Any:
    """An event's message: its attributes are the body, or one of them holds it."""
    attributes = event.attributes
    for name in ("message", "gen_ai.event.content", "body"):
        whole = document(attributes.get(name))
        if isinstance(whole, Mapping):
            inner = whole.get("message")
            return {"role": _ROLES[event.name], **(inner if isinstance(inner, Mapping) else whole)}
    body = {"role": _ROLES[event.name], **attributes}
    if event.name == "gen_ai.tool.message" and "id" in body:
        body["tool_call_id"] = body["id"]
    return body


def _nested(attributes: Mapping[str, Any], prefix: str) -> Any:
    """`{"0": {"message": {"role": …}}}` from the attributes below a prefix."""
    start = prefix + "."
    return _unflat({name[len(start) :]: value for name, value in attributes.items() if name.startswith(start)})


def _unflat(flat: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in flat.items():
        at = made
        *above, last = str(name).split(".", _DEEPEST)
        for step in above:
            below = at.get(step)
            if not isinstance(below, dict):
                below = at[step] = {} if below is None else {_LEAF: below}
            at = below
        if isinstance(at.get(last), dict) and not isinstance(value, Mapping):
            at[last][_LEAF] = value
        else:
            at[last] = value
    return made


def _listed(numbered: Any) -> list[Any]:
    """The values of `{"0": …, "1": …}` in order of their numbers; a list as it is; nothing of anything else."""
    if isinstance(numbered, list):
        return numbered
    if not isinstance(numbered, Mapping):
        return []
    found = [(int(key), value) for key, value in numbered.items() if re.fullmatch(r"[0-9]{1,9}", str(key))]
    return [value for _, value in sorted(found, key=lambda pair: pair[0])]


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
