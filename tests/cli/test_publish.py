"""`smoltrace publish`: the addresses, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.hub_client import use_hub
from support.hub_server import HubServer

import smoltrace.api as api
from smoltrace.cli import cli, run_command


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.chdir(tmp_path)
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def publish(*args: str) -> int:
    return run_command(cli, "smoltrace", ["publish", *args])


def test_a_run_is_published_and_its_addresses_are_printed(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api.evaluate(limit=1, agent_type="tool", run_id="r1")
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert publish("latest") == 0
    addresses = capsys.readouterr().out.split()
    assert [address.removeprefix(f"{hub.url}/datasets/") for address in addresses] == list(hub.repos)
    assert all(repo.private for repo in hub.repos.values())


def test_no_token_and_no_run_are_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish("latest") == 2
    api.evaluate(limit=1, agent_type="tool")
    assert publish("latest") == 2
    assert "HF_TOKEN" in capsys.readouterr().err


def test_a_hub_that_refuses_is_exit_code_four(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api.evaluate(limit=1, agent_type="tool")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert publish("latest", "--public") == 4
    assert "Traceback" not in capsys.readouterr().err


def test_one_repository_for_an_organisation_with_a_licence_and_without_content(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.organisations["ann"] = ["team"]
    run = api.evaluate(limit=1, agent_type="tool", run_id="r1")
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    options = ("--layout", "single", "--owner", "team", "--license", "cc-by-4.0", "--no-content", "--public", "--json")
    assert publish("r1", *options) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["published"]["results"] == f"{hub.url}/datasets/team/smoltrace-run-r1"
    assert set(hub.repos) == {"team/smoltrace-run-r1", "team/smoltrace-leaderboard"}
    assert not any(repo.private for repo in hub.repos.values())
    card = hub.files("team/smoltrace-run-r1")["README.md"]
    assert b"license: cc-by-4.0" in card
    (result,) = run.results()
    assert str(result["prompt"]).encode() not in hub.files("team/smoltrace-run-r1")["run/spans.parquet"]
    assert publish("r1", "--owner", "stranger") == 2
    assert "It belongs to ann, team" in capsys.readouterr().err


def test_a_repository_that_is_private_already_is_named(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api.evaluate(limit=1, agent_type="tool", run_id="r1")
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert publish("r1", "--quiet") == 0
    assert publish("r1", "--public") == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 4
    assert told.err.startswith("Note: ") and "were private before and stay so" in told.err
    assert publish("r1", "--layout", "single") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{hub.url}/datasets/ann/{name}" for name in ("smoltrace-run-r1", "smoltrace-leaderboard")
    ]


def test_the_viewer_goes_to_a_space(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api.evaluate(limit=1, agent_type="tool", run_id="r1")
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert publish("r1", "--to", "space") == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/spaces/ann/smoltrace-viewer"
    assert "data/runs/r1/run.json.gz" in hub.files("spaces/ann/smoltrace-viewer")
