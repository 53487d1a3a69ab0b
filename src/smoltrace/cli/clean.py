"""`smoltrace clean`: delete old runs, here or on the Hub."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli import output
from smoltrace.cli.settings import tags_of
from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.publish.hub.clean import Chosen, Published
    from smoltrace.store.clean import Candidate

EXAMPLES = """\b
Examples:
  smoltrace clean --older-than 30d                 what would be deleted; nothing is without --yes
  smoltrace clean --older-than 30d --yes
  smoltrace clean --keep 20 --tag branch=main      all of that branch but the newest 20
  smoltrace clean --incomplete --yes
  smoltrace clean experiment-001 experiment-002 --yes
  smoltrace clean --hub --older-than 12w           published runs of your account
  smoltrace clean --hub --run experiment-001 --yes

A run is deleted whole, with its row of the leaderboard; one that is being written is kept. On the Hub only the datasets
of runs are deleted, smoltrace-results-…, smoltrace-traces-…, smoltrace-metrics-… and smoltrace-run-…, and only where
their card has the tag smoltrace. Leaderboards there keep their rows.

Exit codes: 0 done, 2 wrong usage, 3 the disk refused, 4 the Hub failed; the same command deletes what is left.
"""

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _age(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """What 30d, 12h, 2w and 90m mean."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)([mhdw])", value.strip())
    if found is None:
        raise click.BadParameter(f"'{value}' is no age. Write a number and m, h, d or w, as in 30d.", ctx, param)
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


@click.command("clean", epilog=EXAMPLES)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--older-than", callback=_age, metavar="AGE", help="Only what is older: 30d, 12h, 2w, 90m.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Keep the newest N of those that fit the rest.")
@click.option("--incomplete", is_flag=True, help="Only interrupted runs; the same as --status incomplete.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(["completed", "incomplete", "unreadable"]),
    help="Only runs of this status; repeat for more.",
)
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Only runs with this label; repeat for more.")
@click.option("--hub", is_flag=True, help="Published runs on the Hugging Face Hub, instead of those here.")
@click.option("--owner", help="Hub: account or organisation [default: the token's own].")
@click.option("--run", "named", multiple=True, metavar="RUN_ID", help="Only this run, as RUN; repeat for more.")
@click.option("--yes", is_flag=True, help="Delete. Without it nothing is deleted, and what would be is printed.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    runs: tuple[str, ...], named: tuple[str, ...], hub: bool, yes: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Delete old runs; a dry run unless --yes is given.

    RUN is a run id, the beginning of one, or latest; on the Hub a whole run id. Only runs that fit everything that is
    given are deleted.
    """
    if options["incomplete"]:
        options["statuses"] = (*options["statuses"], "incomplete")
    clean = _clean_hub if hub else _clean_store
    document = clean((*runs, *named), options, yes, not (as_json or quiet))
    if as_json:
        click.echo(output.json_text(document))


def _clean_store(runs: tuple[str, ...], options: dict[str, Any], yes: bool, tell: bool) -> dict[str, Any]:
    from smoltrace.store.clean import Selection, choose, delete
    from smoltrace.store.layout import Store

    if options["owner"]:
        raise UsageError("--owner is for --hub, and says nothing of the runs here. Leave it out.")
    store = Store(options["store"])
    selection = Selection(
        runs=runs,
        older_than=options["older_than"],
        keep=options["keep"],
        statuses=frozenset(options["statuses"]),
        tags=tags_of(options["tags"]),
    )
    chosen = choose(store, selection)
    if tell:
        _tell_runs(chosen, str(store.path))
    kept: dict[str, str] = {run.run_id: "it is being written" for run in chosen if run.status == "running"}
    gone: list[Candidate] = []
    if yes:
        kept = {}
        for run, why in delete(store, chosen):
            if why is None:
                gone.append(run)
            else:
                kept[run.run_id] = why
    if tell:
        for run_id, why in kept.items():
            click.echo(f"{run_id} is kept: {why}", err=True)
        going = gone if yes else [run for run in chosen if run.run_id not in kept]
        _tell_end(f"{_number(len(going), 'run')}, {size_text(sum(run.bytes for run in going))}", yes, bool(chosen))
    return {
        "store": str(store.path),
        "deleted": yes,
        "runs": [_run_document(run, run.run_id in kept) for run in chosen],
        "kept": kept,
        "bytes": sum(run.bytes for run in chosen if run.run_id not in kept),
    }


def _clean_hub(runs: tuple[str, ...], options: dict[str, Any], yes: bool, tell: bool) -> dict[str, Any]:
    from smoltrace.publish.hub.clean import Selection, choose, delete

    for name, flag in {"statuses": "--status or --incomplete", "tags": "--tag", "store": "--store"}.items():
        if options[name]:
            raise UsageError(f"{flag} is for runs here, and says nothing with --hub. Leave it out.")
    selection = Selection(runs=runs, older_than=options["older_than"], keep=options["keep"])
    chosen = choose(selection, options["owner"])
    if tell:
        _tell_published(chosen, runs)
    kept: dict[str, str] = {}
    if yes:
        for run in chosen.runs:
            for repo_id, why in delete(run):
                if why is not None:
                    kept[repo_id] = why
                elif tell:
                    click.echo(f"deleted {repo_id}", err=True)
    repos = [repo_id for run in chosen.runs for repo_id in run.repo_ids if repo_id not in kept]
    if tell:
        for repo_id, why in kept.items():
            click.echo(f"{repo_id} is kept: {why}", err=True)
        what = f"{_number(len(chosen.runs), 'run')}, {_number(len(repos), 'dataset')}"
        _tell_end(what, yes, bool(chosen.runs))
    return {
        "owner": chosen.owner,
        "deleted": yes,
        "runs": [_published_document(run) for run in chosen.runs],
        "kept": kept,
        "datasets": repos,
    }


def _tell_runs(chosen: list[Candidate], store: str) -> None:
    if not chosen:
        click.echo(f"No run of the store {store} fits.", err=True)
        return
    rows = [
        [
            run.run_id,
            run.status,
            output.shortened(run.model, 40),
            size_text(run.bytes),
            output.time_text(run.started_at),
        ]
        for run in chosen
    ]
    output.print_table(["RUN", "STATUS", "MODEL", "SIZE", "STARTED"], rows, right=(3,))


def _tell_published(chosen: Chosen, named: tuple[str, ...]) -> None:
    known = {run.run_id for run in chosen.runs}
    for run_id in dict.fromkeys(named):
        if run_id not in known:
            click.echo(f"{chosen.owner} has no published run '{run_id}' that fits.", err=True)
    if not chosen.runs:
        click.echo(f"No published run of {chosen.owner} fits.", err=True)
        return
    rows = [
        [
            run.run_id or output.UNKNOWN,
            output.shortened(run.model or output.UNKNOWN, 40),
            output.time_text(run.published_at),
            repo_id,
        ]
        for run in chosen.runs
        for repo_id in run.repo_ids
    ]
    output.print_table(["RUN", "MODEL", "PUBLISHED", "DATASET"], [[output.printable(c) for c in row] for row in rows])


def _tell_end(what: str, yes: bool, any_chosen: bool) -> None:
    if yes and any_chosen:
        click.echo(f"{what} deleted.", err=True)
    elif any_chosen:
        click.echo(f"{what} would be deleted. Nothing was: add --yes.", err=True)


def _run_document(run: Candidate, kept: bool) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "status": run.status,
        "model": run.model,
        "started_at": run.started_at,
        "bytes": run.bytes,
        "kept": kept,
    }


def _published_document(run: Published) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "model": run.model,
        "published_at": run.published_at,
        "datasets": list(run.repo_ids),
    }


def size_text(size: int) -> str:
    """950 B, 12.3 kB, 4.6 MB."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
