"""What the provider's wire said about one call, kept for the span of that call.

smolagents' messages lose facts that the books need: a streamed answer has no response id, no model and no cached or
reasoning tokens, and an answer without usage must still look like one with zeros. A provider's client therefore reports
the raw response, or each raw chunk, to the capture of the call in progress:

    if (call := capture.current()) is not None:
        call.response(raw)   # or call.chunk(raw_chunk) for each piece of a stream

Report a response before changing it: its facts are read at that moment. A later response (a retry) replaces an earlier
one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation
from typing import Any

_current: ContextVar[CallCapture | None] = ContextVar("smoltrace_call_capture", default=None)


def current() -> CallCapture | None:
    """The capture of the model call that runs in this context, None outside a traced call."""
    return _current.get()


class CallCapture:
    """The raw facts of one attempt at a model call.

    `seen` says that something was reported: then `usage` is the truth even when it is None (the provider sent none).
    `usage` is the provider's own object or mapping, for a stream the last one sent. `first_content_s` and
    `last_content_s` are readings of `time.perf_counter()` in seconds, None before any content; `content_chunks` counts
    the chunks that carried content or a piece of a tool call. `reported_cost` is in USD.
    """

    __slots__ = (
        "content_chunks",
        "finish_reasons",
        "first_content_s",
        "last_content_s",
        "reported_cost",
        "response_id",
        "response_model",
        "seen",
        "usage",
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new attempt begins."""
        self.seen = False
        self.usage: Any = None
        self.response_id: str | None = None
        self.response_model: str | None = None
        self.finish_reasons: tuple[str, ...] = ()
        self.reported_cost: Decimal | None = None
        self.first_content_s: float | None = None
        self.last_content_s: float | None = None
        self.content_chunks = 0

    def response(self, raw: Any) -> None:
        """Take the facts of a whole response: an object or mapping in the shape of an OpenAI or Anthropic answer."""
        self.reset()
        self._take(raw)

    def chunk(self, raw_chunk: Any) -> None:
        """Take the facts of one chunk of a streamed response."""
        self._take(raw_chunk)
        if _carries_content(raw_chunk):
            self.content()

    def content(self) -> None:
        """Note that content arrived just now."""
        now = time.perf_counter()
        if self.first_content_s is None:
            self.first_content_s = now
        self.last_content_s = now
        self.content_chunks += 1

    def _take(self, raw: Any) -> None:
        self.seen = True
        usage = field(raw, "usage")
        if usage is not None:
            self.usage = usage
            self.reported_cost = _reported_cost(usage)
        self.response_id = field(raw, "id") or self.response_id
        self.response_model = field(raw, "model") or self.response_model
        reasons = tuple(str(r) for c in field(raw, "choices") or () if (r := field(c, "finish_reason")) is not None)
        stop_reason = field(raw, "stop_reason")
        if reasons:
            self.finish_reasons = reasons
        elif stop_reason is not None:
            self.finish_reasons = (str(stop_reason),)

    @contextmanager
    def active(self) -> Iterator[CallCapture]:
        """Make this the current capture. Wrap only synchronous work, never a `yield` to a caller."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)


def field(raw: Any, name: str) -> Any:
    """`raw[name]` of a mapping or `raw.name` of an object, None where there is none."""
    if isinstance(raw, Mapping):
        # huggingface_hub's answers are both; only the attributes keep what the server sent beyond its dataclasses.
        attributes = getattr(raw, "__dict__", {})
        return attributes[name] if name in attributes else raw.get(name)
    return getattr(raw, name, None)


def _reported_cost(usage: Any) -> Decimal | None:
    """USD as OpenRouter and compatible gateways put it in `usage.cost`; None when absent or not an amount."""
    cost = field(usage, "cost")
    if cost is None or isinstance(cost, bool) or not isinstance(cost, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(cost))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _carries_content(chunk: Any) -> bool:
    for choice in field(chunk, "choices") or ():
        delta = field(choice, "delta")
        if delta is not None and (
            field(delta, "content") or field(delta, "tool_calls") or field(delta, "reasoning_content")
        ):
            return True
    return False
