"""`smoltrace sample`: a store of made-up runs, and the sample metrics."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli import output
from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.samples.store import SampleStore

DEFAULT_STORE = Path("smoltrace-sample")

EPILOG = """\b
Examples:
  smoltrace sample
  smoltrace sample --store demo-store --runs 2 --limit 5
  smoltrace sample --big-trace 10000
  smoltrace sample --metrics-only -o sample-data

Models behind an API bear names that nobody sells, and every run has a note and the tag sample=yes that say what it is.
The books balance as those of real runs do: the same code writes them. The same seed makes the same runs.
"""


@click.command("sample", epilog=EPILOG)
@click.option("--store", type=click.Path(path_type=Path), help=f"Where the runs go [default: {DEFAULT_STORE}].")
@click.option("--runs", type=int, help="How many runs; more than 12 repeat four of them, a day apart [default: 12].")
@click.option("--limit", type=click.IntRange(1), help="Only the first N tasks of each run.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number makes other runs.")
@click.option("--big-trace", type=click.IntRange(0), default=0, help="Add a run of one test with a trace of N spans.")
@click.option("--metrics-only", is_flag=True, help="Make no store, only the sample metrics: two JSON files.")
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), help="Write the sample metrics into this folder."
)
@click.option("--gpus", type=click.IntRange(1, 64), help="GPUs in the sample metrics [default: 1].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    store: Path | None,
    runs: int | None,
    limit: int | None,
    seed: int,
    big_trace: int,
    metrics_only: bool,
    folder: Path | None,
    gpus: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a store of sample runs, to see what the leaderboard and the viewer show without running anything.

    There are models behind an API and on one and four GPUs, both kinds of agents, failures of many kinds, a run that
    was interrupted, and several runs of one model over some days. No model is asked, and no device is read.
    """
    from smoltrace.samples.generator import make_folder, write_documents

    files: list[Path] = []
    made: SampleStore | None = None
    if metrics_only and (store is not None or runs is not None or limit is not None or big_trace):
        raise UsageError("--metrics-only makes no runs: leave out --store, --runs, --limit and --big-trace.")
    with_metrics = metrics_only or folder is not None
    if gpus is not None and not with_metrics:
        raise UsageError("--gpus is about the sample metrics: add -o FOLDER, or --metrics-only.")
    target = folder or Path()
    if with_metrics:
        with _naming_the_folder():
            make_folder(target)
    if not metrics_only:
        made = _store(store or DEFAULT_STORE, runs, limit, seed, big_trace, silent=quiet or as_json)
    if with_metrics:
        with _naming_the_folder():
            files = write_documents(target, seed=seed, gpus=gpus or 1)
    if as_json:
        click.echo(output.json_text(_document(made, files)))
    elif not quiet:
        _print(made, files)


@contextmanager
def _naming_the_folder() -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{error} Name another folder with -o.") from error


def _store(store: Path, runs: int | None, limit: int | None, seed: int, big_trace: int, *, silent: bool) -> SampleStore:
    from smoltrace.samples.store import make_sample_store

    told = None if silent else lambda run_dir: click.echo(f"made {run_dir.run_id}", err=True)
    return make_sample_store(store, runs=runs, seed=seed, tests=limit, big_trace_spans=big_trace, told=told)


def _document(made: SampleStore | None, files: list[Path]) -> dict[str, Any]:
    return {
        "store": None if made is None else str(made.store.path),
        "runs": [] if made is None else [run_dir.run_id for run_dir in made.runs],
        "metrics": [str(file) for file in files],
    }


def _print(made: SampleStore | None, files: list[Path]) -> None:
    for file in files:
        click.echo(file)
    if made is None:
        return
    count, place = len(made.runs), shlex.quote(str(made.store.path))
    click.echo(f"{count} sample run{'' if count == 1 else 's'} in {made.store.path}: nothing of it was measured.")
    click.echo(f"Next: smoltrace view --store {place} · smoltrace leaderboard --store {place}")
