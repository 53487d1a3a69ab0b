"""A client in front of a provider's client: it reports what came over the wire, and refuses what is no answer.

smolagents reads an answer's text and two token counts and drops the rest, reads nothing of a stream's identity, and
fails with an IndexError or an AttributeError on an answer that is none. Here every raw response and every raw chunk is
handed to the capture of the call in progress first; then it is checked; then an answer without usage is given zeros,
because smolagents adds them up. The books read the capture, where usage stays unknown.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from smoltrace.tracing import capture
from smoltrace.tracing.capture import field


class MalformedResponse(ValueError):
    """The model's server answered with something that is no answer: no JSON, no choice, neither text nor tool call."""


class RecordingClient:
    """Stands where smolagents expects an OpenAI client or a Hugging Face InferenceClient.

    The real client's method is looked up at each call, so that an instrumentation which patches it later is met too.
    `zero_usage` makes the client's own usage object with all counts 0.
    """

    def __init__(self, client: Any, zero_usage: Callable[[], Any]) -> None:
        self._client, self._zero_usage = client, zero_usage
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def __getattr__(self, name: str) -> Any:
        if name == "_client":
            raise AttributeError(name)
        return getattr(self._client, name)

    def _create(self, **request: Any) -> Any:
        return self._recorded(self._client.chat.completions.create, request)

    def chat_completion(self, **request: Any) -> Any:
        """Hugging Face's door."""
        return self._recorded(self._client.chat_completion, request)

    def undo_inventions(self, answer: Any, source: Any) -> None:
        """Take out of an answer or chunk what the client, not the server, put in. `source` is the answer or stream."""

    def _recorded(self, create: Callable[..., Any], request: dict[str, Any]) -> Any:
        try:
            answer = create(**request)
        except json.JSONDecodeError as error:
            raise MalformedResponse(f"the server's answer is not JSON: {_start_of(error.doc)}") from error
        if request.get("stream"):
            return self._stream(answer)
        self.undo_inventions(answer, answer)
        if (call := capture.current()) is not None:
            call.response(answer)
        _check(answer)
        self._fill_usage(answer)
        return answer

    def _stream(self, chunks: Any) -> Iterator[Any]:
        spoke, reason = False, None
        try:
            for chunk in chunks:
                self.undo_inventions(chunk, chunks)
                if (call := capture.current()) is not None:
                    call.chunk(chunk)
                if error := field(chunk, "error"):
                    raise MalformedResponse(f"the server broke the stream off with an error: {error}")
                for choice in field(chunk, "choices") or ():
                    reason = field(choice, "finish_reason") or reason
                    delta = field(choice, "delta")
                    spoke = spoke or field(delta, "content") is not None or bool(field(delta, "tool_calls"))
                if field(chunk, "usage") is not None:
                    self._fill_usage(chunk)
                yield chunk
        except json.JSONDecodeError as error:
            raise MalformedResponse(f"a piece of the stream is not JSON: {_start_of(error.doc)}") from error
        finally:
            if callable(close := getattr(chunks, "close", None)):
                close()
        if not spoke:
            raise MalformedResponse(f"the stream ended without text and without tool calls{_because(reason)}")

    def _fill_usage(self, answer: Any) -> None:
        """Zeros for what smolagents adds up; on a copy, because the capture holds on to the usage that came."""
        usage = field(answer, "usage")
        if usage is None:
            answer.usage = self._zero_usage()
            return
        missing = [name for name in ("prompt_tokens", "completion_tokens") if field(usage, name) is None]
        if missing:
            answer.usage = copy.copy(usage)
            for name in missing:
                setattr(answer.usage, name, 0)


def _check(answer: Any) -> None:
    if isinstance(answer, str | bytes):
        raise MalformedResponse(f"the server's answer is not JSON: {_start_of(answer)}")
    if error := field(answer, "error"):
        raise MalformedResponse(f"the server answered with an error in the place of an answer: {error}")
    choices = field(answer, "choices")
    if not choices:
        raise MalformedResponse("the server's answer holds no choices")
    message = field(choices[0], "message")
    if message is None:
        raise MalformedResponse("the server's answer holds no message")
    if field(message, "content") is None and not field(message, "tool_calls"):
        reason = field(choices[0], "finish_reason")
        refusal = field(message, "refusal")
        said = f"; the model refused: {refusal}" if refusal else ""
        raise MalformedResponse(f"the answer has neither text nor tool calls{_because(reason)}{said}")


def _because(reason: Any) -> str:
    return f" (finish reason: {reason})" if reason else ""


def _start_of(body: str | bytes) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    return repr(" ".join(text.split())[:200]) if text.strip() else "it is empty"
