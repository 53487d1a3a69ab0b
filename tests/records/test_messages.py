from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.records.messages import pack_refs, restore, unpack_refs


def span(number: int, trace: str = "a", **attributes: object) -> Span:
    return Span(trace * 32, f"{number:016x}", None, "chat m", "CLIENT", number, number + 1, attributes=attributes)


def call(number: int, refs: object, new: list[str] | None = None, first: int = 0, trace: str = "a") -> Span:
    attributes: dict[str, object] = {names.INPUT_REFS: json.dumps(refs)}
    if new is not None:
        attributes |= {names.INPUT_FIRST: first, names.INPUT_MESSAGES: json.dumps(new)}
    return span(number, trace, **attributes)


def prompts(spans: list[Span]) -> list[object]:
    return [json.loads(s.attributes[names.INPUT_MESSAGES]) for s in spans]


def test_runs_of_numbers_are_packed() -> None:
    assert pack_refs([0, 1, 2, 7, 9, 10]) == [[0, 2], 7, [9, 10]]
    assert pack_refs([3, 2, 2, 3]) == [3, 2, [2, 3]]
    assert pack_refs([]) == []


@given(st.lists(st.integers(0, 30)))
def test_packing_loses_nothing(numbers: list[int]) -> None:
    assert list(unpack_refs(json.loads(json.dumps(pack_refs(numbers))))) == numbers


def test_prompts_become_whole_in_any_order_of_spans() -> None:
    given = [call(2, [[0, 1]], ["b"], first=1), call(1, [0], ["a"])]
    assert prompts(restore(given)) == [["a", "b"], ["a"]]


def test_traces_do_not_lend_each_other_messages() -> None:
    given = [call(1, [0], ["a"], trace="a"), call(1, [0], ["b"], trace="b")]
    assert prompts(restore(given)) == [["a"], ["b"]]


def test_restored_spans_have_no_references_and_stay_as_they_are() -> None:
    restored = restore([call(1, [0], ["a"]), span(2, x=1)])
    assert names.INPUT_REFS not in restored[0].attributes
    assert names.INPUT_FIRST not in restored[0].attributes
    assert restored[1].attributes == {"x": 1}
    assert restore(restored) == restored


def test_foreign_prompts_are_left_alone() -> None:
    foreign = span(1, **{names.INPUT_MESSAGES: '[{"role":"user"}]'})
    assert restore([foreign]) == [foreign]
