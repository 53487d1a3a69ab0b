"""`smoltrace export`: a run as files for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from smoltrace.cli.output import json_text

EPILOG = """\b
Examples:
  smoltrace export latest -o results/
  smoltrace export 3f2a --format csv -o tables/
  smoltrace export 3f2a --format otlp -o traces/
  smoltrace export latest --no-content -o for-others/

\b
json     results.json, traces.json, metrics.json, leaderboard_row.json, metadata.json
jsonl, csv, parquet
         one file a dataset: results, traces, spans, metrics, points, leaderboard
otlp     traces.otlp.jsonl, one export request a test, as collectors and trace viewers read it, and
         metrics.otlp.jsonl, where the run has metrics

Prompts that repeat from step to step are stored once and referenced, except in otlp, which has them whole.

Cells of CSV are written to the letter, also those that begin with '=', '+', '-' or '@'. A spreadsheet program takes
such a text for a formula: import the columns as text when you do not trust what a model said.
"""


@click.command("export", epilog=EPILOG)
@click.argument("run")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["json", "jsonl", "csv", "parquet", "otlp"]),
    default="json",
    show_default=True,
    help="Kind of file.",
)
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder.")
@click.option("--no-content", is_flag=True, help="Leave out prompts, answers, arguments and results.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document that names the files.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    run: str, kind: str, output: Path, no_content: bool, store: Path | None, as_json: bool, quiet: bool
) -> None:
    """Write a run as JSON, JSONL, CSV, Parquet or OTLP. Existing files of these names are replaced.

    RUN is a run id, the beginning of one, 'latest', or the path of a run's folder.
    """
    from smoltrace.store.export import export
    from smoltrace.store.read import load_run

    found = load_run(run, store)
    if no_content:
        from smoltrace.tracing.bare_run import BareRun

        found = BareRun.of(found)
    files = export(found, kind, output)
    if as_json:
        click.echo(json_text({"run_id": found.id, "format": kind, "files": [str(file) for file in files]}))
    elif not quiet:
        for file in files:
            click.echo(file)
