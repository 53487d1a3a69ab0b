"""The viewer as a static Space: the runs that were put there, and none of what is of this machine alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hub_client import use_hub
from support.hub_server import DROPPED, LOST, HubServer
from support.runs import make_run

from smoltrace.errors import MissingExtraError, PublishError, UsageError
from smoltrace.publish.hub import space
from smoltrace.publish.hub.space import publish_run, unpacked
from smoltrace.publish.retry import Retry
from smoltrace.publish.targets import Options, check
from smoltrace.store.read import Run
from smoltrace.viewer.data.packing import packed

QUICK = Retry(attempts=6, first=0.001, longest=0.01)
SPACE = "spaces/ann/smoltrace-viewer"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    with HubServer(users={"hf_ann": "ann"}, organisations={"ann": ["team"]}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def run_called(run_id: str, folder: Path, **about: Any) -> Run:
    return Run(make_run(folder / "secret-store-name", run_id=run_id, directory=str(folder), **about))


def said(files: dict[str, bytes], path: str) -> Any:
    return unpacked(files[path])


def listed(hub: HubServer, name: str = SPACE) -> list[str]:
    return said(hub.files(name), "data/leaderboard.json.gz")["columns"]["run_id"]


def test_a_space_holds_the_site_and_the_runs_data(hub: HubServer, tmp_path: Path) -> None:
    run = run_called("r1", tmp_path)
    assert publish_run(run, retry=QUICK) == {"space": f"{hub.url}/spaces/ann/smoltrace-viewer"}
    files = hub.files(SPACE)
    assert hub.repos[SPACE].private
    assert b"sdk: static" in files["README.md"] and b"app_file: index.html" in files["README.md"]
    assert b"Welcome" not in files["index.html"]
    assert files["data/runs/r1/results.parquet"] == run.directory.parquet("results").read_bytes()
    assert said(files, "data/runs/r1/run.json.gz")["run_id"] == "r1"
    assert said(files, "data/store.json.gz")["runs"] == 1
    everything = b"".join(gzip.decompress(each) if name.endswith(".gz") else each for name, each in files.items())
    assert str(tmp_path).encode() not in everything
    assert b"secret-store-name" not in everything


def test_a_further_run_is_added_and_publishing_again_changes_nothing(hub: HubServer, tmp_path: Path) -> None:
    first, second = run_called("r1", tmp_path), run_called("r2", tmp_path, started_at="2025-06-16T00:00:00+00:00")
    publish_run(first, retry=QUICK)
    hub.repos[SPACE].head.files["README.md"] += b"Our own words."
    before = hub.files(SPACE)
    hub.fail("commit", 412, LOST, DROPPED)
    publish_run(second, retry=QUICK)
    assert listed(hub) == ["r2", "r1"]
    own = {path: content for path, content in before.items() if "/runs/r1/" in path}
    assert own and own.items() <= hub.files(SPACE).items()
    assert hub.files(SPACE)["README.md"].endswith(b"Our own words.")
    commits = len(hub.repos[SPACE].commits)
    publish_run(first, retry=QUICK)
    assert listed(hub) == ["r2", "r1"]
    assert len(hub.repos[SPACE].commits) == commits


def test_many_files_go_up_in_several_commits_and_what_a_longer_run_left_goes_away(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "FILES_OF_A_COMMIT", 4)
    run = run_called("r1", tmp_path)
    told: list[tuple[int, int]] = []
    publish_run(run, retry=QUICK, progress=lambda what, done, total: told.append((done, total)))
    commits = hub.repos[SPACE].commits
    assert [commit.message for commit in commits[1:]] == ["Files of run r1"] * (len(commits) - 2) + ["Run r1"]
    assert not any("data/leaderboard.json.gz" in commit.files for commit in commits[:-1])
    assert told[-1][0] == told[-1][1] > 0
    hub.repos[SPACE].head.files["data/runs/r1/spans-007.json.gz"] = b"left"
    publish_run(run, retry=QUICK)
    assert "data/runs/r1/spans-007.json.gz" not in hub.files(SPACE)


def test_a_space_with_something_else_stays_as_it_is(hub: HubServer, tmp_path: Path) -> None:
    run = run_called("r1", tmp_path)
    hub.put("spaces/ann/mine", {"index.html": b"my page"})
    hub.put("spaces/ann/app", {"app.py": b"gradio", "README.md": b""})
    for name in ("ann/mine", "ann/app"):
        with pytest.raises(PublishError, match="holds something else; name another with --repo"):
            publish_run(run, repo=name, retry=QUICK)
    assert hub.files("spaces/ann/mine") == {"index.html": b"my page"}


def test_another_run_with_the_id_of_one_that_is_there_stays_out(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(run_called("r1", tmp_path), repo="team/ours", retry=QUICK)
    before = hub.files("spaces/team/ours")
    other = run_called("r1", tmp_path / "b", started_at="2020-01-01T00:00:00+00:00")
    for of_a_commit in (4, 500):
        monkeypatch.setattr(space, "FILES_OF_A_COMMIT", of_a_commit)
        with pytest.raises(PublishError, match="has another run 'r1' already; name another with --repo"):
            publish_run(other, repo="team/ours", retry=QUICK)
    assert hub.files("spaces/team/ours") == before


def test_an_organisations_space_public_ones_and_names_that_cannot_be(hub: HubServer, tmp_path: Path) -> None:
    run = run_called("r1", tmp_path)
    assert publish_run(run, repo="team/ours", private=False, retry=QUICK)["space"].endswith("/spaces/team/ours")
    assert hub.repos["spaces/team/ours"].private is False
    assert "was public before and stays so" in publish_run(run, owner="team", repo="ours", retry=QUICK)["note"]
    for options in (
        {"repo": "a/b/c"},
        {"repo": "ann/a b"},
        {"repo": "ann/"},
        {"repo": "ann/x", "owner": "team"},
        {"owner": "bob"},
    ):
        with pytest.raises(UsageError):
            publish_run(run, retry=QUICK, **options)


def test_without_the_extra_it_is_named(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "NEEDED", ("no_such_module",))
    with pytest.raises(MissingExtraError, match=r"smoltrace\[view\]"):
        publish_run(run_called("r1", tmp_path), retry=QUICK)
    with pytest.raises(MissingExtraError, match=r"smoltrace\[view\]"):  # and before a run is paid for
        check("space", Options())


def test_what_is_packed_is_unpacked() -> None:
    document = {"$": 1, "$$a": "x" * 300, "b": [{"c": "x" * 300}, [1, 2], None]}
    assert unpacked(packed(document)) == json.loads(json.dumps(document))
