"""Calls to models, each exactly once, however many instrumentations recorded it.

A span is *counted* if it is an inference span that carries usage and no inference span below it does. Agent, step, tool
and chain spans never count. What several instrumentations recorded of one call is brought together:

- inference spans above a counted span belong to its call, unless several calls are below them;
- counted spans with the same response id are one call;
- counted spans below one inference span whose usage equals each of theirs are one call.

One exception holds for the last two: one instrumentation does not record one call twice, one after the other, so such
spans are two calls (a server with constant response ids, a retry that cost the same).

A call of which no span carries usage is returned too, once, with an empty usage. Where no call of a trace carries usage
but an agent's span does, that sum is returned as a call of its own with `usage_source="agent_total"`, and the calls
that it covers are marked the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal, TypeVar

from smoltrace.books import names, signs
from smoltrace.books.forest import Forest
from smoltrace.books.recorded import as_recorded
from smoltrace.books.spans import Span
from smoltrace.books.usage import Usage

T = TypeVar("T")

NO_USAGE: Final = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to a model. None means unknown.

    Times are unix nanoseconds, `ttft_s` and `tbt_s` seconds, `reported_cost` USD as the provider reported it. `error`
    is the kind of error that ended the call. `retries` counts the attempts before the last.
    """

    span_id: str
    trace_id: str
    start_ns: int
    end_ns: int
    operation: str = names.CHAT
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Usage = NO_USAGE
    usage_source: Literal["call", "agent_total"] = "call"
    error: str | None = None
    retries: int = 0
    ttft_s: float | None = None
    tbt_s: float | None = None
    reported_cost: Decimal | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None

    @classmethod
    def from_span(cls, span: Span) -> Call:
        """What this span alone says."""
        return _assemble(span, [])


def calls_in(spans: Iterable[Span]) -> list[Call]:
    """The calls of one or many traces, in order of their start.

    The order of the spans makes no difference, nor do spans that are there twice.
    """
    traces: dict[str, dict[str, Span]] = defaultdict(dict)
    for span in map(as_recorded, spans):
        known = traces[span.trace_id].get(span.span_id)
        if known is None or _completeness(span) > _completeness(known):
            traces[span.trace_id][span.span_id] = span
    calls = [call for trace in traces.values() for call in _calls_of_trace(trace)]
    return sorted(calls, key=lambda call: (call.start_ns, call.trace_id, call.span_id))


def _completeness(span: Span) -> tuple[int, int, str]:
    """Of two copies of a span the longer and fuller is the finished one; the text only breaks ties."""
    return span.end_ns, len(span.attributes), repr(sorted(span.attributes.items()))


def _calls_of_trace(trace: Mapping[str, Span]) -> list[Call]:
    forest = Forest(trace)
    groups = _join_by_response_id([*_groups_with_usage(forest), *([span] for span in forest.silent_roots)], forest)
    calls = [_call_of(group, forest) for group in groups]
    if any(call.usage.is_known for call in calls):
        return calls
    totals = _agent_totals(trace, forest, calls)
    if not totals:
        return calls
    return totals + [replace(call, usage_source="agent_total") if call.error is None else call for call in calls]


def _groups_with_usage(forest: Forest) -> list[list[Span]]:
    """The counted spans, those put together that repeat the usage of one inference span above them all."""
    group_of = {leaf.span_id: [leaf] for leaf in forest.counted}
    for parent, leaves in forest.counted_below.items():
        if len(leaves) < 2 or not _repeats(forest.spans[parent], leaves):
            continue
        merged = _unique(span for leaf in leaves for span in group_of[leaf.span_id])
        for span in merged:
            group_of[span.span_id] = merged
    return [list(group) for group in {id(group): group for group in group_of.values()}.values()]


def _repeats(parent: Span, leaves: Sequence[Span]) -> bool:
    """Whether all these spans record the one call that `parent` records."""
    usage = signs.usage_of(parent)
    if not usage.is_known or len(_response_ids([parent, *leaves])) > 1 or _is_sequence(leaves):
        return False
    completed = [signs.usage_of(leaf).completed_by(usage) for leaf in leaves]
    return all((u.input_tokens, u.output_tokens) == (usage.input_tokens, usage.output_tokens) for u in completed)


def _join_by_response_id(groups: Sequence[list[Span]], forest: Forest) -> list[list[Span]]:
    """Put groups with a response id in common together."""
    joined: list[tuple[set[str], list[Span]]] = []
    for group in sorted(groups, key=lambda group: min(_place(span) for span in group)):
        ids = _response_ids([*group, *forest.lone_ancestors(group)])
        same = [other for other in joined if ids & other[0] and not _is_sequence([*other[1], *group])]
        at_the_same_time = [other for other in same if any(_overlap(a, b) for a in other[1] for b in group)]
        if same:
            known_ids, members = (at_the_same_time or same)[0]
            known_ids |= ids
            members.extend(group)
        else:
            joined.append((ids, list(group)))
    return [members for _, members in joined]


def _is_sequence(spans: Sequence[Span]) -> bool:
    """Whether one instrumentation recorded some of these one after the other."""
    return any(a.scope == b.scope and not _overlap(a, b) for index, a in enumerate(spans) for b in spans[index + 1 :])


def _overlap(a: Span, b: Span) -> bool:
    return a.start_ns == b.start_ns or (a.start_ns < b.end_ns and b.start_ns < a.end_ns)


def _response_ids(spans: Iterable[Span]) -> set[str]:
    ids = (signs.text(span.attributes, (names.RESPONSE_ID,)) for span in spans)
    return {response_id for response_id in ids if response_id is not None}


def _call_of(group: Sequence[Span], forest: Forest) -> Call:
    """One call from its counted spans and the inference spans above them that are of the same call."""
    counted = min(group, key=_precedence)
    others = sorted((span for span in group if span is not counted), key=_precedence)
    related = [*others, *forest.lone_ancestors(group)]
    ids = _response_ids([*group, *related])
    related += [span for span in forest.ancestors(group) if span not in related and _response_ids([span]) & ids]
    return _assemble(counted, related)


def _precedence(span: Span) -> tuple[bool, bool, int, int, str]:
    """Among equals: a span with usage, ours, the one that knows more, the earlier."""
    usage = signs.usage_of(span)
    known = sum(
        count is not None for count in (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens)
    )
    return not usage.is_known, span.scope != names.SCOPE, -known, *_place(span)


def _place(span: Span) -> tuple[int, str]:
    return span.start_ns, span.span_id


def _assemble(counted: Span, related: Sequence[Span]) -> Call:
    """The counted span's times and usage; everything else from our own span first, which knows what was asked for."""
    usage = signs.usage_of(counted)
    for span in related:
        usage = usage.completed_by(signs.usage_of(span))
    sources = sorted([counted, *related], key=lambda span: span.scope != names.SCOPE)
    attributes = [span.attributes for span in sources]
    parameters = [signs.parameters_of(each) for each in attributes]

    def parameter(name: str) -> float | None:
        return _first(signs.number(each.get(name)) for each in parameters)

    return Call(
        span_id=counted.span_id,
        trace_id=counted.trace_id,
        start_ns=counted.start_ns,
        end_ns=counted.end_ns,
        operation=signs.operation_of(counted),
        provider=_first(signs.provider_of(each) for each in attributes),
        request_model=_first(signs.request_model_of(each) for each in attributes),
        response_model=_first(signs.response_model_of(each) for each in attributes),
        response_id=_first(signs.text(each, (names.RESPONSE_ID,)) for each in attributes),
        finish_reasons=_first(signs.finish_reasons_of(each) or None for each in attributes) or (),
        usage=usage,
        error=_error(sources),
        retries=_first(signs.whole(each.get(names.RETRIES)) for each in attributes) or 0,
        ttft_s=_first(signs.ttft_of(each) for each in attributes),
        tbt_s=_first(signs.tbt_of(each) for each in attributes),
        reported_cost=_first(signs.reported_cost_of(span) for span in sources),
        temperature=parameter("temperature"),
        top_p=parameter("top_p"),
        max_tokens=_first(signs.whole(each.get("max_tokens")) for each in parameters),
        frequency_penalty=parameter("frequency_penalty"),
        presence_penalty=parameter("presence_penalty"),
    )


def _error(sources: Sequence[Span]) -> str | None:
    """Our own span knows how the call ended in the end; an attempt below it may have failed and been tried again."""
    if sources[0].scope == names.SCOPE:
        return signs.error_of(sources[0])
    return _first(signs.error_of(span) for span in sources)


def _agent_totals(trace: Mapping[str, Span], forest: Forest, calls: Sequence[Call]) -> list[Call]:
    """The usage of the outermost agents that carry one; what is inside them they may repeat."""
    carriers = {s.span_id for s in trace.values() if signs.is_agent(s) and signs.usage_of(s).is_known}
    outermost = [trace[i] for i in carriers if not any(above.span_id in carriers for above in forest.above(trace[i]))]
    totals = []
    for span in outermost:
        total = _assemble(span, [])
        totals.append(
            replace(
                total,
                usage_source="agent_total",
                retries=0,
                provider=total.provider or _only({call.provider for call in calls}),
                request_model=total.request_model or _only({call.request_model for call in calls}),
                response_model=total.response_model or _only({call.response_model for call in calls}),
            )
        )
    return totals


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _only(values: set[T | None]) -> T | None:
    """The one value of all, None where they differ."""
    return next(iter(values)) if len(values) == 1 else None


def _unique(spans: Iterable[Span]) -> list[Span]:
    return list({span.span_id: span for span in spans}.values())
