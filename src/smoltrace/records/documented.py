"""Between the rows of smoltrace and the plain dictionaries that the documented Python functions take and give.

Given: money is float, a span's attributes, events and resource are dictionaries and lists. Taken: the same, and
anything sparser or older, since these dictionaries also come from files and from the Hub: missing columns are unknown,
ids may carry 0x, attributes may be JSON text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.spans import Event, Span
from smoltrace.records.execution import Execution, Verdict
from smoltrace.records.money import amount_of
from smoltrace.records.otlp import KINDS, STATUSES
from smoltrace.records.results import result_row, root_of
from smoltrace.records.schema import RESULTS, TRACES, Dataset, Row, empty_row
from smoltrace.records.text import json_text
from smoltrace.records.times import parse_time
from smoltrace.records.traces import in_order, trace_row

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook

AllResults = Mapping[str, Sequence[Mapping[str, Any]]]
"""Agent type to results."""

_TEST_ID = (names.TEST_ID, "test.id")
_AGENT_TYPE = (names.AGENT_TYPE, "agent.type")
_NANOSECONDS_PER_MS = 1_000_000


# --- given ----------------------------------------------------------------------------------------------------------


def plain(row: Mapping[str, Any]) -> Row:
    """A row with its money as floats."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def plain_trace(result: Mapping[str, Any], spans: Sequence[Span]) -> Row:
    """The row of `traces` of one execution with its spans whole: attributes, events and resource as they are."""
    ordered = in_order(spans)
    return plain(trace_row(result, ordered)) | {"spans": [plain_span(span) for span in ordered]}


def plain_span(span: Span) -> dict[str, Any]:
    """The span as a dictionary: the documented keys, and `trace_id` and `scope`."""
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind,
        "start_time": span.start_ns,
        "end_time": span.end_ns,
        "duration_ms": span.duration_ms,
        "attributes": dict(span.attributes),
        "events": [{"name": e.name, "time": e.time_ns, "attributes": dict(e.attributes)} for e in span.events],
        "status": {"code": span.status, "description": span.status_description},
        "resource": dict(span.resource),
        "scope": span.scope,
    }


def traces_of(spans: Iterable[Mapping[str, Any]], run_id: str | None, price_book: PriceBook) -> list[Row]:
    """Spans as `traces` rows, one per trace in the order of their first span; tokens and cost as the books count them.

    Where the price book knows no price, the cost that the calls' own spans carry is taken.
    """
    by_trace: dict[str, list[Span]] = {}
    for span in map(span_from, spans):
        by_trace.setdefault(span.trace_id, []).append(span)
    return [_trace_of(found, run_id, price_book) for found in by_trace.values()]


def _trace_of(spans: Sequence[Span], run_id: str | None, price_book: PriceBook) -> Row:
    root = root_of(spans)
    about: Mapping[str, Any] = {} if root is None else root.attributes
    calls = calls_in(spans)
    test_id, agent_type = (_first(about, keys) for keys in (_TEST_ID, _AGENT_TYPE))
    model = next((call.request_model for call in calls if call.request_model is not None), None)
    execution = Execution(
        run_id=run_id or "",
        test_index=0,
        test_id=test_id or "",
        attempt=int(about.get(names.TEST_ATTEMPT) or 1),
        agent_type=agent_type or "",
        model=model or "",
        provider=_first(about, (names.PROVIDER_NAME,)),
        system=next((call.provider for call in calls if call.provider is not None), None),
        prompt="",
        status="completed",
        verdict=Verdict(success=False),
        spans=spans,
        price_book=price_book,
    )
    unknown = {"run_id": run_id, "test_id": test_id, "agent_type": agent_type, "model": model}
    trace = plain_trace(result_row(execution) | unknown, spans) | ({} if test_id else {"test_case_uid": None})
    if trace["total_cost_usd"] is None:
        trace["total_cost_usd"] = _recorded_cost(spans, [call.span_id for call in calls])
    return trace


def _recorded_cost(spans: Iterable[Span], counted: Sequence[str]) -> float | None:
    """What the counted spans themselves say that they cost, USD; None unless each of them says it."""
    attributes = {span.span_id: span.attributes for span in spans}
    costs = [_float(attributes[span_id].get(names.COST_TOTAL)) for span_id in counted]
    known = [cost for cost in costs if cost is not None]
    return math.fsum(known) if known and len(known) == len(costs) else None


# --- taken ----------------------------------------------------------------------------------------------------------


def results_in(all_results: AllResults) -> Iterator[Row]:
    """The results of all agent types as whole rows of `results`."""
    for agent_type, results in all_results.items():
        for result in results:
            row = row_from(RESULTS, result)
            row["agent_type"] = row["agent_type"] or agent_type
            yield _with_trace_info(row)


def joined(
    all_results: AllResults, trace_data: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Row, Mapping[str, Any] | None]]:
    """Each result as a whole row, with its trace or None; what the result does not say is taken from its trace.

    They belong together by `trace_id`, and where a result has none by agent type and test, in order.
    """
    by_id: dict[str, Mapping[str, Any]] = {}
    by_test: dict[tuple[Any, Any], list[Mapping[str, Any]]] = {}
    for trace in trace_data:
        if trace.get("trace_id") is not None:
            by_id[trace["trace_id"]] = trace
        if trace.get("test_id") is not None:
            by_test.setdefault((trace.get("agent_type"), trace["test_id"]), []).append(trace)
    for row in results_in(all_results):
        found = by_id.get(row["trace_id"])
        if row["trace_id"] is None:
            fitting = by_test.get((row["agent_type"], row["test_id"])) or by_test.get((None, row["test_id"]))
            found = fitting.pop(0) if fitting else None
        yield _completed(row, found), found


def _completed(row: Row, trace: Mapping[str, Any] | None) -> Row:
    if trace is None:
        return row
    same = {name: trace.get(name) for name in RESULTS.names}
    renamed = {
        "gen_ai.usage.total_tokens": trace.get("total_tokens"),
        "execution_time_ms": trace.get("total_duration_ms"),
        "gen_ai.usage.cost.total": trace.get("total_cost_usd"),
        "gen_ai.server.tbt": trace.get("avg_tbt"),
    }
    found = row_from(RESULTS, same | renamed)
    return {name: found[name] if value is None else value for name, value in row.items()}


def row_from(dataset: Dataset, given: Mapping[str, Any]) -> Row:
    """A whole row: columns that are not given are null, and those given are brought to their type."""
    row = empty_row(dataset) | {name: given[name] for name in dataset.names if name in given}
    for column in dataset.columns:
        value = row[column.name]
        if value is None:
            continue
        if column.type == "money":
            row[column.name] = amount_of(value)
        elif column.type == "json" and not isinstance(value, str):
            row[column.name] = json_text(value)
        elif column.type == "timestamp" and not isinstance(value, datetime):
            row[column.name] = parse_time(value)
    return row


def _with_trace_info(row: Row) -> Row:
    """Fill what older results only said in `enhanced_trace_info`."""
    import orjson

    try:
        info = orjson.loads(row["enhanced_trace_info"] or b"{}")
    except orjson.JSONDecodeError:
        return row
    if not isinstance(info, dict):
        return row
    found = {
        "trace_id": info.get("trace_id"),
        "gen_ai.usage.total_tokens": info.get("total_tokens"),
        "execution_time_ms": info.get("duration_ms"),
        "gen_ai.usage.cost.total": amount_of(info.get("cost_usd")),
    }
    return row | {name: value for name, value in found.items() if row[name] is None}


def trace_from(trace: Mapping[str, Any]) -> Row:
    """A trace dictionary as a whole row of `traces`, its spans nested as that dataset nests them."""
    spans = in_order(spans_in(trace))
    nested = [
        {
            **{name: value for name, value in plain_span(span).items() if name not in ("trace_id", "scope")},
            **{name: json_text(plain_span(span)[name]) for name in ("attributes", "events", "resource")},
        }
        for span in spans
    ]
    return row_from(TRACES, trace) | {"spans": nested, "span_count": len(nested)}


def spans_in(trace: Mapping[str, Any]) -> list[Span]:
    """The spans of a trace dictionary."""
    return [span_from({"trace_id": trace.get("trace_id")} | dict(span)) for span in trace.get("spans") or ()]


def span_from(given: Mapping[str, Any]) -> Span:
    """A span from a dictionary; the start of one that only says its `duration_ms` is taken as 0."""
    start = int(given.get("start_time") or 0)
    end = given.get("end_time")
    if end is None:
        end = start + round(float(given.get("duration_ms") or 0) * _NANOSECONDS_PER_MS)
    status = given.get("status") or {}
    resource = _decoded(given.get("resource"))
    return Span(
        trace_id=_hex(given.get("trace_id"), 32) or "",
        span_id=_hex(given.get("span_id"), 16) or "",
        parent_span_id=_hex(given.get("parent_span_id"), 16),
        name=str(given.get("name") or ""),
        kind=_named(given.get("kind"), KINDS, "INTERNAL"),
        start_ns=start,
        end_ns=int(end),
        attributes=_decoded(given.get("attributes")),
        events=tuple(_event(event) for event in _listed(given.get("events"))),
        status=_named(status.get("code"), STATUSES, "UNSET"),
        status_description=status.get("description"),
        scope=str(given.get("scope") or ""),
        resource=_decoded(resource["attributes"]) if set(resource) == {"attributes"} else resource,
    )


def _event(given: Mapping[str, Any]) -> Event:
    time = given.get("time") or given.get("timestamp") or 0
    return Event(str(given.get("name") or ""), int(time), _decoded(given.get("attributes")))


def _hex(value: Any, digits: int) -> str | None:
    """An id as so many lower-case hex digits. Text that is no number stays what it is: it still tells spans apart."""
    if value is None or value == "":
        return None
    text = str(value).lower().removeprefix("0x")
    return text.zfill(digits) if all(digit in "0123456789abcdef" for digit in text) else str(value)


def _named(value: Any, known: Mapping[str, int], otherwise: str) -> str:
    """The name of an enumerated value that is given as name, as `SpanKind.CLIENT` or as its OTLP number."""
    by_number = {number: name for name, number in known.items()}
    if isinstance(value, int):
        return by_number.get(value, otherwise)
    name = str(value).rpartition(".")[2].upper()
    return name if name in known else otherwise


def _decoded(value: Any) -> dict[str, Any]:
    found = _json(value)
    return dict(found) if isinstance(found, Mapping) else {}


def _listed(value: Any) -> list[Mapping[str, Any]]:
    found = _json(value)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, Sequence) else []


def _json(value: Any) -> Any:
    import orjson

    if not isinstance(value, str | bytes):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def _first(attributes: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    return next((str(attributes[key]) for key in keys if attributes.get(key) is not None), None)


def _float(value: Any) -> float | None:
    amount = amount_of(value)
    return None if amount is None else float(amount)
