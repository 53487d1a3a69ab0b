"""What each span of a trace is, whichever instrumentation made it, and where it stands among the others.

Our own spans are told by the columns that are read of every span. The attributes are read only of spans that other
instrumentations made, and of those that failed without saying as what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from smoltrace.books import names, signs
from smoltrace.books.spans import Event, Span
from smoltrace.viewer.data.shape import parsed
from smoltrace.viewer.data.sources import Source, mapping, whole_number
from smoltrace.viewer.data.tracerows import TraceRows, object_of, rows_of_trace

Kind: TypeAlias = Literal["agent", "step", "chat", "tool", "other"]

ROOT: Final = -1
ORPHAN: Final = -2

_AGENTS: Final = frozenset({names.INVOKE_AGENT, names.CREATE_AGENT, "invoke_workflow"})
_OF_OPENINFERENCE: Final[Mapping[str, Kind]] = {
    "AGENT": "agent",
    "CHAIN": "step",
    "LLM": "chat",
    "EMBEDDING": "chat",
    "TOOL": "tool",
}
_WEIGHT_OF_A_LOOK: Final = 250
_STEP: Final = re.compile(r"(?:step|planning) (\d{1,9})", re.IGNORECASE)


class Look(NamedTuple):
    """What is to be seen of a span from outside. `carries_usage` is None where its attributes were not read."""

    kind: Kind
    error: str | None
    unfinished: bool
    model: str | None
    tool: str | None
    carries_usage: bool | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of a trace, what each is, and the place of each one's parent: ROOT without one, ORPHAN where that is
    not in the trace."""

    rows: TraceRows
    looks: Sequence[Look]
    parents: Sequence[int]

    def above(self, place: int) -> Iterator[int]:
        """The places of the spans above one, the nearest first. It ends: no parent is below its child."""
        at = self.parents[place]
        while at >= 0:
            yield at
            at = self.parents[at]

    def agent_of(self, place: int) -> int:
        """The place of the agent that a span belongs to, ROOT where there is none."""
        return next((at for at in self.above(place) if self.looks[at].kind == "agent"), ROOT)

    def span(self, place: int) -> Span:
        """A span whole."""
        return span_at(self.rows, place, *self.rows.heavy([place])[0])


def trace_of(source: Source, trace_id: str | None) -> Trace:
    """A trace of a run, without spans where that of a finished test is lost. Raises UsageError, StoreError."""
    rows = rows_of_trace(source, trace_id)
    return source.readings.of(
        (str(source.run_dir.path), "looks", trace_id),
        rows.state,
        lambda: Trace(rows, looks_of(rows), parents_of(rows)),
        lambda trace: _WEIGHT_OF_A_LOOK * rows.count,
    )


def looks_of(rows: TraceRows) -> list[Look]:
    """What each span of the trace is."""
    hot = rows.hot
    told = list(map(_plainly, *(hot[name] for name in ("scope", "operation", "name", "status", "error_type"))))
    closer = [place for place, kind in enumerate(told) if kind is None]
    seen = dict(zip(closer, rows.heavy(closer), strict=True)) if closer else {}
    looks = []
    for place, kind in enumerate(told):
        if kind is None:
            looks.append(_closely(span_at(rows, place, *seen[place])))
        else:
            error, model, tool = hot["error_type"][place], hot["model"][place], hot["tool"][place]
            unfinished = hot["end_time"][place] is None or hot["status_description"][place] == names.LEFT_OPEN
            looks.append(Look(kind, error, unfinished, model, tool))
    return looks


def span_at(rows: TraceRows, place: int, attributes: Any, events: Any) -> Span:
    """The span at a place as the books see it, its attributes and events given as JSON texts."""
    row = rows.at(place)
    return Span(
        trace_id="",
        span_id=str(row["span_id"]),
        parent_span_id=row["parent_span_id"],
        name=str(row["name"]),
        kind=str(row["kind"]),
        start_ns=row["start_time"],
        end_ns=row["end_time"] or 0,
        attributes=object_of(attributes),
        events=events_of(events),
        status=str(row["status"]),
        status_description=row["status_description"],
        scope=str(row["scope"]),
    )


def events_of(text: Any) -> tuple[Event, ...]:
    """The events of a span from their JSON text; what is no event is left out."""
    found = parsed(text)
    return tuple(
        Event(str(each.get("name")), whole_number(each.get("time")) or 0, mapping(each.get("attributes")))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, Mapping)
    )


def parents_of(rows: TraceRows) -> list[int]:
    """The place of each span's parent; ROOT without one, ORPHAN where it is not in the trace, and for one span of each
    circle, so that every way up ends."""
    places = rows.places
    found = [ROOT if not parent else places.get(parent, ORPHAN) for parent in rows.hot["parent_span_id"]]
    done = bytearray(len(found))
    for start in range(len(found)):
        way, at = [], start
        while at >= 0 and not done[at]:
            done[at] = 1
            way.append(at)
            at = found[at]
        if at >= 0 and at in (on_way := set(way)):
            # A span of this very way was met again: the earliest of the circle is cut off.
            circle = _circle(found, at, on_way)
            found[min(circle)] = ORPHAN
    return found


def step_numbers(trace: Trace) -> list[int | None]:
    """The number of the step that each span is, or belongs to: that of the agent around it, not of an agent above."""
    rows, looks, parents = trace.rows, trace.looks, trace.parents
    spans = rows.hot["name"]
    found: list[int | None] = [None] * rows.count
    for place in downwards(parents):
        above = parents[place]
        if looks[place].kind == "step" and (match := _STEP.fullmatch(str(spans[place]))):
            found[place] = int(match.group(1))
        elif looks[place].kind != "agent" and above >= 0:
            found[place] = found[above]
    return found


def downwards(parents: Sequence[int]) -> Iterator[int]:
    """Every place once, and none before its parent."""
    known = bytearray(len(parents))
    for start in range(len(parents)):
        way, at = [], start
        while at >= 0 and not known[at]:
            way.append(at)
            at = parents[at]
        for place in reversed(way):
            known[place] = 1
            yield place


def _circle(parents: Sequence[int], start: int, on_way: set[int]) -> list[int]:
    circle, at = [start], parents[start]
    while at != start and at in on_way:
        circle.append(at)
        at = parents[at]
    return circle


def _plainly(scope: Any, operation: Any, name: Any, status: Any, error_type: Any) -> Kind | None:
    """The kind of a span of ours; None where only its attributes can tell what is to be known of it."""
    if scope != names.SCOPE or (status == "ERROR" and error_type is None):
        return None
    return _of_ours(operation, name)


def _of_ours(operation: Any, name: Any) -> Kind:
    if operation is None:
        return "step" if _STEP.fullmatch(str(name)) else "other"
    operation = str(operation).lower()
    if operation in signs.INFERENCE_OPERATIONS:
        return "chat"
    if operation == names.EXECUTE_TOOL:
        return "tool"
    return "agent" if operation in _AGENTS else "other"


def _closely(span: Span) -> Look:
    attributes = span.attributes
    unfinished = attributes.get(names.UNFINISHED) is True or span.end_ns == 0
    return Look(
        kind=_of_anybody(span),
        error="unfinished" if unfinished and names.ERROR_TYPE not in attributes else signs.error_of(span),
        unfinished=unfinished,
        model=signs.response_model_of(attributes) or signs.request_model_of(attributes),
        tool=signs.text(attributes, (names.TOOL_NAME, "tool.name")),
        carries_usage=signs.usage_of(span).is_known,
    )


def _of_anybody(span: Span) -> Kind:
    """OpenInference's kind first, as the books read it, then the operation, then what looks like a call."""
    told = span.attributes.get(names.OPENINFERENCE_SPAN_KIND)
    if told is not None:
        return _OF_OPENINFERENCE.get(str(told).upper(), "other")
    if signs.is_inference(span):
        return "chat"
    operation = span.attributes.get(names.OPERATION_NAME)
    return _of_ours(operation, span.name) if operation is not None or span.scope == names.SCOPE else "other"
