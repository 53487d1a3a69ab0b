"""The documented flow: run, keep, then write five files or publish four datasets."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.model_server import ModelServer

from smoltrace.errors import ModelRefusedError, PublishError, UsageError
from smoltrace.main import run_evaluation_flow
from smoltrace.store.read import load_run

FILES = {"results.json", "traces.json", "metrics.json", "leaderboard_row.json", "metadata.json"}
DEMO = {"model": "demo", "provider": "demo", "agent_type": "tool", "difficulty": "easy"}


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.chdir(tmp_path)
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def flow(**args: Any) -> Any:
    return run_evaluation_flow(Namespace(**{**DEMO, **args}))


def test_json_writes_the_five_documented_files() -> None:
    run = flow(output_format="json", output_dir="out", run_id="r1")
    documents = {path.name: json.loads(path.read_text()) for path in Path("out").iterdir()}
    assert set(documents) == FILES
    assert len(documents["results.json"]) == len(documents["traces.json"]) == documents["metadata.json"]["num_results"]
    assert {row["run_id"] for row in documents["results.json"]} == {"r1"} == {run.id}
    assert documents["leaderboard_row.json"]["run_id"] == documents["metrics.json"]["run_id"] == "r1"
    assert documents["metrics.json"]["resourceMetrics"] == []


def test_json_asks_no_hub_and_has_a_default_folder(hub: HubServer) -> None:
    flow(output_format="json")
    assert {path.name for path in Path("smoltrace_results").iterdir()} == FILES
    assert not hub.counts


def test_hub_is_the_default_and_publishes_privately(hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    run = flow(hf_token="hf_ann")
    assert len(hub.repos) == 4
    assert all(repo.private for repo in hub.repos.values())
    said = capsys.readouterr()
    assert run.id in said.err
    assert all(name in said.err for name in hub.repos)
    assert said.out == ""


def test_public_on_request(hub: HubServer) -> None:
    flow(hf_token="hf_ann", private=False)
    assert not any(repo.private for repo in hub.repos.values())


@pytest.mark.parametrize("token", [None, "hf_wrong"])
def test_a_missing_or_refused_token_is_found_before_anything_is_spent(
    token: str | None, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    with pytest.raises(UsageError):
        flow(model="m", provider="openai", hf_token=token)
    assert model_server.ledger() == []
    assert not Path("smoltrace-runs").exists()


def test_when_publishing_fails_the_results_are_safe_and_the_way_on_is_said(hub: HubServer) -> None:
    hub.fail("commit", 400)
    with pytest.raises(PublishError, match="smoltrace publish") as failed:
        flow(hf_token="hf_ann", run_id="r1")
    assert failed.value.exit_code == 4
    run = load_run("r1")
    assert str(run.path) in str(failed.value)
    assert run.summary().finished > 0


def test_an_incomplete_run_is_written_as_far_as_it_is_and_not_published(
    hub: HubServer, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    model_server.api_key = "right"
    with pytest.raises(ModelRefusedError):
        flow(model="m", provider="openai", output_format="json", output_dir="out")
    assert {path.name for path in Path("out").iterdir()} == FILES
    with pytest.raises(ModelRefusedError):
        flow(model="m", provider="openai", hf_token="hf_ann")
    assert not hub.repos


@pytest.mark.parametrize("wanted", [True, None])
def test_gpu_metrics_that_cannot_be_read_are_announced_in_one_line(
    wanted: bool | None, capsys: pytest.CaptureFixture[str]
) -> None:
    flow(output_format="json", enable_gpu_metrics=wanted)
    lines = [line for line in capsys.readouterr().err.splitlines() if "GPU" in line]
    assert len(lines) == (1 if wanted else 0)
    assert json.loads(Path("smoltrace_results/leaderboard_row.json").read_text())["gpu_power_avg_w"] is None


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    flow(output_format="json", quiet=True, enable_gpu_metrics=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"model": None}, "--model"),
        ({"output_format": "opensearch"}, "opensearch"),
        ({"output_format": "json", "model_args": ["temperature"]}, "KEY=VALUE"),
        ({"output_format": "json", "agent_type": "robot"}, "robot"),
    ],
)
def test_wrong_arguments_are_usage_errors(args: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        flow(**args)


def test_model_arguments_may_be_pairs_or_a_mapping() -> None:
    for number, given in enumerate((["temperature=0.5", "seed=7"], {"temperature": 0.5, "seed": 7})):
        run = flow(output_format="json", model_args=given, run_id=f"r{number}")
        assert run.manifest["generation"]["temperature"] == 0.5
        assert run.manifest["generation"]["seed"] == 7
