"""The examples run: with the demonstration model where that is enough, else against the scripted server."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace_here
from support.model_server import ModelServer

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current directory from which the examples can be imported, as `python examples/NAME.py` does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    yield tmp_path
    for file in EXAMPLES.glob("*.py"):
        sys.modules.pop(file.stem, None)


def example(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_every_example_is_run_here_and_says_how_it_is_called(file: Path) -> None:
    assert f"test_{file.stem}_" in Path(__file__).read_text()
    text = file.read_text()
    assert f"python examples/{file.name}" in text
    assert "    smoltrace eval " in text


def test_own_tools_are_used_and_counted(run_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("own_tools").main()

    out = capsys.readouterr().out
    assert out.count("pass  ") == 8
    assert "pass  tool:warmer:1  ['get_weather']  Bergen" in out
    assert "100 % of the tests succeeded" in out


def test_own_tools_go_on_the_command_line_too(run_in: Path) -> None:
    tools = "own_tools:get_weather,own_tools:calculator"
    done = smoltrace_here("eval", EXAMPLES / "own_tools.jsonl", "--tools", tools, "--json", "--agent-type", "tool")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["success_rate"] == 100


def test_own_scorer_s_scores_are_recorded(run_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("own_scorer").main()

    out = capsys.readouterr().out
    assert "words an answer: 2." in out
    assert "'a tool failed'" in out


def test_managed_agent_runs_with_the_demonstration_model(run_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("managed_agent").main()

    assert "tool:report:1 failed" in capsys.readouterr().out


def test_managed_agent_s_calls_and_tools_count_for_the_test(run_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from smoltrace import ModelSpec

    task = {"id": "report", "prompt": "[test:report] [manage:researcher] What is the weather in Rome?"}
    tasks = run_in / "tasks.jsonl"
    tasks.write_text(json.dumps(task))
    with ModelServer() as server:
        example("managed_agent").main(ModelSpec(model_id="m", base_url=server.url), tasks)
        served = len(server.ledger())

    out = capsys.readouterr().out
    assert f"tool:report:1 completed {served} calls" in out
    assert "  invoke_agent researcher: " in out
    assert "  execute_tool get_weather: " in out
