"""The runs that a query lets through, as a table of numbers: what everything that is shown is asked of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import UsageError
from smoltrace.viewer.data.query import ALL, FACETS, PRICES, STATUSES
from smoltrace.viewer.data.ranks import Ranks
from smoltrace.viewer.data.shape import unix_ms

if TYPE_CHECKING:
    from smoltrace.viewer.data.catalogue import Snapshot
    from smoltrace.viewer.data.database import Asking
    from smoltrace.viewer.data.frame import Frame
    from smoltrace.viewer.data.query import Query

SEVERAL_SETS: Final = "several task sets"
SET_UNKNOWN: Final = "task set unknown"
MOST_VALUES: Final = 1_000

_COLUMN: Final = {"price": "_price", "status": "_state"}
"""Where a facet's numbers stand; the others' in `c_` and the facet's name."""
_COLUMNS: Final = (
    *("_i", "_o", "_date", "_state", "c_tags", "c_dataset_fingerprint"),
    *("success_rate_ci_low AS low", "success_rate_ci_high AS high"),
)


@dataclass(frozen=True, slots=True)
class Facets:
    """What a query's runs are: `total`, how many for each value of each facet, and their ranks, or why they have none.

    The counts of a facet leave its own filter out, so that they tell what choosing another value would show. `more`
    says how many values were left out.
    """

    total: int
    values: dict[str, list[dict[str, Any]]]
    more: dict[str, int]
    ranks: Ranks | None
    rank_reason: str | None


def tasks_of(snapshot: Snapshot, asked: str | None) -> str | None:
    """The fingerprint that `tasks` of a query means, "all", or None in a store without task sets.

    Raises UsageError where no run has it, and where a beginning fits several.
    """
    prints = [each["fingerprint"] for each in snapshot.task_sets]
    if asked is None:
        return prints[0] if prints else None
    if asked == ALL or asked in prints:
        return asked
    fitting = [each for each in prints if each.startswith(asked)]
    if len(fitting) == 1:
        return str(fitting[0])
    if fitting:
        raise UsageError(f"tasks={asked[:40]} is the beginning of {len(fitting)} task sets. Write more of it.")
    some = ", ".join(f"{each['fingerprint'][:8]} ({each['name']})" for each in snapshot.task_sets[:5])
    raise UsageError(f"tasks={asked[:40]}: no run has these tasks. There are: {some or 'none'}; or write 'all'.")


def select(asking: Asking, snapshot: Snapshot, query: Query, columns: Iterable[str], *, once: bool) -> None:
    """Make `f`: the runs that pass all filters but those of facets and tags. Of each filter by a facet there is a
    column that says which pass it, `p_` and its name; `shown` says which pass all. The numbers of a facet are in `f_`
    and its name. `columns` of the keys are to be had as well.

    `once`: so little will be asked of it that looking for words and tags each time is less than keeping what was found.
    """
    frame = snapshot.frame
    where = _base(frame, query, tasks_of(snapshot, query.tasks))
    passes = {f"p_{name}": _passes(frame, name, chosen) for name, chosen in query.facets}
    if query.tag:
        asking.add("tag_sets", frame.tag_table)
        passes["p_tag"] = f"coalesce(c_tags IN (SELECT code FROM tag_sets WHERE tag IN ({_texts(query.tag)})), false)"
    codes = [f"{_numbers(name)} AS {_key(name)}" for name in FACETS]
    flags = [f"{condition} AS {name}" for name, condition in passes.items()]
    shown = f"{' AND '.join(passes) or 'true'} AS shown"
    inner = f"SELECT {', '.join([*_COLUMNS, *codes, *flags, *columns])} FROM {frame.keys.name} WHERE {where}"
    kind = "TABLE" if (query.words or query.tag) and not once else "VIEW"
    asking.run(f"CREATE TEMP {kind} f AS SELECT *, {shown} FROM ({inner})")


def facets_of(asking: Asking, snapshot: Snapshot, query: Query) -> Facets:
    """Count what `f` holds."""
    frame = snapshot.frame
    filters = [name for name, _ in query.facets] + (["tag"] if query.tag else [])
    values: dict[str, list[dict[str, Any]]] = {}
    for name in FACETS:
        counts = asking.all(f"SELECT {_key(name)} AS code, count(*) FROM f WHERE {_but(name, filters)} GROUP BY code")
        texts = _names(frame, name)
        values[FACETS[name]] = _listed((texts[code - 1], runs) for code, runs in counts if code is not None)
    if not query.tag:
        asking.add("tag_sets", frame.tag_table)
    values["tags"] = _listed(
        asking.all(
            f"""SELECT tag, sum(runs)::BIGINT FROM tag_sets JOIN
                (SELECT c_tags AS code, count(*) AS runs FROM f WHERE {_but("tag", filters)} GROUP BY code) USING (code)
                GROUP BY tag"""
        )
    )
    ((total,),) = asking.all("SELECT count(*) FROM f WHERE shown")
    ranks, reason = _ranks(asking, snapshot, query)
    more = {name: len(found) - MOST_VALUES for name, found in values.items() if len(found) > MOST_VALUES}
    return Facets(total, {name: found[:MOST_VALUES] for name, found in values.items()}, more, ranks, reason)


def _base(frame: Frame, query: Query, tasks: str | None) -> str:
    conditions = ["true"]
    if tasks is not None and tasks != ALL:
        conditions.append(f"c_dataset_fingerprint = {frame.code('dataset_fingerprint', tasks)}")
    if query.since is not None:
        conditions.append(f"_date >= {unix_ms(query.since)!r}")
    if query.until_end is not None:
        conditions.append(f"_date < {unix_ms(query.until_end)!r}")
    conditions += [f"contains(_text, {_quoted(word)})" for word in query.words]
    return " AND ".join(conditions)


def _quoted(text: str) -> str:
    """Text as SQL has it: between quotes, in which only a quote means anything. A view takes no parameters."""
    clean = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return "'" + clean.replace("'", "''") + "'"


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(_quoted, values))


def _numbers(facet: str) -> str:
    return _COLUMN.get(facet, f"c_{FACETS[facet]}")


def _key(facet: str) -> str:
    return f"f_{facet}"


def _names(frame: Frame, facet: str) -> Sequence[str]:
    """What the numbers of a facet stand for, from 1."""
    return {"price": PRICES, "status": STATUSES}.get(facet) or frame.values[FACETS[facet]]


def _passes(frame: Frame, facet: str, values: Sequence[str]) -> str:
    names = {"price": PRICES, "status": STATUSES}.get(facet)
    codes = [frame.code(FACETS[facet], value) if names is None else names.index(value) + 1 for value in values]
    return f"coalesce({_numbers(facet)} IN ({', '.join(map(str, codes))}), false)"


def _but(facet: str, filters: Sequence[str]) -> str:
    """Which runs the counts of a facet are of: those that pass all filters but its own."""
    return " AND ".join(f"p_{name}" for name in filters if name != facet) or "true"


def _listed(counts: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    """The values with their counts, the most frequent first."""
    return [{"value": value, "count": runs} for value, runs in sorted(counts, key=lambda each: (-each[1], each[0]))]


def _ranks(asking: Asking, snapshot: Snapshot, query: Query) -> tuple[Ranks | None, str | None]:
    if tasks_of(snapshot, query.tasks) in (ALL, None):
        ((sets, unknown),) = asking.all(
            """SELECT count(DISTINCT c_dataset_fingerprint), count(*) FILTER (c_dataset_fingerprint IS NULL)
               FROM f WHERE shown"""
        )
        if sets > 1 or (sets and unknown):
            return None, SEVERAL_SETS
        if unknown:
            return None, SET_UNKNOWN
    intervals = asking.all(
        "SELECT low, high, count(*) FROM f WHERE shown AND isfinite(low) AND isfinite(high) GROUP BY ALL"
    )
    return Ranks(intervals), None
