"""Tasks copied to a dataset of one's account, and loaded from there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.command import smoltrace_here
from support.hub_client import use_hub
from support.hub_server import LOST, HubServer

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.hub.tasks import FILE, _fingerprint, _table, copy_tasks
from smoltrace.publish.retry import Retry
from smoltrace.tasks.loaders import TaskSet, fingerprint_of, load_tasks
from smoltrace.tasks.task import Task

QUICK = Retry(attempts=4, first=0.001, longest=0.01)
MIXED = [
    {"id": "a", "prompt": "p\u2028é", "expected_answer": {"x": [1, None, {"y": 1e-300}]}, "n": 1, "m": ["a", 1]},
    {"id": "b", "prompt": "p", "expected_answer": "text", "expected_keywords": ["k"], "n": None, "m": {"z": None}},
    {"id": "c", "prompt": "p", "expected_answer": 12345678901234567890123, "agent_type": "tool", "flag": True},
    {"id": "d", "prompt": "p", "expected_answer": "7", "expected_tool": "t", "expected_tool_calls": 2, "f": 0.1},
]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        yield server


def mixed(folder: Path) -> Path:
    file = folder / "mixed.jsonl"
    file.write_text("\n".join(map(json.dumps, MIXED)))
    return file


def test_copied_tasks_load_as_the_same_tasks(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = smoltrace_here("tasks", "copy", mixed(tmp_path), "--to", "hf:ann/mine", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["tasks"], told["to"], told["changed"], told["private"]) == (4, "hf:ann/mine", True, True)
    assert told["address"] == f"{hub.url}/datasets/ann/mine"
    assert hub.repos["ann/mine"].private and hub.counts["commit"] == 1
    # Where the client of this process asks was decided when it was imported.
    for name, value in {"HF_ENDPOINT": hub.url, "HF_DATASETS_CACHE": tmp_path, "HF_MODULES_CACHE": tmp_path}.items():
        monkeypatch.setattr(f"datasets.config.{name}", value)
    loaded = load_tasks("hf:ann/mine")
    assert loaded.fingerprint == told["fingerprint"] == load_tasks(tmp_path / "mixed.jsonl").fingerprint
    assert [task.expected_answer for task in loaded] == [row["expected_answer"] for row in MIXED]


def test_copying_again_changes_nothing_and_other_content_needs_force(hub: HubServer) -> None:
    basics = load_tasks("basics")
    hub.fail("commit", 503, LOST)

    assert copy_tasks(basics, "hf:ann/mine", private=False, retry=QUICK).changed
    assert not hub.repos["ann/mine"].private
    again = copy_tasks(basics, "hf:ann/mine", retry=QUICK)
    assert not again.changed and not again.private
    commits = len(hub.repos["ann/mine"].commits)

    fewer = TaskSet("two", basics.tasks[:2], fingerprint_of(basics.tasks[:2]), "two")
    with pytest.raises(UsageError, match=r"holds something else already.*--force"):
        copy_tasks(fewer, "hf:ann/mine", retry=QUICK)
    hub.put("ann/mine", {"notes.md": b"mine"})
    assert copy_tasks(fewer, "hf:ann/mine", force=True, retry=QUICK).changed
    assert hub.files("ann/mine")["notes.md"] == b"mine"
    assert len(hub.repos["ann/mine"].commits) == commits + 2
    assert b"smoltrace-tasks" in hub.files("ann/mine")["README.md"]


def test_a_dataset_that_holds_something_else_stays_as_it_is(hub: HubServer, tmp_path: Path) -> None:
    hub.put("ann/photos", {"data/train.parquet": b"1"})
    hub.put("ann/damaged", {FILE: b"no parquet"})
    for name in ("photos", "damaged"):
        done = smoltrace_here("tasks", "copy", "basics", "--to", f"hf:ann/{name}")
        assert (done.returncode, hub.counts["commit"]) == (2, 0), done.stderr
        assert "--force" in done.stderr
    assert smoltrace_here("tasks", "copy", "basics", "--to", "hf:ann/damaged", "--force").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give -o FILE or --to hf:OWNER/NAME."),
        (["-o", "x.jsonl", "--to", "hf:ann/x"], "not both"),
        (["-o", "x.jsonl", "--public"], "--public is for --to"),
        (["--to", "ann/x"], "write it as hf:owner/name"),
        (["--to", "hf:ann/x@v1"], "write it as hf:owner/name"),
        (["--to", "hf:ann/-x-"], "takes no such name"),
    ],
)
def test_what_cannot_be_meant_is_refused(hub: HubServer, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = smoltrace_here("tasks", "copy", "basics", *arguments, cwd=tmp_path)
    assert (done.returncode, hub.counts.total()) == (2, 0)
    assert said in done.stderr


def test_without_a_token_and_for_another_account(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PublishError, match="rights to create"):
        copy_tasks(load_tasks("basics"), "hf:bob/mine", retry=QUICK)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UsageError, match="HF_TOKEN"):
        copy_tasks(load_tasks("basics"), "hf:ann/mine", retry=QUICK)


def test_files_of_a_task_cannot_be_copied(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("x")
    (tmp_path / "tasks.jsonl").write_text('{"id": "a", "prompt": "p", "files": ["data.txt"]}')
    done = smoltrace_here("tasks", "copy", tmp_path / "tasks.jsonl", "--to", "hf:ann/mine")
    assert (done.returncode, hub.counts.total()) == (2, 0)
    assert "The task a" in done.stderr and "has files" in done.stderr


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(answers=st.lists(_JSON, min_size=1, max_size=3), extra=st.lists(_JSON, min_size=3, max_size=3))
def test_whatever_is_expected_comes_back_from_parquet(
    answers: list[object], extra: list[object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tasks")
    rows = [
        {"id": f"t{n}", "prompt": "p", "expected_answer": answer, "more": more}
        for n, (answer, more) in enumerate(zip(answers, extra, strict=False))
    ]
    (folder / "tasks.json").write_text(json.dumps(rows))
    tasks = load_tasks(folder / "tasks.json")
    pq.write_table(_table(tasks), folder / "tasks.parquet")

    assert _fingerprint(pq.read_table(folder / "tasks.parquet")) == tasks.fingerprint
    assert all(isinstance(task, Task) for task in tasks)
