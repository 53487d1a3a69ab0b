"""What is left of a trace whose process was killed."""

from __future__ import annotations

import pytest

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.evaluation.engines.mirror import Mirror


def span(span_id: str, parent: str | None, start_ns: int, end_ns: int = 0) -> Span:
    return Span("t" * 32, span_id, parent, f"span {span_id}", "INTERNAL", start_ns, end_ns or start_ns, {})


@pytest.fixture
def mirror() -> Mirror:
    """A root with an agent, in it a call that ended and a tool that did not."""
    mirror = Mirror()
    for each in (
        span("root", None, 10),
        span("agent", "root", 20),
        span("call", "agent", 30),
        span("tool", "agent", 50),
    ):
        mirror.started(each)
    mirror.ended(span("call", "agent", 30, 40))
    return mirror


def test_nothing_was_told() -> None:
    assert not Mirror().has_begun
    assert Mirror().close() == []


def test_what_has_ended_is_known_at_any_time(mirror: Mirror) -> None:
    assert mirror.has_begun
    assert [each.span_id for each in mirror.so_far()] == ["call"]


def test_what_was_open_is_closed_from_the_innermost_out_and_marked(mirror: Mirror) -> None:
    spans = mirror.close()
    assert [each.span_id for each in spans] == ["call", "tool", "agent", "root"]
    call, tool, agent, root = spans
    assert call.end_ns == 40
    assert names.UNFINISHED not in call.attributes
    for left in (tool, agent):
        assert left.attributes[names.UNFINISHED] is True
        assert left.status == "ERROR"
        assert left.end_ns == root.end_ns > left.start_ns
    assert names.UNFINISHED not in root.attributes


def test_a_verdict_is_noted_at_the_root(mirror: Mirror) -> None:
    mirror.event(names.EVALUATION_EVENT, {names.EVALUATION_NAME: "success"})
    mirror.fail("timeout", "too long")
    *_, root = mirror.close()
    assert [event.attributes for event in root.events] == [{names.EVALUATION_NAME: "success"}]
    assert (root.attributes[names.ERROR_TYPE], root.status, root.status_description) == ("timeout", "ERROR", "too long")


def test_a_span_that_ends_while_the_trace_is_closed_is_there_once(mirror: Mirror) -> None:
    mirror.ended(span("tool", "agent", 50, 60))
    assert [each.span_id for each in mirror.close()] == ["call", "tool", "agent", "root"]
