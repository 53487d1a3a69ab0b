"""A run in numbers as it stands: what its end wrote, or what its journals add up to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from smoltrace.errors import StoreError
from smoltrace.records.schema import RESULTS
from smoltrace.store.summary import Summary
from smoltrace.viewer.data.sources import PATIENCE, Source, weight_of_readings

if TYPE_CHECKING:
    from collections.abc import Callable

_WEIGHT: Final = 20_000


def summary_of(source: Source) -> Summary:
    """The run in numbers. Of a run that goes on it may be of a moment ago: it takes the longer the longer the run is,
    and is made again for a bounded share of the time. Raises StoreError."""
    from smoltrace.store.finalise import summarise
    from smoltrace.store.read import Run

    run_dir, written, run = source.run_dir, source.written_summary, Run(source.run_dir)
    if written is not None and (source.finished_files or source.journal is None):
        return written
    if source.is_live:
        return _so_far(source)
    if source.journal is None:
        return _kept(source, "summary of files", lambda: summarise(run_dir, run.results(), None))
    return _kept(source, "summary", run.summary)


def _so_far(source: Source) -> Summary:
    """The finished tests and the readings of the devices apart: to go through all readings takes much longer."""
    from smoltrace.store.contents import results_in
    from smoltrace.store.energy import energy_of
    from smoltrace.store.finalise import summarise
    from smoltrace.store.lines import index_results

    run_dir, journal = source.run_dir, source.run_dir.results_journal
    made = _kept(source, "sums", lambda: summarise(run_dir, results_in(run_dir, index_results(journal)), None))
    files = (run_dir.metrics_journal, journal)
    energy = source.kept(
        "energy so far",
        files,
        lambda: energy_of(run_dir, source.manifest),
        lambda _: weight_of_readings(run_dir.metrics_journal),
        patience=PATIENCE,
    )
    if energy is None:
        return made
    return replace(made, leaderboard=made.leaderboard | energy.leaderboard_columns(), energy=energy.to_json())


def _kept(source: Source, what: str, make: Callable[[], Summary]) -> Summary:
    run_dir = source.run_dir
    files = (
        *(run_dir.results_journal, run_dir.parquet(RESULTS.name), run_dir.manifest_file),
        *(() if source.is_live else (run_dir.metrics_journal,)),
    )
    patience = PATIENCE if source.is_live else 0.0
    return source.kept(
        what, files, lambda: _added_up(source, make), lambda _: _WEIGHT, also=source.status, patience=patience
    )


def _added_up(source: Source, make: Callable[[], Summary]) -> Summary:
    try:
        return make()
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise StoreError(
            f"{source.run_dir.path}: the results cannot be added up ({type(error).__name__}: {error}). A line of the "
            "journal, or run.json, is JSON and yet does not hold what it should."
        ) from error
