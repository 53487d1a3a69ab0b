"""Spans as OTLP JSON: one line holds one ExportTraceServiceRequest, as collectors and viewers read it from a file.

Encoding follows the OTLP specification's JSON mapping: ids as hexadecimal text, enums as integers, 64-bit integers as
decimal text, bytes as base64, non-finite numbers as "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from smoltrace.books.spans import Event, Span

KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
STATUSES = {"UNSET": 0, "OK": 1, "ERROR": 2}
_KIND_NAMES = {number: name for name, number in KINDS.items()} | {f"SPAN_KIND_{n}": n for n in KINDS}
_STATUS_NAMES = {number: name for name, number in STATUSES.items()} | {f"STATUS_CODE_{n}": n for n in STATUSES}
_INT64 = 2**63


def to_otlp_json(spans: Iterable[Span], resource: Mapping[str, Any] | None = None) -> bytes:
    """The spans as one export request: one line of UTF-8 JSON without its newline.

    All spans go under one resource, by default that of the first; they are grouped by scope, in their order within it.
    Text that UTF-8 cannot hold (lone surrogates) is replaced by U+FFFD. An integer beyond 64 bits becomes text.
    """
    scopes: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        if resource is None:
            resource = span.resource
        scopes.setdefault(span.scope, []).append(_encode_span(span))
    request = {
        "resourceSpans": [
            {
                "resource": {"attributes": _encode_attributes(resource or {})},
                "scopeSpans": [{"scope": {"name": name}, "spans": group} for name, group in scopes.items()],
            }
        ]
    }
    try:
        return orjson.dumps(request)
    except TypeError:
        return orjson.dumps(_well_formed(request))


def from_otlp_json(line: bytes | str) -> list[Span]:
    """The spans of one export request; lists come back as lists, everything else as it was.

    Raises ValueError when the line is no JSON or a span has no id.
    """
    spans: list[Span] = []
    for group in orjson.loads(line).get("resourceSpans") or ():
        resource = _decode_attributes((group.get("resource") or {}).get("attributes"))
        for scoped in group.get("scopeSpans") or ():
            scope = (scoped.get("scope") or {}).get("name", "")
            spans.extend(_decode_span(raw, scope, resource) for raw in scoped.get("spans") or ())
    return spans


def _encode_span(span: Span) -> dict[str, Any]:
    status: dict[str, Any] = {}
    if span.status != "UNSET":
        status["code"] = STATUSES[span.status]
    if span.status_description is not None:
        status["message"] = span.status_description
    encoded: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _encode_attributes(span.attributes),
        "status": status,
    }
    if span.parent_span_id is not None:
        encoded["parentSpanId"] = span.parent_span_id
    if span.events:
        encoded["events"] = [
            {"timeUnixNano": str(e.time_ns), "name": e.name, "attributes": _encode_attributes(e.attributes)}
            for e in span.events
        ]
    return encoded


def _encode_attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": str(key), "value": _encode_value(value)} for key, value in attributes.items()]


def _encode_value(value: Any) -> dict[str, Any]:
    """An AnyValue. None is the empty one; what OTLP has no type for is its text."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)} if -_INT64 <= value < _INT64 else {"stringValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _non_finite(value)}
    if value is None:
        return {}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": _encode_attributes(value)}}
    if isinstance(value, list | tuple | set | frozenset):
        return {"arrayValue": {"values": [_encode_value(item) for item in value]}}
    return {"stringValue": str(value)}


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _decode_span(raw: Mapping[str, Any], scope: str, resource: Mapping[str, Any]) -> Span:
    trace_id, span_id = raw.get("traceId"), raw.get("spanId")
    if not trace_id or not span_id:
        raise ValueError("a span without traceId or spanId")
    status = raw.get("status") or {}
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=raw.get("parentSpanId") or None,
        name=raw.get("name", ""),
        kind=_KIND_NAMES.get(raw.get("kind", 1), "INTERNAL"),
        start_ns=int(raw.get("startTimeUnixNano", 0)),
        end_ns=int(raw.get("endTimeUnixNano", 0)),
        attributes=_decode_attributes(raw.get("attributes")),
        events=tuple(
            Event(e.get("name", ""), int(e.get("timeUnixNano", 0)), _decode_attributes(e.get("attributes")))
            for e in raw.get("events") or ()
        ),
        status=_STATUS_NAMES.get(status.get("code", 0), "UNSET"),
        status_description=status.get("message"),
        scope=scope,
        resource=resource,
    )


def _decode_attributes(encoded: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {item["key"]: _decode_value(item.get("value") or {}) for item in encoded or ()}


def _decode_value(value: Mapping[str, Any]) -> Any:
    for kind, content in value.items():
        match kind:
            case "stringValue" | "boolValue":
                return content
            case "intValue":
                return int(content)
            case "doubleValue":
                return float(content)
            case "bytesValue":
                return base64.b64decode(content)
            case "arrayValue":
                return [_decode_value(item) for item in content.get("values") or ()]
            case "kvlistValue":
                return _decode_attributes(content.get("values"))
    return None


def _well_formed(value: Any) -> Any:
    """The same JSON with every text made valid UTF-8; surrogate pairs are joined, lone halves replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_well_formed(key): _well_formed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_well_formed(item) for item in value]
    return value
