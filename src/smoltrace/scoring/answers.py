"""Whether an answer is right: keywords as whole words, expected values by their kind."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w])")
_TRUE = ("true", "yes")
_FALSE = ("false", "no")


def normalise(text: str) -> str:
    """Text for comparing: compatibility forms folded, case folded, runs of white space as one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def holds_words(answer: str, phrase: str) -> bool:
    """Whether `phrase` stands in `answer` as whole words: "rain" is not in "train", "5" is not in "15" or "5.2".

    Both are taken as `normalise` leaves them. An edge of the phrase that is no word character needs no border:
    "22°" is in "22°C".
    """
    phrase = normalise(phrase)
    if not phrase:
        return True
    before = r"(?<!\w)(?<!\d[.,])" if re.match(r"\w", phrase) else ""
    after = r"(?!\w)(?![.,]\d)" if re.search(r"\w$", phrase) else ""
    return re.search(before + re.escape(phrase) + after, normalise(answer)) is not None


def holds_keywords(answer: str, keywords: Iterable[str], match: str = "all") -> bool:
    """Whether all (or, with `match="any"`, any) of the keywords stand in the answer as whole words."""
    found = [holds_words(answer, keyword) for keyword in keywords]
    return any(found) if match == "any" else all(found)


def numbers_in(text: str) -> list[Decimal]:
    """The numbers that stand in a text, with thousands separators and signs understood."""
    numbers = []
    for found in _NUMBER.findall(text):
        try:
            numbers.append(Decimal(found.replace(",", "").replace("−", "-")))
        except InvalidOperation:
            continue
    return numbers


def matches_expected(answer: str, expected: Any) -> bool:
    """Whether an answer holds what is expected.

    A number must stand in the answer as a number of the same value ("4.0" is 4, "1,200" is 1200), to one part in 10⁹;
    a boolean as yes/no or true/false; a text as whole words; every element of a list; a mapping as equal JSON.
    """
    if isinstance(expected, bool):
        wanted, other = (_TRUE, _FALSE) if expected else (_FALSE, _TRUE)
        says = [holds_words(answer, word) for word in wanted]
        return any(says) and not any(holds_words(answer, word) for word in other)
    if isinstance(expected, (int, float, Decimal)):
        wanted_number = Decimal(str(expected))
        tolerance = abs(wanted_number) * Decimal("1e-9")
        return any(abs(number - wanted_number) <= tolerance for number in numbers_in(answer))
    if isinstance(expected, str):
        return holds_words(answer, expected)
    if isinstance(expected, (list, tuple)):
        return all(matches_expected(answer, item) for item in expected)
    try:
        return bool(json.loads(answer) == expected)
    except ValueError:
        return False
