"""Messages in one form, whoever wrote them down: `{"role", "parts"}`.

A part is `{"type": "text", "text"}` (with `"reasoning": True` where the model thought aloud), `{"type": "tool_call",
"id", "name", "arguments"}`, `{"type": "tool_result", "id", "name", "result"}`, `{"type": "image", "mime", "data"}`, or
`{"type": "other", "value"}` for whatever else there is. Understood are the OpenTelemetry GenAI conventions, the bodies
of OpenAI's and Anthropic's requests and answers, and plain text. Nothing that a message may hold raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from smoltrace.viewer.data.texts import Texts, document

Message: TypeAlias = dict[str, Any]
Part: TypeAlias = dict[str, Any]

MOST: Final = 5_000
"""Messages of one prompt, and parts of one message."""
LONGEST_IMAGE: Final = 1 << 20
"""Characters of an image's base64 that are sent at once."""

_ROLE: Final = 100
_TEXT: Final = frozenset({"text", "input_text", "output_text", "refusal"})
_REASONING: Final = frozenset({"reasoning", "thinking", "reasoning_text", "summary_text"})
_CALL: Final = frozenset({"tool_call", "tool_use", "function", "function_call", "server_tool_call"})
_RESULT: Final = frozenset({"tool_call_response", "tool_result", "function_call_output", "server_tool_call_response"})
_IMAGE: Final = frozenset({"image", "image_url", "input_image", "blob"})
_SAFE_MIME: Final = re.compile(r"image/(png|jpeg|jpg|gif|webp|bmp|avif)")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-\s]*={0,2}\s*")
_DATA_URL: Final = re.compile(r"data:([^;,]{1,100})(?:;[^;,]{1,100})*?;base64,(.*)", re.DOTALL)


def messages_of(value: Any, texts: Texts, role: str) -> list[Message]:
    """The messages that a value holds: JSON text, a list, one message, or plain text. `role` is whose they are where
    they do not say."""
    found = document(value)
    if found is None or found == "":
        return []
    if isinstance(found, Mapping) and isinstance(found.get("messages"), list):
        found = found["messages"]
    if not isinstance(found, list):
        return [message_of(found, texts, role)]
    if found and all(_is_part(item) for item in found):
        return [{"role": role, "parts": _parts(found, texts)}]
    made = [message_of(item, texts, role) for item in found[:MOST]]
    if len(found) > MOST:
        made.append({"role": role, "parts": [_other(f"… ({len(found) - MOST} more messages, not shown)", texts)]})
    return made


def message_of(value: Any, texts: Texts, role: str) -> Message:
    """One message."""
    if isinstance(value, Mapping) and isinstance(value.get("message"), Mapping):
        value = value["message"]
    if isinstance(value, str):
        return {"role": role, "parts": [{"type": "text", "text": texts.text(value)}]}
    if not isinstance(value, Mapping):
        return {"role": role, "parts": [_other(value, texts)]}
    told = value.get("role")
    role = told[:_ROLE] if isinstance(told, str) and told else role
    if isinstance(value.get("parts"), list):
        return {"role": role, "parts": _parts(value["parts"], texts)}
    if _is_part(value):
        return {"role": role, "parts": [part_of(value, texts)]}
    return {"role": role, "parts": _of_body(value, role, texts)}


def part_of(value: Any, texts: Texts) -> Part:
    """One part of a message."""
    if isinstance(value, str):
        return {"type": "text", "text": texts.text(value)}
    if not isinstance(value, Mapping):
        return _other(value, texts)
    kind = str(value.get("type"))
    if kind in _TEXT or kind in _REASONING:
        return _text(value, texts, reasoning=kind in _REASONING)
    if kind in _CALL:
        return _call(value, texts)
    if kind in _RESULT:
        result = _first(value, "response", "result", "output", "content")
        told = _first(value, "id", "tool_use_id", "call_id", "tool_call_id")
        return _result(told, value.get("name"), result, texts)
    if kind in _IMAGE:
        return _image(value, texts)
    return _other(value, texts)


def tools_of(value: Any, texts: Texts) -> list[dict[str, Any]] | None:
    """The definitions of tools as `{"name", "description", "parameters"}`; None where there are none."""
    found = document(value)
    listed = found if isinstance(found, list) else [found] if isinstance(found, Mapping) else []
    made = []
    for item in listed[:MOST]:
        known = document(item)
        told = known.get("function", known) if isinstance(known, Mapping) else None
        if not isinstance(told, Mapping):
            made.append({"name": None, "description": None, "parameters": texts.plain(known)})
            continue
        schema = _first(told, "parameters", "input_schema", "inputSchema")
        made.append(
            {
                "name": texts.plain(told.get("name")),
                "description": texts.plain(told.get("description")),
                "parameters": texts.plain(document(schema)),
            }
        )
    return made or None


def text_of(messages: Sequence[Message]) -> Any:
    """The text of messages that are nothing but one text, as an agent's task and answer are; None for all else."""
    parts = [part for message in messages for part in message["parts"]]
    return parts[0].get("text") if len(parts) == 1 else None


def _of_body(value: Mapping[str, Any], role: str, texts: Texts) -> list[Part]:
    """The parts of a message in the form of a request's body: its content, and its tool calls beside it."""
    content, call_id = value.get("content"), value.get("tool_call_id")
    if role in ("tool", "function") and (call_id is not None or "name" in value):
        return [_result(call_id, value.get("name"), content, texts)]
    thought = _first(value, "reasoning_content", "reasoning")
    parts = [_text({"text": thought}, texts, reasoning=True)] if isinstance(thought, str) and thought else []
    if isinstance(content, list):
        parts += _parts(content, texts)
    elif content is not None and content != "":
        parts.append(part_of(content, texts) if isinstance(content, str | Mapping) else _other(content, texts))
    for name in ("tool_calls", "function_call"):
        calls = document(value.get(name))
        calls = [calls] if isinstance(calls, Mapping) else calls
        if isinstance(calls, list):
            parts += [_call(call, texts) if isinstance(call, Mapping) else _other(call, texts) for call in calls[:MOST]]
        elif calls is not None:
            parts.append(_other(calls, texts))
    if not parts and not ({"content", "tool_calls", "function_call"} & value.keys()):
        rest = {key: item for key, item in value.items() if key != "role"}
        return [_other(rest, texts)] if rest else []
    return parts


def _parts(values: Sequence[Any], texts: Texts) -> list[Part]:
    made = [part_of(value, texts) for value in values[:MOST]]
    if len(values) > MOST:
        made.append(_other(f"… ({len(values) - MOST} more parts, not shown)", texts))
    return made


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) and "type" in value and not ({"role", "message"} & value.keys())


def _text(value: Mapping[str, Any], texts: Texts, *, reasoning: bool) -> Part:
    said = _first(value, "content", "text", "thinking", "reasoning", "refusal")
    if not isinstance(said, str):
        return {"type": "text", "text": ""} if said is None else _other(value, texts)
    part: Part = {"type": "text", "text": texts.text(said)}
    return part | {"reasoning": True} if reasoning else part


def _call(value: Mapping[str, Any], texts: Texts) -> Part:
    told = value.get("function")
    told = told if isinstance(told, Mapping) else value
    arguments = _first(told, "arguments", "input", "parameters")
    return {
        "type": "tool_call",
        "id": texts.plain(_first(value, "id", "call_id")),
        "name": texts.plain(told.get("name")),
        "arguments": texts.plain(document(arguments)),
    }


def _result(call_id: Any, name: Any, result: Any, texts: Texts) -> Part:
    if isinstance(result, list) and result and all(_is_part(item) and item["type"] in _TEXT for item in result):
        said = [_first(item, "text", "content") for item in result]
        result = "\n".join(said) if all(isinstance(each, str) for each in said) else result
    return {"type": "tool_result", "id": texts.plain(call_id), "name": texts.plain(name), "result": texts.plain(result)}


def _image(value: Mapping[str, Any], texts: Texts) -> Part:
    """An image with its data where they are there and of a kind that a page may show; nothing is ever fetched."""
    source = value.get("source") if isinstance(value.get("source"), Mapping) else value
    mime, data = _first(source, "media_type", "mime_type"), _first(source, "data", "content")
    url = _first(value, "image_url", "url", "uri")
    url = url.get("url") if isinstance(url, Mapping) else url
    if isinstance(url, str):
        if (match := _DATA_URL.fullmatch(url)) is None:
            return _other(value, texts)
        mime, data = match.group(1), match.group(2)
    if data is None and str(value.get("type")) != "blob":
        kept = {name: texts.plain(value[name]) for name in ("bytes", "size", "sha256") if name in value}
        return {"type": "image", "mime": texts.plain(mime), "data": None, **kept}
    if not (isinstance(mime, str) and _SAFE_MIME.fullmatch(mime) and isinstance(data, str) and _BASE64.fullmatch(data)):
        return _other(value, texts)
    return {"type": "image", "mime": mime, "data": texts.text(data, limit=LONGEST_IMAGE)}


def _other(value: Any, texts: Texts) -> Part:
    return {"type": "other", "value": texts.plain(value)}


def _first(value: Any, *candidates: str) -> Any:
    """The first of these that is there and not None."""
    if not isinstance(value, Mapping):
        return None
    return next((value[name] for name in candidates if value.get(name) is not None), None)
