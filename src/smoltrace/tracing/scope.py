"""What all spans of one test share, and how a span is started, made current and failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from smoltrace.books import names
from smoltrace.tracing.content import MessageLog

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook
    from smoltrace.books.usage import Usage


class Stopped(BaseException):
    """Raised in a test that is over or whose run is stopping. No Exception: no agent may take it for a failed step."""


class LimitReached(BaseException):
    """Raised in a test that has used up its own budget; the text says which."""


class ModelRequest(Protocol):
    """One call of a model as a call policy sees it.

    test          the name that `Tracing.test` was given for the test
    prompt_bytes  size of all that is sent, as UTF-8
    max_tokens    limit on the output that is sent with the request, None where there is none
    cancelled     set when the test is over: whatever a policy waits for, it must then raise Stopped
    """

    @property
    def test(self) -> str: ...
    @property
    def prompt_bytes(self) -> int: ...
    @property
    def max_tokens(self) -> int | None: ...
    @property
    def cancelled(self) -> threading.Event: ...
    @property
    def usage(self) -> Usage:
        """What the latest attempt used, also when it raised; empty where unknown."""

    @property
    def cost(self) -> Decimal | None:
        """USD of the latest attempt, None where unknown."""

    def attempt(self) -> Any:
        """Make the request once, to the last piece of its answer. Raises what the request raises."""


CallPolicy: TypeAlias = Callable[[ModelRequest], Any]
"""Makes attempts, as many as it likes, and returns the result of one or raises."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all tests of a run share. `generation` holds request parameters for models that don't tell their own."""

    tracer: Tracer
    price_book: PriceBook | None
    system: str
    record_content: bool
    generation: Mapping[str, Any]
    call_policy: CallPolicy | None


@dataclass(slots=True)
class Scope:
    """One test: its root span, its messages, and the tokens that smolagents itself counted in it."""

    settings: Settings
    root: SdkSpan
    name: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)
    messages: MessageLog = field(default_factory=MessageLog)
    counted: list[tuple[int, int] | None] = field(default_factory=list)

    def check(self) -> None:
        """Raises Stopped when the test is over: a thread that outlives it must neither call nor use anything more."""
        if self.cancelled.is_set():
            raise Stopped

    def start(
        self,
        name: str,
        parent: SdkSpan,
        attributes: Mapping[str, Any],
        *,
        client: bool = False,
        at_ns: int | None = None,
    ) -> SdkSpan:
        """A started span under `parent`, current nowhere. `at_ns` is a start in unix nanoseconds that lies behind."""
        span = self.settings.tracer.start_span(
            name,
            context=set_span_in_context(parent, Context()),
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=attributes,
            start_time=at_ns,
        )
        assert isinstance(span, SdkSpan)  # our provider samples everything
        return span


@contextmanager
def current(span: SdkSpan, *, inference: bool = False) -> Iterator[None]:
    """Make the span current for what runs inside, so that foreign spans become its children.

    With `inference`, OpenTelemetry's own GenAI instrumentations add no span of theirs to the call.
    """
    inside = set_span_in_context(span)
    if inference and (suppression := _inference_key()) is not None:
        key, data = suppression
        inside = otel_context.set_value(key, data(), inside)
    token = otel_context.attach(inside)
    try:
        yield
    finally:
        otel_context.detach(token)


@cache
def _inference_key() -> tuple[str, Callable[[], Any]] | None:
    """The context key by which opentelemetry-util-genai knows that a call has a span already; None without it."""
    try:
        from opentelemetry.util.genai.invocation import (  # type: ignore[import-not-found,unused-ignore]
            CLIENT_INFERENCE_CONTEXT_KEY,
            InferenceData,
        )
    except ImportError:
        return None
    return CLIENT_INFERENCE_CONTEXT_KEY, InferenceData


def fail(span: SdkSpan, error: BaseException, *, event: bool = True) -> None:
    """Mark the span as failed by this error; `event` adds the exception with its stack trace."""
    if event and span.is_recording():
        span.record_exception(error)
    fail_as(span, error_name(error), describe(error))


def fail_as(span: SdkSpan, error_type: str, description: str) -> None:
    if span.is_recording():
        span.set_attribute(names.ERROR_TYPE, error_type)
        span.set_status(Status(StatusCode.ERROR, description))


def note(span: SdkSpan, attributes: Mapping[str, Any]) -> None:
    """Set attributes, unless the span was ended by the end of its test while a thread still worked for it."""
    if span.is_recording():
        span.set_attributes(attributes)


def end(span: SdkSpan) -> None:
    """End the span, unless the end of its test has done so."""
    if span.is_recording():
        span.end()


def error_name(error: BaseException) -> str:
    """The class with its module, as in `openai.RateLimitError`; built-in classes without."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def describe(error: BaseException) -> str:
    """The error's text, its class name where it has none."""
    return str(error) or type(error).__name__
