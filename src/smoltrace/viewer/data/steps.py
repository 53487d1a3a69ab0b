"""The steps of a test's own agent, as two tests are compared step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.records.execution import FINAL_ANSWER
from smoltrace.viewer.data.foreign import INPUT, OUTPUT, raw_messages
from smoltrace.viewer.data.kinds import Trace, step_numbers
from smoltrace.viewer.data.messages import Message, messages_of, text_of
from smoltrace.viewer.data.sources import relative_ms
from smoltrace.viewer.data.spans import result_of
from smoltrace.viewer.data.texts import Texts, document

_TITLE: Final = 120
_UNCUT: Final = 1 << 30


def steps_of(trace: Trace, t0_ns: int, texts: Texts) -> list[dict[str, Any]]:
    """The steps of the outermost agent in order of their start; long texts are cut as `texts` does.

    Tokens and cost of a step are those of all calls in it, those of agents that it asked included; a cost is None where
    one of them has no price. An agent that was asked stands among the tool calls, under its name.
    """
    steps = _own_steps(trace)
    if not steps:
        return []
    home = _homes(trace, steps)
    inside: dict[int, list[int]] = {step: [] for step in steps}
    for place, step in enumerate(home):
        if step >= 0 and step != place:
            inside[step].append(place)
    numbers = step_numbers(trace)
    return [_step(trace, step, numbers[step], inside[step], t0_ns, texts) for step in steps]


def _own_steps(trace: Trace) -> list[int]:
    """The steps of agents that no other agent asked. Where we saw the run ourselves, only our spans are looked at: what
    another instrumentation saw of the same steps stands beside them."""
    scopes = trace.rows.hot["scope"]
    steps = [place for place, look in enumerate(trace.looks) if look.kind == "step"]
    if any(scopes[place] == names.SCOPE for place in steps):
        steps = [place for place in steps if scopes[place] == names.SCOPE]
    of_run = {scopes[place] for place in steps}

    def depth(place: int) -> int:
        return sum(trace.looks[at].kind == "agent" and scopes[at] in of_run for at in trace.above(place))

    depths = [depth(place) for place in steps]
    return [place for place, deep in zip(steps, depths, strict=True) if deep == min(depths)]


def _homes(trace: Trace, steps: Sequence[int]) -> list[int]:
    """The step that each span is in, −1 outside of all; a step is in itself."""
    chosen = set(steps)
    found = [-2] * trace.rows.count
    for start in range(trace.rows.count):
        way, at = [], start
        while at >= 0 and found[at] == -2 and at not in chosen:
            way.append(at)
            at = trace.parents[at]
        home = at if at in chosen else found[at] if at >= 0 else -1
        for place in way:
            found[place] = home
        if at in chosen:
            found[at] = at
    return found


def _step(
    trace: Trace, step: int, number: int | None, inside: Sequence[int], t0_ns: int, texts: Texts
) -> dict[str, Any]:
    hot, looks = trace.rows.hot, trace.looks
    span = trace.span(step)
    calls = [place for place in inside if _is_call_of(trace, place, step)]
    chats = [place for place in inside if looks[place].kind == "chat" and _nearest(trace, place, step)]
    told = [_tool_call(trace, place, texts) for place in calls]
    output = _output(trace, chats[-1]) if chats else None
    kind = _kind(span, told)
    counted = [place for place in (step, *inside) if _is_counted(hot, place)]
    costs = [hot["cost_usd"][place] for place in counted]
    return {
        "number": number,
        "kind": kind,
        "title": _title(kind, told, output),
        "tool_calls": told,
        "output": None if output is None else texts.plain(output),
        "error": texts.plain(span.status_description or looks[step].error),
        "start_ms": relative_ms(hot["start_time"][step], t0_ns),
        "end_ms": None if looks[step].unfinished else relative_ms(hot["end_time"][step], t0_ns),
        "tokens_in": _sum([hot["input_tokens"][place] for place in counted]),
        "tokens_out": _sum([hot["output_tokens"][place] for place in counted]),
        "cost": None if None in costs or not costs else sum(costs),
    }


def _is_counted(hot: Mapping[str, Sequence[Any]], place: int) -> bool:
    return hot["input_tokens"][place] is not None or hot["output_tokens"][place] is not None


def _is_call_of(trace: Trace, place: int, step: int) -> bool:
    """Whether a span is a tool call that the step made itself, or an agent that it asked; another instrumentation's
    span of the same call, inside ours, is none."""
    kind = trace.looks[place].kind
    return kind in ("tool", "agent") and _nearest(trace, place, step)


def _nearest(trace: Trace, place: int, step: int) -> bool:
    """Whether no tool, agent or call stands between a span and its step."""
    for at in trace.above(place):
        if at == step:
            return True
        if trace.looks[at].kind in ("tool", "agent", "chat"):
            return False
    return False


def _tool_call(trace: Trace, place: int, texts: Texts) -> dict[str, Any]:
    span, look = trace.span(place), trace.looks[place]
    attributes = span.attributes
    if look.kind == "agent":
        name = attributes.get(names.AGENT_NAME) or span.name
        arguments: Any = text_of(messages_of(raw_messages(attributes, span.events, INPUT), Texts(_UNCUT), "user"))
        result = text_of(messages_of(raw_messages(attributes, span.events, OUTPUT), Texts(_UNCUT), "assistant"))
    else:
        name = look.tool or span.name
        arguments = document(attributes.get(names.TOOL_CALL_ARGUMENTS, attributes.get("input.value")))
        result = result_of(attributes.get(names.TOOL_CALL_RESULT, attributes.get("output.value")))
    return {
        "name": texts.plain(name),
        "arguments": texts.plain(arguments),
        "ok": span.status != "ERROR",
        "duration_ms": None if look.unfinished else span.duration_ms,
        "result": texts.plain(result),
    }


def _output(trace: Trace, place: int) -> str | None:
    """The text that the model answered with."""
    span = trace.span(place)
    messages: list[Message] = messages_of(
        raw_messages(span.attributes, span.events, OUTPUT), Texts(_UNCUT), "assistant"
    )
    parts = [part for message in messages for part in message["parts"] if part["type"] == "text"]
    said = [part["text"] for part in parts if not part.get("reasoning") and isinstance(part["text"], str)]
    return "\n".join(said) or None


def _kind(span: Span, calls: Sequence[Mapping[str, Any]]) -> str:
    told = span.attributes.get(names.STEP_KIND)
    if told == "planning" or (told is None and span.name.lower().startswith("planning")):
        return "planning"
    final = told == "final_answer" or span.attributes.get(names.STEP_FINAL_ANSWER) is True
    return "final" if final or any(call["name"] == FINAL_ANSWER for call in calls) else "action"


def _title(kind: str, calls: Sequence[Mapping[str, Any]], output: str | None) -> str:
    used = list(dict.fromkeys(str(call["name"]) for call in calls if call["name"] != FINAL_ANSWER))
    lines = [line for line in (output or "").splitlines() if line.strip()]
    first = lines[0].strip() if lines else ""
    title = {"planning": "Plan", "final": ", ".join([*used, "final answer"])}.get(kind) or ", ".join(used) or first
    return title[:_TITLE]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
