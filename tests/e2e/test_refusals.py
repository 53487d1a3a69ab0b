"""Bad input costs nothing; a refusing model costs a few calls; what was finished stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace, smoltrace_here
from support.model_server import ModelServer

GOOD = '{"id": "a", "prompt": "[test:a] What is the weather in Paris?"}'

FAULTS = {
    "missing id": (GOOD + '\n{"prompt": "p"}', "line 2"),
    "missing prompt": (GOOD + '\n\n{"id": "b"}', "line 3"),
    "duplicate id": (GOOD + "\n" + GOOD, "line 2"),
    "wrong type": (GOOD + '\n{"id": "b", "prompt": {"text": "p"}}', "line 2"),
    "wrong number": (GOOD + '\n{"id": "b", "prompt": "p", "expected_tool_calls": "many"}', "line 2"),
    "unknown agent type": (GOOD + '\n{"id": "b", "prompt": "p", "agent_type": "chatty"}', "line 2"),
    "broken JSON": (GOOD + '\n{"id": "b", ', "line 2"),
    "not an object": (GOOD + "\n[1, 2]", "line 2"),
    "empty": ("", "no tasks"),
    "blank": ("\n\n", "no tasks"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_tasks_file_is_refused_with_its_line_and_no_call(tmp_path: Path, fault: str) -> None:
    text, where = FAULTS[fault]
    (tmp_path / "tasks.jsonl").write_text(text)
    with ModelServer() as server:
        done = smoltrace_here("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", cwd=tmp_path)
        assert server.ledger() == []
    assert done.returncode == 2
    assert "tasks.jsonl" in done.stderr
    assert where in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "smoltrace-runs").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["absent.jsonl"], "absent.jsonl"),
        (["no-such-suite"], "no-such-suite"),
        (["--workers", "0"], "--workers"),
        (["--modle", "m"], "--modle"),
        (["--difficulty", "impossible"], "impossible"),
        (["--tools", "no_such_tool"], "no_such_tool"),
        (["--agent", "no_such_module:make"], "no_such_module"),
        (["--scorer", "no_such_module:Scorer"], "no_such_module"),
        (["--price-file", "absent.toml"], "absent.toml"),
        (["--prompt-file", "absent.yaml"], "absent.yaml"),
        (["--config", "absent.toml"], "absent.toml"),
        (["--run-id", "../escape"], "../escape"),
        (["--tag", "novalue"], "novalue"),
        (["--instrument", "nothing"], "nothing"),
        (["--model", "openai/gpt-4o"], "OPENAI_API_KEY"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what(tmp_path: Path, options: list[str], says: str) -> None:
    done = smoltrace_here("eval", *options, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "smoltrace-runs" / "runs").exists()


def test_a_run_id_names_one_run(tmp_path: Path) -> None:
    first = smoltrace_here("eval", "--limit", "1", "--run-id", "mine", "--quiet", cwd=tmp_path)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    again = smoltrace_here("eval", "--limit", "1", "--run-id", "mine", cwd=tmp_path)
    assert again.returncode == 0
    assert "nothing is left to run" in again.stderr
    other = smoltrace_here("eval", "--limit", "2", "--run-id", "mine", cwd=tmp_path)
    assert other.returncode == 2
    assert "The run mine began as something else" in other.stderr


@pytest.mark.parametrize(("workers", "command"), [("1", smoltrace_here), ("32", smoltrace)])
def test_a_wrong_key_ends_with_3_within_a_few_calls(tmp_path: Path, workers: str, command: Callable[..., Any]) -> None:
    with ModelServer(api_key="right") as server:
        done = command(
            *("eval", "--base-url", server.url, "--model", "m", "--workers", workers, "--run-id", "refused"),
            cwd=tmp_path,
            env={"OPENAI_API_KEY": "wrong"},
        )
        calls = len(server.ledger())
    assert done.returncode == 3, done.stderr
    assert 1 <= calls <= 4
    assert "key" in done.stderr
    assert "Traceback" not in done.stderr
    manifest = json.loads((tmp_path / "smoltrace-runs/runs/refused/run.json").read_text())
    assert manifest["status"] == "incomplete"


def test_an_unknown_model_ends_with_3(tmp_path: Path) -> None:
    with ModelServer(models=["known"]) as server:
        done = smoltrace_here("eval", "--base-url", server.url, "--model", "unknown", cwd=tmp_path)
        calls = len(server.ledger())
    assert done.returncode == 3, done.stderr
    assert 1 <= calls <= 4
    assert "name of the model" in done.stderr


def test_a_key_that_is_refused_midway_keeps_what_is_finished(tmp_path: Path) -> None:
    with ModelServer() as server:
        server.add_fault(401, after=20)
        done = smoltrace_here(
            "eval", "--base-url", server.url, "--model", "m", "--workers", "2", "--run-id", "r", cwd=tmp_path
        )
    assert done.returncode == 3
    kept = (tmp_path / "smoltrace-runs/runs/r/results.jsonl").read_text().splitlines()
    assert 0 < len(kept) < 20
    shown = smoltrace_here("show", "r", cwd=tmp_path)
    assert shown.returncode == 0
    assert "incomplete" in shown.stdout


FAILING = {
    "429": (429, "rate_limit"),
    "500": (500, "llm_error"),
    "dropped": ("drop", "llm_error"),
    "garbage": ("garbage", "llm_error"),
    "hanging": ("hang", "timeout"),
}


@pytest.mark.parametrize("fault", FAILING)
def test_what_goes_wrong_in_a_test_is_data_with_an_error_type(tmp_path: Path, fault: str) -> None:
    kind, error_type = FAILING[fault]
    (tmp_path / "tasks.jsonl").write_text(GOOD + "\n" + GOOD.replace('"a"', '"b"').replace("test:a", "test:b"))
    with ModelServer() as server:
        server.add_fault(kind, test="b", seconds=20)
        done = smoltrace_here(
            *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--agent-type", "tool"),
            *("--request-timeout", "1", "--retries", "0", "--run-id", "r", "--json"),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["num_tests"], row["successful_tests"], row["total_errors"]) == (2, 1, 1)
    assert row["error_types"] == {error_type: 1}
    lines = (tmp_path / "smoltrace-runs/runs/r/results.jsonl").read_text().splitlines()
    failed = next(result for result in map(json.loads, lines) if result["test_id"] == "b")
    assert failed["error_type"] == error_type
    assert failed["gen_ai.usage.total_tokens"] is None
    assert failed["success"] is False
