from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.spans import Event, Span
from smoltrace.records.otlp import from_otlp_json, to_otlp_json

texts = st.text(max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=10)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
attributes = st.dictionaries(texts, values, max_size=5)
times = st.integers(0, 2**63 - 1)
resource = {"service.name": "smoltrace", "run.id": "r", "n": 1, "ratio": 0.5}


def ids(digits: int) -> st.SearchStrategy[str]:
    return st.integers(1, 16**digits - 1).map(lambda n: f"{n:0{digits}x}")


spans = st.builds(
    Span,
    trace_id=ids(32),
    span_id=ids(16),
    parent_span_id=st.none() | ids(16),
    name=texts,
    kind=st.sampled_from(["INTERNAL", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"]),
    start_ns=times,
    end_ns=times,
    attributes=attributes,
    events=st.lists(st.builds(Event, texts, times, attributes), max_size=3).map(tuple),
    status=st.sampled_from(["UNSET", "OK", "ERROR"]),
    status_description=st.none() | texts,
    scope=st.sampled_from(["smoltrace", "openinference.instrumentation.smolagents", ""]),
    resource=st.just(resource),
)


def one(**changes: Any) -> Span:
    given: dict[str, Any] = {
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "parent_span_id": None,
        "name": "chat m",
        "kind": "CLIENT",
        "start_ns": 1,
        "end_ns": 2,
        "attributes": {},
    }
    return Span(**{**given, **changes})


def back(span: Span) -> Span:
    (again,) = from_otlp_json(to_otlp_json([span]))
    return again


@given(st.lists(spans, max_size=6))
def test_a_round_trip_changes_nothing(given: list[Span]) -> None:
    line = to_otlp_json(given, resource)
    again = from_otlp_json(line)
    assert b"\n" not in line
    for scope in {span.scope for span in given}:
        assert [s for s in again if s.scope == scope] == [s for s in given if s.scope == scope]
    assert len(again) == len(given)
    assert to_otlp_json(again, resource) == line
    json.loads(line)


def test_booleans_and_integers_and_floats_stay_apart() -> None:
    sent = {"yes": True, "one": 1, "point": 1.0, "list": [True, 1, 1.0, "1", None]}
    received = back(one(attributes=sent)).attributes
    assert [type(value) for value in received.values()] == [bool, int, float, list]
    assert [type(value) for value in received["list"]] == [bool, int, float, str, type(None)]


def test_numbers_that_json_cannot_say() -> None:
    received = back(one(attributes={"nan": math.nan, "up": math.inf, "down": -math.inf, "big": 2**70})).attributes
    assert math.isnan(received["nan"])
    assert (received["up"], received["down"], received["big"]) == (math.inf, -math.inf, str(2**70))


@pytest.mark.parametrize(("text", "expected"), [("a\ud800b", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600")])
def test_lone_surrogates_do_not_stop_a_trace(text: str, expected: str) -> None:
    again = back(one(name=text, attributes={text: [text]}, events=(Event(text, 1, {}),)))
    assert (again.name, dict(again.attributes), again.events[0].name) == (expected, {expected: [expected]}, expected)


def test_what_otlp_has_no_type_for_is_its_text() -> None:
    sent = {"set": {1}, "complex": 1 + 2j, "tuple": (1, 2)}
    assert back(one(attributes=sent)).attributes == {"set": [1], "complex": "(1+2j)", "tuple": [1, 2]}


def test_the_line_is_what_the_specification_says() -> None:
    span = one(
        parent_span_id="c" * 16,
        attributes={"s": "x", "i": 5, "b": False, "d": 0.5, "bytes": b"\x00", "m": {"k": [1]}, "none": None},
        events=(Event("e", 7, {"a": 1}),),
        status="ERROR",
        status_description="why",
    )
    (group,) = json.loads(to_otlp_json([span], {"service.name": "x"}))["resourceSpans"]
    assert group["resource"] == {"attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]}
    assert [scoped["scope"] for scoped in group["scopeSpans"]] == [{"name": "smoltrace"}]
    assert group["scopeSpans"][0]["spans"] == [
        {
            "traceId": "a" * 32,
            "spanId": "b" * 16,
            "parentSpanId": "c" * 16,
            "name": "chat m",
            "kind": 3,
            "startTimeUnixNano": "1",
            "endTimeUnixNano": "2",
            "attributes": [
                {"key": "s", "value": {"stringValue": "x"}},
                {"key": "i", "value": {"intValue": "5"}},
                {"key": "b", "value": {"boolValue": False}},
                {"key": "d", "value": {"doubleValue": 0.5}},
                {"key": "bytes", "value": {"bytesValue": "AA=="}},
                {
                    "key": "m",
                    "value": {
                        "kvlistValue": {
                            "values": [{"key": "k", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}}]
                        }
                    },
                },
                {"key": "none", "value": {}},
            ],
            "events": [{"timeUnixNano": "7", "name": "e", "attributes": [{"key": "a", "value": {"intValue": "1"}}]}],
            "status": {"code": 2, "message": "why"},
        }
    ]


def test_scopes_are_grouped_under_one_resource() -> None:
    given = [one(span_id=f"{n:016x}", scope=scope) for n, scope in enumerate(["a", "b", "a"], start=1)]
    (group,) = json.loads(to_otlp_json(given))["resourceSpans"]
    assert [(g["scope"]["name"], len(g["spans"])) for g in group["scopeSpans"]] == [("a", 2), ("b", 1)]


def test_lines_of_other_writers_are_understood() -> None:
    raw = {"traceId": "a" * 32, "spanId": "b" * 16, "kind": "SPAN_KIND_SERVER", "status": {"code": "STATUS_CODE_OK"}}
    raw |= {"startTimeUnixNano": 5, "parentSpanId": "", "attributes": [{"key": "i", "value": {"intValue": 3}}]}
    (span,) = from_otlp_json(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [raw]}]}]}))
    assert (span.kind, span.status, span.start_ns, span.end_ns, span.parent_span_id) == ("SERVER", "OK", 5, 0, None)
    assert (span.attributes, span.resource, span.scope) == ({"i": 3}, {}, "")


@pytest.mark.parametrize("line", ["", "{", '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}'])
def test_a_broken_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        from_otlp_json(line)


def test_the_official_parser_reads_it() -> None:
    protobuf = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    json_format = pytest.importorskip("google.protobuf.json_format")
    span = one(attributes={"i": 5, "nan": math.nan, "none": None, "deep": {"list": [1.5, b"x"]}})
    text = to_otlp_json([span]).decode()
    # Plain protobuf JSON writes ids in base64 where OTLP writes hexadecimal; that is the one difference.
    request = json_format.Parse(text, protobuf.ExportTraceServiceRequest())
    (parsed,) = request.resource_spans[0].scope_spans[0].spans
    assert (parsed.name, parsed.kind, parsed.attributes[0].value.int_value) == ("chat m", 3, 5)


def test_no_spans_make_an_empty_request() -> None:
    assert from_otlp_json(to_otlp_json([])) == []
