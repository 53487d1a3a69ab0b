"""Publishing a run of the store: all of it, to the same place again, and its books say where it went."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.model_server import ModelServer

import smoltrace.api as api
from smoltrace.errors import ModelRefusedError, PublishError, UsageError
from smoltrace.publish.hub import Retry
from smoltrace.publish.runs import account_before_spending, publish_run, require_token
from smoltrace.store.read import Run, load_run

QUICK = Retry(attempts=4, first=0.001, longest=0.01)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return api.evaluate(agent_type="tool", limit=2, run_id="r1", store=tmp_path / "store")


def published_rows(hub: HubServer, kind: str) -> list[dict[str, Any]]:
    (name,) = (name for name in hub.repos if f"smoltrace-{kind}" in name)
    (file,) = (file for file in hub.files(name) if file.startswith("data/"))
    return pq.read_table(io.BytesIO(hub.files(name)[file])).to_pylist()


def test_a_run_is_published_whole_to_four_datasets(hub: HubServer, run: Run) -> None:
    published = publish_run(run, token="hf_ann", retry=QUICK)
    assert list(published) == ["results", "traces", "metrics", "leaderboard"]
    assert {address.removeprefix(f"{hub.url}/datasets/") for address in published.values()} == set(hub.repos)
    results, traces, metrics, (row,) = (published_rows(hub, kind) for kind in published)
    assert [len(rows) for rows in (results, traces, metrics)] == [2, 2, 1]
    assert {found["run_id"] for found in (*results, *traces, *metrics, row)} == {"r1"}
    assert [trace["trace_id"] for trace in traces] == [result["trace_id"] for result in results]
    assert row["num_tests"] == 2
    assert all(hub.repos[name].private for name in hub.repos)


def test_its_leaderboard_row_names_its_datasets_here_and_there(hub: HubServer, run: Run) -> None:
    published = publish_run(run, token="hf_ann", retry=QUICK)
    (row,) = published_rows(hub, "leaderboard")
    here = load_run(run.path).leaderboard_row()
    for kind in ("results", "traces", "metrics"):
        assert published[kind].endswith(row[f"{kind}_dataset"])
        assert here[f"{kind}_dataset"] == row[f"{kind}_dataset"]


def test_unmeasured_energy_is_null_in_the_published_leaderboard(hub: HubServer, run: Run) -> None:
    publish_run(run, token="hf_ann", retry=QUICK)
    (row,) = published_rows(hub, "leaderboard")
    assert row["power_cost_total_usd"] is None
    assert row["co2_emissions_g"] is None


def test_publishing_again_goes_to_the_same_datasets(hub: HubServer, run: Run) -> None:
    first = publish_run(run, token="hf_ann", retry=QUICK)
    assert publish_run(load_run(run.path), token="hf_ann", retry=QUICK) == first
    assert len(hub.repos) == 4
    assert len(published_rows(hub, "leaderboard")) == 1


def test_a_failure_on_the_way_can_be_made_good(hub: HubServer, run: Run) -> None:
    hub.fail("commit", 400)
    with pytest.raises(PublishError):
        publish_run(run, token="hf_ann", retry=QUICK)
    assert load_run(run.path).leaderboard_row()["results_dataset"] is None
    assert publish_run(run, token="hf_ann", retry=QUICK)


def test_public_is_only_on_request(hub: HubServer, run: Run) -> None:
    publish_run(run, token="hf_ann", private=False, retry=QUICK)
    assert not any(hub.repos[name].private for name in hub.repos)


def test_a_run_that_is_not_complete_is_not_published(
    hub: HubServer, tmp_path: Path, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    model_server.api_key = "right"
    with pytest.raises(ModelRefusedError) as stopped:
        api.evaluate(model="m", provider="openai", store=tmp_path / "store", limit=2)
    with pytest.raises(UsageError, match="only complete runs"):
        publish_run(stopped.value.run, token="hf_ann", retry=QUICK)
    assert not hub.repos


def test_the_account_is_known_before_anything_is_spent(hub: HubServer) -> None:
    assert account_before_spending("hf_ann") == "ann"
    with pytest.raises(UsageError, match="HF_TOKEN"):
        account_before_spending()
    with pytest.raises(UsageError, match="Nothing was run"):
        account_before_spending("hf_wrong")


def test_the_token_of_the_environment_counts(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="hf auth login"):
        require_token()
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    require_token()
    assert account_before_spending() == "ann"
