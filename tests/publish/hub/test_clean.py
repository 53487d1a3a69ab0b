"""Deleting published runs: theirs alone, by name and tag, in a Hub full of other things."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.command import smoltrace_here
from support.hub_client import use_hub
from support.hub_server import LOST, HubServer

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.hub.clean import Published, Selection, choose, delete
from smoltrace.publish.retry import Retry

QUICK = Retry(attempts=4, first=0.001, longest=0.01)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CARD = b"---\ntags: [smoltrace]\n---\n"
OLD, NEW = "20260101_000000", "20260228_120000"
OTHERS = [
    "ann/smoltrace-leaderboard",
    "ann/smoltrace-tasks",
    "ann/my-smoltrace-results-20260101_000000",
    "ann/smoltrace-results-20260101_000000-copy",
    "ann/smoltrace-results-2026",
    "ann/smoltrace-results",
    "ann/smoltrace-videos-20260101_000000",
    "ann/smoltrace-run",
    "ann/smoltrace-run-notes",
]
UNTAGGED = ["ann/smoltrace-results-20250101_000000", "ann/smoltrace-run-mine"]


def put_run(hub: HubServer, run_id: str, *names: str) -> None:
    for name in names:
        about = {"run_id": run_id, "model": "m"}
        hub.put(name, {"README.md": CARD, "run/run.json": json.dumps(about).encode()}, private=True)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        for stamp, run_id in ((OLD, "old"), (NEW, "new")):
            put_run(server, run_id, *(f"ann/smoltrace-{kind}-{stamp}" for kind in ("results", "traces", "metrics")))
        put_run(server, "one", "ann/smoltrace-run-one")
        server.repos["ann/smoltrace-run-one"].created = "2026-02-01T00:00:00.000Z"
        for name in OTHERS:
            server.put(name, {"README.md": CARD})
        for name in UNTAGGED:
            server.put(name, {"README.md": b"# mine"})
        put_run(server, "bobs", "bob/smoltrace-run-bobs")
        yield server


def remaining(hub: HubServer) -> set[str]:
    return set(hub.repos) - {*OTHERS, *UNTAGGED, "bob/smoltrace-run-bobs"}


def chosen(**selection: object) -> list[str | None]:
    return [run.run_id for run in choose(Selection(**selection), now=NOW, retry=QUICK).runs]  # type: ignore[arg-type]


def test_runs_are_chosen_by_everything_that_is_given(hub: HubServer) -> None:
    hub.fail("listing", 503)
    assert chosen(keep=1) == ["one", "old"]
    assert chosen(older_than=timedelta(days=20)) == ["one", "old"]
    assert chosen(older_than=timedelta(days=20), runs=("old", "new")) == ["old"]
    assert chosen(runs=("none",)) == []
    with pytest.raises(UsageError, match="Nothing is selected"):
        chosen()
    assert hub.counts["delete"] == 0


def test_without_yes_nothing_is_deleted(hub: HubServer) -> None:
    before = set(hub.repos)
    done = smoltrace_here("clean", "--hub", "--older-than", "0m")
    assert (done.returncode, set(hub.repos)) == (0, before)
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["RUN", "MODEL", "PUBLISHED", "DATASET"]
    assert {line.split()[-1] for line in lines[1:]} == remaining(hub)
    assert done.stderr == "3 runs, 7 datasets would be deleted. Nothing was: add --yes.\n"


def test_with_yes_only_datasets_of_runs_go(hub: HubServer) -> None:
    done = smoltrace_here("clean", "--hub", "--run", "old", "one", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["owner"] == "ann" and told["deleted"] is True and len(told["datasets"]) == 4
    assert remaining(hub) == {f"ann/smoltrace-{kind}-{NEW}" for kind in ("results", "traces", "metrics")}

    assert {*OTHERS, *UNTAGGED, "bob/smoltrace-run-bobs"} <= set(hub.repos)
    again = smoltrace_here("clean", "--hub", "--run", "old", "--yes")
    assert again.returncode == 0
    assert "ann has no published run 'old' that fits." in again.stderr


def test_deleting_is_tried_again_and_what_is_gone_is_fine(hub: HubServer) -> None:
    hub.fail("delete", 503, LOST)
    run = Published("old", "m", None, tuple(f"ann/smoltrace-{kind}-{OLD}" for kind in ("results", "traces")))
    assert [why for _, why in delete(run, retry=QUICK)] == [None, None]
    assert hub.failed["delete"] == 2
    assert [why for _, why in delete(run, retry=QUICK)] == [None, None]


def test_what_became_something_else_meanwhile_is_kept(hub: HubServer) -> None:
    (run,) = choose(Selection(runs=("one",)), retry=QUICK).runs
    hub.put("ann/smoltrace-run-one", {"README.md": b"# mine"})
    assert [bool(why) for _, why in delete(run, retry=QUICK)] == [True]
    assert "ann/smoltrace-run-one" in hub.repos


def test_what_fails_is_told(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = choose(Selection(runs=("bobs",)), "bob", retry=QUICK).runs or [None]
    assert run is None  # private, and not ours to see
    hub.repos["bob/smoltrace-run-bobs"].private = False
    (run,) = choose(Selection(runs=("bobs",)), "bob", retry=QUICK).runs
    with pytest.raises(PublishError, match="deleting bob/smoltrace-run-bobs"):
        list(delete(run, retry=QUICK))
    monkeypatch.delenv("HF_TOKEN")
    done = smoltrace_here("clean", "--hub", "--keep", "1")
    assert (done.returncode, "HF_TOKEN" in done.stderr) == (2, True)
