"""What is published is loaded by `datasets` as it lies in the run's directory: both layouts, and runs of all kinds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.model_server import ModelServer

import smoltrace.api as api
from smoltrace.publish.hub.place import leaderboard_of
from smoltrace.publish.hub.runs import publish_run
from smoltrace.publish.hub.tables import publish_tables
from smoltrace.publish.retry import Retry
from smoltrace.store.read import Run, load_run

QUICK = Retry(attempts=6, first=0.001, longest=0.01)
CONFIGS = {"results": "results", "traces": "traces", "metrics": "metrics", "points": "metrics"}
"""The tables of a run, and the dataset that each is published in."""

# In a process of its own, since `datasets` reads the address of the Hub when it is imported.
CHILD = """
import json, sys
import datasets, pyarrow.parquet as pq
for repo, config, file in json.loads(sys.argv[1]):
    loaded = datasets.load_dataset(repo, config, split="train").with_format("arrow")[:]
    wanted = pq.read_table(file)
    assert loaded.column_names == wanted.column_names, (repo, config)
    assert loaded.to_pylist() == wanted.to_pylist(), (repo, config)
"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def load_all(hub: HubServer, wanted: list[tuple[str, str | None, Path]], home: Path) -> None:
    """Load each dataset and configuration, and hold it against its Parquet file."""
    env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_ann"}
    asked = json.dumps([(repo, config, str(file)) for repo, config, file in wanted])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, asked], env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def datasets_of(hub: HubServer, run: Run, folder: Path) -> Iterator[tuple[str, str | None, Path]]:
    """Each table of a published run, and the file that it has to be equal to: that of the run, or what is published of
    a run that lost its content on the way."""
    told = load_run(run.path).manifest["hub"]
    for table, dataset in CONFIGS.items():
        single = told["layout"] == "single"
        config = table if single or dataset == "metrics" else None
        file = run.directory.parquet(table)
        if not told["content"]:
            path = f"{table if single or table == 'points' else 'data'}/train-00000-of-00001.parquet"
            file = folder / f"{run.id}-{table}.parquet"
            file.write_bytes(hub.files(told[dataset])[path])
        yield told[dataset], config, file


@pytest.mark.slow
def test_runs_of_all_kinds_are_loaded_as_they_are(
    hub: HubServer, tmp_path: Path, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    store = tmp_path / "store"
    old = tmp_path / "old.parquet"
    pq.write_table(pa.table({"run_id": ["a-old"], "model": ["x"], "gone_since": [1.5]}), old)
    publish_tables({"leaderboard": old}, repo_ids={"leaderboard": leaderboard_of("ann")}, run_id="a-old", retry=QUICK)

    runs = [
        api.evaluate(limit=2, run_id="demo", store=store),
        api.evaluate(model="m", provider="openai", agent_type="tool", limit=1, run_id="of-api", store=store),
        api.evaluate(limit=1, agent_type="tool", run_id="said-nothing", record_content=False, store=store),
    ]
    for number, run in enumerate(runs):
        publish_run(run, layout="single" if number else "four", retry=QUICK)
    publish_run(runs[0], layout="single", content=False, retry=QUICK)
    wanted = [each for run in runs for each in datasets_of(hub, run, tmp_path)]
    publish_run(runs[0], layout="four", retry=QUICK)
    wanted += datasets_of(hub, runs[0], tmp_path)
    load_all(hub, [*wanted, (leaderboard_of("ann"), None, whole_leaderboard(hub, tmp_path))], tmp_path)


def whole_leaderboard(hub: HubServer, folder: Path) -> Path:
    """The rows of all files of the leaderboard, with the columns of all versions."""
    files = {path: content for path, content in hub.files(leaderboard_of("ann")).items() if path.startswith("data/")}
    tables = [pq.read_table(pa.BufferReader(content)) for _, content in sorted(files.items())]
    newest = max(tables, key=lambda table: table.num_columns).schema
    schema = pa.schema([*newest, *(field for field in tables[0].schema if field.name not in newest.names)])
    rows = [row for table in tables for row in table.to_pylist()]
    file = folder / "leaderboard.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file
