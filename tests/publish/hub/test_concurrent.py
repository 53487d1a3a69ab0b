"""Many publishers at once, and a Hub that fails in every way: each run is there once, and nothing is left over."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.hub_client import use_hub
from support.hub_server import DROPPED, LOST, HubServer
from support.runs import execution, make_run

from smoltrace.publish.hub.place import KINDS
from smoltrace.publish.hub.pull import Puller
from smoltrace.publish.hub.runs import publish_run
from smoltrace.publish.retry import Retry
from smoltrace.store.layout import Store
from smoltrace.store.read import Run, load_run

PUBLISHERS = 16
PATIENT = Retry(attempts=40, first=0.005, longest=0.1)
EVERY_WAY = (409, 412, 429, 503, DROPPED, LOST, (429, {"Retry-After": "0.05"}))
ROUTES = ("commit", "create", "info", "paths", "validate", "whoami")
"""Those that the client does not ask again by itself, after seconds."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def runs_in(folder: Path, **about: object) -> list[Path]:
    return [
        make_run(folder, [execution(run_id=f"r{n:02}")], run_id=f"r{n:02}", **about).path for n in range(PUBLISHERS)
    ]


def leaderboard(hub: HubServer) -> list[dict]:
    files = hub.files("ann/smoltrace-leaderboard")
    return [
        row
        for path, content in files.items()
        if path.endswith(".parquet")
        for row in pq.read_table(io.BytesIO(content)).to_pylist()
    ]


def check(hub: HubServer, runs: list[Path], commits_of_a_run: int) -> None:
    rows = leaderboard(hub)
    assert Counter(row["run_id"] for row in rows) == Counter(run.name for run in runs)
    names = [row[f"{kind}_dataset"] for row in rows for kind in KINDS]
    assert set(hub.repos) == {*names, "ann/smoltrace-leaderboard"}
    for row in rows:
        files = hub.files(row["results_dataset"])
        folder = "data" if "-results-" in row["results_dataset"] else "results"
        (found,) = pq.read_table(io.BytesIO(files[f"{folder}/train-00000-of-00001.parquet"])).to_pylist()
        assert found["run_id"] == row["run_id"]
        assert load_run(next(run for run in runs if run.name == row["run_id"])).manifest["references"] == {
            kind: row[f"{kind}_dataset"] for kind in KINDS
        }
    assert all(len(hub.repos[name].commits) == 1 + commits_of_a_run for name in names)


@pytest.mark.parametrize("layout", ["single", pytest.param("four", marks=pytest.mark.slow)])
def test_sixteen_at_once_while_the_hub_fails_in_every_way(hub: HubServer, tmp_path: Path, layout: str) -> None:
    runs = runs_in(tmp_path / "store")
    failing = random.Random(6)
    for route in ROUTES:
        ways = [way for way in EVERY_WAY if route != "create" or way != 409]
        hub.fail(route, *failing.sample(ways * 2, 8))
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        for _ in pool.map(lambda run: publish_run(load_run(run), layout=layout, retry=PATIENT), runs):
            pass
    assert sum(hub.failed.values()) == 8 * len(ROUTES)
    check(hub, runs, 1)


def test_two_that_publish_the_same_run_agree_on_where(hub: HubServer, tmp_path: Path) -> None:
    run = make_run(tmp_path / "store")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: publish_run(Run(run), retry=PATIENT), range(4)))
    assert all(each == found[0] for each in found)
    assert len(hub.repos) == 4
    assert len(leaderboard(hub)) == 1


@pytest.mark.slow
def test_sixteen_processes(hub: HubServer, tmp_path: Path) -> None:
    runs = runs_in(tmp_path / "store")
    for route in ("commit", "preupload", "batch", "upload"):
        hub.fail(route, 429, 503, DROPPED, LOST)
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf")}
    program = str(Path(sys.executable).parent / "smoltrace")
    publishers = [subprocess.Popen([program, "publish", str(run), "--quiet"], env=env) for run in runs]
    assert [publisher.wait(120) for publisher in publishers] == [0] * PUBLISHERS
    check(hub, runs, 1)


def test_two_that_pull_one_run_at_once_both_have_it(hub: HubServer, tmp_path: Path) -> None:
    publish_run(Run(make_run(tmp_path / "from", [execution(run_id="r1")], run_id="r1")), layout="single")
    store, rename = Store(tmp_path / "to"), Path.rename

    def overtaken(path: Path, to: Path) -> Path:
        patch.setattr(Path, "rename", rename)
        assert Puller(store).pull("ann/smoltrace-run-r1").is_new
        return path.rename(to)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", overtaken)
        assert not Puller(store).pull("ann/smoltrace-run-r1").is_new
    assert [path.name for path in store.runs_path.iterdir()] == ["r1"]
