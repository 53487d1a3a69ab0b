"""What the viewer is measured beside: the same rows as one plain HTML table, a file that any server sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">
<style>body {{ font: 13px sans-serif }} table {{ border-collapse: collapse }} td, th {{ padding: 4px 8px }}</style>
</head><body><table><thead><tr>{names}</tr></thead><tbody>
"""
BOARD = ("Model", "Agent", "Success, %", "95 % interval", "n", "$ a test", "Tokens", "p50, s", "Wh", "g CO2e", "Date")
TRACE = ("Span", "Kind", "Tokens in", "Tokens out", "$", "Wh", "Start, s", "Took, s")


def write_table(file: Path, title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One row a line; None is a dash."""
    with file.open("w", encoding="utf-8") as out:
        out.write(HEAD.format(title=escape(title), names="".join(f"<th>{escape(name)}</th>" for name in names)))
        for row in rows:
            cells = "".join(f"<td>{'—' if value is None else escape(str(value))}</td>" for value in row)
            out.write(f"<tr>{cells}</tr>\n")
        out.write("</tbody></table></body></html>\n")


def board_rows(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """What the leaderboard shows of a run, of rows as row files hold them."""
    for row in rows:
        co2 = row["co2_emissions_g"]
        yield (
            row["model"],
            row["agent_type"],
            _digits(row["success_rate"], 1),
            f"{row['success_rate_ci_low']:.1f} to {row['success_rate_ci_high']:.1f}",
            row["num_tests"],
            _digits(row["avg_cost_per_test_usd"], 5),
            row["total_tokens"],
            _digits(row["p50_duration_ms"], 2, 1000),
            _digits(row["total_gpu_energy_wh"], 2),
            _digits(co2, 2),
            row["evaluation_date"][:10],
        )


def trace_rows(columns: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    """What the trace page shows of a span, of the columns that it gets."""
    for i, name in enumerate(columns["name"]):
        start, end = columns["start_ms"][i], columns["end_ms"][i]
        yield (
            name,
            columns["kind"][i],
            columns["tokens_in"][i],
            columns["tokens_out"][i],
            _digits(columns["cost"][i], 6),
            _digits(columns["energy_wh"][i], 4),
            _digits(start, 3, 1000),
            None if end is None else _digits(end - start, 3, 1000),
        )


def _digits(value: Any, digits: int, divisor: float = 1) -> str | None:
    return None if value is None else f"{float(value) / divisor:.{digits}f}"
