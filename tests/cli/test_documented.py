"""`smoltrace-eval`: its flags, its exit codes, what goes where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.command import smoltrace
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.model_server import ModelServer

from smoltrace.cli import run_command
from smoltrace.cli.documented import command, gathered
from smoltrace.store.read import load_run

DEMO = ("--model", "demo", "--provider", "demo", "--agent-type", "tool", "--difficulty", "easy")


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.chdir(tmp_path)
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def run(*args: str) -> int:
    return run_command(command, "smoltrace-eval", list(args))


def test_every_documented_flag_is_there() -> None:
    flags = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    assert flags >= {
        *("--model", "--provider", "--agent-type", "--enable-otel", "--run-id", "--difficulty", "--dataset-name"),
        *("--split", "--output-format", "--output-dir", "--parallel-workers", "--enable-gpu-metrics"),
        *("--disable-gpu-metrics", "--hf-token", "--prompt-yml", "--mcp-server-url", "--private", "--quiet", "--debug"),
    }


def test_defaults_are_the_documented_ones() -> None:
    given = command.make_context("smoltrace-eval", ["--model", "openai/gpt-4"]).params
    assert given["provider"] == "litellm"
    assert given["agent_type"] == "both"
    assert given["run_id"] is None
    assert given["output_format"] == "hub"
    assert given["parallel_workers"] == 1
    assert given["private"] is True


def test_the_real_command_runs_and_keeps_standard_output_clean(tmp_path: Path) -> None:
    done = smoltrace(*DEMO, "--output-format", "json", "--output-dir", "out", cwd=tmp_path, command="smoltrace-eval")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "Written to out" in done.stderr
    assert len(json.loads((tmp_path / "out/results.json").read_text())) > 0


def test_results_are_published(hub: HubServer) -> None:
    assert run(*DEMO, "--hf-token", "hf_ann", "--run-id", "r1") == 0
    assert len(hub.repos) == 4


def test_the_token_may_lie_in_a_file(hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "token").write_text("hf_ann\n")
    assert run(*DEMO, "--hf-token-file", "token") == 0
    assert len(hub.repos) == 4
    (tmp_path / "token").write_text("\n")
    assert run(*DEMO, "--hf-token-file", "token") == 2
    assert run(*DEMO, "--hf-token-file", "absent") == 2
    assert "absent" in capsys.readouterr().err


def test_without_a_token_nothing_is_spent(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*DEMO) == 2
    assert "HF_TOKEN" in capsys.readouterr().err
    assert not Path("smoltrace-runs").exists()


def test_a_failed_publication_is_exit_code_four_and_says_how_to_go_on(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.fail("create", 403)
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert run(*DEMO, "--run-id", "r1") == 4
    said = capsys.readouterr().err
    advice = next(line for line in said.splitlines() if "smoltrace publish" in line)
    again = advice.partition("smoltrace publish ")[2]
    from smoltrace.cli import cli

    assert run_command(cli, "smoltrace", ["publish", again]) == 0
    assert len(hub.repos) == 4


def test_a_model_that_refuses_is_exit_code_three(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    model_server.api_key = "right"
    assert run("--model", "m", "--provider", "openai", "--output-format", "json") == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--model", "m", "--provider", "nobody"),
        ("--model", "m", "--agent-type", "robot"),
        ("--model", "m", "--parallel-workers", "0"),
        (*DEMO, "--output-format", "json", "--dataset-name", "absent.jsonl"),
        (*DEMO, "--output-format", "json", "--prompt-yml", "absent.yaml"),
        (*DEMO, "--output-format", "json", "--model-args", "temperature"),
        (*DEMO, "--output-format", "json", "--enable-tools", "no_such_tool"),
        (*DEMO, "--output-format", "json", "--run-id", "../up"),
    ],
)
def test_wrong_usage_is_exit_code_two_and_never_a_traceback(
    args: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*args) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert not Path("smoltrace-runs").exists() or not list(Path("smoltrace-runs").glob("runs/*"))


def test_flags_that_take_several_values_take_all_that_follow() -> None:
    assert gathered(["--enable-tools", "a", "b", "--quiet", "x"]) == [
        *("--enable-tools", "a", "--enable-tools", "b"),
        *("--quiet", "x"),
    ]
    params = command.make_context(
        "smoltrace-eval", ["--model", "m", "--model-args", "temperature=0.7", "seed=42", "--quiet"]
    ).params
    assert params["model_args"] == ("temperature=0.7", "seed=42")
    assert params["quiet"] is True


def test_tools_imports_and_model_arguments_reach_the_run() -> None:
    done = run(
        *DEMO,
        *("--output-format", "json", "--run-id", "r1", "--parallel-workers", "4", "--quiet"),
        *("--enable-tools", "visit_webpage", "--additional-imports", "statistics", "fractions"),
        *("--model-args", "temperature=0.5", "max_tokens=64"),
    )
    assert done == 0
    config = load_run("r1").manifest["config"]
    assert config["workers"] == 4
    assert config["agent"]["tools"] == ["default", "visit_webpage"]
    assert config["agent"]["authorized_imports"] == ["statistics", "fractions"]
    assert config["model"]["generation"]["temperature"] == 0.5


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*DEMO, "--output-format", "json", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_help_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    said = click.unstyle(capsys.readouterr().out)
    assert "smoltrace-eval --model openai/gpt-4 --provider litellm" in said
    assert "Exit codes" in said


def test_gpu_metrics_are_on_for_transformers_and_can_be_switched(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*DEMO, "--output-format", "json", "--enable-gpu-metrics") == 0
    assert "GPU columns stay null" in capsys.readouterr().err
    assert run(*DEMO, "--output-format", "json", "--disable-gpu-metrics") == 0
    assert "GPU" not in capsys.readouterr().err
