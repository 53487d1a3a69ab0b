"""The energy of a run, read from its journals: the counters of its devices, and when its tests ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.store.contents import finished_tests, results_in
from smoltrace.store.lines import decoded, index_results, whole_lines

if TYPE_CHECKING:
    from smoltrace.books.attribution import Claim
    from smoltrace.records.energy import RunEnergy
    from smoltrace.records.schema import Row
    from smoltrace.store.layout import RunDir


def energy_of(run_dir: RunDir, manifest: Mapping[str, Any]) -> RunEnergy | None:
    """What the devices of a run used and whose it was; None for a run of which no device tells. Raises StoreError.

    Every finished test has its share; what was used meanwhile for tests that were not finished belongs to none.
    """
    from smoltrace.records.device_energy import EnergySeries
    from smoltrace.records.energy import ON_THE_DEVICE, Factors, RunEnergy
    from smoltrace.records.gpu_metrics import GpuSeries
    from smoltrace.records.otlp_points import points_in

    energy, gauges = EnergySeries(), GpuSeries()
    found = False
    for batch in device_batches(run_dir):
        for point in points_in(batch):
            found = True
            energy.add(point)
            gauges.add(point)
    if not found:
        return None
    on_the_device = manifest.get("provider") in ON_THE_DEVICE
    claims = _claims(run_dir, with_calls=on_the_device)
    return RunEnergy(energy.devices(), claims, Factors.of(manifest), gauges.aggregate(), on_the_device=on_the_device)


def with_energy(row: Row, energy: RunEnergy | None) -> Row:
    """A row of `results` with its share of what the run used, as it is where nothing was measured."""
    return row if energy is None else row | energy.result_columns(str(row["test_case_uid"]))


def device_batches(run_dir: RunDir) -> Iterator[list[dict[str, Any]]]:
    """The `resourceMetrics` of the metrics journal that tell of devices, line by line. Raises StoreError."""
    path = run_dir.metrics_journal
    for number, (_, line) in enumerate(whole_lines(path), start=1):
        batch = [item for item in decoded(path, number, line).get("resourceMetrics") or () if not _of_client(item)]
        if batch:
            yield batch


def _of_client(item: Mapping[str, Any]) -> bool:
    """Whether it tells of calls and tests only."""
    scopes = {(each.get("scope") or {}).get("name") for each in item.get("scopeMetrics") or ()}
    return scopes == {names.CLIENT_SCOPE}


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
