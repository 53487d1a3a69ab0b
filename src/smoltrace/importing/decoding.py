"""From OTLP JSON to spans, as exporters really write it.

Understood beside the specification's mapping: ids as base64 (protobuf's own JSON), with capitals, with 0x or without
their leading zeros; enums as numbers, names or short names; numbers as text; keys in snake_case; attributes as a plain
mapping; the containers of older exporters and of the query interfaces of Jaeger and Tempo.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smoltrace.books.spans import Event, Span
from smoltrace.records.otlp import KINDS, STATUSES
from smoltrace.records.text import json_text

DEEPEST: Final = 24
"""Levels of lists and mappings in an attribute; what is nested more deeply is kept as JSON text."""
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_LATEST_NS: Final = 2**63 - 1
_SNAKE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HEX: Final = re.compile(r"[0-9a-f]+")
_WRAPPERS: Final = ("result", "trace", "tracesData", "metricsData")
_KIND_NAMES: Final = {number: name for name, number in KINDS.items()}
_STATUS_NAMES: Final = {number: name for name, number in STATUSES.items()}


@dataclass(slots=True)
class Found:
    """What a document holds: spans, OTLP JSON `resourceMetrics`, and how many groups of logs, which are left out."""

    spans: list[Span] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    logs: int = 0


def decode(document: Any) -> Found:
    """What an OTLP JSON document holds. Raises ValueError, which says what is wrong, for what is none."""
    found = Found()
    try:
        _decode(document, found)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return found


def tidied(span: Span) -> Span:
    """A span that ends no earlier than it starts, with times that a file can hold. Raises ValueError.

    An end that is missing is the start: the span was never ended.
    """
    if not (0 <= span.start_ns <= _LATEST_NS and 0 <= span.end_ns <= _LATEST_NS):
        raise ValueError(f"the span {span.span_id} has a time that is none")
    if span.start_ns == 0 and span.end_ns:
        return replace(span, start_ns=span.end_ns)
    return span if span.start_ns <= span.end_ns else replace(span, end_ns=span.start_ns)


def _decode(document: Any, found: Found) -> None:
    if isinstance(document, list):
        for item in document:
            _decode(item, found)
        return
    if not isinstance(document, Mapping):
        raise ValueError("it is no JSON object")
    inside = [document[name] for name in _WRAPPERS if isinstance(document.get(name), Mapping | list)]
    for inner in inside:
        _decode(inner, found)
    spans, metrics, logs = (_listed(document, name) for name in ("resourceSpans", "resourceMetrics", "resourceLogs"))
    batches = _listed(document, "batches")
    alone = [document] if _is_group(document) else []
    if document and not inside and spans is metrics is logs is batches is None and not alone:
        raise ValueError(_no_otlp(document))
    for group in (*(spans or ()), *(batches or ()), *alone):
        found.spans.extend(_spans_of(_mapping(group, "resourceSpans")))
    found.metrics.extend(dict(_mapping(item, "resourceMetrics")) for item in metrics or ())
    found.logs += len(logs or ())


def _no_otlp(document: Mapping[str, Any]) -> str:
    data = document.get("data")
    if isinstance(data, list) and data and isinstance(data[0], Mapping) and "traceID" in data[0]:
        return "it is Jaeger's own JSON and no OTLP; Jaeger gives OTLP at /api/v3/traces"
    if "context" in document and "attributes" in document:
        return "it is what the console exporter of an SDK prints and no OTLP; use an OTLP exporter"
    return "it is no OTLP: it has no resourceSpans"


def _is_group(document: Mapping[str, Any]) -> bool:
    return any(_listed(document, name) is not None for name in ("scopeSpans", "instrumentationLibrarySpans"))


def _spans_of(group: Mapping[str, Any]) -> Iterator[Span]:
    resource = _attributes(_get(_mapping(group.get("resource") or {}, "resource"), "attributes"))
    for name, scope_name in (("scopeSpans", "scope"), ("instrumentationLibrarySpans", "instrumentationLibrary")):
        for scoped in _listed(group, name) or ():
            scoped = _mapping(scoped, name)
            scope = _mapping(_get(scoped, scope_name) or {}, scope_name)
            for raw in _listed(scoped, "spans") or ():
                yield _span(_mapping(raw, "spans"), str(scope.get("name") or ""), resource)


def _span(raw: Mapping[str, Any], scope: str, resource: Mapping[str, Any]) -> Span:
    span_id = id_of(_get(raw, "spanId"), _SPAN_BYTES)
    trace_id = id_of(_get(raw, "traceId"), _TRACE_BYTES)
    if trace_id is None or span_id is None:
        raise ValueError("a span has no traceId or no spanId")
    status = raw.get("status") or {}
    status = status if isinstance(status, Mapping) else {"code": status}
    message = status.get("message")
    return tidied(
        Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=id_of(_get(raw, "parentSpanId"), _SPAN_BYTES),
            name=str(raw.get("name") or ""),
            kind=_named(raw.get("kind"), _KIND_NAMES, "SPAN_KIND_", "INTERNAL"),
            start_ns=_nanoseconds(_get(raw, "startTimeUnixNano")),
            end_ns=_nanoseconds(_get(raw, "endTimeUnixNano")),
            attributes=_attributes(raw.get("attributes")),
            events=tuple(_event(_mapping(event, "events")) for event in _listed(raw, "events") or ()),
            status=_named(status.get("code"), _STATUS_NAMES, "STATUS_CODE_", "UNSET"),
            status_description=str(message) if message else None,
            scope=scope,
            resource=resource,
        )
    )


def _event(raw: Mapping[str, Any]) -> Event:
    time_ns = _nanoseconds(_get(raw, "timeUnixNano"))
    if not 0 <= time_ns <= _LATEST_NS:
        raise ValueError("an event has a time that is none")
    return Event(str(raw.get("name") or ""), time_ns, _attributes(raw.get("attributes")))


def id_of(value: Any, size: int) -> str | None:
    """An id of so many bytes as lower-case hex digits; None for none, which is also written as zeros.

    Raises ValueError for what is no such id.
    """
    if value is None or value == "":
        return None
    text = str(value).strip().lower().removeprefix("0x")
    if len(text) <= 2 * size and _HEX.fullmatch(text):
        return text.zfill(2 * size) if text.strip("0") else None
    try:
        decoded = base64.b64decode(str(value) + "=" * (-len(str(value)) % 4), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != size:
        raise ValueError(f"{str(value)[:40]!r} is no id of {size} bytes")
    return decoded.hex() if any(decoded) else None


# Attributes


def _attributes(encoded: Any) -> dict[str, Any]:
    if encoded is None:
        return {}
    if isinstance(encoded, Mapping):
        return {str(name): _value(value, 0) for name, value in encoded.items()}
    if not isinstance(encoded, list):
        raise ValueError("attributes are neither a list nor an object")
    return dict(_pairs(encoded, 0))


def _pairs(encoded: Iterable[Any], depth: int) -> Iterator[tuple[str, Any]]:
    for item in encoded:
        item = _mapping(item, "attributes")
        yield str(item.get("key", "")), _value(item.get("value"), depth)


def _value(value: Any, depth: int) -> Any:
    """What an AnyValue holds; plain JSON, as some exporters write it, is what it is."""
    if isinstance(value, list):
        return json_text(value) if depth >= DEEPEST else [_value(item, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) != 1:
        return None if not value else json_text(value)
    if depth >= DEEPEST:
        return json_text(value)
    ((kind, content),) = value.items()
    match kind:
        case "stringValue" | "string_value":
            return content if isinstance(content, str) else json_text(content)
        case "boolValue" | "bool_value":
            return content in (True, "true", "True")
        case "intValue" | "int_value":
            return _whole(content)
        case "doubleValue" | "double_value":
            return _double(content)
        case "bytesValue" | "bytes_value":
            return _bytes(content)
        case "arrayValue" | "array_value":
            return [_value(item, depth + 1) for item in _values(content)]
        case "kvlistValue" | "kvlist_value":
            return dict(_pairs(_values(content), depth + 1))
        case _:
            return json_text(value)


def _values(content: Any) -> Sequence[Any]:
    if isinstance(content, Mapping):
        content = content.get("values")
    return content if isinstance(content, list) else []


def _whole(content: Any) -> int:
    if isinstance(content, float) and content.is_integer():
        return int(content)
    try:
        return int(content)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"an intValue is no whole number: {str(content)[:40]!r}") from None


def _double(content: Any) -> float:
    try:
        return float(content)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a doubleValue is no number: {str(content)[:40]!r}") from None


def _bytes(content: Any) -> Any:
    try:
        return base64.b64decode(content, validate=True)
    except (TypeError, ValueError):
        return str(content)


# Pieces


def _get(raw: Mapping[str, Any], name: str) -> Any:
    """A field by its name, or by the same in snake_case."""
    return raw[name] if name in raw else raw.get(_SNAKE.sub("_", name).lower())


def _listed(raw: Mapping[str, Any], name: str) -> list[Any] | None:
    found = _get(raw, name)
    if found is not None and not isinstance(found, list):
        raise ValueError(f"{name} is no list")
    return found


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} holds something that is no object")
    return value


def _nanoseconds(value: Any) -> int:
    if value is None or value == "":
        return 0
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{str(value)[:40]!r} is no time in nanoseconds") from None


def _named(value: Any, known: Mapping[int, str], prefix: str, otherwise: str) -> str:
    """The name of an enumerated value that is given as its number, as a number in text, or as its name."""
    if isinstance(value, bool) or value is None:
        return otherwise
    if isinstance(value, int | float):
        return next((name for number, name in known.items() if number == value), otherwise)
    text = str(value).strip().upper()
    if text.isdecimal():
        return known.get(int(text[:4]), otherwise)
    name = text.removeprefix(prefix)
    return name if name in known.values() else otherwise
