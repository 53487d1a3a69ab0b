"""What was said, as span attributes: messages in the shape of the GenAI conventions, each kept once in a trace.

How a prompt is put together again from its references is told in `smoltrace.records.messages`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from smoltrace.books import names
from smoltrace.records.messages import pack_refs, restore
from smoltrace.records.text import json_text
from smoltrace.tracing.capture import field

__all__ = ["MessageLog", "arguments_text", "image_marker", "output_messages", "restore", "result_text", "text_message"]

ROLES = {"tool-call": "assistant", "tool-response": "tool"}
"""smolagents' roles that the conventions know by another name."""


Prompt: TypeAlias = list[tuple[str, str | None, int]]
"""The prompt that an agent sent last: role, text and number of each message; the text is None where there is more."""


class MessageLog:
    """The messages of one trace, numbered in the order in which they were first sent. Safe to use from many threads."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._markers: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def record(self, messages: Iterable[Any], last: Prompt) -> dict[str, Any]:
        """The attributes for one prompt: what is new in it, and references to all of it.

        A message is a smolagents ChatMessage or a mapping with `role` and `content`. `last` is the same agent's prompt
        before this one, and becomes this one: to compare texts is several times faster than to hash them.
        """
        prompt: Prompt = []
        new: list[dict[str, Any]] = []
        with self._lock:
            first = len(self._numbers)
            for place, message in enumerate(messages):
                role, content, tool_calls = _fields(message)
                text = _only_text(content) if not tool_calls else None
                if text is not None and place < len(last) and last[place][1] == text and last[place][0] == role:
                    prompt.append(last[place])
                    continue
                parts = _parts(content, tool_calls, self._marker)
                key = ("parts", role, json_text(parts)) if text is None else (role, text)
                number = self._numbers.get(key)
                if number is None:
                    number = self._numbers[key] = len(self._numbers)
                    new.append({"role": ROLES.get(role, role), "parts": parts})
                prompt.append((role, text, number))
        last[:] = prompt
        attributes: dict[str, Any] = {names.INPUT_REFS: json_text(pack_refs(number for _, _, number in prompt))}
        if new:
            attributes[names.INPUT_FIRST] = first
            attributes[names.INPUT_MESSAGES] = json_text(new)
        return attributes

    def _marker(self, image: Any) -> dict[str, Any]:
        """The marker of an image. It is read once; keeping the image keeps its `id` from being given to another."""
        known = self._markers.get(id(image))
        if known is None:
            known = self._markers[id(image)] = (image, image_marker(image))
        return known[1]


def text_message(role: str, text: str) -> str:
    """One message of one text as a JSON list."""
    return json_text([{"role": role, "parts": [{"type": "text", "content": text}]}])


def output_messages(content: Any, tool_calls: Any, finish_reasons: Sequence[str]) -> str:
    """What the model said, as a JSON list of one message."""
    message: dict[str, Any] = {"role": "assistant", "parts": _parts(content, tool_calls, image_marker)}
    if finish_reasons:
        message["finish_reason"] = finish_reasons[0]
    return json_text([message])


def arguments_text(inputs: Mapping[str, Any] | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The arguments of a tool call as a JSON object; positional ones bear the names of the tool's inputs."""
    if len(args) == 1 and not kwargs and isinstance(args[0], dict):
        return json_text(_plain(args[0]))
    input_names = list(inputs or ())
    named = {input_names[i] if i < len(input_names) else str(i): value for i, value in enumerate(args)}
    return json_text(_plain({**named, **kwargs}))


def result_text(result: Any) -> str:
    """What a tool returned, as text: text as it is, plain data as JSON, an image or audio as a marker."""
    if isinstance(result, str) and not _is_media(result):
        return str(result)
    return json_text(_plain(result))


def image_marker(image: Any) -> dict[str, Any]:
    """What is kept of an image: its media type, size in bytes and SHA-256, never the image itself."""
    if hasattr(image, "to_raw"):
        image = image.to_raw()
    marker: dict[str, Any] = {"type": "image", "media_type": _media_type(image)}
    if _is_picture(image):
        data = image.tobytes()
        marker["size"] = list(image.size)
    else:
        data = bytes(image) if isinstance(image, bytes | bytearray) else str(image).encode("utf-8", "replace")
    return {**marker, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _media_type(image: Any) -> str:
    image_format = getattr(image, "format", None)
    if isinstance(image_format, str):
        return f"image/{image_format.lower()}"
    return "image/x-raw" if _is_picture(image) else "application/octet-stream"


IMAGE_BYTES = 6_000
"""What an image counts as in the size of a prompt: some 1,500 tokens, the order that providers charge for one."""


def prompt_size(messages: Iterable[Any], tools: Iterable[Any]) -> int:
    """Bytes, as UTF-8, of all that a model is sent: messages and the schemas of the tools that it is offered."""
    size = 0
    for message in messages:
        role, content, tool_calls = _fields(message)
        size += len(role) + sum(len(str(call)) for call in tool_calls or ())
        pieces = [content] if isinstance(content, str) else content or ()
        for piece in pieces:
            text = piece if isinstance(piece, str) else _text_of(piece)
            size += IMAGE_BYTES if text is None else len(text.encode("utf-8", "replace"))
    return size + sum(len(str(tool.inputs)) + len(tool.description) + 100 for tool in tools)


def _text_of(piece: Any) -> str | None:
    """The text of one piece of a message; None for an image or audio."""
    text = piece.get("text") if isinstance(piece, Mapping) else None
    return text if isinstance(text, str) else None


def _parts(content: Any, tool_calls: Any, marker: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    pieces = [content] if isinstance(content, str) else content or ()
    parts = [_part(piece, marker) for piece in pieces]
    return parts + [_tool_call_part(call) for call in tool_calls or ()]


def _part(piece: Any, marker: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    if not isinstance(piece, Mapping):
        return {"type": "text", "content": str(piece)}
    kind = str(piece.get("type"))
    if kind == "text":
        return {"type": "text", "content": piece.get("text")}
    if kind == "image":
        return marker(piece.get("image"))
    if kind == "image_url":
        return _url_part(piece.get("image_url"))
    return {"type": kind, "content": json_text(_plain(piece))}


def _url_part(image_url: Any) -> dict[str, Any]:
    url = str(image_url.get("url") if isinstance(image_url, Mapping) else image_url)
    head, comma, data = url.partition(",")
    if not url.startswith("data:") or not comma:
        return {"type": "uri", "modality": "image", "uri": url}
    raw = data.encode("utf-8", "replace")
    return {
        "type": "image",
        "media_type": head.removeprefix("data:").partition(";")[0] or "image/unknown",
        "bytes": len(raw) * 3 // 4 - data[-2:].count("=") if ";base64" in head else len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def _fields(message: Any) -> tuple[str, Any, Any]:
    if isinstance(message, dict):
        role, content, tool_calls = message.get("role"), message.get("content"), message.get("tool_calls")
    else:
        role, content, tool_calls = message.role, message.content, message.tool_calls
    # An enumeration's `value` is a slow property; this is what it reads.
    return str(getattr(role, "_value_", role)), content, tool_calls


def _only_text(content: Any) -> str | None:
    """The text of a message that is nothing but one text."""
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        piece = content[0]
        content = piece.get("text") if piece.get("type") == "text" else None
    return content if isinstance(content, str) else None


def _tool_call_part(call: Any) -> dict[str, Any]:
    function = field(call, "function")
    return {
        "type": "tool_call",
        "id": field(call, "id"),
        "name": field(function, "name"),
        "arguments": _plain(field(function, "arguments")),
    }


def _is_media(value: Any) -> bool:
    return type(value).__name__ in ("AgentImage", "AgentAudio") or _is_picture(value)


def _is_picture(value: Any) -> bool:
    """A Pillow image, told without importing Pillow."""
    return hasattr(value, "tobytes") and hasattr(value, "mode") and isinstance(getattr(value, "size", None), tuple)


def _plain(value: Any, depth: int = 0) -> Any:
    """`value` with images and audio as markers, and what JSON does not know as its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _is_media(value):
        return {**image_marker(value), "type": "audio" if type(value).__name__ == "AgentAudio" else "image"}
    if isinstance(value, str):
        return value
    if depth < 20 and isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if depth < 20 and isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, bytes | bytearray):
        return {**image_marker(value), "type": "bytes"}
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - any object may come out of a tool, its __str__ is not ours
        return f"<{type(value).__name__} that cannot be shown: {error}>"
