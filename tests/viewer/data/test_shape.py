from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.viewer.data.shape import columnar, cut, number, parsed, shortened, to_json, unix_ms


def there_and_back(value: Any) -> Any:
    return json.loads(to_json(value))


def test_what_is_no_number_is_null() -> None:
    assert there_and_back([math.nan, math.inf, -math.inf, 1.5]) == [None, None, None, 1.5]
    # The same on the way of rare values, which another encoder takes.
    assert there_and_back([math.nan, "\ud800"]) == [None, "\ud800"]


def test_money_is_the_nearest_double() -> None:
    exact = Decimal("0.1234567890123456789012345678901234567890")
    assert there_and_back({"usd": exact}) == {"usd": float(exact)}
    assert there_and_back([Decimal("NaN"), Decimal("1e999")]) == [None, None]


def test_moments_are_unix_milliseconds() -> None:
    moment = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
    assert there_and_back(moment) == 1767603600123.456
    assert there_and_back(moment.astimezone(timezone(timedelta(hours=2)))) == 1767603600123.456
    assert unix_ms(moment.replace(tzinfo=None)) == 1767603600123.456
    assert there_and_back(date(2026, 1, 5)) == "2026-01-05"


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert to_json("a\ud83d") == b'"a\\ud83d"'
    assert there_and_back({"\udc00": ["\ud800"]}) == {"\udc00": ["\ud800"]}


def test_what_json_has_no_form_for_is_told_in_words() -> None:
    assert there_and_back({1: b"\xff", "set": {2, 1}, "type": int}) == {"1": "�", "set": [1, 2], "type": str(int)}
    assert there_and_back(2**70) == 2**70
    assert there_and_back(10**5000) is None


def test_nothing_is_too_deep_or_goes_round_in_circles() -> None:
    deep: Any = "end"
    for _ in range(5000):
        deep = [deep]
    assert b"nested too deeply" in to_json(deep)
    circle: dict[str, Any] = {"name": "circle"}
    circle["itself"] = [circle]
    assert there_and_back(circle) == {"name": "circle", "itself": ["(contains itself)"]}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.decimals()
    | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner) | st.tuples(inner),
    max_leaves=10,
)  # fmt: skip


@given(anything)
def test_anything_becomes_json(value: Any) -> None:
    json.loads(to_json(value), parse_constant=pytest.fail)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_as_they_were(value: float) -> None:
    assert there_and_back(value) == value


def test_only_numbers_are_numbers() -> None:
    assert [number(value) for value in (1, 2.5, Decimal("0.1"))] == [1.0, 2.5, 0.1]
    assert [number(value) for value in (None, True, "7", math.inf, Decimal("NaN"), 10**400)] == [None] * 6


def test_rows_become_columns() -> None:
    made = columnar(({"a": n, "b": n * n} for n in range(3)), ["b", "missing"])
    assert made == {"count": 3, "columns": {"b": [0, 1, 4], "missing": [None, None, None]}}


def test_long_text_is_cut_and_says_so() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3, ref="r") == {"cut": "abc", "chars": 4, "ref": "r"}
    assert shortened("abcd", 3) == "abc…"
    assert shortened("abc", 3) == "abc"
    assert shortened(None) is None


def test_a_column_of_json_is_what_it_holds_and_else_what_it_is() -> None:
    assert parsed('{"a": [1]}') == {"a": [1]}
    assert parsed("{broken") == "{broken"
    assert parsed(None) is None
    assert math.isnan(parsed("[NaN]")[0])
