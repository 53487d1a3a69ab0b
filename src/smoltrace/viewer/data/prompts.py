"""What a call was sent and what it answered: prompts put together from their references, and what of them is new."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.records.messages import MISSING, unpack_refs
from smoltrace.records.text import json_text
from smoltrace.viewer.data.foreign import INPUT, OUTPUT, raw_messages, raw_tools
from smoltrace.viewer.data.kinds import ROOT, Trace
from smoltrace.viewer.data.messages import MOST, Message, message_of, messages_of, tools_of
from smoltrace.viewer.data.sources import Source, whole_number
from smoltrace.viewer.data.texts import Texts, document

EARLIER: Final = 8
"""How many earlier prompts are looked at where a prompt is written out whole, and not as references."""
_WEIGHT_OF_A_CALL: Final = 400


@dataclass(frozen=True, slots=True)
class Prompts:
    """The calls of one trace, and the references of each.

    `calls` are the places of each agent's calls, in order, by the agent's place. `refs` are the packed references by
    the place of the call; `firsts` and `holders` say from which number on which span holds the messages.
    """

    calls: Mapping[int, Sequence[int]]
    refs: Mapping[int, Any]
    firsts: Sequence[int]
    holders: Sequence[int]

    def holder(self, number: int) -> tuple[int, int] | None:
        """The place of the span that holds a message, and its place among that span's."""
        at = bisect_right(self.firsts, number) - 1
        return None if at < 0 else (self.holders[at], number - self.firsts[at])


def prompts_of(source: Source, trace: Trace, trace_id: str) -> Prompts:
    """Reads the attributes of all calls of the trace, once."""
    key = (str(source.run_dir.path), "prompts", trace_id)
    return source.readings.of(key, trace.rows.state, lambda: _read(trace), lambda p: _WEIGHT_OF_A_CALL * len(p.refs))


def said_at(source: Source, trace: Trace, trace_id: str, place: int, span: Span, texts: Texts) -> dict[str, Any] | None:
    """The messages of a span: `{"input", "output", "system", "tools"}`, None where it has none of them.

    A message of the input is `seen` where it stands, after the same messages before it, in an earlier prompt of the
    same agent. Of prompts that are written out whole the latest eight are compared.
    """
    sent, keys = _sent(source, trace, trace_id, place, span, texts)
    seen = _seen(source, trace, trace_id, place, keys) if trace.looks[place].kind == "chat" else 0
    answered = messages_of(raw_messages(span.attributes, span.events, OUTPUT), texts, "assistant")
    system = messages_of(span.attributes.get(names.SYSTEM_INSTRUCTIONS), texts, "system")
    if not (sent or answered or system):
        return None
    return {
        "input": [message | {"seen": number < seen} for number, message in enumerate(sent)],
        "output": [message | {"seen": False} for message in answered],
        "system": [message | {"seen": False} for message in system] or None,
        "tools": _tools(trace, place, span, texts),
    }


def _read(trace: Trace) -> Prompts:
    calls = [place for place, look in enumerate(trace.looks) if look.kind == "chat"]
    of_agents: dict[int, list[int]] = {}
    for place in calls:
        of_agents.setdefault(trace.agent_of(place), []).append(place)
    refs: dict[int, Any] = {}
    held: dict[int, int] = {}
    for place, attributes in zip(calls, trace.rows.attributes(calls), strict=True):
        if (packed := attributes.get(names.INPUT_REFS)) is not None:
            refs[place] = document(packed)
        first = whole_number(attributes.get(names.INPUT_FIRST))
        if first is not None and names.INPUT_MESSAGES in attributes:
            held.setdefault(first, place)
    firsts = sorted(held)
    return Prompts(of_agents, refs, firsts, [held[first] for first in firsts])


def _sent(
    source: Source, trace: Trace, trace_id: str, place: int, span: Span, texts: Texts
) -> tuple[list[Message], list[Hashable]]:
    """The messages of the prompt, and what each is known by."""
    if names.INPUT_REFS in span.attributes:
        numbers = _numbers(document(span.attributes[names.INPUT_REFS]))
        found = _looked_up(prompts_of(source, trace, trace_id), trace, numbers)
        return [message_of(message, texts, "user") for message in found], list(numbers)
    raw = raw_messages(span.attributes, span.events, INPUT)
    return messages_of(raw, texts, "user"), _keys(raw)


def _looked_up(prompts: Prompts, trace: Trace, numbers: Sequence[int]) -> list[Any]:
    places = [prompts.holder(number) for number in numbers]
    holders = sorted({place[0] for place in places if place is not None})
    told = zip(holders, trace.rows.attributes(holders), strict=True) if holders else ()
    held = {holder: document(attributes.get(names.INPUT_MESSAGES)) for holder, attributes in told}
    return [_item(held[place[0]], place[1]) if place is not None else MISSING for place in places]


def _item(messages: Any, number: int) -> Any:
    return messages[number] if isinstance(messages, list) and 0 <= number < len(messages) else MISSING


def _numbers(packed: Any) -> list[int]:
    """The numbers of a prompt's messages, no more than are shown; those before whatever is no reference."""
    found: list[int] = []
    try:
        for number in islice(unpack_refs(packed), MOST):
            found.append(int(number))
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return found
    return found


def _keys(raw: Any) -> list[Hashable]:
    """What tells the messages of a prompt that is written out apart."""
    found = document(raw)
    if isinstance(found, Mapping) and isinstance(found.get("messages"), list):
        found = found["messages"]
    listed = found if isinstance(found, list) else [] if found is None else [found]
    return [json_text(_shallow(item)) for item in listed[:MOST]]


def _shallow(item: Any) -> Any:
    """A document as it is; one that is too deep for any encoder by its beginning."""
    return Texts().plain(item)


def _seen(source: Source, trace: Trace, trace_id: str, place: int, keys: Sequence[Hashable]) -> int:
    """How many messages of the prompt an earlier prompt of the same agent began with."""
    prompts = prompts_of(source, trace, trace_id)
    calls = prompts.calls[trace.agent_of(place)]
    earlier = calls[: bisect_left(calls, place)]
    by_refs: list[Sequence[Hashable]] = [_numbers(prompts.refs[at]) for at in earlier if at in prompts.refs]
    whole = [at for at in earlier if at not in prompts.refs][-EARLIER:]
    written = [_keys(raw_messages(span.attributes, span.events, INPUT)) for span in map(trace.span, whole)]
    return max((_in_common(keys, other) for other in (*by_refs, *written)), default=0)


def _in_common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _tools(trace: Trace, place: int, span: Span, texts: Texts) -> list[dict[str, Any]] | None:
    """What the call was offered: as it says itself, else as its agent does."""
    raw = raw_tools(span.attributes)
    if raw is None and trace.looks[place].kind == "chat" and (agent := trace.agent_of(place)) != ROOT:
        raw = raw_tools(trace.span(agent).attributes)
    return tools_of(raw, texts)
