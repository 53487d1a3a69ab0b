"""Success against what it takes: points, the frontier, the best run's interval, and three runs worth naming.

A run that is not whole yet (running, incomplete) is a point like any other, but neither the best nor on the frontier as
long as whole ones are shown: three tests of a hundred that went well say little.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from smoltrace.viewer.data.figures import (
    DECLARED_FREE,
    GAUGES,
    PRICE_UNKNOWN,
    Footprint,
    co2_of_run,
    cost_of_run,
    energy_of_run,
)
from smoltrace.viewer.data.frame import COMPLETED
from smoltrace.viewer.data.query import STATUSES

if TYPE_CHECKING:
    from smoltrace.viewer.data.database import Asking
    from smoltrace.viewer.data.frame import Frame

MOST_POINTS: Final = 400
MOST_UNPLACED: Final = 200

_NEEDED: Final = (
    *("run_id", "model", "agent_type", "success_rate", "success_rate_ci_low", "success_rate_ci_high", "num_tests"),
    *("total_cost_usd", "avg_cost_per_test_usd", "cost_known_usd", "electricity_cost_usd", "unpriced_calls"),
    *("energy_estimated_wh_min", "energy_estimated_wh_max", "co2_emissions_g", "co2_estimated_g_min"),
    *("co2_estimated_g_max", "p50_duration_ms", "avg_tokens_per_test", "_state", "_calls", *GAUGES),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """What success is set against: its column, its words, and why a run may have none of it."""

    column: str
    unit: str
    title: str
    nothing: str
    figure: Callable[[Mapping[str, Any]], Footprint] | None = None


AXES: Final = {
    "cost": Axis("_cost", "USD", "Cost per test", PRICE_UNKNOWN),
    "energy": Axis("_energy", "Wh", "Energy per test", "energy unknown", energy_of_run),
    "co2": Axis("_co2", "g", "Emissions per test", "emissions unknown", co2_of_run),
    "latency": Axis("p50_duration_ms", "ms", "Median duration of a test", "duration unknown"),
    "tokens": Axis("avg_tokens_per_test", "tokens", "Tokens per test", "tokens unknown"),
}

_TABLE: Final = """CREATE TEMP TABLE c AS
    SELECT _i, _o, _date, low, high, success_rate AS y, CASE WHEN isfinite({x}) THEN {x}::DOUBLE END AS x,
           _cost, _energy, total_gpu_energy_wh AS wh, _state AS state
    FROM f WHERE shown AND isfinite(success_rate)"""
_BEST: Final = "ORDER BY y DESC, low DESC NULLS LAST, x NULLS LAST, _date DESC NULLS LAST, _o LIMIT 1"
_FRONTIER: Final = """
    SELECT c._i, c.x, c.y FROM c JOIN (
        SELECT x, y FROM (
            SELECT x, y, max(y) OVER (ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS above
            FROM (SELECT x, max(y) AS y FROM c WHERE x > 0 AND {basis} GROUP BY x))
        WHERE above IS NULL OR y > above) AS corners USING (x, y)
    WHERE {basis} ORDER BY c.x, c._o"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a chart shows, as places in the table: `cards` are best, cheapest and energy. `rated` is how many runs have
    a success rate: without a finished test there is none."""

    points: list[int]
    not_shown: int
    frontier: list[tuple[int, float, float]]
    unplaced: list[int]
    unplaced_not_shown: int
    rated: int
    cards: dict[str, int | None]


def chart_columns(axis: str) -> list[str]:
    """The columns of the keys that have to be selected."""
    return list(dict.fromkeys(["success_rate", "_cost", "_energy", "total_gpu_energy_wh", AXES[axis].column]))


def find(asking: Asking, axis: str) -> Found:
    """Ask the runs that are selected."""
    asking.run(_TABLE.format(x=AXES[axis].column))
    ((rated, placed, whole),) = asking.all(
        f"SELECT count(*), count(*) FILTER (x > 0), count(*) FILTER (state = {COMPLETED}) FROM c"
    )
    basis = f"state = {COMPLETED}" if whole else "true"
    frontier = asking.all(_FRONTIER.format(basis=basis))
    points = [i for (i,) in asking.all(f"SELECT _i FROM c WHERE x > 0 ORDER BY y DESC, x, _o LIMIT {MOST_POINTS}")]
    points = list(dict.fromkeys([*(i for i, _, _ in frontier), *points]))
    unplaced = asking.all(
        f"SELECT _i FROM c WHERE x IS NULL OR x <= 0 ORDER BY y DESC, _date DESC NULLS LAST, _o LIMIT {MOST_UNPLACED}"
    )
    return Found(
        points=points,
        not_shown=placed - len(points),
        frontier=[(i, x, y) for i, x, y in frontier],
        unplaced=[i for (i,) in unplaced],
        unplaced_not_shown=rated - placed - len(unplaced),
        rated=rated,
        cards=_cards(asking, basis),
    )


def _cards(asking: Asking, basis: str) -> dict[str, int | None]:
    """The best run; the cheapest of known cost whose interval reaches that of the best; the one that took the least
    energy, of those that were measured, and only where none was, of those that were estimated."""
    best = asking.all(f"SELECT _i, low FROM c WHERE {basis} {_BEST}")
    cheapest: list[tuple[Any, ...]] = []
    if best:
        cheapest = asking.all(
            f"""SELECT _i FROM c WHERE {basis} AND _cost > 0 AND high >= ?
                ORDER BY _cost, y DESC, _date DESC NULLS LAST, _o LIMIT 1""",
            (best[0][1],),
        )
    energy = asking.all(
        f"""SELECT _i FROM c WHERE {basis} AND _energy IS NOT NULL
            ORDER BY wh IS NULL, _energy, y DESC, _date DESC NULLS LAST, _o LIMIT 1"""
    )
    return {
        name: found[0][0] if found else None
        for name, found in (("best", best), ("cheapest", cheapest), ("energy", energy))
    }


def drawn(
    frame: Frame, found: Found, axis_name: str, calls_of: Callable[[Mapping[str, Any]], int | None]
) -> dict[str, Any]:
    """What was found as the browser gets it, but for the cards. `calls_of` tells of a run how many calls it made."""
    axis = AXES[axis_name]
    rows = {row.pop("_i"): row for row in frame.rows([*found.points, *found.unplaced], [*_NEEDED, "_i"])}
    on_frontier = {i for i, _, _ in found.frontier}
    edge = _Edge([(x, y) for _, x, y in found.frontier])
    points = []
    for i in found.points:
        point = _point(rows[i], axis)
        point["frontier"] = i in on_frontier
        point["dominated"] = i not in on_frontier and edge.dominates(point["x"], point["y"])
        points.append(point)
    best = found.cards["best"]
    named = {} if best is None else frame.rows([best], _NEEDED)[0]
    return {
        "axis": axis_name,
        "unit": axis.unit,
        "title": axis.title,
        "points": points,
        "not_shown": found.not_shown,
        "frontier": [rows[i]["run_id"] for i, _, _ in found.frontier],
        "best": named.get("run_id"),
        "band": [named["success_rate_ci_low"], named["success_rate_ci_high"]] if named else None,
        "unplaced": [_unplaced(rows[i], axis, calls_of) for i in found.unplaced],
        "unplaced_not_shown": found.unplaced_not_shown,
    }


def cards(found: Found, rows: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """The three cards, given the rows at their places."""
    made: dict[str, Any] = {}
    for name, i in found.cards.items():
        made[name] = None if i is None else {"run_id": rows[i]["run_id"], "row": rows[i]}
    if (cheapest := made["cheapest"]) is not None:
        same = cheapest["run_id"] == made["best"]["run_id"]
        cheapest["why"] = "the best run" if same else "its interval overlaps that of the best run"
    return made


class _Edge:
    """The frontier as steps."""

    def __init__(self, corners: Sequence[tuple[float, float]]) -> None:
        self._x, self._y = [x for x, _ in corners], [y for _, y in corners]

    def dominates(self, x: float, y: float) -> bool:
        """Whether a corner takes no more and succeeds no less, and is better in one of the two."""
        place = bisect_right(self._x, x) - 1
        return place >= 0 and (self._y[place] > y or (self._y[place] == y and self._x[place] < x))


def _point(row: Mapping[str, Any], axis: Axis) -> dict[str, Any]:
    if axis.column == "_cost":
        cost = cost_of_run(row)
        x, est, kind = cost["value"], cost["est"], str(cost["kind"])
    else:
        figure = None if axis.figure is None else axis.figure(row)
        x = row[axis.column] if figure is None else figure["value"]
        est = figure is not None and figure["est"]
        kind = "estimated" if est else "measured"
    return {**_common(row), "x": x, "est": est, "kind": kind}


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run_id": row["run_id"],
        "model": row["model"],
        "agent_type": row["agent_type"],
        "y": row["success_rate"],
        "ci_low": row["success_rate_ci_low"],
        "ci_high": row["success_rate_ci_high"],
        "n": row["num_tests"],
        "status": STATUSES[row["_state"] - 1],
    }


def _unplaced(
    row: Mapping[str, Any], axis: Axis, calls_of: Callable[[Mapping[str, Any]], int | None]
) -> dict[str, Any]:
    """A run beside the plot: one that has no number, or one whose number is 0, for which a log axis has no place."""
    bound = None
    if axis.column == "_cost":
        cost = cost_of_run(row, calls_of(row))
        zero, bound = cost["value"] is not None, cost["bound"]
        why = DECLARED_FREE if zero else cost["reason"]
    elif axis.figure is not None:
        figure = axis.figure(row)
        zero, why = figure["value"] is not None, figure["reason"]
    else:
        zero, why = row[axis.column] is not None, axis.nothing
    if zero and axis.column != "_cost":
        why = f"0 {axis.unit}"
    return {**_common(row), "strip": "free" if zero else "unknown", "why": why, "bound": bound}
