"""A run's course on the terminal: a bar where there is one, one line a test where there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli.output import cost_text, duration_text, tokens_text
from smoltrace.evaluation.progress import Silent, Terminal

if TYPE_CHECKING:
    from smoltrace.evaluation.progress import Progress, Reporter


def reporter_for(quiet: bool) -> Reporter:
    """The reporter that suits standard error: silent, a live bar, or plain lines."""
    if quiet:
        return Quiet()
    return LiveBar() if sys.stderr.isatty() else Lines()


def sums(progress: Progress) -> str:
    """Success, tokens and dollars so far, in one phrase."""
    share = f"{100 * progress.successes / progress.done:.0f} %" if progress.done else "—"
    return f"success {share} · {tokens_text(progress.tokens)} · {_cost(progress)}"


def beginning(progress: Progress) -> str:
    """What is ahead, and what earlier lives of the run have done."""
    if not progress.before:
        return f"{progress.total} tests"
    rest = "; nothing is left to run" if progress.before >= progress.total else ""
    return f"resumed: {progress.before} of {progress.total} finished{rest}"


def _cost(progress: Progress) -> str:
    """Dollars so far: a bound where some calls have no price, and no figure at all where none has."""
    if progress.unpriced and not progress.cost_known:
        return "cost unknown"
    return cost_text(progress.cost_known, lower_bound=progress.unpriced > 0)


class Quiet(Silent, Terminal):
    """Nothing at all, but what is lost otherwise."""

    def warned(self, message: str) -> None:
        click.echo(f"Warning: {message}", err=True)


class Lines(Terminal):
    """One line a test on standard error, for logs."""

    def noted(self, message: str) -> None:
        click.echo(f"Warning: {message}", err=True)

    def started(self, run_id: str, progress: Progress) -> None:
        click.echo(f"run {run_id}: {beginning(progress)}", err=True)

    def finished(self, row: Mapping[str, Any], progress: Progress) -> None:
        verdict = "pass" if row["success"] else "FAIL"
        why = f" ({row['error_type']})" if row["error_type"] else ""
        click.echo(
            f"[{progress.done}/{progress.total}] {verdict} {row['test_case_uid']}{why} "
            f"{duration_text(row['execution_time_ms'])} · {sums(progress)}",
            err=True,
        )

    def closed(self, progress: Progress) -> None:
        return None


class LiveBar(Terminal):
    """A bar that shows done, success, tokens, dollars and the time left."""

    def noted(self, message: str) -> None:
        click.echo(f"Warning: {message}", err=True)

    def started(self, run_id: str, progress: Progress) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        if progress.before:
            console.print(f"run {run_id}: {beginning(progress)}", highlight=False, markup=False)
        self._bar = Bar(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # What is to be dropped must not be shown above the bar.
            redirect_stdout=not getattr(sys.stdout, "drops", False),
        )
        self._task = self._bar.add_task(sums(progress), total=progress.total, completed=progress.done)
        self._bar.start()

    def finished(self, row: Mapping[str, Any], progress: Progress) -> None:
        self._bar.update(self._task, completed=progress.done, description=sums(progress))

    def closed(self, progress: Progress) -> None:
        self._bar.stop()
