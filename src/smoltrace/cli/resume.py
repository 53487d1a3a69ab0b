"""`smoltrace resume`: go on with a run that ended before its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from smoltrace.cli.footprint import footprint_options, given_footprint
from smoltrace.cli.limits import given_limits, limit_options
from smoltrace.cli.telling import outlet_to, publish_options, publishing, tell_run

EPILOG = """\b
RUN is a run id, the beginning of one, 'latest', or the path of a run's folder.

\b
Examples:
  smoltrace resume latest
  smoltrace resume 3f2a --max-cost 10
  smoltrace resume 3f2a --workers 2 --rpm 30

What a run is stays as it began: its tasks, its model, its agents. What is not given here is as it was given last. Keys
come from the environment again.

Exit codes: 0 the run is complete, 2 wrong usage or not the same run any more and nothing was spent, 3 the run is
incomplete again, 4 the run is complete and safe here but publishing it failed.
"""


@click.command("resume", epilog=EPILOG)
@click.argument("run")
@click.option("--workers", type=click.IntRange(1), help="Tests that run at once.")
@click.option("--engine", type=click.Choice(["threads", "processes"]), help="Where tests run.")
@limit_options
@footprint_options
@click.option("--base-url", help="Address of the server, where the recorded one lacks its password.")
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Go on although tasks, settings or versions are not as they were; the change is recorded.",
)
@click.option("--otlp", metavar="URL", help="Send what is run now to this OTLP receiver while the run goes on.")
@publish_options
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the leaderboard row as one JSON document and nothing else."
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(run: str, store: Path | None, accept_changes: bool, as_json: bool, quiet: bool, **options: Any) -> int:
    """Go on with an interrupted run.

    Finished tests are not run again, whatever ended the run. A run that is complete is shown, and nothing is spent.
    """
    from smoltrace.evaluation.lives.resume import resume_run

    outlet = outlet_to(options["otlp"], store)
    given = {name: options[name] for name in ("workers", "engine", "request_timeout", "base_url")}
    changes = {name: value for name, value in given.items() if value is not None}
    changes |= given_limits(options) | given_footprint(options)
    return tell_run(
        lambda reporter: resume_run(
            run, store=store, reporter=reporter, accept_changes=accept_changes, changes=changes, outlet=outlet
        ),
        as_json,
        quiet,
        store,
        publishing(options),
    )
