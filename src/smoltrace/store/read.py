"""Reading runs: finished or still going on, whole or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import UsageError
from smoltrace.records.schema import DATASETS, METRICS, POINTS, RESULTS, SPANS, TRACES, Row, record_batch
from smoltrace.store.contents import FinishedTest, finished_tests, results_in, spans_at
from smoltrace.store.energy import energy_of
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.lines import LineFile, index_results, index_traces
from smoltrace.store.parquet import read_rows
from smoltrace.store.span_file import SpansInTurn, spans_of_file
from smoltrace.store.summary import Summary, read_summary

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.books.spans import Span
    from smoltrace.records.energy import RunEnergy


class Run:
    """One run, read from its journal while it has one, else from its finished files. Reading changes nothing.

    `id` is its run id, `path` its directory.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._dir = run_dir
        self._energy_at: tuple[tuple[int, ...], RunEnergy | None] | None = None

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    @property
    def id(self) -> str:
        return self._dir.run_id

    @property
    def path(self) -> Path:
        return self._dir.path

    @property
    def directory(self) -> RunDir:
        return self._dir

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What run.json says: configuration, versions, hardware, status. Raises StoreError."""
        return self._dir.manifest()

    def results(self) -> Iterator[Row]:
        """The rows of `results`, in the order of the plan; money is exact Decimal. Raises StoreError."""
        if self._has_journal:
            energy = self._shares()
            yield from (row | energy(row) for row in self._results())
        elif (file := self._dir.parquet(RESULTS.name)).exists():
            yield from read_rows(file, RESULTS)

    def traces(self) -> Iterator[Row]:
        """The rows of `traces`, spans nested and prompts referenced, in the order of the plan. Raises StoreError."""
        from smoltrace.records.traces import trace_row

        if self._has_journal:
            yield from (trace_row(test.result, test.spans) for test in self._tests() if test.spans)
        elif (file := self._dir.parquet(TRACES.name)).exists():
            yield from read_rows(file, TRACES)

    def spans(self) -> Iterator[Row]:
        """The rows of `spans`. Raises StoreError."""
        from smoltrace.records.traces import in_order, span_rows_of

        if self._has_journal:
            energy = self._energy()
            for test in self._tests():
                yield from span_rows_of(test.result, in_order(test.spans), energy=energy)
        elif (file := self._dir.parquet(SPANS.name)).exists():
            yield from read_rows(file, SPANS)

    def metrics(self) -> list[Row]:
        """The rows of `metrics`: one per GPU and moment, or the one of a run without a GPU. Raises StoreError."""
        from smoltrace.store.finalise import metrics_of

        file = self._dir.parquet(METRICS.name)
        if file.exists() and (self._fresh_summary() is not None or not self._has_journal):
            return list(read_rows(file, METRICS))
        return list(metrics_of(self._dir, self.manifest))

    def points(self) -> list[Row]:
        """The rows of `points`, from the journal while the finished files are older than it. Raises StoreError."""
        from smoltrace.books.calls import calls_in
        from smoltrace.records.metrics import points

        file = self._dir.parquet(POINTS.name)
        if file.exists() and self._fresh_summary() is not None:
            return list(read_rows(file, POINTS))
        energy = self._energy()
        of_devices = [] if energy is None else energy.points(self.manifest)
        return [*points(((test.result, calls_in(test.spans)) for test in self._tests()), self.manifest), *of_devices]

    def table(self, dataset: str) -> pa.Table:
        """The dataset results, traces, spans, metrics or points as Arrow. Raises UsageError for another name."""
        import pyarrow as pa

        readers = {"results": self.results, "traces": self.traces, "spans": self.spans}
        readers |= {"metrics": lambda: iter(self.metrics()), "points": lambda: iter(self.points())}
        if dataset not in readers:
            raise UsageError(f"A run has no dataset '{dataset}'. It has: {', '.join(readers)}.")
        schema = next(known for known in DATASETS if known.name == dataset)
        return pa.Table.from_batches([record_batch(schema, list(readers[dataset]()))])

    def tests(self) -> Iterator[FinishedTest]:
        """The finished tests with their spans as recorded, in the order of the plan. Raises StoreError."""
        if self._has_journal:
            energy = self._shares()
            yield from (FinishedTest(test.result | energy(test.result), test.spans) for test in self._tests())
        else:
            spans = SpansInTurn(self._dir)
            yield from (FinishedTest(result, spans.of(str(result["trace_id"]))) for result in self.results())

    def leaderboard_row(self) -> Row:
        """The row of `leaderboard`; of a run that goes on, as it stands now. Raises StoreError."""
        return self.summary().leaderboard

    def summary(self) -> Summary:
        """The run in numbers; of a run that goes on, as it stands now. Raises StoreError."""
        return self._fresh_summary() or self._made_summary()

    def _fresh_summary(self) -> Summary | None:
        """The written summary, unless the journal has grown or the manifest has changed since."""
        from smoltrace.store.finalise import status_of

        found = read_summary(self._dir)
        if found is None:
            return None
        if self._has_journal and found.journal_bytes != self._dir.results_journal.stat().st_size:
            return None
        return found if found.status == status_of(self._dir, self.manifest) else None

    def _made_summary(self) -> Summary:
        from smoltrace.store.finalise import summarise

        return summarise(self._dir, self._results(), self._energy())

    def _results(self) -> Iterator[Row]:
        """The rows of `results` as the journal has them: without energy, which is known when all tests are."""
        return results_in(self._dir, index_results(self._dir.results_journal))

    def _tests(self) -> Iterator[FinishedTest]:
        if self._has_journal:
            yield from finished_tests(self._dir, index_results(self._dir.results_journal))
        else:
            yield from self.tests()

    def _shares(self) -> Callable[[Row], Row]:
        """What gives a row of `results` its energy columns: the finished file where it is fresh, since going through
        all readings takes seconds for a long run."""
        from smoltrace.store.energy import shares_of_file

        summary, file = self._fresh_summary(), self._dir.parquet(RESULTS.name)
        if summary is not None and file.exists():
            return shares_of_file(file, self.manifest) if summary.energy is not None else lambda _: {}
        energy = self._energy()
        return lambda row: {} if energy is None else energy.result_columns(str(row["test_case_uid"]))

    def _energy(self) -> RunEnergy | None:
        """What the run's devices used, read again only when a journal has grown."""
        state = tuple(_size(file) for file in (self._dir.metrics_journal, self._dir.results_journal))
        if self._energy_at is None or self._energy_at[0] != state:
            self._energy_at = (state, energy_of(self._dir, self.manifest))
        return self._energy_at[1]

    @property
    def _has_journal(self) -> bool:
        return self._dir.results_journal.exists()


def load_run(run: str | Path, store: str | Path | Store | None = None) -> Run:
    """A run, given its id, the beginning of its id, `latest`, or the path of its directory.

    `store` is a folder of runs, by default the one that SMOLTRACE_STORE names, else ./smoltrace-runs.
    Raises RunNotFoundError, with the names that come near, and UsageError when a beginning fits several runs.
    """
    return Run((store if isinstance(store, Store) else Store(store)).find(run))


def load_trace(run: Run | str | Path, trace_id: str) -> list[Span]:
    """The spans of one trace of a run in order of their start, their prompts whole.

    Raises RunNotFoundError when there is no such run, UsageError when the run has no such trace.
    """
    from smoltrace.records.messages import restore
    from smoltrace.records.traces import in_order

    found = run if isinstance(run, Run) else load_run(run)
    return restore(in_order(_recorded(found.directory, trace_id.lower())))


def _recorded(run_dir: RunDir, trace_id: str) -> list[Span]:
    if run_dir.traces_journal.exists():
        place = index_traces(run_dir.traces_journal).get(trace_id)
        if place is not None:
            with LineFile(run_dir.traces_journal) as traces:
                return spans_at(traces, place, run_dir.traces_journal)
    elif spans := spans_of_file(run_dir, trace_id):
        return spans
    raise UsageError(f"The run {run_dir.run_id} has no trace '{trace_id}'. Its results name the traces it has.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
