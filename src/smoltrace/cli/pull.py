"""`smoltrace pull`: a published run into this store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli import output
from smoltrace.cli.publish import shown_progress
from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.publish.hub.pull import Pulled, Puller
    from smoltrace.records.schema import Row

EXAMPLES = """\b
Examples:
  smoltrace pull ann/smoltrace-results-20260102_030405
  smoltrace pull ann/smoltrace-run-experiment-001 --run-id anns-experiment
  smoltrace pull ann/smoltrace-leaderboard                        what runs it has
  smoltrace pull ann/smoltrace-leaderboard --run experiment-001
  smoltrace pull ann/smoltrace-leaderboard --all

Any dataset of a run will do: its results, traces or metrics. The run is then in this store as any other, for view,
show, leaderboard and export. Private datasets need a token that may read them in HF_TOKEN.

Exit codes: 0 the run is here, 2 there is no such run or it cannot be read, and nothing was written; 3 the disk refused.
"""


@click.command("pull", epilog=EXAMPLES)
@click.argument("dataset", metavar="OWNER/NAME")
@click.option("--run", "named", multiple=True, metavar="RUN_ID", help="Leaderboard: this run; repeat for more.")
@click.option("--all", "every", is_flag=True, help="Leaderboard: all its runs.")
@click.option("--revision", help="Branch, tag or commit of the dataset [default: the newest].")
@click.option("--run-id", help="Name of the run here [default: the one it has].")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    dataset: str,
    named: tuple[str, ...],
    every: bool,
    revision: str | None,
    run_id: str | None,
    store: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Get a published run from the Hugging Face Hub into this store."""
    from smoltrace.publish.hub.board import is_leaderboard
    from smoltrace.publish.hub.pull import Puller
    from smoltrace.store.layout import Store

    name = dataset.removeprefix("hf:")
    if is_leaderboard(name):
        if named and every:
            raise UsageError("Give --run RUN_ID or --all, not both.")
        if run_id is not None and len(named) != 1:
            raise UsageError("--run-id names one run: give one --run with it.")
    elif named or every:
        raise UsageError(f"--run and --all are for a leaderboard, and {name} is none.")
    with shown_progress(quiet or as_json) as progress:
        puller = Puller(Store(store), revision, progress)
        if is_leaderboard(name) and not (named or every):
            rows = puller.listed(name)
            if as_json or not quiet:
                _list(rows, name, as_json)
            return
        if not is_leaderboard(name):
            pulled = puller.pull(name, run_id)
            _tell(pulled, store, quiet or as_json)
            if as_json:
                click.echo(output.json_text(_document(pulled)))
            return
        _pull_listed(puller, name, named, run_id, store, as_json, quiet)


def _pull_listed(
    puller: Puller,
    board: str,
    named: tuple[str, ...],
    run_id: str | None,
    store: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Pull runs of a leaderboard, one after the other; one that fails keeps none from the next."""
    wanted = list(dict.fromkeys(named or (str(row["run_id"]) for row in puller.listed(board))))
    done, failed = [], {}
    for each in wanted:
        try:
            pulled = puller.pull_listed(board, each, run_id)
        except UsageError as error:
            if len(wanted) == 1:
                raise
            failed[each] = str(error)
            if not (quiet or as_json):
                click.echo(f"{output.printable(each)}: {error}", err=True)
            continue
        done.append(pulled)
        _tell(pulled, store, quiet or as_json)
    if as_json:
        click.echo(output.json_text({"pulled": [_document(pulled) for pulled in done], "failed": failed}))
    if failed:
        raise UsageError(f"{len(failed)} of {len(wanted)} runs of {board} could not be pulled.")


def _list(rows: list[Row], board: str, as_json: bool) -> None:
    if as_json:
        shown = ("run_id", "model", "evaluation_date", "success_rate", "num_tests", "results_dataset")
        click.echo(output.json_text([{name: row[name] for name in shown} for row in rows]))
        return
    if not rows:
        click.echo(f"{board} has no runs.", err=True)
        return
    cells = [
        [
            output.shortened(row["run_id"], 128),
            output.shortened(row["model"] or output.UNKNOWN, 40),
            output.time_text(row["evaluation_date"]),
            output.percent_text(row["success_rate"]),
        ]
        for row in rows
    ]
    output.print_table(["RUN", "MODEL", "DATE", "SUCCESS"], cells, right=(3,))
    click.echo(f"Get one with: smoltrace pull {board} --run RUN_ID", err=True)


def _tell(pulled: Pulled, store: Path | None, quiet: bool) -> None:
    from smoltrace.cli.show import option_of

    if quiet:
        return
    for note in pulled.notes:
        click.echo(f"Note: {output.printable(note)}", err=True)
    if pulled.is_new:
        click.echo(f"{pulled.run_id}: pulled from {pulled.repo} to {pulled.path}", err=True)
        click.echo(f"Look at it with: smoltrace show {pulled.run_id}{option_of(store)}", err=True)
    else:
        click.echo(f"{pulled.run_id}: is in the store already, with the same content", err=True)


def _document(pulled: Pulled) -> dict[str, Any]:
    return {
        "run_id": pulled.run_id,
        "path": str(pulled.path),
        "repo": pulled.repo,
        "revision": pulled.revision,
        "new": pulled.is_new,
        "notes": list(pulled.notes),
    }
