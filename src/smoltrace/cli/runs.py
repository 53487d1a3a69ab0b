"""`smoltrace runs`: the runs in the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli import output

if TYPE_CHECKING:
    from smoltrace.store.summary import Summary

EPILOG = """\b
Examples:
  smoltrace runs
  smoltrace runs --limit 5 --store ~/evaluations
  smoltrace runs --json
"""


@click.command("runs", epilog=EPILOG)
@click.option("--limit", type=click.IntRange(1), help="Only the newest N.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(limit: int | None, store: Path | None, as_json: bool) -> None:
    """The runs in the store, the newest first."""
    from smoltrace.store.layout import Store
    from smoltrace.store.read import Run

    found = Store(store)
    summaries = [Run(run_dir).summary() for run_dir in found.newest(limit)]
    if as_json:
        click.echo(output.json_text([_document(summary) for summary in summaries]))
    elif summaries:
        headers = ["RUN", "STATUS", "MODEL", "TESTS", "SUCCESS", "TOKENS", "COST", "STARTED"]
        output.print_table(headers, [_cells(summary) for summary in summaries], right=(3, 4, 5, 6))
    else:
        click.echo(f"The store {found.path} has no runs. Make one with: smoltrace eval", err=True)


def _document(summary: Summary) -> dict[str, Any]:
    row = summary.leaderboard
    return {
        "run_id": summary.run_id,
        "status": summary.status,
        "model": row["model"],
        "started_at": row["evaluation_date"],
        "planned": summary.planned,
        "finished": summary.finished,
        "success_rate": row["success_rate"],
        "total_tokens": row["total_tokens"],
        "total_cost_usd": row["total_cost_usd"],
        "cost_known_usd": row["cost_known_usd"],
        "unpriced_calls": row["unpriced_calls"],
    }


def _cells(summary: Summary) -> list[str]:
    row = summary.leaderboard
    whole = summary.planned is None or summary.finished >= summary.planned
    cost = output.total_cost_text(
        row["total_cost_usd"], row["cost_known_usd"], row["unpriced_calls"], summary.llm_calls
    )
    return [
        summary.run_id,
        summary.status,
        output.shortened(row["model"], 40),
        str(summary.finished) if whole else f"{summary.finished}/{summary.planned}",
        output.percent_text(row["success_rate"]),
        output.tokens_text(row["total_tokens"]),
        cost,
        output.time_text(row["evaluation_date"]),
    ]
