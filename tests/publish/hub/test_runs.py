"""Publishing a run of the store: all of it, to the same place again, and its books say where it went."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.model_server import ModelServer
from support.runs import make_run

import smoltrace.api as api
from smoltrace.errors import ModelRefusedError, PublishError, UsageError
from smoltrace.publish.hub.account import token_for
from smoltrace.publish.hub.place import KINDS
from smoltrace.publish.hub.runs import PUBLISHING, account_before_spending, publish_run
from smoltrace.publish.retry import Retry
from smoltrace.records.schema import LEADERBOARD, decode_row, encode_row
from smoltrace.records.traces import in_order
from smoltrace.store.finalise import finalise
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


def test_a_second_attempt_goes_where_the_first_began(hub: HubServer, run: Run) -> None:
    hub.fail("commit", 503, 400)
    with pytest.raises(PublishError, match="Published so far: nothing"):
        publish_run(run, token="hf_ann", retry=QUICK)
    chosen = load_run(run.path).manifest["hub"]
    assert load_run(run.path).leaderboard_row()["results_dataset"] is None
    assert set(hub.repos) == {chosen["results"]}
    published = publish_run(run, token="hf_ann", retry=QUICK)
    assert published["traces"].endswith(chosen["traces"])
    assert len(hub.repos) == 4


def test_what_a_directory_cannot_take_leaves_the_run_whole(hub: HubServer, run: Run) -> None:
    before = {file.name: file.read_bytes() for file in run.path.glob("*.parquet")}
    row = run.path.parents[1] / "leaderboard" / "rows" / "r1.json"
    row.unlink()
    row.mkdir()
    with pytest.raises(PublishError, match=r"All is published .* but the run here does not say so yet"):
        publish_run(run, token="hf_ann", retry=QUICK)
    assert {file.name: file.read_bytes() for file in run.path.glob("*.parquet")} == before
    row.rmdir()
    assert publish_run(load_run(run.path), token="hf_ann", retry=QUICK)
    assert [len(repo.commits) for repo in hub.repos.values()] == [2, 2, 2, 2]
    assert "results" in str(load_run(run.path).leaderboard_row()["results_dataset"])
    assert row.exists()


def test_one_repository_for_a_run_has_all_of_it_in_one_commit(hub: HubServer, run: Run) -> None:
    published = publish_run(run, token="hf_ann", layout="single", licence="cc-by-4.0", retry=QUICK)
    name = "ann/smoltrace-run-r1"
    assert {published[kind] for kind in ("results", "traces", "metrics")} == {f"{hub.url}/datasets/{name}"}
    assert set(hub.repos) == {name, "ann/smoltrace-leaderboard"}
    assert len(hub.repos[name].commits) == 2
    files = hub.files(name)
    for table in ("results", "traces", "metrics", "points"):
        assert files[f"{table}/train-00000-of-00001.parquet"] == run.directory.parquet(table).read_bytes()
    assert files["run/spans.parquet"] == run.directory.parquet("spans").read_bytes()
    assert b"license: cc-by-4.0" in files["README.md"]
    assert publish_run(load_run(run.path), token="hf_ann", retry=QUICK) == published
    assert [len(repo.commits) for repo in hub.repos.values()] == [2, 2]
    (row,) = published_rows(hub, "leaderboard")
    assert row["results_dataset"] == row["traces_dataset"] == row["metrics_dataset"] == name


def test_what_gives_the_run_back_is_published_too(hub: HubServer, run: Run, tmp_path: Path) -> None:
    publish_run(run, token="hf_ann", retry=QUICK)
    told = load_run(run.path).manifest["hub"]
    of_results, of_traces, of_metrics = (hub.files(told[kind]) for kind in ("results", "traces", "metrics"))
    assert of_results["run/run.json"] == of_traces["run/run.json"] == of_metrics["run/run.json"]
    pulled = tmp_path / "elsewhere" / "runs" / "r1"
    pulled.mkdir(parents=True)
    (pulled / "run.json").write_bytes(of_results["run/run.json"])
    (pulled / "summary.json").write_bytes(of_results["run/summary.json"])
    (pulled / "spans.parquet").write_bytes(of_traces["run/spans.parquet"])
    for table, files in (("results", of_results), ("traces", of_traces), ("metrics", of_metrics)):
        (pulled / f"{table}.parquet").write_bytes(files["data/train-00000-of-00001.parquet"])
    (pulled / "points.parquet").write_bytes(of_metrics["points/train-00000-of-00001.parquet"])
    there, here = load_run(pulled), load_run(run.path)
    for table in ("traces", "spans", "metrics", "points"):
        assert there.table(table) == here.table(table)
    assert [test.spans for test in there.tests()] == [in_order(test.spans) for test in here.tests()]
    assert there.leaderboard_row() | {"submitted_by": None} == decode_row(
        LEADERBOARD, encode_row(LEADERBOARD, here.leaderboard_row())
    ) | {"submitted_by": None}
    assert there.leaderboard_row()["submitted_by"] == "ann"
    commits = {name: len(repo.commits) for name, repo in hub.repos.items()}
    publish_run(there, token="hf_ann", retry=QUICK)
    assert {name: len(repo.commits) for name, repo in hub.repos.items()} == commits
    hub.users["hf_bob"] = "bob"
    assert "/bob/" in publish_run(load_run(pulled), token="hf_bob", retry=QUICK)["results"]


def test_nothing_of_this_machine_is_published(hub: HubServer, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text('{"id": "a", "prompt": "Say hello."}\n')
    prompts = {"redact": ("ACME-[0-9]+",), "pass_env": ("MY_VARIABLE",), "price_file": None}
    run = api.evaluate(tasks, agent_type="tool", run_id="r1", store=tmp_path / "store", **prompts)
    publish_run(run, token="hf_ann", layout="single", retry=QUICK)
    everything = [content for name in hub.repos for content in hub.files(name).values()]
    texts = [content for content in everything if not content.startswith(b"PAR1")]
    assert not [text for text in texts if str(tmp_path).encode() in text or b"ACME" in text or b"MY_VAR" in text]
    manifest = json.loads(hub.files("ann/smoltrace-run-r1")["run/run.json"])
    assert manifest["tasks"]["source"] == manifest["config"]["tasks"] == "tasks.jsonl"
    assert "directory" not in manifest
    assert {"directory", "config.redact", "config.pass_env", "config.tasks"} <= set(manifest["hub"]["left_out"])


def test_two_runs_never_share_a_repository(hub: HubServer, run: Run, tmp_path: Path) -> None:
    """As they would when they are published in the same second, or have the same id."""
    first = publish_run(run, token="hf_ann", retry=QUICK)
    before = {name: hub.files(name) for name in hub.repos}
    other = Run(make_run(tmp_path / "other", run_id="r1", hub=load_run(run.path).manifest["hub"]))
    second = publish_run(other, token="hf_ann", retry=QUICK)
    assert first["leaderboard"] == second["leaderboard"]
    assert not {first[kind] for kind in KINDS} & {second[kind] for kind in KINDS}
    assert {name: hub.files(name) for name in before if "leaderboard" not in name} == {
        name: files for name, files in before.items() if "leaderboard" not in name
    }
    rows = [pq.read_table(io.BytesIO(c)) for p, c in hub.files("ann/smoltrace-leaderboard").items() if "data" in p]
    assert [table["run_id"].to_pylist() for table in rows] == [["r1"], ["r1"]]
    singles = [publish_run(each, token="hf_ann", layout="single", retry=QUICK) for each in (run, other)]
    assert singles[0]["results"].endswith("ann/smoltrace-run-r1")
    assert singles[1]["results"] != singles[0]["results"]


def test_a_run_that_an_earlier_version_published_stays_where_it_is(hub: HubServer, run: Run) -> None:
    old = {kind: f"ann/smoltrace-{kind}-20250101_000000" for kind in KINDS}
    for name in old.values():
        hub.put(name, {"data/train-00000-of-00001.parquet": b"PAR1 of an earlier version", "README.md": b"Our words."})
    run.directory.write_manifest(run.directory.manifest() | {"references": old})
    publish_run(run, token="hf_ann", retry=QUICK)
    assert set(hub.repos) == {*old.values(), "ann/smoltrace-leaderboard"}
    assert len(published_rows(hub, "results")) == 2
    assert hub.files(old["results"])["README.md"].endswith(b"Our words.")


def test_a_run_without_a_journal_and_outside_a_store_is_published(hub: HubServer, run: Run, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(run.path, alone)
    for journal in (*alone.glob("*.jsonl"), alone / "summary.json"):
        journal.unlink()
    before = {file.name: file.read_bytes() for file in alone.glob("*.parquet")}
    publish_run(load_run(alone), token="hf_ann", retry=QUICK)
    assert {file.name: file.read_bytes() for file in alone.glob("*.parquet")} == before
    (row,) = published_rows(hub, "leaderboard")
    assert row["num_tests"] == 2
    assert load_run(alone).leaderboard_row()["results_dataset"] == row["results_dataset"]


def test_files_older_than_the_journal_are_made_first(hub: HubServer, run: Run) -> None:
    before = run.directory.parquet("results").read_bytes()
    run.directory.parquet("results").write_bytes(b"torn")
    run.directory.summary_file.unlink()
    publish_run(run, token="hf_ann", retry=QUICK)
    assert run.directory.parquet("results").read_bytes() == before
    assert len(published_rows(hub, "results")) == 2


def test_a_run_whose_traces_are_lost_is_published_without_them(hub: HubServer, run: Run) -> None:
    run.directory.traces_journal.write_bytes(b"")
    finalise(run.directory)
    published = publish_run(run, token="hf_ann", retry=QUICK)
    assert list(published) == ["results", "metrics", "leaderboard"]
    (row,) = published_rows(hub, "leaderboard")
    assert row["traces_dataset"] is None
    assert publish_run(load_run(run.path), token="hf_ann", retry=QUICK) == published
    assert len(hub.repos) == 3


def test_an_organisation_may_own_it_and_a_stranger_may_not(hub: HubServer, run: Run) -> None:
    hub.organisations["ann"] = ["team"]
    publish_run(run, token="hf_ann", owner="team", retry=QUICK)
    assert {name.partition("/")[0] for name in hub.repos} == {"team"}
    publish_run(load_run(run.path), token="hf_ann", retry=QUICK)
    assert len(hub.repos) == 4
    with pytest.raises(UsageError, match=r"may not publish for bob\. It belongs to ann, team"):
        publish_run(run, token="hf_ann", owner="bob", retry=QUICK)
    with pytest.raises(UsageError, match="may not publish for bob"):
        account_before_spending("hf_ann", "bob")
    assert account_before_spending("hf_ann", "team") == "team"


def test_who_may_read_is_never_changed_without_a_word(hub: HubServer, run: Run) -> None:
    publish_run(run, token="hf_ann", retry=QUICK)
    note = publish_run(load_run(run.path), token="hf_ann", private=False, retry=QUICK)["note"]
    assert "were private before and stay so" in note
    assert all(name in note for name in hub.repos)
    assert all(repo.private for repo in hub.repos.values())


def test_a_licence_is_an_identifier(hub: HubServer, run: Run) -> None:
    with pytest.raises(UsageError, match="such as cc-by-4"):
        publish_run(run, token="hf_ann", licence="CC BY 4.0", retry=QUICK)
    assert not hub.repos
    publish_run(run, token="hf_ann", licence="MIT", layout="single", retry=QUICK)
    assert b"license: mit" in hub.files("ann/smoltrace-run-r1")["README.md"]
    assert b"license" not in hub.files("ann/smoltrace-leaderboard")["README.md"].partition(b"dataset_info")[0]


def test_progress_tells_bytes_up_to_the_last(hub: HubServer, run: Run) -> None:
    told: list[tuple[int, int]] = []
    publish_run(run, token="hf_ann", retry=QUICK, progress=lambda what, done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] > run.directory.parquet("spans").stat().st_size


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
        token_for(PUBLISHING)
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert (token_for(PUBLISHING), token_for(PUBLISHING, "hf_bob")) == ("hf_ann", "hf_bob")
    assert account_before_spending() == "ann"
