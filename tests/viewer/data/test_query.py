from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smoltrace.errors import UsageError
from smoltrace.viewer.data.query import Query, axis_of


def test_nothing_asked_is_the_first_page_by_success() -> None:
    query = Query.parse({})
    assert query == Query()
    assert (query.sort, query.offset, query.limit) == ((("success_rate", True),), 0, 100)


def test_everything_that_can_be_asked() -> None:
    query = Query.parse(
        {
            "tasks": "12345678", "model": ["a", "b", "a"], "price": "known", "tag": "team=a=b", "since": "2026-01-02",
            "until": "2026-01-03", "q": " Some  Words ", "sort": "-_cost,model, -_cost", "group": "model",
            "offset": "7", "limit": "0", "axis": "co2",
        }
    )  # fmt: skip
    assert query.facets == (("model", ("a", "b")), ("price", ("known",)))
    assert query.tag == ("team=a=b",)
    assert query.sort == (("_cost", True), ("model", False))
    assert query.words == ["some", "words"]
    assert query.until_end == datetime(2026, 1, 4, tzinfo=UTC)
    assert (query.group, query.offset, query.limit, query.axis) == ("model", 7, 0, "co2")


def test_a_mapping_of_several_values_is_asked_for_all_of_them() -> None:
    from starlette.datastructures import QueryParams

    query = Query.parse(QueryParams("agent=tool&agent=code&sort="))
    assert query.facets == (("agent", ("tool", "code")),)


def test_what_is_empty_is_not_asked() -> None:
    assert Query.parse({"tasks": "", "model": "", "q": "", "limit": "", "group": ""}) == Query()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"colour": "red"}, "'colour' cannot be asked here. There are: model"),
        ({"sort": "sucess_rate"}, "Did you mean success_rate"),
        ({"sort": "-nothing_like_it_at_all"}, "Any of its columns will do, and _cost"),
        ({"sort": ","}, "no such column"),
        ({"price": "cheap"}, "choose of known, free, unknown"),
        ({"status": "done"}, "choose of running, incomplete, completed"),
        ({"since": "yesterday"}, "Write YYYY-MM-DD"),
        ({"until": "9999-12-31"}, "is no day"),
        ({"limit": "501"}, "from 0 to 500"),
        ({"limit": "-1"}, "whole number"),
        ({"offset": "٣"}, "whole number from 0"),
        ({"offset": "1" * 40}, "whole number from 0"),
        ({"group": "provider"}, "by model only"),
        ({"axis": "joy"}, "cost, energy, co2, latency, tokens"),
        ({"tag": "team"}, "key=value"),
        ({"tasks": "1234567"}, "first 8 characters"),
        ({"q": ["a", "b"]}, "q is given more than once"),
    ],
)
def test_what_cannot_be_asked_says_what_can(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told.replace("+", r"\+")):
        Query.parse(asked)


def test_long_nonsense_is_not_repeated_whole() -> None:
    with pytest.raises(UsageError) as raised:
        Query.parse({"x" * 10_000: "1"})
    assert len(str(raised.value)) < 400
    with pytest.raises(UsageError):
        axis_of("")
