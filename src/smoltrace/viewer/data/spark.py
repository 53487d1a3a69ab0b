"""The power of a run's GPUs as a few numbers, for the small line in its row of the leaderboard."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from smoltrace.records.schema import METRICS
from smoltrace.viewer.data.readings import FileState, state_of
from smoltrace.viewer.data.shape import unix_ms

if TYPE_CHECKING:
    from smoltrace.store.layout import RunDir
    from smoltrace.viewer.data.database import Database

Spark: TypeAlias = "tuple[list[float | None] | None, str | None]"
"""The numbers, watts of all GPUs together, None where nothing was measured; or why there are none."""

MOST: Final = 60
NO_FILE: Final = "the readings are not in the store"
UNREADABLE: Final = "the readings cannot be read"
NO_POWER: Final = "no power was read"

_SLOW_MS, _FAST_MS, _FAST_UNTIL_MS = 1_000.0, 200.0, 10_000.0
"""A bucket is at least two readings long: they come twice a second, ten times a second in the first ten seconds."""
_KEPT: Final = 5_000

_BUCKETS: Final = f"""
    WITH looks AS (SELECT filename AS file, gpu_id, gpu_power_watts AS power, epoch_us(timestamp) / 1000.0 AS ms
                   FROM read_parquet(?, filename = true) WHERE isfinite(gpu_power_watts) AND timestamp IS NOT NULL),
         spans AS (SELECT file, min(ms) AS start, max(ms) - min(ms) AS length FROM looks GROUP BY file),
         sizes AS (SELECT file, start, greatest(length / {MOST},
                          CASE WHEN length > {_FAST_UNTIL_MS} THEN {_SLOW_MS} ELSE {_FAST_MS} END) AS size FROM spans),
         means AS (SELECT file, least(floor((ms - start) / size), {MOST - 1})::INTEGER AS bucket, gpu_id,
                          avg(power) AS power
                   FROM looks JOIN sizes USING (file) GROUP BY file, bucket, gpu_id)
    SELECT file, bucket, sum(power) FROM means GROUP BY file, bucket ORDER BY file, bucket"""


class Sparks:
    """The lines of finished runs, made when they are asked for and kept while their files stay. Any thread may ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[FileState, Spark]] = OrderedDict()

    def of(self, runs: Iterable[RunDir]) -> dict[str, Spark]:
        """The line of each run, by its id."""
        found: dict[str, Spark] = {}
        missing: dict[str, tuple[Path, FileState]] = {}
        for run in runs:
            file = run.parquet(METRICS.name)
            if (state := state_of(file)) is None:
                found[run.run_id] = (None, NO_FILE)
                continue
            with self._lock:
                kept = self._kept.get(run.run_id)
            if kept is not None and kept[0] == state:
                found[run.run_id] = kept[1]
            else:
                missing[run.run_id] = (file, state)
        if missing:
            found |= self._make(missing)
        return found

    def _make(self, missing: Mapping[str, tuple[Path, FileState]]) -> dict[str, Spark]:
        files = [str(file) for file, _ in missing.values()]
        by_file = self._read(files)
        if by_file is None:
            # One of them is broken: which, they are asked one by one.
            by_file = {}
            for file in files:
                by_file |= self._read([file]) or {file: (None, UNREADABLE)}
        made = {run_id: by_file.get(str(file), (None, NO_POWER)) for run_id, (file, _) in missing.items()}
        with self._lock:
            for run_id, spark in made.items():
                self._kept[run_id] = (missing[run_id][1], spark)
                self._kept.move_to_end(run_id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def _read(self, files: Sequence[str]) -> dict[str, Spark] | None:
        """By file; None where one of them cannot be read."""
        import duckdb

        try:
            with self._database.asking() as asking:
                buckets = asking.all(_BUCKETS, (list(files),))
        except (duckdb.Error, OSError):
            return None
        found: dict[str, list[float | None]] = {file: [] for file in files}
        for file, bucket, power in buckets:
            numbers = found[file]
            numbers.extend([None] * (bucket - len(numbers)))
            numbers.append(power)
        return {file: (numbers, None) if numbers else (None, NO_POWER) for file, numbers in found.items()}


def spark_of_rows(rows: Iterable[Mapping[str, Any]]) -> Spark:
    """The line of a run from its rows of `metrics`, made as that of a finished one is."""
    read = [
        (unix_ms(row["timestamp"]), row["gpu_id"], row["gpu_power_watts"])
        for row in rows
        if row["gpu_power_watts"] is not None and row["timestamp"] is not None
    ]
    if not read:
        return None, NO_POWER
    start = min(at for at, _, _ in read)
    length = max(at for at, _, _ in read) - start
    size = max(length / MOST, _SLOW_MS if length > _FAST_UNTIL_MS else _FAST_MS)
    powers: dict[int, dict[Any, list[float]]] = {}
    for at, gpu, power in read:
        powers.setdefault(min(int((at - start) // size), MOST - 1), {}).setdefault(gpu, []).append(power)
    return [
        sum(sum(each) / len(each) for each in powers[bucket].values()) if bucket in powers else None
        for bucket in range(max(powers) + 1)
    ], None
