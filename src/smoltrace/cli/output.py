"""How numbers and tables look on every screen: unknown is a dash and why, a total with gaps is a bound."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import click

UNKNOWN = "—"


def cost_text(usd: Decimal | float | None, *, lower_bound: bool = False, why: str | None = None) -> str:
    """Dollars: two decimals, or two significant digits under one cent; `≥` marks a lower bound."""
    if usd is None:
        return unknown(why)
    amount = Decimal(str(usd))
    bound = "≥ " if lower_bound else ""
    if amount == 0 or abs(amount) >= Decimal("0.00995"):
        return f"{bound}${amount:,.2f}"
    # The exponent of the second significant digit tells how many decimals show it.
    return f"{bound}${amount:.{1 - amount.adjusted()}f}"


def total_cost_text(total: Decimal | None, known: Decimal | None, unpriced: int | None, calls: int | None) -> str:
    """A total of dollars: exact, or `≥ $1.24 (3 of 50 unpriced)`, or a dash where no call at all has a price."""
    if total is not None:
        return cost_text(total)
    if not unpriced:
        return unknown("no calls")
    share = f"{unpriced} of {calls} unpriced" if calls else f"{unpriced} unpriced"
    if not known:
        return unknown(f"usage or price unknown, {share}")
    return f"{cost_text(known, lower_bound=True)} ({share})"


def duration_text(milliseconds: float | None, why: str | None = None) -> str:
    """950 ms, 12.3 s, 4 m 05 s, 2 h 03 m."""
    if milliseconds is None:
        return unknown(why)
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} m"


def tokens_text(tokens: float | None, why: str | None = None) -> str:
    """950 tok, 12.3k tok, 4.6M tok."""
    return unknown(why) if tokens is None else f"{count_text(tokens)} tok"


def count_text(count: float) -> str:
    """A count in three digits or so: 950, 12.3k, 4.6M."""
    if count < 999.5:
        return f"{count:.0f}"
    if count < 999_950:
        return f"{count / 1000:.1f}k"
    if count < 999_950_000:
        return f"{count / 1_000_000:.1f}M"
    return f"{count / 1_000_000_000:.1f}G"


def percent_text(percent: float | None) -> str:
    """97.5 %, and 100 % and 0 % only where all or none is meant."""
    if percent is None:
        return UNKNOWN
    if percent in (0, 100):
        return f"{percent:.0f} %"
    return f"{min(max(percent, 0.1), 99.9):.1f} %"


def time_text(moment: datetime | None) -> str:
    """2025-06-15 15:06 UTC."""
    return UNKNOWN if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def unknown(why: str | None = None) -> str:
    """A dash, and in brackets why."""
    return f"{UNKNOWN} ({why})" if why else UNKNOWN


def shortened(text: str | None, width: int) -> str:
    """One line of at most `width` characters; an ellipsis says that there is more."""
    line = " ".join(printable(text or "").split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def printable(text: str) -> str:
    """The text without control characters: what a model writes must not steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    spare: Sequence[int] = (),
    elastic: Mapping[int, int] | None = None,
) -> bool:
    """A table on standard output: drawn on a terminal, plain aligned text elsewhere. `right` columns align right.

    On a terminal that is too narrow for it the `spare` columns are left out one by one, in this order, and those of
    `elastic` shortened, each at most to its width there. Whether anything is missing is given back; tables without
    either are folded.
    """
    if sys.stdout.isatty():
        return _print_drawn(headers, rows, right, spare, elastic or {})
    widths = [max(len(row[i]) for row in [headers, *rows]) for i in range(len(headers))]
    for row in [headers, *rows]:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    return False


def _print_drawn(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int],
    spare: Sequence[int],
    elastic: Mapping[int, int],
) -> bool:
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    natural = [max(cell_len(row[i]) for row in [headers, *rows]) for i in range(len(headers))]
    widths = fitted(natural, console.width, spare, elastic) if spare or elastic else dict(enumerate(natural))
    fits = bool(spare or elastic)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i in widths:
        header = shortened(headers[i], widths[i]) if fits else headers[i]
        table.add_column(
            Text(header),
            justify="right" if i in right else "left",
            overflow="ellipsis" if fits else "fold",
            no_wrap=fits,
        )
    for row in rows:
        table.add_row(*(Text(shortened(row[i], width) if fits else row[i]) for i, width in widths.items()))
    console.print(table)
    return list(widths.values()) != natural


def fitted(natural: Sequence[int], width: int, spare: Sequence[int], elastic: Mapping[int, int]) -> dict[int, int]:
    """The columns of a drawn table that a terminal of this width has room for, and how wide each is; see `print_table`.

    `natural` are the widths of the whole columns.
    """
    widths = {i: min(each, elastic.get(i, each)) for i, each in enumerate(natural)}
    left_out = iter(spare)
    while _drawn_width(widths) > width and (place := next(left_out, None)) is not None:
        del widths[place]
    for i in elastic:  # the first gets back what it lacks first
        widths[i] = min(natural[i], widths[i] + max(0, width - _drawn_width(widths)))
    return widths


def _drawn_width(widths: Mapping[int, int]) -> int:
    """Of a table as rich draws it: three blanks between two columns, one at either end."""
    return sum(widths.values()) + 3 * (len(widths) - 1) + 2


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Names and values, one pair a line, the values in one column."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        click.echo(f"{name:<{width}}  {printable(value)}")


def json_text(document: Any) -> str:
    """One JSON document for people and programs: money as a number, times as ISO 8601."""
    import orjson

    return orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def for_json(row: Mapping[str, Any], json_columns: Sequence[str]) -> dict[str, Any]:
    """A row with its JSON columns as what they hold instead of as text."""
    import orjson

    shown = dict(row)
    for name in json_columns:
        if shown.get(name) is not None:
            shown[name] = orjson.loads(shown[name])
    return shown
