"""OTLP JSON as exporters write it, and as nobody should."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.otlp_json import START, TRACE, request, span

from smoltrace.books.spans import Event, Span
from smoltrace.importing.decoding import DEEPEST, decode, id_of
from smoltrace.records.otlp import to_otlp_json


def one(**changes: Any) -> Span:
    """The span that is read where a span of the plain form is changed so."""
    (found,) = decode(request(span(1, **changes))).spans
    return found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (TRACE.upper(), TRACE),
        ("0x" + TRACE, TRACE),
        (base64.b64encode(bytes.fromhex(TRACE)).decode(), TRACE),
        (base64.b64encode(bytes.fromhex(TRACE)).decode().rstrip("="), TRACE),
        ("d269b633813fc60c", "0" * 16 + "d269b633813fc60c"),
    ],
)
def test_ids_of_every_spelling_are_one(written: str, read: str) -> None:
    assert one(traceId=written).trace_id == read


@given(st.binary(min_size=8, max_size=8).filter(any))
def test_an_id_is_the_same_as_hexadecimal_and_as_base64(raw: bytes) -> None:
    assert id_of(raw.hex(), 8) == id_of(raw.hex().upper(), 8) == id_of(base64.b64encode(raw).decode(), 8) == raw.hex()


@pytest.mark.parametrize("nothing", ["", None, "0000000000000000", "AAAAAAAAAAA="])
def test_a_parent_that_is_none_is_none(nothing: str | None) -> None:
    assert one(parentSpanId=nothing).parent_span_id is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"traceId": "f" * 33}, "is no id of 16 bytes"),
        ({"spanId": 2**80}, "is no id of 8 bytes"),
        ({"traceId": "0" * 32}, "has no traceId"),
        ({"spanId": None}, "no spanId"),
        ({"startTimeUnixNano": "yesterday"}, "no time in nanoseconds"),
        ({"endTimeUnixNano": str(2**70)}, "has a time that is none"),
        ({"startTimeUnixNano": -1}, "has a time that is none"),
        ({"events": [{"timeUnixNano": float("inf")}]}, "no time in nanoseconds"),
        ({"events": "none"}, "events is no list"),
        ({"events": [7]}, "holds something that is no object"),
    ],
)
def test_what_is_no_span_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        one(**changes)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (7, "no JSON object"),
        ({"foo": 1}, "no resourceSpans"),
        ({"resourceSpans": 7}, "is no list"),
        ({"resourceSpans": [7]}, "holds something that is no object"),
        ({"data": [{"traceID": "1", "spans": []}]}, "Jaeger's own JSON"),
        ({"name": "x", "context": {}, "attributes": {}}, "console exporter"),
    ],
)
def test_what_is_no_otlp_is_refused(document: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode(document)


def test_older_and_other_containers_are_understood() -> None:
    plain = request(span(1))
    scoped = plain["resourceSpans"][0]["scopeSpans"][0]
    old = {"instrumentationLibrarySpans": [{"instrumentationLibrary": scoped["scope"], "spans": scoped["spans"]}]}
    snake = {
        "resource_spans": [
            {
                "resource": {"attributes": {"service.name": "x"}},
                "scope_spans": [
                    {
                        "scope": scoped["scope"],
                        "spans": [
                            {
                                "trace_id": TRACE,
                                "span_id": "1",
                                "parent_span_id": "2",
                                "start_time_unix_nano": START,
                                "end_time_unix_nano": START,
                            }
                        ],
                    }
                ],
            }
        ]
    }
    wrapped = [{"result": plain}, {"batches": plain["resourceSpans"]}, plain["resourceSpans"][0]]
    for document in ([plain], *wrapped, {"resourceSpans": [old]}, snake):
        (found,) = decode(document).spans
        assert (found.scope, found.trace_id, found.span_id) == ("framework", TRACE, "0" * 15 + "1")
    assert (found.parent_span_id, found.start_ns, found.resource) == ("0" * 15 + "2", START, {"service.name": "x"})


@pytest.mark.parametrize("kind", [3, "3", 3.0, "SPAN_KIND_CLIENT", "client"])
@pytest.mark.parametrize("code", [2, "STATUS_CODE_ERROR", "Error"])
def test_enums_are_numbers_or_names(kind: Any, code: Any) -> None:
    found = one(kind=kind, status={"code": code, "message": "no luck"})
    assert (found.kind, found.status, found.status_description) == ("CLIENT", "ERROR", "no luck")


def test_unknown_enums_and_missing_fields_have_their_defaults() -> None:
    (found,) = decode(
        request({"traceId": TRACE, "spanId": "1", "kind": float("inf"), "status": {"code": "UNHEARD"}})
    ).spans
    assert (found.kind, found.status, found.status_description, found.parent_span_id) == (
        "INTERNAL",
        "UNSET",
        None,
        None,
    )
    assert (found.start_ns, found.end_ns, found.attributes, found.events) == (0, 0, {}, ())


def test_times_are_numbers_or_text_and_no_span_ends_before_it_starts() -> None:
    assert one(startTimeUnixNano=START, endTimeUnixNano=START - 5).duration_ms == 0
    assert one(startTimeUnixNano=str(START), endTimeUnixNano=None).end_ns == START
    assert one(startTimeUnixNano=0, endTimeUnixNano=START).start_ns == START
    assert one(events=[{"name": "e", "timeUnixNano": START}]).events == (Event("e", START, {}),)


def test_attributes_are_values_or_plain_json() -> None:
    listed = [
        {"key": "text", "value": {"stringValue": "a"}},
        {"key": "int", "value": {"intValue": 7}},
        {"key": "float", "value": {"double_value": "NaN"}},
        {"key": "flag", "value": {"boolValue": True}},
        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "b"}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "x", "value": {"intValue": "1"}}]}}},
        {"key": "bytes", "value": {"bytesValue": "aGk="}},
        {"key": "nothing", "value": {}},
        {"key": "absent"},
    ]
    found = decode(request({**span(1), "attributes": listed})).spans[0].attributes
    assert str(found.pop("float")) == "nan"
    assert found == {
        "text": "a",
        "int": 7,
        "flag": True,
        "list": [1, "b"],
        "map": {"x": 1},
        "bytes": b"hi",
        "nothing": None,
        "absent": None,
    }
    plain = decode(request({**span(1), "attributes": {"a": 1, "b": [1, "c"], "d": {"e": 1, "f": 2}}})).spans[0]
    assert plain.attributes == {"a": 1, "b": [1, "c"], "d": '{"e":1,"f":2}'}


@pytest.mark.parametrize(
    "wrong",
    [
        {"intValue": "seven"},
        {"doubleValue": {}},
        {"intValue": None},
        {"intValue": float("inf")},
        {"doubleValue": 10**400},
    ],
)
def test_a_number_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="is no"):
        decode(request({**span(1), "attributes": [{"key": "n", "value": wrong}]}))


@pytest.mark.parametrize("kind", ["arrayValue", "plain", "kvlistValue"])
def test_what_is_nested_too_deeply_is_kept_as_text_that_every_file_can_hold(kind: str) -> None:
    value: Any = {"stringValue": "deep"} if kind != "plain" else "deep"
    for _ in range(200):
        if kind == "plain":
            value = [value]
        elif kind == "arrayValue":
            value = {"arrayValue": {"values": [value]}}
        else:
            value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
    found = decode(request({**span(1), "attributes": [{"key": "n", "value": value}]})).spans
    depth, at = 0, found[0].attributes["n"]
    while isinstance(at, list | dict):
        depth, at = depth + 1, next(iter(at.values())) if isinstance(at, dict) else at[0]
    assert depth == DEEPEST
    assert "deep" in at
    assert b"deep" in to_otlp_json(found)
