"""Spans as smoltrace and two other instrumentations make them, for tests of the books."""

from __future__ import annotations

from typing import Any

from smoltrace.books.spans import Event, Span

TRACE = "a" * 32
OPENINFERENCE = "openinference.instrumentation.smolagents"
GENAI_OTEL = "genai_otel.instrumentors.base"


def span(
    span_id: str,
    parent: str | None = None,
    *,
    at: tuple[int, int] = (0, 100),
    scope: str = "smoltrace",
    trace: str = TRACE,
    error: str | None = None,
    events: tuple[Event, ...] = (),
    **attributes: Any,
) -> Span:
    """A span; in attribute names `__` stands for a dot. `error` makes it fail with that description."""
    return Span(
        trace_id=trace,
        span_id=span_id,
        parent_span_id=parent,
        name=span_id,
        kind="INTERNAL",
        start_ns=at[0],
        end_ns=at[1],
        attributes={name.replace("__", "."): value for name, value in attributes.items() if value is not None},
        events=events,
        status="UNSET" if error is None else "ERROR",
        status_description=error,
        scope=scope,
    )


def chat(
    span_id: str,
    parent: str | None = None,
    tokens: tuple[int, int] | None = None,
    *,
    cached: int | None = None,
    written: int | None = None,
    reasoning: int | None = None,
    response_id: str | None = None,
    **more: Any,
) -> Span:
    """A call as smoltrace records it, or another instrumentation of the same conventions (`scope`)."""
    usage = (
        {} if tokens is None else {"gen_ai__usage__input_tokens": tokens[0], "gen_ai__usage__output_tokens": tokens[1]}
    )
    return span(
        span_id,
        parent,
        **{
            "gen_ai__operation__name": "chat",
            "gen_ai__usage__cache_read__input_tokens": cached,
            "gen_ai__usage__cache_write__input_tokens": written,
            "gen_ai__usage__reasoning__output_tokens": reasoning,
            "gen_ai__response__id": response_id,
            **usage,
            **more,
        },
    )


def llm(span_id: str, parent: str | None = None, tokens: tuple[int, int] | None = None, **more: Any) -> Span:
    """A call as OpenInference records it."""
    return _openinference("LLM", span_id, parent, tokens, **more)


def agent(span_id: str, parent: str | None = None, tokens: tuple[int, int] | None = None, **more: Any) -> Span:
    """An agent's run as OpenInference records it, with the sum of its calls."""
    return _openinference("AGENT", span_id, parent, tokens, **more)


def chain(span_id: str, parent: str | None = None, tokens: tuple[int, int] | None = None, **more: Any) -> Span:
    """A step as OpenInference records it."""
    return _openinference("CHAIN", span_id, parent, tokens, **more)


def _openinference(kind: str, span_id: str, parent: str | None, tokens: tuple[int, int] | None, **more: Any) -> Span:
    usage = {}
    if tokens is not None:
        usage = {"llm__token_count__prompt": tokens[0], "llm__token_count__completion": tokens[1]}
    return span(span_id, parent, **{"openinference__span__kind": kind, "scope": OPENINFERENCE, **usage, **more})


def genai_otel(
    span_id: str,
    parent: str | None = None,
    tokens: tuple[int, int] | None = None,
    *,
    response_id: str | None = None,
    **more: Any,
) -> Span:
    """A call as genai-otel-instrument records it."""
    usage = {}
    if tokens is not None:
        usage = {
            "gen_ai__usage__input_tokens": tokens[0],
            "gen_ai__usage__prompt_tokens": tokens[0],
            "gen_ai__usage__output_tokens": tokens[1],
            "gen_ai__usage__completion_tokens": tokens[1],
        }
    named = {"gen_ai__operation__name": "chat", "gen_ai__system": "openai", "gen_ai__response__id": response_id}
    return span(span_id, parent, **{**named, "scope": GENAI_OTEL, **usage, **more})
