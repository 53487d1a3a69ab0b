"""`smoltrace export`: a run as files for other programs."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  smoltrace export latest -o results/
  smoltrace export 3f2a --format csv -o tables/
  smoltrace export 3f2a --format otlp -o traces/

\b
json     results.json, traces.json, metrics.json, leaderboard_row.json, metadata.json
jsonl, csv, parquet
         one file a dataset: results, traces, spans, metrics, points, leaderboard
otlp     traces.otlp.jsonl, one export request a test, as collectors and trace viewers read it

Prompts that repeat from step to step are stored once and referenced, except in otlp, which has them whole.
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
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
def command(run: str, kind: str, output: Path, store: Path | None) -> None:
    """Write a run as JSON, JSONL, CSV, Parquet or OTLP. Existing files of these names are replaced.

    RUN is a run id, the beginning of one, 'latest', or the path of a run's folder.
    """
    from smoltrace.store.export import export
    from smoltrace.store.read import load_run

    for path in export(load_run(run, store), kind, output):
        click.echo(path)
