"""The plain dictionaries of the documented functions: what is given is plain, and much is understood."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from support.runs import PRICES, execution, trace_of

from smoltrace.books.spans import Event, Span
from smoltrace.records.documented import (
    joined,
    plain,
    plain_span,
    plain_trace,
    results_in,
    row_from,
    span_from,
    spans_in,
    trace_from,
    traces_of,
)
from smoltrace.records.results import result_row
from smoltrace.records.schema import RESULTS, TRACES, record_batch
from smoltrace.records.traces import trace_row

SPAN = Span(
    trace_id="a" * 32,
    span_id="b" * 16,
    parent_span_id="c" * 16,
    name="chat m",
    kind="CLIENT",
    start_ns=5_000_000,
    end_ns=9_000_000,
    attributes={"k": [1, 2]},
    events=(Event("e", 6, {"x": True}),),
    status="ERROR",
    status_description="slow",
    scope="other",
    resource={"run_id": "r"},
)


def test_a_span_survives_the_way_to_a_dictionary_and_back() -> None:
    assert span_from(plain_span(SPAN)) == SPAN


def test_spans_as_earlier_versions_and_the_hub_have_them_are_understood() -> None:
    given = {
        "trace_id": "0xab",
        "span_id": "0x1",
        "parent_span_id": None,
        "name": "chat",
        "kind": "SpanKind.CLIENT",
        "start_time": 10,
        "end_time": 30,
        "attributes": json.dumps({"gen_ai.request.model": "m"}),
        "events": json.dumps([{"name": "e", "timestamp": 12, "attributes": {}}]),
        "status": {"code": 1},
        "resource": {"attributes": {"run_id": "r"}},
    }
    span = span_from(given)
    assert (span.trace_id, span.span_id) == ("ab".zfill(32), "1".zfill(16))
    assert (span.kind, span.status) == ("CLIENT", "OK")
    assert span.attributes == {"gen_ai.request.model": "m"}
    assert span.resource == {"run_id": "r"}
    assert (span.events[0].name, span.events[0].time_ns) == ("e", 12)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"attributes": None, "events": None, "status": None, "resource": None},
        {"attributes": "no json", "kind": "?"},
    ],
)
def test_a_span_that_says_little_is_still_a_span(given: dict[str, Any]) -> None:
    span = span_from(given)
    assert (span.attributes, span.events, span.kind, span.status) == ({}, (), "INTERNAL", "UNSET")


def test_a_duration_stands_in_for_an_end() -> None:
    assert span_from({"start_time": 1_000_000, "duration_ms": 2.5}).end_ns == 3_500_000


def test_a_row_is_brought_to_its_types() -> None:
    row = row_from(
        RESULTS,
        {
            "gen_ai.usage.cost.total": 0.1,
            "gen_ai.usage.cost.prompt": "0.05",
            "gen_ai.usage.cost.completion": "much",
            "scores": {"a": True},
            "start_time": "2026-01-02T03:04:05+00:00",
            "end_time": "soon",
            "unknown": 1,
        },
    )
    assert tuple(row) == RESULTS.names
    assert row["gen_ai.usage.cost.total"] == Decimal("0.1")
    assert row["gen_ai.usage.cost.prompt"] == Decimal("0.05")
    assert row["gen_ai.usage.cost.completion"] is None
    assert row["scores"] == '{"a":true}'
    assert row["start_time"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert row["end_time"] is None


def test_a_row_of_a_run_survives_the_way_to_a_dictionary_and_back() -> None:
    row = result_row(execution())
    given = plain(row)
    assert not any(isinstance(value, Decimal) for value in given.values())
    assert row_from(RESULTS, given) == row


def test_a_trace_of_a_run_survives_the_way_to_a_dictionary_and_back() -> None:
    made = execution()
    result = result_row(made)
    assert trace_from(plain_trace(result, made.spans)) == trace_row(result, made.spans)


def test_spans_make_the_same_trace_as_the_run_did() -> None:
    made = execution()
    (trace,) = traces_of([plain_span(span) for span in made.spans], "made", PRICES)
    of_run = plain_trace(result_row(made), made.spans)
    for name in ("trace_id", "total_tokens", "total_cost_usd", "total_duration_ms", "spans", "span_count"):
        assert trace[name] == of_run[name]


def test_duplicated_and_reordered_spans_change_nothing() -> None:
    spans = [plain_span(span) for span in trace_of(1)]
    (once,), (twice,) = traces_of(spans, "r", PRICES), traces_of([*reversed(spans), *spans], "r", PRICES)
    assert once == twice


def test_a_sparse_trace_can_be_stored() -> None:
    row = trace_from({"trace_id": "t", "total_cost_usd": 0.5, "spans": [{"name": "a"}]})
    assert tuple(row) == TRACES.names
    assert record_batch(TRACES, [row]).num_rows == 1
    assert spans_in({"spans": None}) == []


def test_results_take_their_agent_type_from_where_they_stand() -> None:
    rows = list(results_in({"tool": [{"test_id": "a"}], "code": [{"test_id": "b", "agent_type": "own"}]}))
    assert [(row["test_id"], row["agent_type"]) for row in rows] == [("a", "tool"), ("b", "own")]


@pytest.mark.parametrize("info", ["no json", "[1]", None])
def test_unreadable_trace_information_is_left_alone(info: Any) -> None:
    (row,) = results_in({"tool": [{"test_id": "a", "enhanced_trace_info": info}]})
    assert (row["enhanced_trace_info"], row["trace_id"]) == (info, None)


def test_a_result_and_its_trace_find_each_other_by_id_or_by_test() -> None:
    results = {"tool": [{"test_id": "a", "trace_id": "x"}, {"test_id": "b"}, {"test_id": "c"}]}
    traces = [
        {"trace_id": "x", "test_id": "other", "total_tokens": 1},
        {"test_id": "b", "agent_type": "tool", "total_tokens": 2, "total_cost_usd": 0.5, "avg_tbt": 0.1},
        {"test_id": "b", "agent_type": "code", "total_tokens": 9},
    ]
    found = {row["test_id"]: row for row, _ in joined(results, traces)}
    assert found["a"]["gen_ai.usage.total_tokens"] == 1
    assert found["b"]["gen_ai.usage.total_tokens"] == 2
    assert found["b"]["gen_ai.usage.cost.total"] == Decimal("0.5")
    assert found["b"]["gen_ai.server.tbt"] == 0.1
    assert found["c"]["gen_ai.usage.total_tokens"] is None


def test_what_a_result_says_itself_is_not_overwritten_by_its_trace() -> None:
    results = {"tool": [{"test_id": "a", "trace_id": "x", "gen_ai.usage.total_tokens": 5}]}
    ((row, trace),) = joined(results, [{"trace_id": "x", "total_tokens": 1}])
    assert row["gen_ai.usage.total_tokens"] == 5
    assert trace is not None
