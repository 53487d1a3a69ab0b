"""Whole prompts from the references that spans keep.

An agent sends its whole conversation again at every step. In a trace each message is kept once, in the span that first
sent it, and every call refers to its messages by number: a trace grows with its steps and not with their square.

    gen_ai.input.messages   JSON list: the messages that were new in this call
    smoltrace.input.first   the number of the first of them; the others follow it
    smoltrace.input.refs    JSON list: the numbers of all messages of this prompt in order, a run as [first, last]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.records.text import json_text

MISSING = {"role": "unknown", "parts": []}
"""What stands for a message whose span is not among those given."""


def pack_refs(numbers: Iterable[int]) -> list[int | list[int]]:
    """Message numbers with every run of two or more written as [first, last]: [0, 1, 2, 7] is [[0, 2], 7]."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [first if first == last else [first, last] for first, last in runs]


def unpack_refs(refs: Iterable[int | list[int]]) -> Iterator[int]:
    """The inverse of `pack_refs`."""
    for ref in refs:
        if isinstance(ref, int):
            yield ref
        else:
            yield from range(ref[0], ref[1] + 1)


def restore(spans: Iterable[Span]) -> list[Span]:
    """The spans in their order, of one trace or of many, with every prompt whole and no references left.

    Tool definitions, which are kept under one name, are given under both. Restoring twice changes nothing.
    """
    given = list(spans)
    messages: dict[str, dict[int, Any]] = {}
    for span in given:
        first, new = span.attributes.get(names.INPUT_FIRST), span.attributes.get(names.INPUT_MESSAGES)
        if first is not None and new is not None:
            messages.setdefault(span.trace_id, {}).update(enumerate(orjson.loads(new), start=int(first)))
    return [_restored(span, messages.get(span.trace_id, {})) for span in given]


def _restored(span: Span, messages: dict[int, Any]) -> Span:
    changed = dict(span.attributes)
    refs = changed.pop(names.INPUT_REFS, None)
    if refs is not None:
        changed.pop(names.INPUT_FIRST, None)
        whole = [messages.get(number, MISSING) for number in unpack_refs(orjson.loads(refs))]
        changed[names.INPUT_MESSAGES] = json_text(whole)
    tools = changed.get(names.LLM_TOOLS, changed.get(names.TOOL_DEFINITIONS))
    if tools is not None and span.scope == names.SCOPE:
        changed[names.LLM_TOOLS] = changed[names.TOOL_DEFINITIONS] = tools
    return span if changed == span.attributes else replace(span, attributes=changed)
