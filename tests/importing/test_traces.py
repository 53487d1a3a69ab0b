"""Traces are made whole, whatever was done to them on their way."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from support.runs import chat, span, trace_of

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.spans import Span
from smoltrace.importing.traces import fold, made_whole
from smoltrace.records.messages import restore
from smoltrace.records.traces import in_order


@given(st.permutations(trace_of(1)), st.lists(st.sampled_from(trace_of(1)), max_size=5))
def test_order_and_repetition_make_no_difference(spans: list[Span], again: list[Span]) -> None:
    assert made_whole([*spans, *again]) == (in_order(trace_of(1)), False)


def test_of_two_copies_the_finished_one_counts() -> None:
    whole = trace_of(1)
    begun = [replace(each, end_ns=each.start_ns, attributes={}) for each in whole]
    assert made_whole([*whole, *begun]).spans == made_whole([*begun, *whole]).spans == in_order(whole)


def test_a_circle_is_cut_at_its_earliest_span() -> None:
    spans = [
        span(1, 1, 3, "a", (5, 9)),
        span(1, 2, 1, "b", (6, 8)),
        span(1, 3, 2, "c", (7, 8)),
        span(1, 4, 3, "d", (7, 8)),
    ]
    found = made_whole(spans)
    assert found.circular
    assert {each.name: each.parent_span_id is None for each in found.spans} == {
        "a": True,
        "b": False,
        "c": False,
        "d": False,
    }
    alone = made_whole([span(1, 1, 1, "self", (0, 1))])
    assert alone.circular
    assert alone.spans[0].parent_span_id is None


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9)), min_size=1, max_size=12))
def test_every_way_up_ends(edges: list[tuple[int, int]]) -> None:
    found = made_whole(span(1, number, parent, "s", (number, number + 1)) for number, parent in edges)
    above = {each.span_id: each.parent_span_id for each in found.spans}
    for start in above:
        at: str | None = start
        for _ in range(len(above) + 1):
            at = above.get(at or "")
        assert at is None


def test_prompts_are_kept_once_and_come_back_whole() -> None:
    said = [
        json.dumps({"role": "user", "parts": [{"type": "text", "content": f"{n}"}]}, separators=(",", ":"))
        for n in "abc"
    ]
    spans = [
        chat(1, number, 1, (number, number + 1), (10, 1), **{names.INPUT_MESSAGES: f"[{','.join(said[:number])}]"})
        for number in (1, 2, 3)
    ]
    folded = fold(spans)
    assert [each.attributes.get(names.INPUT_REFS) for each in folded] == ["[0]", "[[0,1]]", "[[0,2]]"]
    assert sum(len(str(each.attributes.get(names.INPUT_MESSAGES, ""))) for each in folded) < sum(map(len, said)) + 10
    assert restore(folded) == spans
    assert fold(folded) == folded
    assert calls_in(folded) == calls_in(spans)


def test_prompts_that_would_not_come_back_the_same_are_left() -> None:
    for text in ('[{"n": 1}]', "no JSON", "[]", '{"role":"user"}', "[1e999]"):
        spans = [chat(1, 2, 1, (0, 1), (1, 1), **{names.INPUT_MESSAGES: text})]
        assert fold(spans) == spans
