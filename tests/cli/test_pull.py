from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import smoltrace_here
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.runs import execution, make_run

from smoltrace.publish.hub.runs import publish_run
from smoltrace.publish.retry import Retry
from smoltrace.store.layout import Store
from smoltrace.store.read import Run


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        yield server


def test_a_run_is_pulled_and_told_of(hub: HubServer, tmp_path: Path) -> None:
    run = Run(make_run(tmp_path / "from", [execution(1, run_id="mine")], run_id="mine"))
    publish_run(run, layout="single", retry=Retry(attempts=2, first=0.001))
    to = tmp_path / "to"

    done = smoltrace_here("pull", "hf:ann/smoltrace-run-mine", "--store", to)
    assert (done.returncode, done.stdout) == (0, "")
    assert "mine: pulled from ann/smoltrace-run-mine" in done.stderr
    assert f"smoltrace show mine --store {to}" in done.stderr
    again = smoltrace_here("pull", "ann/smoltrace-run-mine", "--store", to)
    assert (again.returncode, "is in the store already" in again.stderr) == (0, True)
    told = json.loads(smoltrace_here("pull", "ann/smoltrace-run-mine", "--json", "--store", to).stdout)
    assert (told["run_id"], told["repo"], told["new"]) == ("mine", "ann/smoltrace-run-mine", False)
    quiet = smoltrace_here("pull", "ann/smoltrace-run-mine", "--run-id", "b", "--quiet", "--store", to)
    assert (quiet.returncode, quiet.stdout + quiet.stderr) == (0, "")
    assert Store(to).run_ids() == ["b", "mine"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ann/x", "--all"], "are for a leaderboard, and ann/x is none"),
        (["ann/x", "--run", "r"], "are for a leaderboard"),
        (["ann/smoltrace-leaderboard", "--all", "--run", "r"], "not both"),
        (["ann/smoltrace-leaderboard", "--all", "--run-id", "r"], "--run-id names one run"),
        (["ann/none"], "There is no dataset ann/none"),
        (["none"], "none is no name of a dataset. Write OWNER/NAME."),
    ],
)
def test_what_cannot_be_meant_is_refused(hub: HubServer, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = smoltrace_here("pull", *arguments, "--store", tmp_path / "to")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (tmp_path / "to").exists()


def test_one_run_that_fails_keeps_none_from_the_next(hub: HubServer, tmp_path: Path) -> None:
    for name in ("good", "lost"):
        run = Run(make_run(tmp_path / "from", [execution(1, run_id=name)], run_id=name))
        publish_run(run, layout="single", retry=Retry(attempts=2, first=0.001))
    del hub.repos["ann/smoltrace-run-lost"]

    done = smoltrace_here("pull", "ann/smoltrace-leaderboard", "--all", "--store", tmp_path / "to")
    assert done.returncode == 2
    assert "1 of 2 runs of ann/smoltrace-leaderboard could not be pulled." in done.stderr
    assert Store(tmp_path / "to").run_ids() == ["good"]
