"""`smoltrace publish`: put a finished run where others can read it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli.output import json_text

if TYPE_CHECKING:
    from smoltrace.publish.targets import Progress

EXAMPLES = """\b
Examples:
  smoltrace publish latest                       to four private datasets of your account on the Hugging Face Hub
  smoltrace publish experiment-001 --public --license cc-by-4.0
  smoltrace publish latest --layout single --owner my-team
  smoltrace publish latest --to space --public   the viewer as a static page
  smoltrace publish latest --to otlp --url http://localhost:6006
  smoltrace publish latest --to opensearch --url https://localhost:9200

A run that was published before goes to the same place again: publishing twice changes nothing.

The Hub's token is $HF_TOKEN, or that of `hf auth login`. An OTLP receiver and its headers may also stand in
$OTEL_EXPORTER_OTLP_ENDPOINT and $OTEL_EXPORTER_OTLP_HEADERS; OpenSearch in $OPENSEARCH_URL, $OPENSEARCH_USERNAME and
$OPENSEARCH_PASSWORD.

Exit codes: 0 published, 2 wrong usage, 4 publishing failed and can be tried again.
"""

_SILENT_S = 3.0
"""Without a terminal, what takes less than this says nothing on its way, and what takes longer says so this often."""


@click.command("publish", epilog=EXAMPLES)
@click.argument("run")
@click.option(
    "--to",
    type=click.Choice(["hub", "space", "otlp", "opensearch"]),
    default="hub",
    show_default=True,
    help="Where to.",
)
@click.option("--private/--public", default=True, show_default=True, help="Hub: who may read what is made new.")
@click.option("--owner", help="Hub: account or organisation [default: the token's own].")
@click.option(
    "--layout",
    type=click.Choice(["four", "single"]),
    help="Hub: four datasets, or one for each run and a leaderboard [default: as before, else four].",
)
@click.option("--license", "licence", metavar="ID", help="Hub: licence that the cards name, such as cc-by-4.0.")
@click.option("--repo", metavar="OWNER/NAME", help="Space: which one [default: smoltrace-viewer of the account].")
@click.option("--url", help="OTLP, OpenSearch: address [default: from the environment].")
@click.option("--index-prefix", help="OpenSearch: beginning of the names of its indices [default: smoltrace].")
@click.option("--no-content", is_flag=True, help="Leave out prompts, answers, arguments and results.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    run: str, to: str, no_content: bool, store: Path | None, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Publish a finished run.

    RUN is a run id, the beginning of one, latest, or the path of a run's directory. What went where is printed, one
    address a line.
    """
    from smoltrace.publish.targets import Options, publish
    from smoltrace.store.read import load_run

    wanted = Options(**options, content=not no_content)
    wanted.for_target(to)
    found = load_run(run, store)
    with shown_progress(quiet or as_json) as progress:
        published = publish(found, to, wanted, store=store, progress=progress)
    if as_json:
        click.echo(json_text({"run_id": found.id, "to": to, "published": published}))
    elif not quiet:
        note = published.pop("note", None)
        for address in dict.fromkeys(published.values()):
            click.echo(address)
        if note is not None:
            click.echo(f"Note: {note}", err=True)


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Progress | None]:
    """What shows the progress of publishing on standard error: a bar on a terminal, now and then a line elsewhere."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as told:
            yield told
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield told


def _lines() -> Callable[[str, int, int], None]:
    last = time.monotonic()

    def told(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SILENT_S:
            last = time.monotonic()
            click.echo(f"{what}: {done:,} of {total:,}", err=True)

    return told
