"""The energy of a run, read from its journals: the counters of its devices, and when its tests ran."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from smoltrace.books import names
from smoltrace.store.contents import finished_tests, results_in
from smoltrace.store.lines import LineFile, index_results, whole_lines
from smoltrace.store.parquet import reading

if TYPE_CHECKING:
    from smoltrace.books.attribution import Claim
    from smoltrace.records.energy import RunEnergy
    from smoltrace.records.otlp_points import Point
    from smoltrace.records.schema import Row
    from smoltrace.store.layout import RunDir

_TIME: Final = re.compile(rb'"timeUnixNano"\s*:\s*"?([0-9]{1,20})')


def energy_of(run_dir: RunDir, manifest: Mapping[str, Any]) -> RunEnergy | None:
    """What the devices of a run used and whose it was; None for a run of which no device tells. Raises StoreError.

    Every finished test has its share; what was used meanwhile for tests that were not finished belongs to none.
    """
    from smoltrace.records.device_energy import EnergySeries
    from smoltrace.records.energy import ON_THE_DEVICE, Factors, RunEnergy
    from smoltrace.records.gpu_metrics import GpuSeries

    energy, gauges, journal = EnergySeries(), GpuSeries(), DeviceJournal(run_dir)
    found = False
    for line in journal:
        for point in line.points:
            found = True
            energy.add(point)
            gauges.add(point)
    if not found:
        return None
    on_the_device = manifest.get("provider") in ON_THE_DEVICE
    claims = _claims(run_dir, with_calls=on_the_device)
    return RunEnergy(
        energy.devices(),
        claims,
        Factors.of(manifest),
        gauges.aggregate(),
        silent_gpus=_silent_gpus(manifest),
        damaged_lines=journal.damaged,
        on_the_device=on_the_device,
    )


def with_energy(row: Row, energy: RunEnergy | None) -> Row:
    """A row of `results` with its share of what the run used, as it is where nothing was measured."""
    return row if energy is None else row | energy.result_columns(str(row["test_case_uid"]))


def shares_of_file(results: Path, manifest: Mapping[str, Any]) -> Callable[[Row], Row]:
    """What gives a row of `results` its energy columns, from the finished file: watt-hours give the microjoules back,
    and all else follows from them. Raises StoreError."""
    import pyarrow.parquet as pq

    from smoltrace.books.energy import uj_of
    from smoltrace.records.energy import Factors, columns_of_test

    with reading(results), pq.ParquetFile(results) as file:
        table = file.read(columns=["test_case_uid", "gpu_energy_wh"]).to_pydict()
    used = dict(zip(table["test_case_uid"], table["gpu_energy_wh"], strict=True))
    factors = Factors.of(manifest)

    def columns(row: Row) -> Row:
        watt_hours = used.get(str(row["test_case_uid"]))
        return columns_of_test(factors, None if watt_hours is None else uj_of(watt_hours))

    return columns


class Line(NamedTuple):
    """A line of the metrics journal: its OTLP JSON `resourceMetrics` that tell of devices, and their points."""

    batch: list[dict[str, Any]]
    points: list[Point]


class DeviceJournal:
    """The lines of a run's metrics journal that tell of devices, in order of time, whatever order they stand in.

    `damaged` counts the lines that were no metrics, once they have been gone through: the counters are cumulative, so
    all that a lost line takes with it is how its energy was spread. Raises StoreError when the disk refuses.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._path = run_dir.metrics_journal
        self.damaged = 0

    def __iter__(self) -> Iterator[Line]:
        self.damaged = 0
        places = sorted(
            ((_time_of(line), number, place) for number, (place, line) in enumerate(whole_lines(self._path))),
            key=lambda found: found[:2],
        )
        with LineFile(self._path) as file:
            for _, _, place in places:
                if (line := self._line(file.read(place))) is not None and line.batch:
                    yield line

    def _line(self, text: bytes) -> Line | None:
        import orjson

        from smoltrace.records.otlp_points import points_in

        try:
            batch = [item for item in orjson.loads(text)["resourceMetrics"] if not _of_client(item)]
            return Line(batch, list(points_in(batch)))
        except (ValueError, TypeError, KeyError, AttributeError):
            self.damaged += 1
            return None


def _time_of(line: bytes) -> int:
    found = _TIME.search(line)
    return int(found.group(1)) if found else 0


def _of_client(item: Mapping[str, Any]) -> bool:
    """Whether it tells of calls and tests only."""
    scopes = {(each.get("scope") or {}).get("name") for each in item.get("scopeMetrics") or ()}
    return scopes == {names.CLIENT_SCOPE}


def _silent_gpus(manifest: Mapping[str, Any]) -> int:
    """GPUs of the run whose energy could not be read at all."""
    devices = (manifest.get("metering") or {}).get("devices") or ()
    return sum(device.get("kind") == "gpu" and device.get("method") is None for device in devices)


def _claims(run_dir: RunDir, *, with_calls: bool) -> Iterator[Claim]:
    """The tests; `with_calls` reads their traces too."""
    from smoltrace.records.energy import claim_of

    entries = index_results(run_dir.results_journal)
    found: Iterable[tuple[Row, Any]]
    if with_calls:
        found = ((test.result, test.spans) for test in finished_tests(run_dir, entries))
    else:
        found = ((row, ()) for row in results_in(run_dir, entries))
    for row, spans in found:
        if (claim := claim_of(row, spans)) is not None:
            yield claim
