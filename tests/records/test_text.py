from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.records.text import clean, json_text


@given(st.text())
def test_text_that_can_be_stored_is_left_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_be_stored_afterwards(text: str) -> None:
    clean(text).encode()


def test_a_split_pair_is_joined_and_a_lone_half_is_marked() -> None:
    assert clean("a\ud83d\ude00b") == "a😀b"
    assert clean("a\ud83db") == "a�b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: object) -> None:
    assert json.loads(json_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"cost": Decimal("0.10")}, '{"cost":"0.10"}'),
        ({1: "one"}, '{"1":"one"}'),
        ({"big": 2**70}, '{"big":1180591620717411303424}'),
        ({"half": "\ud83d"}, '{"half":"�"}'),
        (("a", 1), '["a",1]'),
    ],
)
def test_what_json_cannot_hold_becomes_text(value: object, text: str) -> None:
    assert json_text(value) == text


def test_a_structure_that_contains_itself_is_cut_off() -> None:
    endless: list[object] = []
    endless.append(endless)

    assert json.loads(json_text(endless))


def test_a_structure_that_is_nested_more_deeply_than_python_can_show_is_cut_off() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert json.loads(json_text(deep))
