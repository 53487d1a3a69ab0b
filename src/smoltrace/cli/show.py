"""`smoltrace show`: one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli import output

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.store.summary import Summary

EPILOG = """\b
RUN is a run id, the beginning of one, 'latest', or the path of a run's folder.

\b
Examples:
  smoltrace show
  smoltrace show 3f2a --failures 50
  smoltrace show latest --json
"""


@click.command("show", epilog=EPILOG)
@click.argument("run", default="latest")
@click.option("--failures", type=click.IntRange(0), default=10, show_default=True, help="Failed tests to list.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run: str, failures: int, store: Path | None, as_json: bool) -> None:
    """One run: summary, failures, cost."""
    from smoltrace.store.read import load_run

    found = load_run(run, store)
    if as_json:
        click.echo(output.json_text(_document(found)))
    else:
        print_summary(found, failures=failures)


def print_summary(run: Run, *, failures: int = 10) -> None:
    """The run on standard output: what it was, how it went, what it took, which tests failed, where its files lie."""
    summary = run.summary()
    output.print_facts([*_what(run, summary), *_how(summary), *_took(summary)])
    if summary.leaderboard["failed_tests"]:
        click.echo()
        _print_failures(run, failures, int(summary.leaderboard["failed_tests"]))
    click.echo()
    click.echo(f"Files: {run.path}")


def row_as_json(row: Mapping[str, Any]) -> str:
    """A leaderboard row as one JSON document: money as numbers, times as ISO 8601, JSON columns as what they hold."""
    return output.json_text(output.for_json(row, ("tags", "error_types")))


def _document(run: Run) -> dict[str, Any]:
    summary = run.summary()
    failed = [
        {name: row[name] for name in ("test_case_uid", "status", "error_type", "error", "response", "trace_id")}
        for row in _failed(run)
    ]
    return {
        "run_id": summary.run_id,
        "status": summary.status,
        "planned": summary.planned,
        "finished": summary.finished,
        "statuses": summary.statuses,
        "llm_calls": summary.llm_calls,
        "leaderboard": output.for_json(summary.leaderboard, ("tags", "error_types")),
        "failures": failed,
        "path": str(run.path),
    }


def _what(run: Run, summary: Summary) -> list[tuple[str, str]]:
    row = summary.leaderboard
    status = summary.status
    if summary.planned is not None and summary.finished < summary.planned:
        status += f": {summary.finished} of {summary.planned} tests finished"
    facts = [
        ("Run", run.id),
        ("Status", status),
        ("Model", f"{row['model']} ({row['provider']})"),
        ("Agent", str(row["agent_type"])),
        ("Tasks", str(row["dataset_used"])),
        ("Started", output.time_text(row["evaluation_date"])),
    ]
    if row["notes"]:
        facts.append(("Notes", output.shortened(row["notes"], 100)))
    return facts


def _how(summary: Summary) -> list[tuple[str, str]]:
    row = summary.leaderboard
    facts = [("Success", output.success_text(row))]
    if (row["attempts"] or 1) > 1:
        k = row["attempts"]
        chances = [("pass@1", "pass_at_1"), (f"pass@{k}", "pass_at_k"), (f"pass^{k}", "pass_hat_k")]
        facts.append(("Attempts", " · ".join(f"{name} {_chance(row[column])}" for name, column in chances)))
    if row["total_errors"]:
        kinds = output.for_json(row, ("error_types",))["error_types"]
        facts.append(("Errors", f"{row['total_errors']} ({', '.join(f'{kind} {n}' for kind, n in kinds.items())})"))
    return facts


def _chance(chance: float | None) -> str:
    return output.percent_text(None if chance is None else 100 * chance)


def _took(summary: Summary) -> list[tuple[str, str]]:
    row = summary.leaderboard
    return [
        ("Tokens", _tokens(row, summary.llm_calls)),
        ("Cost", _cost(row, summary.llm_calls)),
        ("Duration", _duration(row)),
        ("Tools", _tools(row)),
    ]


def _tokens(row: Mapping[str, Any], calls: int) -> str:
    if row["total_tokens"] is None:
        return output.unknown("no call reported its tokens" if calls else "no calls")
    split = [(row["total_prompt_tokens"], "in"), (row["total_completion_tokens"], "out")]
    split += [(row["total_cache_read_tokens"], "read from cache"), (row["total_reasoning_tokens"], "reasoning")]
    parts = [f"{output.count_text(n)} {name}" for n, name in split if n]
    return f"{output.tokens_text(row['total_tokens'])} in {calls} calls ({', '.join(parts)})"


def _cost(row: Mapping[str, Any], calls: int) -> str:
    text = output.total_cost_text(row["total_cost_usd"], row["cost_known_usd"], row["unpriced_calls"], calls)
    per_test = row["avg_cost_per_test_usd"]
    return text if per_test is None else f"{text} ({output.cost_text(per_test)} a test)"


def _duration(row: Mapping[str, Any]) -> str:
    wall = output.duration_text(row["wall_time_ms"], "the run has not ended")
    if row["p50_duration_ms"] is None:
        return wall
    p50, p95 = output.duration_text(row["p50_duration_ms"]), output.duration_text(row["p95_duration_ms"])
    return f"{wall} · a test: median {p50}, 95 % within {p95}"


def _tools(row: Mapping[str, Any]) -> str:
    calls = row["total_tool_calls"]
    if not calls:
        return "0 calls"
    if row["unique_tools_used"] == 1:
        return f"{calls} calls of {row['most_used_tool']}"
    return f"{calls} calls of {row['unique_tools_used']} tools, most of {row['most_used_tool']}"


def _failed(run: Run) -> Iterator[dict[str, Any]]:
    return (row for row in run.results() if not row["success"])


def _print_failures(run: Run, limit: int, total: int) -> None:
    shown = list(islice(_failed(run), limit))
    if shown:
        rows = [
            [
                row["test_case_uid"],
                row["error_type"] or row["status"],
                output.shortened(_expected(row), 36),
                output.shortened(row["error"] or row["response"] or output.UNKNOWN, 60),
            ]
            for row in shown
        ]
        output.print_table(["FAILED TEST", "WHY", "EXPECTED", "ANSWER OR ERROR"], rows)
    if total > len(shown):
        click.echo(f"… and {total - len(shown)} more: --failures {total} lists them all")


def _expected(row: Mapping[str, Any]) -> str:
    expected = output.for_json(row, ("expected",))["expected"] or {}
    if not isinstance(expected, dict):
        return str(expected)
    found = [f"{name}: {_plain(value)}" for name, value in expected.items() if value not in (None, [], ())]
    return "; ".join(found) or output.UNKNOWN


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
