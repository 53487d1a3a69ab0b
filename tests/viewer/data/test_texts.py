"""Long and hostile values on their way to a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.viewer.data.texts import DEEPEST, MOST_VALUES, TOO_DEEP, TOO_MANY, Texts, document, is_deep, ref_of


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_is_cut_is_found_again_by_its_ref() -> None:
    values = {"a": ["x" * 30_000, "y" * 30_000], "b": "x" * 30_000}
    made = Texts().plain(values)
    assert made["a"][0] == made["b"]
    finder = Texts(wanted=made["a"][1]["ref"])
    finder.plain(values)
    assert finder.found == "y" * 30_000
    assert Texts(wanted="f" * 32).found is None


def test_a_text_of_the_limit_is_whole() -> None:
    assert Texts(5).text("12345") == "12345"
    assert Texts(5).text("123456") == {"cut": "12345", "chars": 6, "ref": ref_of("123456")}


@pytest.mark.parametrize("text", ["\ud800" * 30_000, "\0" * 30_000, "é" * 30_000])
def test_any_text_has_a_ref(text: str) -> None:
    assert len(Texts().text(text)["ref"]) == 32


def test_what_is_too_deep_or_too_wide_is_told() -> None:
    made = Texts().plain(nested(DEEPEST + 1))
    for _ in range(DEEPEST):
        (made,) = made
    assert made == TOO_DEEP
    assert Texts().plain({"wide": [0] * (MOST_VALUES + 1), "then": [1]}) == {"wide": TOO_MANY, "then": [1]}


def test_a_document_is_read_as_deep_as_it_can_be_shown() -> None:
    assert document(json.dumps(nested(DEEPEST))) == nested(DEEPEST)
    for levels in (DEEPEST + 1, 900, 5_000):
        text = "[" * levels + "]" * levels
        assert document(text) == text
    assert document("no json") == "no json"
    assert document(None) is None


@given(levels=st.integers(0, 2 * DEEPEST))
def test_depth_is_counted_in_containers(levels: int) -> None:
    assert is_deep(nested(levels)) is (levels > DEEPEST)


def test_names_are_cut_and_stay_apart() -> None:
    long = "n" * 10_000
    made = Texts().plain({long + "1": 1, long + "2": 2})
    assert sorted(made.values()) == [1, 2]
    assert all(len(name) < 600 for name in made)
