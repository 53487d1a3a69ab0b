"""A run's course on the terminal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smoltrace.cli.progress import Lines, LiveBar, reporter_for, sums
from smoltrace.evaluation.progress import Progress, Silent


@pytest.mark.parametrize(
    ("known", "unpriced", "says"),
    [("0.5", 0, "$0.50"), ("0.5", 3, "≥ $0.50"), ("0", 3, "cost unknown"), ("0", 0, "$0.00")],
)
def test_an_unknown_cost_is_never_shown_as_nothing(known: str, unpriced: int, says: str) -> None:
    progress = Progress(4, done=2, successes=1, tokens=1500, cost_known=Decimal(known), unpriced=unpriced)
    assert sums(progress) == f"success 50 % · 1.5k tok · {says}"


def test_before_the_first_test_there_is_no_success_rate() -> None:
    assert sums(Progress(4)).startswith("success —")


def test_without_a_terminal_there_are_lines_and_quiet_is_silent() -> None:
    assert isinstance(reporter_for(quiet=True), Silent)
    assert isinstance(reporter_for(quiet=False), Lines)


ROW = {"success": False, "test_case_uid": "tool:a:1", "error_type": "timeout", "execution_time_ms": 950.0}


def test_a_line_tells_one_test(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.started("r", Progress(2))
    lines.finished(ROW, Progress(2, done=1))
    lines.closed(Progress(2, done=1))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "run r: 2 tests"
    assert err.splitlines()[1].startswith("[1/2] FAIL tool:a:1 (timeout) 950 ms")


@pytest.mark.parametrize("reporter", [Lines, LiveBar])
def test_a_run_that_goes_on_says_how_much_is_finished(
    capsys: pytest.CaptureFixture[str], reporter: type[Lines | LiveBar]
) -> None:
    shown = reporter()
    shown.started("r", Progress(200, done=120, before=120))
    shown.closed(Progress(200, done=120, before=120))
    assert "run r: resumed: 120 of 200 finished" in capsys.readouterr().err


def test_a_bar_leaves_nothing_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    bar = LiveBar()
    bar.started("r", Progress(1))
    bar.finished(ROW, Progress(1, done=1))
    bar.closed(Progress(1, done=1))
    assert capsys.readouterr().out == ""
