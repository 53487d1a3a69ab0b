"""Whether an answer is right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.scoring.answers import holds_keywords, holds_words, matches_expected, numbers_in


@pytest.mark.parametrize(
    ("answer", "phrase", "holds"),
    [
        ("It will rain in Paris", "rain", True),
        ("Take the train", "rain", False),
        ("RAIN, heavy", "rain", True),
        ("The result is 15", "5", False),
        ("The result is 5.2", "5", False),
        ("The result is 5.", "5", True),
        ("The total is 1,250 euros", "250", False),
        ("22°C and sunny", "22°", True),
        ("new   york city", "New York", True),
        ("Straße", "STRASSE", True),
        ("anything", "", True),
        ("", "word", False),
    ],
)
def test_a_keyword_is_a_whole_word(answer: str, phrase: str, holds: bool) -> None:
    assert holds_words(answer, phrase) is holds


def test_all_keywords_by_default_and_any_on_request() -> None:
    assert not holds_keywords("sunny", ["sunny", "warm"])
    assert holds_keywords("sunny", ["sunny", "warm"], "any")
    assert holds_keywords("warm and sunny", ["sunny", "warm"])


def test_no_keywords_ask_for_nothing_and_any_of_none_is_nothing() -> None:
    assert holds_keywords("whatever", [])
    assert not holds_keywords("whatever", [], "any")


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [
        ("4.0", 4, True),
        ("It is 1,200 in all", 1200, True),
        ("minus: -3", -3, True),
        ("−3 degrees", -3, True),
        ("13", 3, False),
        ("v3", 3, False),
        ("1e3", 1000, True),
        ("about 0.1", 0.1, True),
        ("0.1000001", 0.1, False),
        ("Yes, it is", True, True),
        ("No", True, False),
        ("yes and no", True, False),
        ("false", False, True),
        ("Paris is the capital", "paris", True),
        ("Parisian", "paris", False),
        ("Paris 21", ["paris", 21], True),
        ("Paris 22", ["paris", 21], False),
        ('{"a": 1}', {"a": 1}, True),
        ('{"a": 2}', {"a": 1}, False),
        ("no json", {"a": 1}, False),
    ],
)
def test_an_expected_value_is_matched_by_its_kind(answer: str, expected: object, right: bool) -> None:
    assert matches_expected(answer, expected) is right


@given(st.integers(-(10**12), 10**12))
def test_a_number_is_found_however_it_is_written(number: int) -> None:
    assert matches_expected(f"the answer is {number}.", number)
    assert matches_expected(f"the answer is {number:,}", number)


@given(st.text(), st.text())
def test_any_text_can_be_judged(answer: str, expected: str) -> None:
    assert holds_words(answer, expected) in (True, False)
    assert isinstance(numbers_in(answer), list)


@given(st.text(min_size=1))
def test_an_answer_holds_itself(text: str) -> None:
    assert holds_words(text, text)
