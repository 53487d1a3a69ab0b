"""`--publish`: a run that is complete goes out by itself, and nothing is paid for that could not be published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import smoltrace_here
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.model_server import ModelServer

from smoltrace.errors import StoreError

ONE = ("eval", "--limit", "1", "--agent-type", "tool", "--run-id", "r1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def test_a_complete_run_is_published(hub: HubServer, tmp_path: Path) -> None:
    done = smoltrace_here(*ONE, "--publish", "hub", cwd=tmp_path, env={"HF_TOKEN": "hf_ann"})
    assert done.returncode == 0, done.stderr
    assert "Success" in done.stdout
    assert all(f"{hub.url}/datasets/{name}" in done.stderr for name in hub.repos)
    assert len(hub.repos) == 4
    assert all(repo.private for repo in hub.repos.values())


def test_with_json_the_row_names_its_datasets(hub: HubServer, tmp_path: Path) -> None:
    done = smoltrace_here(*ONE, "--publish", "hub", "--public", "--json", cwd=tmp_path, env={"HF_TOKEN": "hf_ann"})
    assert json.loads(done.stdout)["results_dataset"] in hub.repos
    assert done.stderr == ""
    assert not any(repo.private for repo in hub.repos.values())


def test_without_a_token_nothing_is_asked_of_a_model(hub: HubServer, model_server: ModelServer, tmp_path: Path) -> None:
    server = ("--base-url", model_server.url, "--model", "m")
    for more in (("--publish", "hub"), ("--public",), ("--publish", "otlp", "--public"), ("--publish", "nowhere")):
        done = smoltrace_here(*ONE, *server, *more, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
    assert model_server.ledger() == []
    assert not (tmp_path / "smoltrace-runs").exists()


def test_when_publishing_fails_the_run_is_complete_and_the_code_is_four(hub: HubServer, tmp_path: Path) -> None:
    hub.fail("create", 403)
    done = smoltrace_here(*ONE, "--publish", "hub", "--json", cwd=tmp_path, env={"HF_TOKEN": "hf_ann"})
    assert done.returncode == 4
    assert "smoltrace publish" in done.stderr
    assert json.loads(done.stdout)["num_tests"] == 1
    shown = smoltrace_here("show", "r1", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["status"] == "completed"


def test_a_disk_that_refuses_while_publishing_is_no_incomplete_run(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise StoreError("Cannot write run.json: the disk is full.")

    monkeypatch.setattr("smoltrace.publish.hub.runs.remember", refused)
    targets = ("--publish", "hub", "--publish", "space")
    done = smoltrace_here(*ONE, *targets, cwd=tmp_path, env={"HF_TOKEN": "hf_ann"})
    assert (done.returncode, "the disk is full" in done.stderr) == (4, True)
    assert list(hub.repos) == ["spaces/ann/smoltrace-viewer"]


def test_going_on_publishes_too(hub: HubServer, tmp_path: Path) -> None:
    assert smoltrace_here(*ONE, cwd=tmp_path).returncode == 0
    done = smoltrace_here("resume", "r1", "--publish", "hub", cwd=tmp_path, env={"HF_TOKEN": "hf_ann"})
    assert done.returncode == 0, done.stderr
    assert len(hub.repos) == 4
