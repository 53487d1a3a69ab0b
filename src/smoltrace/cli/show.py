"""`smoltrace show`: one run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli import output, summary
from smoltrace.cli.energy import energy
from smoltrace.cli.summary import FAILURE_HEADERS, GROUP_HEADERS, Fact, Group

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

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

FAILURES = 10
_BAR = 24
_SMALL_BAR = 12
_WIDEST = 120
_ENDED = ("error", "timeout", "limit")


@click.command("show", epilog=EPILOG)
@click.argument("run", default="latest")
@click.option("--failures", type=click.IntRange(0), default=FAILURES, show_default=True, help="Failed tests to list.")
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run: str, failures: int, store: Path | None, as_json: bool) -> None:
    """One run: summary, failures, cost."""
    from smoltrace.store.read import load_run

    found = load_run(run, store)
    if as_json:
        click.echo(output.json_text(_document(found)))
    else:
        print_summary(found, failures=failures, store=store)


def print_summary(
    run: Run, *, failures: int = FAILURES, store: Path | None = None, next_steps: Sequence[str] = ()
) -> None:
    """The run on standard output: what it was, how it went, what it took, which tests failed, where its files lie.

    On a terminal it is drawn, elsewhere it is plain aligned text. `store` is what --store was given; `next_steps` are
    commands to go on with.
    """
    found = run.summary()
    counts = summary.counts_of(run, found)
    what, how = summary.what(run, found), [*summary.how(found, counts), *energy(run, found)]
    groups = counts.groups() if counts is not None else []
    failed = [summary.failure_cells(row) for row in islice(_failed(run), failures)]
    unsuccessful = max(found.leaderboard["failed_tests"] or 0, sum(found.statuses.get(name, 0) for name in _ENDED))
    more = unsuccessful - len(failed)
    last = [Fact("Files", summary.shown_path(run.path))]
    if next_steps:
        last.append(Fact("Next", " · ".join(next_steps)))
    screen = _Drawn(found) if sys.stdout.isatty() else _Plain()
    screen.facts(what, how)
    screen.groups(groups)
    screen.failures(failed, f"… and {more} more: {_all_of(run, len(failed) + more, store)}" if more > 0 else None)
    screen.last(last)


def row_as_json(row: Mapping[str, Any]) -> str:
    """A leaderboard row as one JSON document: money as numbers, times as ISO 8601, JSON columns as what they hold."""
    return output.json_text(output.for_json(row, ("tags", "error_types")))


def _document(run: Run) -> dict[str, Any]:
    found = run.summary()
    failed = [
        {name: row[name] for name in ("test_case_uid", "status", "error_type", "error", "response", "trace_id")}
        for row in _failed(run)
    ]
    return {
        "run_id": found.run_id,
        "status": found.status,
        "planned": found.planned,
        "finished": found.finished,
        "statuses": found.statuses,
        "llm_calls": found.llm_calls,
        "discarded": _discarded(found),
        "energy": found.energy,
        "leaderboard": output.for_json(found.leaderboard, ("tags", "error_types")),
        "failures": failed,
        "path": str(run.path),
    }


def _discarded(found: Summary) -> dict[str, Any]:
    cost = found.discarded.cost_usd
    return {**found.discarded.to_json(), "cost_usd": None if cost is None else float(cost)}


def _failed(run: Run) -> Iterator[dict[str, Any]]:
    """Those that did not succeed; of tests that nobody judged, those that an error ended."""
    return (row for row in run.results() if row["success"] is False or row["status"] in _ENDED)


def _all_of(run: Run, failures: int, store: Path | None) -> str:
    """The command that lists all failures of the run."""
    return f"smoltrace show {short_name(run)} --failures {failures}{option_of(store)}"


def short_name(run: Run) -> str:
    """What a command has to be told to find the run: of an id that was made up, its beginning."""
    return run.id[:8] if len(run.id) == 36 else run.id


def option_of(store: Path | None) -> str:
    """What a command has to say to find a run again that was kept in `store`."""
    return "" if store is None else f" --store {shlex.quote(str(store))}"


class _Plain:
    """Aligned text without colour, for logs and pipes."""

    def facts(self, what: Sequence[Fact], how: Sequence[Fact]) -> None:
        output.print_facts([(fact.name, fact.text) for fact in (*what, *how)])

    def groups(self, groups: Sequence[tuple[str, Group]]) -> None:
        if groups:
            click.echo()
            output.print_table(GROUP_HEADERS, [group.cells(name) for name, group in groups], right=range(1, 6))

    def failures(self, failed: Sequence[list[str]], more: str | None) -> None:
        if failed:
            click.echo()
            output.print_table(FAILURE_HEADERS, failed)
        if more:
            click.echo(more)

    def last(self, facts: Sequence[Fact]) -> None:
        click.echo()
        for fact in facts:
            click.echo(f"{fact.name}: {fact.text}")


class _Drawn:
    """Tables, bars and colour, for a terminal; never wider than it, and what does not fit ends in an ellipsis."""

    def __init__(self, found: Summary) -> None:
        from rich.console import Console

        self._row = found.leaderboard
        console = Console(highlight=False)
        self._console: Console = Console(highlight=False, width=min(console.width, _WIDEST))

    def facts(self, what: Sequence[Fact], how: Sequence[Fact]) -> None:
        from rich.table import Table
        from rich.text import Text

        told = {fact.name: output.printable(fact.text) for fact in what}
        title = Text.assemble("\n", (told["Model"], "bold"), " on ", (told["Tasks"], "bold"))
        title.append(f" · {told['Agent']} agents · {told['Status']} · {told['Started']}", "dim")
        self._console.print(title)
        if "Notes" in told:
            self._console.print(Text(told["Notes"], "italic"))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for style in ("cyan", "bold", ""):
            table.add_column(overflow="fold", style=style)
        for fact in how:
            table.add_row(fact.name, Text(output.printable(fact.head)), Text(output.printable(fact.detail)))
            if fact.name == "Success" and self._row["success_rate"] is not None:
                table.add_row("", "", self._interval())
        self._console.print()
        self._console.print(table)

    def groups(self, groups: Sequence[tuple[str, Group]]) -> None:
        from rich.text import Text

        if not groups:
            return
        table = _table(GROUP_HEADERS[:3], right=(1, 2))
        table.add_column("", width=_SMALL_BAR)
        for header in GROUP_HEADERS[3:]:
            table.add_column(header, justify="right")
        for name, group in groups:
            cells = group.cells(name)
            table.add_row(*map(Text, cells[:3]), _bar(group.share, _SMALL_BAR), *map(Text, cells[3:]))
        self._console.print()
        self._console.print(table)

    def failures(self, failed: Sequence[list[str]], more: str | None) -> None:
        from rich.text import Text

        if failed:
            table = _table(FAILURE_HEADERS)
            for column, width in zip(table.columns, self._widths(failed), strict=True):
                column.no_wrap, column.overflow, column.width = True, "ellipsis", width
            for uid, why, *rest in failed:
                table.add_row(Text(uid), Text(why, "red"), *map(Text, rest))
            self._console.print()
            self._console.print(table)
        if more:
            self._console.print(Text(more, "dim"), soft_wrap=True)

    def _widths(self, failed: Sequence[list[str]]) -> list[int]:
        """Widths of the failures' columns: why in full, the others in the room that there is."""
        longest = [max(len(row[i]) for row in [FAILURE_HEADERS, *failed]) for i in range(4)]
        room = self._console.width - longest[1] - 6
        uid = min(longest[0], room * 45 // 100)
        expected = min(longest[2], max(len(FAILURE_HEADERS[2]), (room - uid) * 2 // 5))
        return [uid, longest[1], expected, min(longest[3], max(room - uid - expected, 1))]

    def last(self, facts: Sequence[Fact]) -> None:
        from rich.text import Text

        self._console.print()
        for fact in facts:
            # A path or a command that is cut cannot be copied: it is folded instead.
            self._console.print(Text.assemble((f"{fact.name:<7}", "cyan"), fact.text), soft_wrap=True)

    def _interval(self) -> Text:
        """The success rate on a scale of 0 to 100 %, its interval drawn thick."""
        from rich.text import Text

        width = 2 * _BAR
        rate, low, high = (
            round(self._row[name] / 100 * (width - 1))
            for name in ("success_rate", "success_rate_ci_low", "success_rate_ci_high")
        )
        scale = Text()
        for place in range(width):
            inside = low <= place <= high
            sign = "●" if place == rate else "━" if inside else "─"
            scale.append(sign, "bold green" if place == rate else "green" if inside else "dim")
        return scale


def _table(headers: Sequence[str], right: Sequence[int] = ()) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i in right else "left")
    return table


def _bar(share: float | None, width: int) -> Text:
    from rich.text import Text

    if share is None:
        return Text()
    filled = round(share * width)
    return Text.assemble(("━" * filled, "green"), ("━" * (width - filled), "bright_black"))
