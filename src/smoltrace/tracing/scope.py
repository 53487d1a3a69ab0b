"""What all spans of one test share, and how a span is started, made current and failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from smoltrace.books import names
from smoltrace.tracing.content import MessageLog

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook

CallPolicy: TypeAlias = Callable[[Callable[[], Any]], Any]
"""Calls the function it is given, as often as it likes, and returns one of its results or raises."""


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
    messages: MessageLog = field(default_factory=MessageLog)
    counted: list[tuple[int, int] | None] = field(default_factory=list)

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
    if event:
        span.record_exception(error)
    fail_as(span, error_name(error), describe(error))


def fail_as(span: SdkSpan, error_type: str, description: str) -> None:
    span.set_attribute(names.ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, description))


def error_name(error: BaseException) -> str:
    """The class with its module, as in `openai.RateLimitError`; built-in classes without."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def describe(error: BaseException) -> str:
    """The error's text, its class name where it has none."""
    return str(error) or type(error).__name__
