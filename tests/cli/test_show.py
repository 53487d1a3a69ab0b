from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.runs import NO_PRICES, execution, failed, make_run

from smoltrace.cli import cli, run_command


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
        "Success": "66.7 % (2 of 3; 95 % interval 20.8 to 93.9 %)",
        "Tokens": "990 tok in 6 calls (900 in, 90 out)",
        "Cost": "$0.0040 ($0.0014 a test)",
        "Duration": "1.2 s · a test: median 120 ms, 95 % within 120 ms",
        "Tools": "3 calls of get_weather",
    }
    assert f"Files: {run_dir.path}" in out


def test_failures_say_why_and_what_was_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [execution(1), failed(2, response="It rains.\nA lot."), failed(3, "timeout", response=None)])

    show("--store", tmp_path)

    out = capsys.readouterr().out
    assert "tool:t2:1    failed   tool: get_weather  It rains. A lot.\n" in out
    assert "tool:t3:1    timeout  tool: get_weather  it went wrong: timeout\n" in out
    assert "tool:t1:1" not in out
    assert lines(out)["Errors"] == "1 (timeout 1)"


def test_a_list_that_is_cut_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [failed(n) for n in range(1, 15)])

    show("--store", tmp_path, "--failures", 3)

    assert "… and 11 more: --failures 14 lists them all" in capsys.readouterr().out


def test_a_cost_with_gaps_is_a_bound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, [execution(1), execution(2, price_book=NO_PRICES)])

    show("--store", tmp_path)

    assert lines(capsys.readouterr().out)["Cost"] == "≥ $0.0014 (2 of 4 unpriced)"


def test_a_run_that_goes_on_is_shown_from_its_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, finish=False, status="running", num_tests=50, wall_time_ms=None)

    show("made", "--store", tmp_path)

    found = lines(capsys.readouterr().out)
    assert found["Status"] == "running: 3 of 50 tests finished"
    assert found["Duration"] == "— (the run has not ended) · a test: median 120 ms, 95 % within 120 ms"


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
