"""Rows of the leaderboard as the browser gets them: every column, and what the screens show beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from smoltrace.records.schema import LEADERBOARD
from smoltrace.store.layout import RunDir
from smoltrace.viewer.data.figures import NO_TEST, co2_of_run, cost_of_run, energy_of_run, gpu_reason
from smoltrace.viewer.data.loading import BROKEN
from smoltrace.viewer.data.query import STATUSES
from smoltrace.viewer.data.readings import Readings, state_of
from smoltrace.viewer.data.shape import number, parsed
from smoltrace.viewer.data.spark import Sparks

if TYPE_CHECKING:
    from smoltrace.store.layout import Store
    from smoltrace.viewer.data.catalogue import Snapshot
    from smoltrace.viewer.data.database import Database
    from smoltrace.viewer.data.selection import Facets

_JSON: Final = tuple(column.name for column in LEADERBOARD.columns if column.type == "json")
_COLUMNS: Final = tuple(name for name in LEADERBOARD.names if name != "evaluation_date")
"""`_date` stands for it: Arrow makes datetimes with pandas where it is installed, after a second."""
_MADE: Final = ("_state", "_finished", "_planned", "_calls", "_date")
_KEPT_CALLS: Final = 20_000


class Decorator:
    """Adds to the rows of a page what is kept elsewhere in the store. Any thread may ask."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._sparks = Sparks(database)
        self._calls = Readings(_KEPT_CALLS)

    def rows(self, snapshot: Snapshot, places: Sequence[int], facets: Facets) -> list[dict[str, Any]]:
        """The runs at these places of the table, in this order."""
        rows = snapshot.frame.rows(places, [*_COLUMNS, *_MADE])
        sparks = self._sparks_of(snapshot, rows)
        return [self._decorated(row, facets, sparks) for row in rows]

    def _decorated(self, row: dict[str, Any], facets: Facets, sparks: Mapping[str, Any]) -> dict[str, Any]:
        calls = self.calls_of(row)
        state, finished, planned, _, date = (row.pop(name) for name in _MADE)
        for name in _JSON:
            row[name] = parsed(row[name])
        row["evaluation_date"] = date
        spark, spark_reason = sparks[row["run_id"]]
        rank, rank_reason = _rank(row, facets)
        return row | {
            "_status": STATUSES[state - 1],
            "_finished": row["num_tests"] if finished is None else finished,
            "_planned": row["num_tests"] if finished is None else planned,
            "_rank": rank,
            "_rank_reason": rank_reason,
            "_spark": spark,
            "_spark_reason": spark_reason,
            "_cost": cost_of_run(row, calls),
            "_energy": energy_of_run(row),
            "_co2": co2_of_run(row),
        }

    def _sparks_of(self, snapshot: Snapshot, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        finished: list[RunDir] = []
        for row in rows:
            run_id = row["run_id"]
            if (reason := gpu_reason(row)) is not None:
                found[run_id] = (None, reason)
            elif run_id in snapshot.sparks:
                found[run_id] = snapshot.sparks[run_id]
            else:
                finished.append(RunDir(self._store.runs_path / run_id))
        found |= self._sparks.of(finished)
        return found

    def calls_of(self, row: Mapping[str, Any]) -> int | None:
        """How many calls to a model the run of a row of the frame made, where some of them have no price; None where
        nobody knows any more."""
        known: int | None = row["_calls"]
        if known is not None or not row["unpriced_calls"]:
            return known
        run = RunDir(self._store.runs_path / row["run_id"])
        return self._calls.of(run.run_id, state_of(run.summary_file), lambda: _calls_in(run), lambda _: 1)


def _calls_in(run: RunDir) -> int | None:
    from smoltrace.store.summary import read_summary

    try:
        summary = read_summary(run)
    except BROKEN:
        return None
    return summary.llm_calls if summary is not None and isinstance(summary.llm_calls, int) else None


def _rank(row: Mapping[str, Any], facets: Facets) -> tuple[list[int] | None, str | None]:
    if facets.ranks is None:
        return None, facets.rank_reason
    low, high = number(row["success_rate_ci_low"]), number(row["success_rate_ci_high"])
    if low is None or high is None:
        return None, NO_TEST
    return list(facets.ranks.of(low, high)), None
