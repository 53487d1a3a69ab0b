from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smoltrace.records.times import parse_time, time_of, unix_ns


@given(st.integers(0, 2**62))
def test_a_moment_keeps_its_microseconds(ns: int) -> None:
    assert unix_ns(time_of(ns)) == ns // 1000 * 1000


def test_text_with_a_zone_and_without_one() -> None:
    expected = datetime(2025, 6, 1, 10, 0, tzinfo=UTC)

    assert parse_time("2025-06-01T12:00:00+02:00") == expected
    assert parse_time("2025-06-01T10:00:00") == expected
    assert parse_time("2025-06-01T10:00:00Z") == expected


def test_what_names_no_moment_is_none() -> None:
    assert parse_time(None) is None
    assert parse_time("yesterday") is None
