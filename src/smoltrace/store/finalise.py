"""From the journal of a run to its finished files: the datasets as Parquet, the summary, the row of the leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.records.schema import METRICS, POINTS, RESULTS, SPANS, TRACES
from smoltrace.store.contents import finished_tests
from smoltrace.store.energy import DeviceJournal, energy_of, with_energy
from smoltrace.store.lines import index_results
from smoltrace.store.lock import is_held
from smoltrace.store.parquet import DatasetFile, weight_of, write_rows
from smoltrace.store.spending import discarded
from smoltrace.store.summary import Summary, read_summary, write_summary

if TYPE_CHECKING:
    from smoltrace.books.calls import Call
    from smoltrace.records.energy import RunEnergy
    from smoltrace.records.schema import Row
    from smoltrace.store.contents import FinishedTest
    from smoltrace.store.layout import RunDir

UNFINISHED = frozenset({"running", "incomplete"})
"""Statuses of a manifest that keep a run off the leaderboard: its numbers are those of a part of the tests."""


def finalise(run_dir: RunDir) -> Summary:
    """Write all finished files of a run, whole or not, and its row of the leaderboard when it is whole.

    The journal is read in the order of the plan, batch by batch. Nothing is changed in it, and finalising twice gives
    the same bytes. The summary is written last: it says which state of the journal the files hold. Raises StoreError.
    """
    from smoltrace.records.metrics import Points

    manifest = run_dir.manifest()
    energy = energy_of(run_dir, manifest)
    count = _Count(run_dir, manifest, energy)
    points = Points()
    entries = index_results(run_dir.results_journal)
    with ExitStack() as stack:
        results, traces, spans = (
            stack.enter_context(DatasetFile(run_dir.parquet(dataset.name), dataset))
            for dataset in (RESULTS, TRACES, SPANS)
        )
        for test in finished_tests(run_dir, entries):
            test_calls, trace, span_rows = _rows_of_trace(test, energy)
            count.add(test.result)
            points.add(test.result, test_calls)
            results.add([with_energy(test.result, energy)])
            weight = weight_of(span_rows)
            traces.add(trace, weight=weight)
            spans.add(span_rows, weight=weight)
    write_rows(run_dir.parquet(METRICS.name), METRICS, metrics_of(run_dir, manifest))
    of_devices = [] if energy is None else energy.points(manifest)
    write_rows(run_dir.parquet(POINTS.name), POINTS, [*points.rows(manifest), *of_devices])
    summary = count.summary()
    write_summary(run_dir, summary)
    _enter_leaderboard(run_dir, summary)
    return summary


def is_finalised(run_dir: RunDir) -> bool:
    """Whether a whole run has all its finished files, made from the journal as it is, and its row of the leaderboard.

    Raises StoreError when the disk refuses.
    """
    from smoltrace.store import leaderboard

    found, store = read_summary(run_dir), run_dir.store
    if found is None or found.status in UNFINISHED or str(run_dir.manifest().get("status")) != found.status:
        return False
    if run_dir.results_journal.exists() and found.journal_bytes != _size(run_dir.results_journal):
        return False
    files = (run_dir.parquet(dataset.name) for dataset in (RESULTS, TRACES, SPANS, METRICS, POINTS))
    return all(file.exists() for file in files) and (store is None or leaderboard.has(store, run_dir.run_id))


def summarise(run_dir: RunDir, results: Iterable[Mapping[str, Any]], energy: RunEnergy | None) -> Summary:
    """The summary of a run as it stands, from its rows of `results` and its energy. Nothing is written."""
    count = _Count(run_dir, run_dir.manifest(), energy)
    for result in results:
        count.add(result)
    return count.summary()


class _Count:
    """Makes the summary of a run from its results, one by one. The journal's length is read before the journal is."""

    def __init__(self, run_dir: RunDir, manifest: Mapping[str, Any], energy: RunEnergy | None) -> None:
        from smoltrace.records.leaderboard import Tally

        self._run_dir, self._manifest, self._tally, self._energy = run_dir, manifest, Tally(), energy
        self._statuses: Counter[str] = Counter()
        self._finished: dict[str, bool] = {}
        self._calls = 0
        self._journal_bytes = _size(run_dir.results_journal)

    def add(self, result: Mapping[str, Any]) -> None:
        self._tally.add(result)
        self._statuses[str(result["status"])] += 1
        self._calls += result["llm_calls"] or 0
        self._finished[str(result["test_case_uid"])] = bool(result["llm_calls"])

    def summary(self) -> Summary:
        status = status_of(self._run_dir, self._manifest)
        energy = self._energy
        going_on = len(self._manifest.get("lives") or ()) if status == "running" else None
        return Summary(
            run_id=self._run_dir.run_id,
            status=status,
            planned=self._manifest.get("num_tests"),
            finished=self._statuses.total(),
            statuses=dict(sorted(self._statuses.items())),
            llm_calls=self._calls,
            journal_bytes=self._journal_bytes,
            leaderboard=self._tally.row(self._manifest) | ({} if energy is None else energy.leaderboard_columns()),
            energy=None if energy is None else energy.to_json(),
            discarded=discarded(self._run_dir, self._finished, going_on=going_on),
        )


def status_of(run_dir: RunDir, manifest: Mapping[str, Any]) -> str:
    """running, incomplete or completed. A run that was killed could not write that it is incomplete any more."""
    status = str(manifest.get("status") or "completed")
    return "incomplete" if status == "running" and not is_held(run_dir.lock_file) else status


def metrics_of(run_dir: RunDir, manifest: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of `metrics` of a run: one per GPU and moment, else one of nulls. Raises StoreError."""
    from smoltrace.records.energy import Factors
    from smoltrace.records.metrics import empty_metrics_row, metrics_rows

    lines = (line.points for line in DeviceJournal(run_dir))
    rows = metrics_rows(lines, run_dir.run_id, Factors.of(manifest))
    first = next(rows, None)
    yield empty_metrics_row(manifest) if first is None else first
    yield from rows


def _rows_of_trace(test: FinishedTest, energy: RunEnergy | None) -> tuple[list[Call], list[Row], list[Row]]:
    """The calls of a test, its row of `traces` (none when its trace is lost), and its rows of `spans`."""
    from smoltrace.books.calls import calls_in
    from smoltrace.records.traces import in_order, span_rows_of, trace_row

    if not test.spans:
        return [], [], []
    ordered = in_order(test.spans)
    calls = calls_in(ordered)
    span_rows = span_rows_of(test.result, ordered, calls, energy)
    return calls, [trace_row(test.result, ordered, span_rows)], span_rows


def _enter_leaderboard(run_dir: RunDir, summary: Summary) -> None:
    from smoltrace.store import leaderboard

    if (store := run_dir.store) is None:
        return
    if summary.status in UNFINISHED:
        leaderboard.remove(store, summary.run_id)
    else:
        leaderboard.put(store, summary.leaderboard)
        leaderboard.table(store)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
