"""One trace made whole, whatever was done to it on its way: each span once, no circles, prompts kept once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import orjson

from smoltrace.books import names, signs
from smoltrace.books.recorded import as_recorded
from smoltrace.books.spans import Span
from smoltrace.records.messages import pack_refs
from smoltrace.records.text import json_text
from smoltrace.records.traces import in_order

_SENT: Final = frozenset(
    {
        *(names.TOOL_DEFINITIONS, names.OPENINFERENCE_SPAN_KIND, "tool.name", "tool.parameters", "metadata"),
        *("llm.model_name", "llm.response.model_name", "llm.provider", "llm.system", "llm.invocation_parameters"),
        *("llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total", "session.id"),
        *("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_write"),
        *("llm.token_count.completion_details.reasoning", "mlflow.llm.cost"),
        *("llm.cost.prompt", "llm.cost.completion", "llm.cost.total"),
        *("input.value", "input.mime_type", "output.value", "output.mime_type"),
    }
)
"""Attributes that spans of ours bear when they are sent, and never otherwise: what OpenInference calls the same."""


class Whole(NamedTuple):
    """The spans of a trace in order of their start. `circular` says that some were each other's parents."""

    spans: list[Span]
    circular: bool


def made_whole(spans: Iterable[Span]) -> Whole:
    """The trace of these spans, which may be there several times."""
    once: dict[str, Span] = {}
    for span in spans:
        known = once.get(span.span_id)
        # Of two copies the longer and fuller is the finished one.
        if known is None or _fullness(span) > _fullness(known):
            once[span.span_id] = span
    cut = _cut(once)
    return Whole(fold([_kept(span) for span in in_order(cut.values())]), circular=cut is not once)


def _fullness(span: Span) -> tuple[int, int]:
    return span.end_ns, len(span.attributes)


def _cut(spans: Mapping[str, Span]) -> Mapping[str, Span]:
    """The spans, in each circle of parents the earliest without its parent, so that every way up ends."""
    made = dict(spans)
    ends: set[str] = set()
    for start in spans:
        way: dict[str, None] = {}
        at: str | None = start
        while at is not None and at in made and at not in ends and at not in way:
            way[at] = None
            at = made[at].parent_span_id
        if at in way:
            circle = list(way)[list(way).index(at) :]
            first = min(circle, key=lambda span_id: (made[span_id].start_ns, span_id))
            made[first] = replace(made[first], parent_span_id=None)
        ends.update(way)
    changed = any(made[span_id] is not span for span_id, span in spans.items())
    return made if changed else spans


def _kept(span: Span) -> Span:
    """A span as its run kept it, without what it was given for the receivers that it was sent to."""
    span = as_recorded(span)
    about = span.attributes
    if span.scope != names.SCOPE or _SENT.isdisjoint(about):
        return span
    tools = about.get(names.TOOL_DEFINITIONS)
    kept = {name: value for name, value in about.items() if name not in _SENT}
    return replace(span, attributes=kept | ({} if tools is None else {names.LLM_TOOLS: tools}))


def fold(ordered: Sequence[Span]) -> list[Span]:
    """The spans with every message of their prompts kept once, as `records.messages` describes it.

    Left as they are: traces that have references already, and prompts that would not come back as the same text.
    """
    if any(names.INPUT_REFS in span.attributes for span in ordered):
        return list(ordered)
    numbers: dict[str, int] = {}
    return [_folded(span, numbers) for span in ordered]


def _folded(span: Span, numbers: dict[str, int]) -> Span:
    text = span.attributes.get(names.INPUT_MESSAGES)
    if not isinstance(text, str) or not signs.is_inference(span):
        return span
    messages = _list_of(text)
    if messages is None:
        return span
    first, new, refs = len(numbers), [], []
    for message in messages:
        key = json_text(message)
        if key not in numbers:
            numbers[key] = len(numbers)
            new.append(message)
        refs.append(numbers[key])
    changed = dict(span.attributes)
    del changed[names.INPUT_MESSAGES]
    changed[names.INPUT_REFS] = json_text(pack_refs(refs))
    if new:
        changed |= {names.INPUT_FIRST: first, names.INPUT_MESSAGES: json_text(new)}
    return replace(span, attributes=changed)


def _list_of(text: str) -> list[Any] | None:
    try:
        found = orjson.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) and found and json_text(found) == text else None
