"""Spans as OTLP protobuf: the body of one ExportTraceServiceRequest, as receivers take it over HTTP.

The twin of `records.otlp`, which has the same in JSON. Needs `opentelemetry-proto` (extra `otlp`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as proto

from smoltrace.books.spans import Event, Span
from smoltrace.records.otlp import KINDS, STATUSES

_KIND_NAMES = {number: name for name, number in KINDS.items()}
_STATUS_NAMES = {number: name for name, number in STATUSES.items()}
_INT64 = 2**63


def request_of(spans: Iterable[Span]) -> ExportTraceServiceRequest:
    """The spans as one request: those with the same resource together, in it those of one scope, else in their order.

    What OTLP has no type for is its text, as are integers beyond 64 bits; lone surrogates become U+FFFD.
    """
    request = ExportTraceServiceRequest()
    groups: dict[int, tuple[Mapping[str, Any], dict[str, list[Span]]]] = {}
    for span in spans:
        _, scopes = groups.setdefault(id(span.resource), (span.resource, {}))
        scopes.setdefault(span.scope, []).append(span)
    for resource, scopes in groups.values():
        of_resource = request.resource_spans.add()
        of_resource.resource.attributes.extend(_key_values(resource))
        for scope, members in scopes.items():
            of_scope = of_resource.scope_spans.add()
            of_scope.scope.name = _text(scope)
            of_scope.spans.extend(_encoded(span) for span in members)
    return request


def to_otlp_proto(spans: Iterable[Span]) -> bytes:
    """The spans as the body of one request."""
    body: bytes = request_of(spans).SerializeToString()
    return body


def from_otlp_proto(body: bytes) -> list[Span]:
    """The spans of one request. Raises ValueError when the body is no such request or a span has no ids."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise ValueError(f"no OTLP protobuf: {error}") from error
    spans: list[Span] = []
    for of_resource in request.resource_spans:
        resource = _attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            spans.extend(_decoded(span, of_scope.scope.name, resource) for span in of_scope.spans)
    return spans


def _encoded(span: Span) -> proto.Span:
    made = proto.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id or ""),
        name=_text(span.name),
        kind=proto.Span.SpanKind.ValueType(KINDS[span.kind]),
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=_key_values(span.attributes),
    )
    if span.status != "UNSET":
        made.status.code = proto.Status.StatusCode.ValueType(STATUSES[span.status])
    if span.status_description is not None:
        made.status.message = _text(span.status_description)
    for event in span.events:
        made.events.add(time_unix_nano=event.time_ns, name=_text(event.name), attributes=_key_values(event.attributes))
    return made


def _decoded(span: proto.Span, scope: str, resource: Mapping[str, Any]) -> Span:
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or not any(span.trace_id) or not any(span.span_id):
        raise ValueError("a span without traceId or spanId")
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() if any(span.parent_span_id) else None,
        name=span.name,
        kind=_KIND_NAMES.get(span.kind, "INTERNAL"),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=tuple(Event(e.name, e.time_unix_nano, _attributes(e.attributes)) for e in span.events),
        status=_STATUS_NAMES.get(span.status.code, "UNSET"),
        status_description=span.status.message or None,
        scope=scope,
        resource=resource,
    )


def _key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=_text(str(key)), value=_any_value(value)) for key, value in attributes.items()]


def _any_value(value: Any) -> AnyValue:
    match value:
        case str():
            return AnyValue(string_value=_text(value))
        case bool():
            return AnyValue(bool_value=value)
        case int() if -_INT64 <= value < _INT64:
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case None:
            return AnyValue()
        case bytes():
            return AnyValue(bytes_value=value)
        case Mapping():
            made = AnyValue()
            made.kvlist_value.values.extend(_key_values(value))
            made.kvlist_value.SetInParent()
            return made
        case list() | tuple() | set() | frozenset():
            made = AnyValue()
            made.array_value.values.extend(_any_value(item) for item in value)
            made.array_value.SetInParent()
            return made
        case _:
            return AnyValue(string_value=_text(str(value)))


def _attributes(encoded: Iterable[KeyValue]) -> dict[str, Any]:
    return {item.key: _value(item.value) for item in encoded}


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def _text(text: str) -> str:
    """Text that UTF-8 can hold; surrogate pairs are joined, lone halves replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
