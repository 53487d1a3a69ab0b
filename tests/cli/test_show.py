from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from rich.text import Text
from support.runs import NO_PRICES, execution, failed, make_run

from smoltrace.cli import cli, run_command
from smoltrace.records.execution import Verdict
from smoltrace.store.journal import Journal
from smoltrace.store.spending import Spending


def show(*args: str | Path) -> int:
    return run_command(cli, "smoltrace", ["show", *map(str, args)])


def lines(text: str) -> dict[str, str]:
    """The facts at the top, by their name."""
    return {line[:8].strip(): line[10:] for line in text.split("\n\n")[0].splitlines()}


def test_a_run_is_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = make_run(tmp_path)

    assert show("made", "--store", tmp_path) == 0

    out = capsys.readouterr().out
    assert lines(out) == {
        "Run": "made",
        "Status": "completed",
        "Model": "m (openai)",
        "Agent": "tool",
        "Tasks": "basics",
        "Started": "2025-06-15 15:06 UTC",
        "Notes": "a note",
        "Success": "66.7 % · 2 of 3, 95 % interval 20.8 to 93.9 %",
        "Tokens": "990 tok · 900 in, 90 out, 6 calls",
        "Cost": "$0.0040 · $0.0014 a test, prices: test 1",
        "Duration": "1.2 s · a test: median 120 ms, 95 % within 120 ms",
        "Tools": "3 calls · get_weather 3",
    }
    assert f"Files: {run_dir.path}" in out


EXPECTED = {"expected_tool": "get_weather", "expected_tool_calls": 2, "expected_keywords": ["12", "rain"]}


def test_failures_say_why_and_what_was_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tests = [
        execution(1),
        failed(2, response="It snows.\nA lot.", expected=EXPECTED),
        failed(3, "timeout", response=None, expected=EXPECTED),
        failed(4, expected=EXPECTED, response="12, rain", verdict=Verdict(False, 1.0, {}, True, False, True, True)),
        failed(5, expected={}, response=None, verdict=Verdict(False, None, {}, False, True, False, None)),
    ]
    make_run(tmp_path, tests)

    show("--store", tmp_path)

    out = capsys.readouterr().out
    table = [" ".join(line.split()) for line in out.splitlines() if line.startswith("tool:")]
    assert table == [
        "tool:t2:1 wrong answer 12, rain It snows. A lot.",
        "tool:t3:1 timeout 12, rain; get_weather x2 it went wrong: timeout",
        "tool:t4:1 tool not used get_weather x2 12, rain",
        "tool:t5:1 no answer — —",
    ]
    assert lines(out)["Errors"] == "1 · timeout 1"


def test_a_list_that_is_cut_says_how_to_see_it_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [failed(n) for n in range(1, 15)])

    show("--store", tmp_path, "--failures", 3)

    (hidden,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("…"))
    assert hidden == f"… and 11 more: smoltrace show made --failures 14 --store {tmp_path}"
    assert show(*hidden.split(" show ")[1].split()) == 0
    assert sum(line.startswith("tool:") for line in capsys.readouterr().out.splitlines()) == 14


def test_agents_and_difficulties_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hard = {"difficulty": "hard", "agent_type": "code"}
    make_run(tmp_path, [execution(1, **hard), execution(2), failed(3, price_book=NO_PRICES)])

    show("--store", tmp_path)

    out = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert [line.split()[:-2] for line in out[1:]] == [
        ["code", "agents", "1", "100", "%", "330", "tok", "$0.0014"],
        ["tool", "agents", "2", "50.0", "%", "660", "tok", "≥", "$0.0014", "(2", "unpriced)"],
        ["easy", "2", "50.0", "%", "660", "tok", "≥", "$0.0014", "(2", "unpriced)"],
        ["hard", "1", "100", "%", "330", "tok", "$0.0014"],
    ]


def test_a_very_large_run_is_shown_without_reading_every_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smoltrace.cli.summary.COUNTED_UP_TO", 1)
    make_run(tmp_path, [execution(1, difficulty="hard"), execution(2)])

    show("--store", tmp_path)

    out = capsys.readouterr().out
    assert lines(out)["Tools"] == "2 calls · 1 tools, most of get_weather"
    assert "GROUP" not in out


def test_files_below_the_current_directory_are_named_from_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "smoltrace-runs")
    monkeypatch.chdir(tmp_path)

    show()

    assert "Files: smoltrace-runs/runs/made\n" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_on_a_terminal_the_summary_fits_and_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    tests = [execution(1, agent_type="code"), execution(2), *(failed(n, response="[red]" * 40) for n in range(3, 20))]
    make_run(tmp_path, tests)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))

    assert show("made", "--store", tmp_path) == 0

    out = Text.from_ansi(capsys.readouterr().out).plain
    body = out.partition("FAILED TEST")[2].partition("… and 7 more")[0]
    assert "[red]" in body
    assert "wrong answer" in body
    assert max(map(len, body.splitlines())) <= columns
    for fact in ("m (openai) on basics", "10.5 %", "2 of 19", "code agents", str(tmp_path / "runs" / "made")):
        assert fact in out


def test_a_cost_with_gaps_is_a_bound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [execution(1), execution(2, price_book=NO_PRICES)])

    show("--store", tmp_path)

    assert lines(capsys.readouterr().out)["Cost"] == "≥ $0.0014 (2 of 4 unpriced) · prices: test 1"


def test_a_run_that_goes_on_is_shown_from_its_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = make_run(tmp_path, finish=False, status="running", num_tests=50, wall_time_ms=None)

    with Journal(run_dir):
        show("made", "--store", tmp_path)

    found = lines(capsys.readouterr().out)
    assert found["Status"] == "running: 3 of 50 tests finished"
    assert found["Duration"] == "— (the run has not ended) · a test: median 120 ms, 95 % within 120 ms"


def test_a_run_whose_process_was_killed_is_incomplete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, finish=False, status="running", num_tests=50, wall_time_ms=None)

    show("made", "--store", tmp_path)

    assert lines(capsys.readouterr().out)["Status"] == "incomplete: 3 of 50 tests finished"


def test_what_was_spent_on_tests_that_never_ended_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = make_run(tmp_path, finish=False)
    with Spending(run_dir) as spending:
        spending.append("tool:t9:1", input_tokens=900, output_tokens=100, cost=Decimal("0.25"))
        spending.append("tool:t9:1", input_tokens=5, output_tokens=5, cost=Decimal("0.01"), reserved=True)

    show("made", "--store", tmp_path)
    show("made", "--store", tmp_path, "--json")

    text, _, document = capsys.readouterr().out.partition("{")
    (found,) = (line for line in text.splitlines() if line.startswith("Discarded"))
    assert "≥ $0.25 · 1.0k tok, 2 calls for tests that were not finished, 1 of them with an unknown end" in found
    told = json.loads("{" + document)["discarded"]
    assert told == {"calls": 2, "tokens": 1000, "cost_usd": 0.25, "unanswered": 1}


def test_a_run_without_results_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [], status="incomplete", num_tests=3)

    assert show("made", "--store", tmp_path) == 0
    found = lines(capsys.readouterr().out)
    assert found["Success"] == "— (no test has finished)"
    assert found["Cost"] == "— (no calls)"


def test_repeated_attempts_show_their_chances(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [execution(1, attempt=1), failed(1, attempt=2)])

    show("--store", tmp_path)

    assert lines(capsys.readouterr().out)["Attempts"] == "pass@1 50.0 % · pass@2 100 % · pass^2 0 %"


def test_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)

    show("--store", tmp_path, "--json")

    found = json.loads(capsys.readouterr().out)
    assert found["leaderboard"]["total_cost_usd"] == 0.00405
    assert found["leaderboard"]["tags"] == {"branch": "main"}
    assert [failure["test_case_uid"] for failure in found["failures"]] == ["tool:t3:1"]
    assert found["path"].endswith("runs/made")


def test_a_run_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)

    assert show("mode", "--store", tmp_path) == 2

    caught = capsys.readouterr()
    assert caught.out == ""
    assert "no run 'mode'. Did you mean made?" in caught.err
