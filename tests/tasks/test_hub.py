"""Tasks from the Hub: the real `datasets`, over HTTP, from a small Hub of our own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.hub_server import HubServer

from smoltrace.errors import MissingExtraError
from smoltrace.tasks.hub import HubName
from smoltrace.tasks.loaders import load_tasks

# `datasets` reads the address of the Hub when it is imported, so it is loaded in a process of its own.
LOADER = """
import json, os, sys
from smoltrace.errors import SmoltraceError
from smoltrace.tasks.loaders import load_tasks
found = {}
for source, split, token in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token
    try:
        loaded = load_tasks(source, split=split)
        answer = [loaded.name, loaded.source, [task.to_json() for task in loaded], loaded.fingerprint]
    except SmoltraceError as error:
        answer = f"{type(error).__name__}: {error}"
    found[f"{source} {split}{' with a token' if token else ''}"] = answer
print(json.dumps(found))
"""
ONE = b'{"id": 1, "prompt": "p"}\n'
TWO_CONFIGURATIONS = b"""---
configs:
- config_name: easy
  data_files: easy.jsonl
- config_name: hard
  data_files: hard.jsonl
---
"""
DOCUMENTED = [
    {
        "id": "tool_weather_single",
        "prompt": "What's the weather in Paris, France?",
        "expected_tool": "get_weather",
        "expected_tool_calls": 1,
        "difficulty": "easy",
        "agent_type": "tool",
        "expected_keywords": ["12"],
    },
    {"id": "code", "prompt": "What is 2 + 2?", "agent_type": "code", "required_tools": "calculator"},
]


def parquet(rows: list[dict]) -> bytes:
    target = io.BytesIO()
    columns = {name: [row.get(name) for row in rows] for name in {**rows[0], **rows[-1]}}
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def answers(url: str, home: Path, sources: list[tuple[str, str, str | None]], **env: str) -> tuple[dict, str]:
    """What loading each (source, split, token) gave, by the three, and all that was written to standard error."""
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", **env}
    command = [sys.executable, "-c", LOADER, json.dumps(sources)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    home = tmp_path_factory.mktemp("hf")
    with HubServer(users={"hf_ann": "ann"}) as hub:
        first = hub.put("ann/tasks", {"data/train-00000-of-00001.parquet": parquet(DOCUMENTED)})
        hub.put("ann/tasks", {"data/train-00000-of-00001.parquet": parquet([{"id": "new", "prompt": "p"}])})
        hub.repos["ann/tasks"].refs["v1"] = first
        hub.put("ann/private", {"train.jsonl": ONE}, private=True)
        hub.put("ann/gated", {"train.jsonl": ONE}, gated=True)
        hub.put("ann/several", {"README.md": TWO_CONFIGURATIONS, "easy.jsonl": ONE, "hard.jsonl": ONE})
        hub.put("ann/faulty", {"train.jsonl": ONE + b'{"id": 1, "prompt": "q"}\n{"id": 3, "prompt": ""}\n'})
        hub.put("ann/nothing", {"picture.bin": b"x"})
        sources = [
            ("hf:ann/tasks", "train", None),
            ("hf:ann/tasks@v1", "train", None),
            ("hf:ann/tasks@v9", "train", None),
            ("hf:ann/tasks", "test", None),
            ("hf:ann/private", "train", None),
            ("hf:ann/private", "train", "hf_ann"),
            ("hf:ann/gated", "train", None),
            ("hf:ann/absent", "train", None),
            ("hf:ann/several", "train", None),
            ("hf:ann/several/hard", "train", None),
            ("hf:ann/several/odd", "train", None),
            ("hf:ann/faulty", "train", None),
            ("hf:ann/nothing", "train", None),
        ]
        found, noise = answers(hub.url, home, sources)
        return {**found, "stderr": noise}


def test_a_dataset_with_the_documented_columns_loads_as_it_is(found, tmp_path):
    name, source, tasks, fingerprint = found["hf:ann/tasks@v1 train"]
    assert (name, source) == ("ann/tasks", "hf:ann/tasks@v1")
    assert [(task["id"], task["agent_type"]) for task in tasks] == [("tool_weather_single", "tool"), ("code", "code")]
    assert (tasks[0]["expected_tool_calls"], tasks[0]["expected_keywords"]) == (1, ["12"])
    assert tasks[1]["required_tools"] == "calculator"
    here = tmp_path / "same.jsonl"
    here.write_text("".join(json.dumps(row) + "\n" for row in DOCUMENTED))
    assert load_tasks(here).fingerprint == fingerprint


def test_without_a_revision_the_newest_is_read(found):
    assert [task["id"] for task in found["hf:ann/tasks train"][2]] == ["new"]


def test_a_token_opens_what_is_private(found):
    assert len(found["hf:ann/private train with a token"][2]) == 1


def test_no_progress_bar_is_drawn(found):
    assert "%|" not in found["stderr"]
    assert "it/s" not in found["stderr"]


@pytest.mark.parametrize(
    ("asked_for", "problem"),
    [
        ("hf:ann/tasks@v9 train", "Revision 'v9' doesn't exist"),
        ("hf:ann/tasks test", 'has no split "test"; choose one of its splits: train'),
        ("hf:ann/private train", "needs a token that may read it in HF_TOKEN"),
        ("hf:ann/gated train", "needs a token that may read it in HF_TOKEN"),
        ("hf:ann/absent train", "check the name"),
        ("hf:ann/several train", "choose one of easy, hard, as in hf:ann/several/CONFIGURATION"),
        ("hf:ann/several/odd train", 'has no configuration "odd"; choose one of easy, hard'),
        ("hf:ann/faulty train", 'hf:ann/faulty, line 2: the id "1" is already used in line 1'),
        ("hf:ann/nothing train", "cannot be read as a dataset"),
    ],
)
def test_what_cannot_be_had_is_said_with_what_to_do(found, asked_for, problem):
    assert found[asked_for].startswith("TaskFileError: hf:ann/")
    assert problem in found[asked_for]


def test_without_a_network_it_says_so(tmp_path):
    found, _ = answers("http://127.0.0.1:9", tmp_path, [("hf:ann/tasks", "train", None)], HF_HUB_OFFLINE="1")
    assert "the Hub cannot be reached" in found["hf:ann/tasks train"]


def test_one_configuration_can_be_named(found):
    assert len(found["hf:ann/several/hard train"][2]) == 1


def test_without_the_datasets_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("smoltrace.tasks.hub.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"smoltrace\[hub\]"):
        load_tasks("hf:ann/tasks")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hf:a/b", ("a/b", None, None)),
        ("hf:a/b@v1.0", ("a/b", None, "v1.0")),
        ("hf:a/b@refs/convert/parquet", ("a/b", None, "refs/convert/parquet")),
        ("hf:a-1/b_2.c/easy@main", ("a-1/b_2.c", "easy", "main")),
    ],
)
def test_names_of_datasets(text, name):
    assert HubName.parse(text) == name
    assert str(HubName.parse(text)) == text
