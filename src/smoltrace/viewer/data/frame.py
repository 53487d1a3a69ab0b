"""All runs as one Arrow table that never changes, with what the leaderboard filters and sorts by besides its columns.

| added      | what                                                                             |
|------------|----------------------------------------------------------------------------------|
| `_i`       | place in the table                                                               |
| `_o`       | place in the order of run ids                                                    |
| `_state`   | 1 running, 2 incomplete, 3 completed: places in STATUSES                         |
| `_price`   | 1 known, 2 free, 3 unknown: places in PRICES                                     |
| `_cost`, `_energy`, `_co2` | the values of figures.py, per test                               |
| `_date`    | evaluation_date in unix ms                                                       |
| `_text`    | what a run tells of itself, in small letters                                     |
| `_finished`, `_planned`, `_calls` | of runs without a row; else null                          |
| `c_…`      | the values of a text column, numbered from 1 in their order; null where they are |
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from smoltrace.records.schema import LEADERBOARD
from smoltrace.viewer.data.query import PRICES, STATUSES
from smoltrace.viewer.data.shape import parsed

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.viewer.data.database import Database, Kept

CODED: Final = ("model", "agent_type", "provider", "country", "tags", "dataset_fingerprint")
COMPLETED: Final = STATUSES.index("completed") + 1
KNOWN, FREE, UNKNOWN = (place + 1 for place in range(len(PRICES)))
STANDING: Final = ("_state", "_finished", "_planned", "_calls")

KEYS: Final = (
    *("_i", "_o", "_state", "_price", "_cost", "_energy", "_co2", "_date", "_text", *(f"c_{name}" for name in CODED)),
    *("success_rate", "success_rate_ci_low", "success_rate_ci_high", "num_tests", "p50_duration_ms"),
    *("avg_tokens_per_test", "total_gpu_energy_wh"),
)
"""The columns of `keys`."""

_TOLD: Final = (
    *("run_id", "model", "agent_type", "provider", "gen_ai.system", "notes", "tags", "submitted_by", "hardware"),
    *("dataset_used", "country"),
)


@dataclass(frozen=True)
class Frame:
    """The table, the same as the parts it was put together from, and by coded column its values: number n stands for
    `values[column][n - 1]`. `keys` has what most questions are about."""

    table: pa.Table
    parts: list[pa.RecordBatch]
    values: dict[str, list[str]]
    keys: Kept

    @cached_property
    def tag_sets(self) -> list[frozenset[str]]:
        """The tags as `key=value`, by the numbers of `c_tags`."""
        return [tags_of(text) for text in self.values["tags"]]

    @cached_property
    def tag_table(self) -> pa.Table:
        """The same as pairs: `code` and one `tag`."""
        import pyarrow as pa

        from smoltrace.records.arrow import array_of

        pairs = [(code, tag) for code, tags in enumerate(self.tag_sets, start=1) for tag in tags]
        tags = array_of([tag for _, tag in pairs], pa.string())
        return pa.Table.from_arrays([_integers([code for code, _ in pairs]), tags], names=["code", "tag"])

    def code(self, column: str, value: str) -> int:
        """The number of a value; 0, which no row has, for one that no run has."""
        values = self.values[column]
        place = bisect_left(values, value)
        return place + 1 if values[place : place + 1] == [value] else 0

    @cached_property
    def _starts(self) -> list[int]:
        """The place of the first row of each part."""
        return [0, *accumulate(part.num_rows for part in self.parts)]

    def rows(self, places: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """These columns of the rows at these places, in this order."""
        wanted: dict[int, list[int]] = {}
        for place in places:
            wanted.setdefault(bisect_right(self._starts, place) - 1, []).append(place)
        found: dict[int, dict[str, Any]] = {}
        for part, some in wanted.items():
            # Taking from each part alone: Arrow copies a column of several parts whole before it takes from it.
            start, batch = self._starts[part], self.parts[part].select(list(columns))
            taken = batch.take(_integers([place - start for place in some])).to_pylist()
            found |= zip(some, taken, strict=True)
        return [found[place] for place in places]


@lru_cache(maxsize=1 << 16)
def tags_of(text: str | None) -> frozenset[str]:
    """The tags that a column `tags` holds, as `key=value`."""
    found = parsed(text)
    if not isinstance(found, dict):
        return frozenset()
    return frozenset(f"{key}={value if isinstance(value, str) else _json(value)}" for key, value in found.items())


def part_of(database: Database, rows: pa.Table, standing: Sequence[Sequence[int | None]] | None = None) -> pa.Table:
    """Leaderboard rows with what is added to each row alone. `standing` are the columns STANDING of runs without a
    row; the others are completed."""
    told = rows
    if standing is not None:
        from smoltrace.records.arrow import array_of

        for name, values in zip(STANDING, standing, strict=True):
            told = told.append_column(name, array_of(values, _int64()))
    made = database.table(_ADDED if standing is not None else f"{_ADDED}, {_FINISHED}", rows=told)
    for name in made.column_names:
        told = told.append_column(name, made[name])
    return told.select([*rows.column_names, *sorted({*told.column_names} - {*rows.column_names})])


def frame_of(database: Database, parts: Sequence[pa.Table]) -> Frame:
    """The frame of the runs of all parts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables(parts)
    values = {}
    for name in CODED:
        encoded = table[name].combine_chunks().dictionary_encode()
        # Not pa.array or pa.scalar: they import pandas where it is installed, for a second.
        places = pc.rank(encoded.dictionary, tiebreaker="dense").cast(pa.int32())
        table = table.append_column(f"c_{name}", places.take(encoded.indices))
        values[name] = [
            text for _, text in sorted(zip(places.to_pylist(), encoded.dictionary.to_pylist(), strict=True))
        ]
    order = pc.rank(table["run_id"], tiebreaker="first").cast(pa.int32())
    table = table.append_column("_o", order).append_column("_i", _integers(range(len(table))))
    return Frame(table, list(table.to_batches()), values, database.keep(", ".join(KEYS), rows=table))


def _share(column: str) -> str:
    """A run's total as a share of each test: null without a test, and for what is no number."""
    return f"CASE WHEN isfinite({column}) THEN {column} / nullif(num_tests, 0) END"


def _footprint(measured: str, estimated: str) -> str:
    low, high = _share(f"{estimated}_min"), _share(f"{estimated}_max")
    return f"coalesce({_share(measured)}, ({low}) + (({high}) - ({low})) / 2)"


_PER_TEST = "CASE WHEN num_tests > 0 AND isfinite(avg_cost_per_test_usd) THEN avg_cost_per_test_usd END"
_ELECTRICITY = _share("electricity_cost_usd")
_ADDED = f"""
    CASE WHEN ({_PER_TEST}) = 0 THEN coalesce({_ELECTRICITY}, 0.0) ELSE ({_PER_TEST}) END AS _cost,
    CASE WHEN ({_PER_TEST}) IS NULL THEN {UNKNOWN} WHEN ({_PER_TEST}) = 0 AND ({_ELECTRICITY}) IS NULL THEN {FREE}
         ELSE {KNOWN} END AS _price,
    {_footprint("total_gpu_energy_wh", "energy_estimated_wh")} AS _energy,
    {_footprint("co2_emissions_g", "co2_estimated_g")} AS _co2,
    epoch_us(evaluation_date) / 1000.0 AS _date,
    lower(concat_ws(' ', {", ".join(f'"{name}"' for name in _TOLD)})) AS _text"""
_FINISHED = f"""{COMPLETED}::BIGINT AS _state, NULL::BIGINT AS _finished, NULL::BIGINT AS _planned,
    NULL::BIGINT AS _calls"""

assert all(name in LEADERBOARD.by_name for name in (*_TOLD, *CODED))


def _integers(values: Sequence[int]) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(array("q", values))])


def _int64() -> pa.DataType:
    import pyarrow as pa

    return pa.int64()


def _json(value: Any) -> str:
    from smoltrace.viewer.data.shape import to_json

    return to_json(value).decode()
