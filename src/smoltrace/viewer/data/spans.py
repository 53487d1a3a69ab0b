"""One span whole: what was said there, its attributes, its events, and what it used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.errors import UsageError
from smoltrace.records.schema import Row
from smoltrace.viewer.data.figures import PRICE_UNKNOWN
from smoltrace.viewer.data.kinds import ORPHAN, Trace, trace_of
from smoltrace.viewer.data.listing import listing_of, t0_of
from smoltrace.viewer.data.messages import text_of
from smoltrace.viewer.data.prompts import said_at
from smoltrace.viewer.data.rows import whole_row
from smoltrace.viewer.data.sources import Source, reads_a_run, relative_ms
from smoltrace.viewer.data.texts import Texts, document

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.viewer.data.readings import Readings

_PARTS: Final = ("prompt", "completion", "reasoning", "cache_read", "cache_write")
_TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_NOT_COUNTED: Final = "no call of a model, or counted at another span"


@reads_a_run
def span_detail(run: Run, trace_id: str, span_id: str, *, readings: Readings | None = None) -> dict[str, Any]:
    """One span of a trace. Its long texts are cut; `text` gives them whole. Times are milliseconds of the run.

    Raises UsageError when the run has no such trace or the trace no such span, StoreError.
    """
    return _detail(Source(run, readings), trace_id.lower(), span_id, Texts())


@reads_a_run
def text(run: Run, trace_id: str, span_id: str, ref: str, *, readings: Readings | None = None) -> dict[str, str]:
    """`{"text"}`: the whole of a text that `span_detail` cut, by its `ref`. Raises UsageError when there is none."""
    texts = Texts(wanted=ref)
    _detail(Source(run, readings), trace_id.lower(), span_id, texts)
    if texts.found is None:
        raise UsageError(f"The span '{span_id}' of the run {run.id} has no text '{ref}'.")
    return {"text": texts.found}


def _detail(source: Source, trace_id: str, span_id: str, texts: Texts) -> dict[str, Any]:
    trace, t0_ns = trace_of(source, trace_id), t0_of(source)
    place = trace.rows.places.get(span_id)
    if place is None:
        raise UsageError(f"The trace {trace_id} of the run {source.run_dir.run_id} has no span '{span_id}'.")
    row, span, look = trace.rows.at(place), trace.span(place), trace.looks[place]
    messages = said_at(source, trace, trace_id, place, span, texts) if look.kind in ("chat", "agent") else None
    given, returned = _in_and_out(source, trace, trace_id, place, span, messages, texts)
    parent = trace.parents[place]
    return {
        "id": span_id,
        "parent": None if row["parent_span_id"] is None else str(row["parent_span_id"]),
        "orphan": parent == ORPHAN,
        "name": texts.plain(row["name"]),
        "kind": look.kind,
        "start_ms": relative_ms(row["start_time"], t0_ns),
        "end_ms": None if look.unfinished else relative_ms(row["end_time"], t0_ns),
        "status": row["status"],
        "status_description": texts.plain(row["status_description"]),
        "error_type": texts.plain(look.error),
        "scope": texts.plain(row["scope"]),
        "attributes": texts.plain(span.attributes),
        "events": _events(span, t0_ns, texts),
        "messages": messages,
        "input": given,
        "output": returned,
        "tokens": _tokens(row),
        "cost": _cost(row, span),
        "energy_wh": row["gpu_energy_wh"],
        "co2_g": row["co2_emissions_g"],
    }


def _events(span: Span, t0_ns: int, texts: Texts) -> list[dict[str, Any]]:
    return [
        {
            "name": texts.plain(event.name),
            "time_ms": relative_ms(event.time_ns, t0_ns),
            "attributes": texts.plain(event.attributes),
        }
        for event in span.events
    ]


def _in_and_out(
    source: Source, trace: Trace, trace_id: str, place: int, span: Span, messages: dict[str, Any] | None, texts: Texts
) -> tuple[Any, Any]:
    """What a span was given and what it returned; a call's messages say both already."""
    kind, attributes = trace.looks[place].kind, span.attributes
    if kind == "chat" and messages is not None:
        return None, None
    if kind == "tool" and names.TOOL_NAME in attributes:
        given = document(attributes.get(names.TOOL_CALL_ARGUMENTS))
        return texts.plain(given), texts.plain(result_of(attributes.get(names.TOOL_CALL_RESULT)))
    if kind == "agent" and messages is not None and "input.value" not in attributes:
        return text_of(messages["input"]), text_of(messages["output"])
    if span.scope == names.SCOPE and trace.parents[place] < 0:
        listing = listing_of(source)
        if (number := listing.by_trace.get(trace_id)) is not None:
            row = whole_row(source, listing.tests[number])
            return texts.plain(row["prompt"]), texts.plain(row["response"])
    return texts.plain(result_of(attributes.get("input.value"))), texts.plain(result_of(attributes.get("output.value")))


def result_of(value: Any) -> Any:
    """What a tool returned: text as it is, and what reads as a JSON list or object as that."""
    return document(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else value


def _tokens(row: Row) -> dict[str, int | None]:
    """All null where the books do not count the span."""
    return {name: row[f"{name}_tokens"] for name in _TOKENS}


def _cost(row: Row, span: Span) -> dict[str, Any]:
    """What the call cost, USD, with its parts where this very span has them. `reason` says why there is no total."""
    total = row["cost_usd"]
    counted = any(row[f"{name}_tokens"] is not None for name in _TOKENS)
    attributes = {} if total is None else span.attributes
    parts = attributes if span.scope == names.SCOPE else {}
    return {
        "total": total,
        **{name: parts.get(f"gen_ai.usage.cost.{name}") for name in _PARTS},
        "source": attributes.get(names.PRICING_SOURCE),
        "quality": attributes.get(names.COST_QUALITY),
        "reported": attributes.get(names.COST_REPORTED),
        "reason": None if total is not None else PRICE_UNKNOWN if counted else _NOT_COUNTED,
    }
