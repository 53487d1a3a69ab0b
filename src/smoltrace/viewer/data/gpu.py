"""What the GPUs of a run were read to do, in buckets of time: the lowest, highest and last sample of each."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from smoltrace.errors import UsageError
from smoltrace.records.schema import METRICS
from smoltrace.viewer.data.figures import NO_GPU
from smoltrace.viewer.data.listing import listing_of, t0_of
from smoltrace.viewer.data.shape import number
from smoltrace.viewer.data.sources import PATIENCE, Source, read_columns, reads_a_run, whole_number

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.viewer.data.readings import Readings

WIDEST: Final = 4_000
"""Buckets of one answer: more than any screen has pixels."""
_LONGEST_MS: Final = 1e12
"""Thirty years."""
NO_SAMPLE: Final = "no sample yet"

LANES: Final[Mapping[str, tuple[str, str, str | None]]] = {
    "utilisation": ("gpu_utilization_percent", "%", None),
    "memory": ("gpu_memory_used_mib", "MiB", "gpu_memory_total_mib"),
    "temperature": ("gpu_temperature_celsius", "°C", None),
    "power": ("gpu_power_watts", "W", None),
    "energy": ("gpu_energy_wh", "Wh", None),
    "co2": ("co2_emissions_gco2e", "g", None),
    "cost": ("power_cost_usd", "USD", None),
}
"""By the name of a lane: its column of `metrics`, its unit, and the column that holds its highest possible value."""

_MEASURES: Final = (*(column for column, _, _ in LANES.values()), "gpu_memory_total_mib")
_Bucket: TypeAlias = list[float | None]
_READ: Final = ("timestamp_unix_nano", "gpu_id", "gpu_uuid", "gpu_name", *_MEASURES)


class Series:
    """One measure of one GPU: its moments, unix nanoseconds, in order, and its values."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.times, self.values = array("q"), array("d")

    def add(self, at: int, value: float) -> None:
        if not self.times or at >= self.times[-1]:
            self.times.append(at)
            self.values.append(value)
        else:
            place = bisect_right(self.times, at)
            self.times.insert(place, at)
            self.values.insert(place, value)


class Samples(dict[str, Series]):
    """What was read of one GPU, by the columns of `metrics`; columns of which nothing was read are not there."""

    def add(self, column: str, at: int, value: float) -> None:
        if column not in self:
            self[column] = Series()
        self[column].add(at, value)

    @property
    def last_ns(self) -> int:
        """When the GPU was read last, unix nanoseconds."""
        return max(series.times[-1] for series in self.values())

    def to_pydict(self) -> dict[str, list[Any]]:
        """All moments as the column `at`, and every measure at each of them, None where it was not read."""
        moments = sorted({at for series in self.values() for at in series.times})
        found: dict[str, list[Any]] = {"at": moments}
        for column in _MEASURES:
            series = self.get(column)
            told = {} if series is None else dict(zip(series.times, series.values, strict=True))
            found[column] = [told.get(at) for at in moments]
        return found


@dataclass(slots=True)
class Gpu:
    """One GPU and its samples. The name and the number are the last that were told."""

    id: str
    name: str | None
    uuid: str | None
    samples: Samples


@reads_a_run
def gpu_lanes(
    run: Run,
    start_ms: float | None = None,
    end_ms: float | None = None,
    width: int = 1_000,
    *,
    readings: Readings | None = None,
) -> dict[str, Any]:
    """The lanes of every GPU from `start_ms` to `end_ms` of the run, all of it by default, in `width` buckets.

    A bucket without a sample is None, a lane without any sample in the whole run is left out. Raises UsageError for a
    window that is none, StoreError.
    """
    source = Source(run, readings)
    start = 0.0 if start_ms is None else start_ms
    end = end_of(source) if end_ms is None else end_ms
    if not 1 <= width <= WIDEST:
        raise UsageError(f"width={width}: give 1 to {WIDEST} buckets.")
    if not -_LONGEST_MS <= start <= end <= _LONGEST_MS:
        raise UsageError(f"from={start_ms} to={end_ms}: give two times of the run in milliseconds, the earlier first.")
    return lanes_between(source, start, end, width)


def lanes_between(source: Source, start_ms: float, end_ms: float, width: int) -> dict[str, Any]:
    """`gpu_lanes` of a window that is one. Raises StoreError."""
    gpus, t0_ns = gpus_of(source), t0_of(source)
    start_ns, end_ns = t0_ns + round(start_ms * 1e6), t0_ns + round(end_ms * 1e6)
    found = [{"id": gpu.id, "name": gpu.name, "lanes": _lanes(gpu, start_ns, end_ns, width)} for gpu in gpus]
    return {"gpus": found, "from": start_ms, "to": end_ms, "width": width, "reason": gpu_reason_of(source)}


def gpus_of(source: Source) -> list[Gpu]:
    """The GPUs of a run that were read, by their number. Of a run that goes on what was read a moment ago: its journal
    is gone through again for a bounded share of the time. Raises StoreError."""
    file = source.run_dir.parquet(METRICS.name)
    if source.finished_files and file.exists():
        return source.kept("gpus", (file,), lambda: _of_file(file), _weight)
    journal = source.run_dir.metrics_journal
    patience = PATIENCE if source.is_live else 0.0
    return source.kept("gpus of the journal", (journal,), lambda: _of_journal(source), _weight, patience=patience)


def gpu_reason_of(source: Source) -> str | None:
    """Why a run has no lanes; None for one that has."""
    if gpus_of(source):
        return None
    return NO_SAMPLE if source.is_live and source.metered_gpus else NO_GPU


def end_of(source: Source) -> float:
    """The last moment that is known of a run, in its milliseconds."""
    t0_ns = t0_of(source)
    ends = [test.end_ns for test in listing_of(source).tests if test.end_ns is not None]
    ends += [gpu.samples.last_ns for gpu in gpus_of(source)]
    if source.ended_ns is not None:
        ends.append(source.ended_ns)
    return max(0.0, (max(ends, default=t0_ns) - t0_ns) / 1e6)


def _of_file(file: Path) -> list[Gpu]:
    table = read_columns(file, _READ)
    columns = table.to_pydict()
    unknown = [None] * table.num_rows
    return _split(zip(*(columns.get(name, unknown) for name in _READ), strict=True))


def _of_journal(source: Source) -> list[Gpu]:
    """From the rows of `metrics` that the finished file will hold."""
    from smoltrace.store.finalise import metrics_of

    return _split(tuple(map(row.get, _READ)) for row in metrics_of(source.run_dir, source.manifest))


def _split(rows: Iterable[Sequence[Any]]) -> list[Gpu]:
    """From the columns `_READ` of each row: a GPU is known by its UUID where that is told, its number may change. Rows
    without a measure are of no GPU."""
    gpus: dict[str, Gpu] = {}
    for moment, number_of_gpu, uuid, name, *values in rows:
        at = whole_number(moment)
        if at is None or all(value is None for value in values):
            continue
        gpu = gpus.setdefault(uuid or number_of_gpu or "", Gpu("", None, uuid, Samples()))
        gpu.id, gpu.name = number_of_gpu or gpu.id or uuid or "", name or gpu.name
        for column, value in zip(_MEASURES, values, strict=True):
            if (known := number(value)) is not None:
                gpu.samples.add(column, at, known)
    return sorted(gpus.values(), key=lambda gpu: (len(gpu.id), gpu.id, gpu.uuid or ""))


def _lanes(gpu: Gpu, start_ns: int, end_ns: int, width: int) -> dict[str, Any]:
    lanes = {}
    for lane, (column, unit, highest_of) in LANES.items():
        if (samples := gpu.samples.get(column)) is not None:
            highest = 100.0 if unit == "%" else _highest(gpu, highest_of)
            low, high, last = _buckets(samples, start_ns, end_ns, width)
            lanes[lane] = {"unit": unit, "max": highest, "min": low, "max_values": high, "last": last}
    return lanes


def _highest(gpu: Gpu, column: str | None) -> float | None:
    samples = gpu.samples.get(column or "")
    return None if samples is None else max(samples.values)


def _buckets(samples: Series, start_ns: int, end_ns: int, width: int) -> tuple[_Bucket, _Bucket, _Bucket]:
    """The lowest, highest and last value of each bucket; the last bucket includes the end."""
    low: _Bucket = [None] * width
    high, last = low[:], low[:]
    times, values = samples.times, samples.values
    length = end_ns - start_ns
    at, end = bisect_left(times, start_ns), bisect_right(times, end_ns)
    while at < end:
        bucket = min(width - 1, (times[at] - start_ns) * width // length) if length else 0
        # The first moment that is behind this bucket, rounded up to whole nanoseconds.
        limit = start_ns - (-(bucket + 1) * length // width)
        behind = end if bucket == width - 1 or not length else bisect_left(times, limit, at, end)
        inside = values[at:behind]
        low[bucket], high[bucket], last[bucket] = min(inside), max(inside), inside[-1]
        at = behind
    return low, high, last


def _weight(gpus: list[Gpu]) -> int:
    return 1_000 + sum(16 * len(samples.times) + 500 for gpu in gpus for samples in gpu.samples.values())
