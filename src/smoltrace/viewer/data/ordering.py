"""The order of the runs that a query lets through, and the part of it that a page shows."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from smoltrace.viewer.data.frame import KEYS

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.viewer.data.database import Asking
    from smoltrace.viewer.data.frame import Frame
    from smoltrace.viewer.data.query import Query
    from smoltrace.viewer.data.ranks import Ranks

_NUMBERED: Final = {
    "evaluation_date": "_date",
    "run_id": "_o",
    "model": "f_model",
    "agent_type": "f_agent",
    "provider": "f_provider",
    "country": "f_country",
    "tags": "c_tags",
    "dataset_fingerprint": "c_dataset_fingerprint",
    "success_rate_ci_low": "low",
    "success_rate_ci_high": "high",
}
"""What every selection has, under a name of its own."""
_LAST: Final = ("_date DESC NULLS LAST", "_o")
"""What decides between runs that are equal in all that is sorted by: the newest first."""


def sort_columns(query: Query) -> list[str]:
    """The columns of the keys that have to be selected to sort by."""
    return [name for name, _ in query.sort if name in KEYS]


@dataclass(frozen=True, slots=True)
class Place:
    """A run's place in the table; in a group of runs of one model, how many they are and whether it is the first."""

    i: int
    runs: int = 1
    is_first: bool = True


def places(asking: Asking, frame: Frame, query: Query, ranks: Ranks | None, *, whole: bool = False) -> list[Place]:
    """The runs of the page that `query` asks for, or of all pages, in order. Nulls come last, whichever way."""
    source, order = _order(asking, frame, query, ranks)
    start, end = (0, None) if whole else (query.offset, query.offset + query.limit)
    if query.group == "model":
        return _grouped(asking, source, order, start, end)
    limit = "" if end is None else f"LIMIT {query.limit} OFFSET {query.offset}"
    return [Place(i) for (i,) in asking.all(f"SELECT _i FROM {source} WHERE shown ORDER BY {order} {limit}")]


def _order(asking: Asking, frame: Frame, query: Query, ranks: Ranks | None) -> tuple[str, str]:
    """Where to select from, and what to order by."""
    joined, columns, keys = "f", ["f.*"], []
    for place, (name, down) in enumerate(query.sort):
        way = f"{'DESC' if down else 'ASC'} NULLS LAST"
        if name in _NUMBERED:
            keys.append(f"{_NUMBERED[name]} {way}")
        elif name in KEYS:
            keys.append(f"{name} {way}")
        elif name != "_rank":
            columns.append(f'told."{name}" AS s{place}')
            keys.append(f"s{place} {way}")
        elif ranks is not None:
            asking.add("ranks", _rank_table(asking, ranks))
            joined += " LEFT JOIN ranks USING (low, high)"
            columns += ["best", "worst"]
            keys += [f"best {way}", f"worst {way}"]
    if any(column.startswith("told.") for column in columns):
        asking.add("told", frame.table)
        joined += " JOIN told ON told._i = f._i"
    source = "f" if joined == "f" else f"(SELECT {', '.join(columns)} FROM {joined})"
    return source, ", ".join([*keys, *_LAST])


def _rank_table(asking: Asking, ranks: Ranks) -> pa.Table:
    import pyarrow as pa

    from smoltrace.records.arrow import array_of

    intervals = asking.all("SELECT DISTINCT low, high FROM f WHERE shown AND isfinite(low) AND isfinite(high)")
    found = [ranks.of(low, high) for low, high in intervals]
    columns = {
        "low": ("d", pa.float64(), [low for low, _ in intervals]),
        "high": ("d", pa.float64(), [high for _, high in intervals]),
        "best": ("q", pa.int64(), [best for best, _ in found]),
        "worst": ("q", pa.int64(), [worst for _, worst in found]),
    }
    arrays = {name: array_of(array(code, values), type_) for name, (code, type_, values) in columns.items()}
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


def _grouped(asking: Asking, source: str, order: str, start: int, end: int | None) -> list[Place]:
    """Models in the order of their best runs, and of each model its runs. Only the groups of the page are sorted."""
    groups = asking.all(
        f"""WITH g AS (SELECT f_model, count(*) AS runs, first(_o ORDER BY {order}) AS lead
                       FROM {source} WHERE shown GROUP BY f_model)
            SELECT g.f_model, g.runs FROM g JOIN {source} AS best ON best._o = g.lead ORDER BY {order}"""
    )
    bounds = [0]
    for _, runs in groups:
        bounds.append(bounds[-1] + runs)
    end = bounds[-1] if end is None else min(end, bounds[-1])
    wanted = [
        (model, low)
        for (model, _), (low, high) in zip(groups, pairwise(bounds), strict=True)
        if low < end and high > start
    ]
    if not wanted or start >= end:
        return []
    models = " OR ".join("f_model IS NULL" if model is None else f"f_model = {model}" for model, _ in wanted)
    by_model: dict[int | None, list[int]] = {model: [] for model, _ in wanted}
    for model, i in asking.all(f"SELECT f_model, _i FROM {source} WHERE shown AND ({models}) ORDER BY {order}"):
        by_model[model].append(i)
    found = [
        (low + place, Place(i, len(by_model[model]), place == 0))
        for model, low in wanted
        for place, i in enumerate(by_model[model])
    ]
    return [each for place, each in found if start <= place < end]
