"""`smoltrace publish`: put a finished run where others can read it."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  smoltrace publish latest                       to four private datasets of your account on the Hugging Face Hub
  smoltrace publish experiment-001 --public

A run that was published before goes to the same datasets again: publishing twice changes nothing.
The token is $HF_TOKEN, or that of `hf auth login`.

Exit codes: 0 published, 2 wrong usage, 4 publishing failed and can be tried again.
"""


@click.command("publish", epilog=EXAMPLES)
@click.argument("run")
@click.option("--to", type=click.Choice(["hub"]), default="hub", show_default=True, help="Where to.")
@click.option("--private/--public", default=True, show_default=True, help="Who may read datasets that are made new.")
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Where runs are kept [default: $SMOLTRACE_STORE or ./smoltrace-runs].",
)
def command(run: str, to: str, private: bool, store: Path | None) -> int:
    """Publish a finished run.

    RUN is a run id, the beginning of one, latest, or the path of a run's directory. The addresses of the datasets are
    printed, one a line.
    """
    from smoltrace.publish.runs import publish_run, require_token
    from smoltrace.store.read import load_run

    found = load_run(run, store)
    require_token()
    for address in publish_run(found, private=private).values():
        click.echo(address)
    return 0
