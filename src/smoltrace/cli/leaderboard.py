"""`smoltrace leaderboard`: all finished runs in one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from smoltrace.cli import output
from smoltrace.cli.energy import energy_text, grams_text
from smoltrace.errors import UsageError

EPILOG = """\b
Examples:
  smoltrace leaderboard
  smoltrace leaderboard --sort total_cost_usd --limit 10
  smoltrace leaderboard --group-by model
  smoltrace leaderboard --csv > leaderboard.csv

Any column can be sorted by; the best comes first, and '-' before the name turns the order round. A run whose value is
unknown comes last either way.
"""

SUMMED = (
    *("cost_known_usd", "wall_time_ms", "co2_emissions_g", "power_cost_total_usd", "electricity_cost_usd"),
    *("gpu_energy_idle_wh", "energy_estimated_wh_min", "energy_estimated_wh_max"),
    *("co2_estimated_g_min", "co2_estimated_g_max"),
)
"""Columns that add up over runs and whose names do not say so by `total_`."""
SMALLER_IS_BETTER = (
    *("cost", "duration", "time", "tokens", "error", "failed", "ttft", "tbt", "steps", "unpriced"),
    *("co2", "carbon", "energy", "gpu_power", "gpu_temperature"),
)
"""Words in the name of a column that say so."""
LEAST_FIRST = ("95 % INTERVAL", "A TEST", "STARTED", "CO2", "ENERGY", "AGENT", "AVG TIME", "TOKENS", "TESTS", "RUNS")
"""Columns that a narrow terminal does without, the first first. Run, model, success and cost always stay."""


@click.command("leaderboard", epilog=EPILOG)
@click.option("--sort", default="success_rate", show_default=True, help="Column to sort by.")
@click.option("--group-by", help="Column, as in model: one line a value, with sums and averages over its runs.")
@click.option("--limit", type=click.IntRange(1), help="Only the first N lines.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with every column.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document with every column.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
def command(
    sort: str, group_by: str | None, limit: int | None, as_csv: bool, as_json: bool, store: Path | None
) -> None:
    """Compare all finished runs in one table."""
    from smoltrace.records.schema import LEADERBOARD
    from smoltrace.store import leaderboard
    from smoltrace.store.layout import Store

    if as_csv and as_json:
        raise UsageError("Choose one of --csv and --json.")
    for name in (sort.removeprefix("-"), group_by):
        if name is not None and name not in LEADERBOARD.by_name:
            raise UsageError(_no_column(name, LEADERBOARD.names))
    found = leaderboard.rows(Store(store))
    rows = [_group(list(rows)) for rows in _grouped(found, group_by)] if group_by else found
    rows = _sorted(rows, sort)[:limit]
    if as_json:
        click.echo(output.json_text([output.for_json(row, ("tags", "error_types")) for row in rows]))
    elif as_csv:
        click.echo(_csv(rows, list(rows[0]) if rows else LEADERBOARD.names), nl=False)
    elif not rows:
        click.echo(f"The store {Store(store).path} has no finished runs. Make one with: smoltrace eval", err=True)
    else:
        _print(rows, group_by)


def _no_column(name: str, names: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, names, n=3)
    return f"The leaderboard has no column '{name}'." + (f" Did you mean {', '.join(near)}?" if near else "")


def _sorted(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    name = sort.removeprefix("-")
    known = [row for row in rows if row[name] is not None]
    unknown = [row for row in rows if row[name] is None]
    text = any(isinstance(row[name], str) for row in known)
    upwards = text or any(word in name for word in SMALLER_IS_BETTER)
    key: Callable[[dict[str, Any]], Any] = lambda row: str(row[name]) if text else row[name]  # noqa: E731
    return sorted(known, key=key, reverse=upwards == sort.startswith("-")) + unknown


def _grouped(rows: Iterable[dict[str, Any]], column: str) -> Iterable[list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups.values()


def _group(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One row for several runs: text that they share, sums of tests, tokens and money, rates over all their tests.

    What cannot be told from the rows alone (percentiles, maxima of averages) is null.
    """
    from smoltrace.books.statistics import wilson_interval

    made: dict[str, Any] = {"runs": len(rows)}
    for name in rows[0]:
        values = [row[name] for row in rows]
        same = all(value == values[0] for value in values)
        made[name] = values[0] if same and not isinstance(values[0], int | float | Decimal) else None
    for name in ("num_tests", "successful_tests", "failed_tests", "total_errors", "total_tool_calls", "unpriced_calls"):
        made[name] = sum(row[name] or 0 for row in rows)
    for name in rows[0]:
        if name.startswith("total_") and name not in ("total_errors", "total_tool_calls"):
            made[name] = _sum([row[name] for row in rows])
    for name in SUMMED:
        made[name] = _sum([row[name] for row in rows])
    tests, judged = made["num_tests"], made["successful_tests"] + made["failed_tests"]
    interval = wilson_interval(made["successful_tests"], judged) or (None, None)
    made["success_rate_ci_low"], made["success_rate_ci_high"] = interval
    if judged:
        made["success_rate"] = 100 * made["successful_tests"] / judged
    if tests:
        made["error_rate"] = 100 * made["total_errors"] / tests
        for average, total in (
            ("avg_cost_per_test_usd", "total_cost_usd"),
            ("avg_tokens_per_test", "total_tokens"),
            ("avg_duration_ms", "total_duration_ms"),
        ):
            made[average] = None if made[total] is None else made[total] / tests
    return made


def _sum(values: Sequence[Any]) -> Any:
    """The sum; None when a value is unknown: a sum of the others would be too small."""
    return None if any(value is None for value in values) else sum(values[1:], start=values[0])


def _csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _print(rows: Sequence[Mapping[str, Any]], group_by: str | None) -> None:
    first = [group_by.upper(), "RUNS"] if group_by else ["RUN", "MODEL", "AGENT"]
    headers = [*first, "TESTS", "SUCCESS", "95 % INTERVAL", "A TEST", "COST", "TOKENS", "AVG TIME"]
    with_energy = any(row["total_gpu_energy_wh"] is not None for row in rows)
    headers += ["ENERGY", "CO2"] if with_energy else []
    if not group_by:
        headers.append("STARTED")
    cells = []
    for row in rows:
        known = [str(row[group_by]), str(row["runs"])] if group_by else _identity(row)
        line = [*known, str(row["num_tests"]), output.percent_text(row["success_rate"]), _interval(row), *_spent(row)]
        if with_energy:
            line += [energy_text(row["total_gpu_energy_wh"]), grams_text(row["co2_emissions_g"])]
        cells.append(line if group_by else [*line, output.time_text(row["evaluation_date"])])
    start = len(first)
    numbers = range(start if not group_by else 1, start + 7 + 2 * with_energy)
    cut = output.print_table(
        headers,
        cells,
        right=tuple(numbers),
        spare=[headers.index(name) for name in LEAST_FIRST if name in headers[1:]],
        elastic={0: 16} if group_by else {1: 12, 0: _telling([line[0] for line in cells])},
    )
    if cut:
        click.echo("The terminal is too narrow for all of it. Every column, whole: --csv or --json.", err=True)


def _telling(ids: Sequence[str]) -> int:
    """How wide run ids must be shown to be told apart, as by commands, which take the beginning of one; 9 to 24."""
    lengths = range(8, 23)
    return 1 + next((n for n in lengths if len({each[:n] for each in ids}) == len(set(ids))), 23)


def _identity(row: Mapping[str, Any]) -> list[str]:
    return [str(row["run_id"]), output.shortened(row["model"], 40), str(row["agent_type"] or output.UNKNOWN)]


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
    return output.UNKNOWN if low is None else f"{low:.1f} to {high:.1f}"


def _spent(row: Mapping[str, Any]) -> list[str]:
    total = output.total_cost_text(row["total_cost_usd"], row["cost_known_usd"], row["unpriced_calls"], None)
    return [
        output.cost_text(row["avg_cost_per_test_usd"]),
        total,
        output.tokens_text(row["total_tokens"]),
        output.duration_text(row["avg_duration_ms"]),
    ]
