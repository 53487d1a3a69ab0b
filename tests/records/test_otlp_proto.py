"""Spans as OTLP protobuf, and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from smoltrace.books.spans import Event, Span
from smoltrace.records.otlp_proto import from_otlp_proto, to_otlp_proto

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    texts
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=9)
    | st.none()
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
attributes = st.dictionaries(texts, values, max_size=4)
times = st.integers(0, 2**63 - 1)
ids = st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex)


def test_a_parent_of_zeros_is_none_and_so_is_an_id() -> None:
    request = ExportTraceServiceRequest.FromString(to_otlp_proto([span()]))
    (sent,) = request.resource_spans[0].scope_spans[0].spans
    sent.parent_span_id = bytes(8)
    assert from_otlp_proto(request.SerializeToString())[0].parent_span_id is None
    sent.span_id = bytes(8)
    with pytest.raises(ValueError, match="without traceId or spanId"):
        from_otlp_proto(request.SerializeToString())


def span(**more: Any) -> Span:
    fields: dict[str, Any] = {
        "trace_id": "0123456789abcdef" * 2,
        "span_id": "0123456789abcdef",
        "parent_span_id": None,
        "name": "chat m",
        "kind": "CLIENT",
        "start_ns": 1,
        "end_ns": 2,
        "attributes": {},
    }
    return Span(**fields | more)


@given(
    st.lists(
        st.builds(
            span,
            span_id=ids,
            parent_span_id=st.none() | ids,
            name=texts,
            kind=st.sampled_from(["INTERNAL", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"]),
            start_ns=times,
            end_ns=times,
            attributes=attributes,
            events=st.lists(st.builds(Event, texts, times, attributes), max_size=2).map(tuple),
            status=st.sampled_from(["UNSET", "OK", "ERROR"]),
            status_description=st.none() | texts.filter(bool),
        ),
        max_size=4,
    )
)
def test_every_span_comes_back_as_it_was(spans: list[Span]) -> None:
    assert from_otlp_proto(to_otlp_proto(spans)) == spans


def test_spans_are_grouped_by_resource_and_scope() -> None:
    ours, theirs = {"service.name": "ours"}, {"service.name": "theirs"}
    spans = [
        span(name="a", resource=ours),
        span(name="b", resource=theirs, scope="other"),
        span(name="c", resource=ours, scope="other"),
        span(name="d", resource=ours),
    ]
    request = ExportTraceServiceRequest.FromString(to_otlp_proto(spans))
    groups = [
        (scoped.scope.name, [each.name for each in scoped.spans])
        for of_resource in request.resource_spans
        for scoped in of_resource.scope_spans
    ]
    assert groups == [("smoltrace", ["a", "d"]), ("other", ["c"]), ("other", ["b"])]
    assert {each.name: each.resource for each in from_otlp_proto(request.SerializeToString())}["c"] == ours


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        (2**70, str(2**70)),
        ("lone \ud800 half", "lone � half"),
        ("\ud83d\ude00", "😀"),
        ((1, 2), [1, 2]),
        ([], []),
        ({}, {}),
        (math.inf, math.inf),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_what_otlp_cannot_hold_is_its_nearest_neighbour(given_value: Any, kept: Any) -> None:
    (back,) = from_otlp_proto(to_otlp_proto([span(attributes={"x": given_value})]))
    assert back.attributes == {"x": kept}


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"{}", to_otlp_proto([span(span_id="")])])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"no OTLP protobuf|a span without"):
        from_otlp_proto(body)
