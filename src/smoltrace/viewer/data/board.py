"""The leaderboard of a store: its runs, filtered, sorted, counted and ranked, and the chart above them."""

from __future__ import annotations

import shlex
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from smoltrace.store.layout import Store
from smoltrace.version import __version__
from smoltrace.viewer.data import chart as charts
from smoltrace.viewer.data.catalogue import Catalogue
from smoltrace.viewer.data.database import Database
from smoltrace.viewer.data.decorate import Decorator
from smoltrace.viewer.data.ordering import places, sort_columns
from smoltrace.viewer.data.query import ALL, NEWEST, Query, axis_of
from smoltrace.viewer.data.selection import Facets, facets_of, select, tasks_of

if TYPE_CHECKING:
    from smoltrace.viewer.data.catalogue import Snapshot
    from smoltrace.viewer.data.database import Asking

_KEPT: Final = 64
"""Filters whose counts are remembered."""
_SAMPLE: Final = "sample=yes"


class Board:
    """Answers about the runs of a store, as they are or were half a second ago. Any thread may ask.

    `patience` is for how many seconds an answer about what there is in the store is taken to hold.
    """

    def __init__(self, store: Store, *, patience: float = 0.5) -> None:
        self.store, self.database = store, Database()
        self._catalogue = Catalogue(store, self.database, patience)
        self._decorator = Decorator(store, self.database)
        self._lock = threading.Lock()
        self._facets: OrderedDict[tuple[str, Query], Facets] = OrderedDict()

    def version(self) -> str:
        """Differs from before whenever a run came, went or changed."""
        return self._catalogue.now().version

    def store_info(self) -> dict[str, Any]:
        """What store this is, how many runs it has, of which task sets, and what of it could not be read."""
        snapshot = self._catalogue.now()
        return {
            "name": self.store.path.resolve().name,
            "version": snapshot.version,
            "runs": snapshot.runs,
            "live": snapshot.live,
            "smoltrace_version": __version__,
            "sample": _is_sample(snapshot),
            "task_sets": snapshot.task_sets,
            "hint": _command(self.store),
            "refused": snapshot.refused,
        }

    def page(self, query: Query) -> dict[str, Any]:
        """The rows of one page, with the counts of all that pass. Raises UsageError for a task set that is none."""
        snapshot = self._catalogue.now()
        with self.database.asking() as asking:
            facets = self._select(asking, snapshot, query, sort_columns(query))
            shown = places(asking, snapshot.frame, query, facets.ranks)
        rows = self._decorator.rows(snapshot, [place.i for place in shown], facets)
        if query.group is not None:
            for row, place in zip(rows, shown, strict=True):
                row["_group"] = {"model": row["model"], "runs": place.runs, "first": place.is_first}
        return {
            "version": snapshot.version,
            "total": facets.total,
            "offset": query.offset,
            "rows": rows,
            "facets": facets.values,
            "facets_more": facets.more,
            "task_sets": snapshot.task_sets,
            "tasks": tasks_of(snapshot, query.tasks),
        }

    def chart(self, query: Query, axis: str | None = None) -> dict[str, Any]:
        """Success of the runs that pass against an axis, by default that of the query. Raises UsageError."""
        name = query.axis if axis is None else axis_of(axis)
        snapshot = self._catalogue.now()
        with self.database.asking() as asking:
            facets = self._select(asking, snapshot, query, charts.chart_columns(name))
            found = charts.find(asking, name)
        made = charts.drawn(snapshot.frame, found, name, self._decorator.calls_of)
        named = list(dict.fromkeys(i for i in found.cards.values() if i is not None))
        rows = dict(zip(named, self._decorator.rows(snapshot, named, facets), strict=True))
        return made | {
            "no_result": facets.total - found.rated,
            "cards": charts.cards(found, rows),
            "version": snapshot.version,
        }

    def latest(self) -> str | None:
        """The id of the run that was started last; None in a store without runs."""
        newest = self.brief(Query(tasks=ALL, sort=NEWEST, limit=1))
        return newest[0]["run_id"] if newest else None

    def run_ids(self, query: Query) -> list[str]:
        """The ids of all runs that pass, in the order of the query; its offset and limit are not looked at."""
        return [row["run_id"] for row in self._rows(query, ["run_id"], whole=True)]

    def brief(self, query: Query) -> list[dict[str, Any]]:
        """Of the runs of a page `run_id`, `model` and `evaluation_date` (unix ms). Its limit may be any."""
        rows = self._rows(query, ["run_id", "model", "_date"])
        return [{"run_id": row["run_id"], "model": row["model"], "evaluation_date": row["_date"]} for row in rows]

    def _rows(self, query: Query, columns: Sequence[str], *, whole: bool = False) -> list[dict[str, Any]]:
        snapshot = self._catalogue.now()
        with self.database.asking() as asking:
            facets = self._select(asking, snapshot, query, sort_columns(query))
            shown = places(asking, snapshot.frame, query, facets.ranks, whole=whole)
        return snapshot.frame.rows([place.i for place in shown], columns)

    def _select(self, asking: Asking, snapshot: Snapshot, query: Query, columns: Sequence[str]) -> Facets:
        """Select the runs that pass, and count them. Counts are remembered: they are the same on every page and in
        every order."""
        key = (snapshot.version, replace(query, sort=(), group=None, offset=0, limit=0, axis=""))
        with self._lock:
            kept = self._facets.get(key)
        select(asking, snapshot, query, columns, once=kept is not None)
        facets = facets_of(asking, snapshot, query) if kept is None else kept
        with self._lock:
            self._facets[key] = facets
            self._facets.move_to_end(key)
            while len(self._facets) > _KEPT:
                self._facets.popitem(last=False)
        return facets


def _is_sample(snapshot: Snapshot) -> bool:
    """Whether no run of the store has ever happened."""
    tags = snapshot.frame.table["c_tags"]
    return snapshot.runs > 0 and tags.null_count == 0 and all(_SAMPLE in found for found in snapshot.frame.tag_sets)


def _command(store: Store) -> str:
    """The command that makes a run in this store."""
    here = "" if store.path == Store().path else f" --store {shlex.quote(str(store.path))}"
    return f"smoltrace eval{here}"
