"""What is asked of the leaderboard: which runs, in which order, how many."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from smoltrace.errors import UsageError
from smoltrace.records.schema import LEADERBOARD

ALL: Final = "all"
"""The value of `tasks` that stands for every task set."""
MOST_ROWS: Final = 500
LONGEST_Q: Final = 200
"""Characters of `q`: each of its words is looked for in every run."""
FACETS: Final = {
    "model": "model",
    "agent": "agent_type",
    "provider": "provider",
    "price": "price",
    "status": "status",
    "country": "country",
}
"""Filters by one value of a run: the name in a query, and the name of the facet."""
PRICES: Final = ("known", "free", "unknown")
STATUSES: Final = ("running", "incomplete", "completed")
AXES: Final = ("cost", "energy", "co2", "latency", "tokens")
MADE: Final = ("_cost", "_energy", "_co2", "_rank")
"""What can be sorted by besides the columns of the leaderboard."""
DEFAULT_SORT: Final = (("success_rate", True),)
NEWEST: Final = (("evaluation_date", True),)

_LISTS: Final = (*FACETS, "tag")
_SINGLE: Final = ("tasks", "since", "until", "q", "sort", "group", "offset", "limit", "axis")
_SHORTEST_PREFIX: Final = 8
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the leaderboard. `parse` reads it from the names and values of an address.

    tasks     fingerprint of a task set or the beginning of one, "all", or None for the set that most runs are of
    facets    by the name in a query (see FACETS) the values that are let through; what is absent lets all through
    tag       `key=value`: runs with any of them
    since     first day, until: last day, both UTC and whole
    q         words that must all be in what a run tells of itself
    sort      columns with whether the order is downwards; nulls come last either way
    """

    tasks: str | None = None
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tag: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""
    sort: tuple[tuple[str, bool], ...] = DEFAULT_SORT
    group: Literal["model"] | None = None
    offset: int = 0
    limit: int = 100
    axis: str = "cost"

    @staticmethod
    def parse(asked: Mapping[str, str | Sequence[str]]) -> Query:
        """The question that names and values ask. A name's value is one text, or several; a mapping that has
        `multi_items`, as of a web framework, is asked for all of them. Empty values count as not given.

        Raises UsageError, saying what is allowed, for names and values that are none.
        """
        lists, single = _sorted_out(asked)
        group = single.get("group")
        if group not in (None, "model"):
            raise UsageError(f"group={_some(group)}: runs can be grouped by model only.")
        return Query(
            tasks=_tasks(single.get("tasks")),
            facets=tuple((name, _checked(name, lists[name])) for name in FACETS if name in lists),
            tag=_tags(lists.get("tag", [])),
            since=_day("since", single.get("since")),
            until=_day("until", single.get("until")),
            q=short_enough(single.get("q", "").strip()),
            sort=_sort(single.get("sort")),
            group="model" if group else None,
            offset=_whole("offset", single.get("offset"), 0, None),
            limit=_whole("limit", single.get("limit"), 100, MOST_ROWS),
            axis=axis_of(single.get("axis", AXES[0])),
        )

    @property
    def until_end(self) -> datetime | None:
        """The first moment that `until` leaves out."""
        return None if self.until is None else self.until + timedelta(days=1)

    @property
    def words(self) -> list[str]:
        """The words of `q`, each once, in small letters."""
        return words_of(self.q)


def short_enough(q: str) -> str:
    """The text as it is. Raises UsageError for one in which too much is looked for."""
    if len(q) > LONGEST_Q:
        raise UsageError(f"q has {len(q)} characters. Look for words, in no more than {LONGEST_Q}.")
    return q


def words_of(q: str) -> list[str]:
    """The words of a text, each once, in small letters."""
    return list(dict.fromkeys(q.lower().split()))


def axis_of(name: str) -> str:
    """The axis of this name. Raises UsageError for any other."""
    if name not in AXES:
        raise UsageError(f"axis={_some(name)}: success can be set against {', '.join(AXES)}.")
    return name


def _sorted_out(asked: Mapping[str, str | Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, str]]:
    lists: dict[str, list[str]] = {}
    single: dict[str, str] = {}
    for name, value in _pairs(asked):
        if name not in _LISTS and name not in _SINGLE:
            raise UsageError(f"'{_some(name)}' cannot be asked here. There are: {', '.join((*_LISTS, *_SINGLE))}.")
        if not value:
            continue
        if name in _LISTS:
            if value not in lists.setdefault(name, []):
                lists[name].append(value)
        elif single.setdefault(name, value) != value:
            raise UsageError(f"{name} is given more than once. Write it once.")
    return lists, single


def _pairs(asked: Mapping[str, str | Sequence[str]]) -> Iterable[tuple[str, str]]:
    if callable(every := getattr(asked, "multi_items", None)):
        yield from every()
        return
    for name, value in asked.items():
        for each in [value] if isinstance(value, str) else value:
            yield name, each


def _tasks(text: str | None) -> str | None:
    if text is None or text == ALL:
        return text
    if len(text) < _SHORTEST_PREFIX:
        raise UsageError(
            f"tasks={_some(text)}: write a task set's fingerprint or its first {_SHORTEST_PREFIX} characters, or 'all'."
        )
    return text


def _checked(name: str, values: list[str]) -> tuple[str, ...]:
    allowed = {"price": PRICES, "status": STATUSES}.get(name)
    for value in values:
        if allowed is not None and value not in allowed:
            raise UsageError(f"{name}={_some(value)}: choose of {', '.join(allowed)}.")
    return tuple(values)


def _tags(values: list[str]) -> tuple[str, ...]:
    for value in values:
        if "=" not in value:
            raise UsageError(f"tag={_some(value)}: write key=value, as in tag=team%3Dsearch.")
    return tuple(values)


def _day(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        if name == "until":
            found + timedelta(days=1)
    except (ValueError, OverflowError):
        raise UsageError(f"{name}={_some(text)} is no day. Write YYYY-MM-DD, as in 2026-01-31.") from None
    return found


def _sort(text: str | None) -> tuple[tuple[str, bool], ...]:
    if text is None:
        return DEFAULT_SORT
    keys: dict[str, bool] = {}
    for part in text.split(","):
        name = part.strip()
        down, name = name.startswith("-"), name.removeprefix("-")
        if name not in LEADERBOARD.by_name and name not in MADE:
            raise UsageError(f"sort={_some(part)}: {_no_column(name)}")
        keys.setdefault(name, down)
    return tuple(keys.items())


def _no_column(name: str) -> str:
    near = difflib.get_close_matches(name[:100], (*LEADERBOARD.names, *MADE), n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else f"Any of its columns will do, and {', '.join(MADE)}."
    return f"the leaderboard has no such column. {hint}"


def _whole(name: str, text: str | None, default: int, most: int | None) -> int:
    if text is None:
        return default
    allowed = "a whole number from 0" if most is None else f"a whole number from 0 to {most}"
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS or (most is not None and int(text) > most):
        raise UsageError(f"{name}={_some(text)}: write {allowed}.")
    return int(text)


def _some(text: str | None) -> str:
    text = str(text)
    return text if len(text) <= 40 else f"{text[:40]}…"
