"""The scripted model server's wire: HTTP/1.1 as little as it needs, and OpenAI's answers, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
from support.model_scripts import Reply, call_index

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def dump(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError:  # lone surrogates: only as escapes can they be sent
        return json.dumps(payload).encode()


def read_request(stream: Any) -> tuple[str, str, dict[str, str], bytes] | None:
    """The next HTTP request of a kept connection as (verb, path, lower-case headers, body); None at its end."""
    line = stream.readline(65536)
    if not line.strip():
        return None
    verb, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline(65536)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return verb, path.partition("?")[0], headers, stream.read(int(headers.get("content-length", 0)))


def http_response(status: int, body: bytes, headers: Any = None) -> bytes:
    extra = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
    reason = REASONS.get(status, "Error")
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    return head.encode("latin-1") + body


def spoken(request: dict[str, Any], reply: Reply) -> tuple[str | None, list[dict[str, Any]], str]:
    """What is said after the stop sequences took effect: content, tool calls in OpenAI's shape, finish reason."""
    content = reply.content
    for stop in request.get("stop") or ():
        content = content.split(stop)[0] if content else content
    calls = [
        {
            "id": f"call_{call_index(request)}_{position}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for position, (name, args) in enumerate(reply.tool_calls)
    ]
    return content, calls, "tool_calls" if calls else "stop"


def completion(request: dict[str, Any], reply: Reply, base: dict[str, Any], usage: Any) -> dict[str, Any]:
    content, calls, finish = spoken(request, reply)
    message = {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}
    answer = {**base, "object": "chat.completion"}
    answer["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    return answer if usage is None else {**answer, "usage": usage}


def stream_chunks(request: dict[str, Any], reply: Reply, base: dict[str, Any], usage: Any) -> Iterator[bytes]:
    """The answer as server-sent events, each an HTTP chunk: role, content, tool calls, finish reason, usage, [DONE]."""
    content, calls, finish = spoken(request, reply)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    size = max(1, len(content or "") // 6)
    deltas += [{"content": content[i : i + size]} for i in range(0, len(content), size)] if content else []
    for index, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        head = {**call, "index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
        deltas.append({"tool_calls": [head]})
        half = len(arguments) // 2
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
            for part in (arguments[:half], arguments[half:])
        ]
    common = {**base, "object": "chat.completion.chunk"}
    for delta in deltas:
        yield _event({**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**common, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage is not None and (request.get("stream_options") or {}).get("include_usage"):
        yield _event({**common, "choices": [], "usage": usage})
    yield _chunk(b"data: [DONE]\n\n")


def _event(payload: dict[str, Any]) -> bytes:
    return _chunk(b"data: " + dump(payload) + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
