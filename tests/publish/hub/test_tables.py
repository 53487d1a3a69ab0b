"""Publishing, with the real client, to a small Hub of our own."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.hub_server import DROPPED, LOST, HubServer

from smoltrace.errors import PublishError
from smoltrace.publish.hub.asking import persist, whoami
from smoltrace.publish.hub.tables import generate_dataset_names, publish_tables
from smoltrace.publish.retry import Retry

QUICK = Retry(attempts=6, first=0.001, longest=0.01)
NAMES = generate_dataset_names("ann", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
REPOS = dict(zip(("results", "traces", "metrics", "leaderboard"), NAMES, strict=True))


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with HubServer(users={"hf_ann": "ann", "hf_bob": "bob"}) as server:
        yield server


def table_at(path: Path, rows: list[dict]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def tables(tmp_path):
    spans = [{"name": "chat", "start_time": 1, "status": {"code": "OK", "description": None}}]
    rows = {
        "results": [{"run_id": "r1", "success": True, "gen_ai.usage.cost.total": 0.5, "tools_used": ["calculator"]}],
        "traces": [{"run_id": "r1", "trace_id": "t", "timestamp": datetime(2026, 1, 2, tzinfo=UTC), "spans": spans}],
        "metrics": [{"run_id": "r1", "gpu_id": None, "gpu_name": None, "gpu_power_watts": None}],
        "points": [{"run_id": "r1", "name": "requests", "value": 3.0}],
        "leaderboard": [{"run_id": "r1", "model": "demo", "success_rate": 100.0}],
    }
    return {kind: table_at(tmp_path / f"{kind}.parquet", of_kind) for kind, of_kind in rows.items()}


def publish(hub: HubServer, tables: dict[str, Path], run_id: str = "r1", token: str = "hf_ann", **options):
    repos = options.pop("repo_ids", REPOS)
    return publish_tables(
        tables, repo_ids=repos, run_id=run_id, token=token, endpoint=hub.url, **{"retry": QUICK, **options}
    )


def board(hub: HubServer) -> list[str]:
    """The run ids on the leaderboard, as one finds them in its files."""
    files = hub.files(REPOS["leaderboard"])
    found = [content for path, content in files.items() if path.endswith(".parquet")]
    return sorted(row["run_id"] for content in found for row in pq.read_table(io.BytesIO(content)).to_pylist())


def test_names_are_the_documented_ones():
    assert NAMES == (
        "ann/smoltrace-results-20260102_030405",
        "ann/smoltrace-traces-20260102_030405",
        "ann/smoltrace-metrics-20260102_030405",
        "ann/smoltrace-leaderboard",
    )
    assert generate_dataset_names("ann")[3] == NAMES[3]


def test_whoami_names_the_account_or_says_what_is_wrong(hub, monkeypatch):
    assert whoami("hf_bob", endpoint=hub.url) == "bob"
    with pytest.raises(PublishError, match="HF_TOKEN"):
        whoami("hf_wrong", endpoint=hub.url, retry=QUICK)
    monkeypatch.setattr("huggingface_hub.hf_api.get_token", lambda: None)
    with pytest.raises(PublishError, match="needs a token; set HF_TOKEN"):
        whoami(endpoint=hub.url)


def test_a_run_is_published_to_four_private_repositories_with_one_commit_each(hub, tables, capfd):
    found = publish(hub, tables, card="Model demo.")
    assert found == {kind: f"{hub.url}/datasets/{name}" for kind, name in REPOS.items()}
    assert {name: repo.private for name, repo in hub.repos.items()} == dict.fromkeys(NAMES, True)
    assert [len(repo.commits) for repo in hub.repos.values()] == [2, 2, 2, 2]
    train = "data/train-00000-of-00001.parquet"
    assert hub.files(REPOS["results"])[train] == tables["results"].read_bytes()
    assert hub.files(REPOS["metrics"])["points/train-00000-of-00001.parquet"] == tables["points"].read_bytes()
    assert set(hub.files(REPOS["leaderboard"])) == {"README.md", "data/r1.parquet"}
    assert b"Model demo." in hub.files(REPOS["traces"])["README.md"]
    assert b"Model demo." not in hub.files(REPOS["leaderboard"])["README.md"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("route", "how"),
    [
        ("commit", (409,)),
        ("commit", (412, 429, 500)),
        ("commit", (503, DROPPED)),
        ("commit", (LOST,)),
        ("commit", (503, LOST)),
        ("create", (503, LOST)),
        ("validate", (502,)),
        ("info", (429,)),
    ],
)
def test_after_a_failure_that_passes_there_is_exactly_one_row(hub, tables, route, how):
    hub.fail(route, *how)
    publish(hub, {"leaderboard": tables["leaderboard"]})
    assert board(hub) == ["r1"]
    assert hub.failed[route] == len(how)


@pytest.mark.parametrize(
    ("header", "seconds"), [({"Retry-After": "7"}, 7.0), ({"ratelimit": '"api";r=0;t=9'}, 9.0), ({}, None)]
)
def test_a_hub_that_asks_to_be_left_alone_is(hub, tables, monkeypatch, header, seconds):
    waited = []
    monkeypatch.setattr("smoltrace.publish.hub.asking.time.sleep", waited.append)
    hub.fail("commit", (429, header))
    publish(hub, {"leaderboard": tables["leaderboard"]})
    assert len(waited) == 1
    assert waited[0] == seconds if seconds else waited[0] <= QUICK.longest
    assert board(hub) == ["r1"]


def test_publishing_a_run_again_adds_nothing(hub, tables):
    publish(hub, tables)
    before = {name: repo.head.files for name, repo in hub.repos.items()}
    publish(hub, tables)
    assert {name: repo.head.files for name, repo in hub.repos.items()} == before
    assert [len(repo.commits) for repo in hub.repos.values()] == [2, 2, 2, 2]


def test_runs_that_publish_at_the_same_time_lose_no_row(hub, tmp_path):
    """Half of them know a column that the others do not, so that the card grows meanwhile."""

    def one(number: int) -> None:
        row = {"run_id": f"r{number:02}", "model": "demo"} | ({"co2_g": 1.0} if number % 2 else {})
        file = table_at(tmp_path / f"{number}.parquet", [row])
        publish(hub, {"leaderboard": file}, run_id=row["run_id"], retry=Retry(attempts=40, first=0.005, longest=0.05))

    one(0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(1, 16)))
    assert board(hub) == [f"r{number:02}" for number in range(16)]
    assert b"co2_g" in hub.files(REPOS["leaderboard"])["README.md"]


def test_a_refusal_is_not_tried_again_and_says_what_to_do(hub, tables):
    with pytest.raises(PublishError, match=r"token that may write there in HF_TOKEN.* Published so far: nothing"):
        publish(hub, tables, token="hf_bob")
    assert hub.counts["create"] == 1


def test_when_the_attempts_are_used_up_it_says_what_is_published(hub, tables):
    publish(hub, {"results": tables["results"]})
    hub.fail("commit", *[503] * 50)
    changed = table_at(tables["results"], [{"run_id": "r1", "success": False}])
    with pytest.raises(PublishError, match=r"busy .* Published so far: nothing\. Publishing again is safe"):
        publish(hub, {"results": changed, "leaderboard": tables["leaderboard"]})
    assert hub.counts["commit"] == 1 + QUICK.attempts


def test_a_hub_that_is_not_there(tables):
    with HubServer() as gone:
        pass
    with pytest.raises(PublishError, match=r"not reached .* check the network"):
        publish(gone, tables, retry=Retry(attempts=2, first=0.001))


def test_an_empty_table_is_refused_and_empty_points_are_left_out(hub, tables):
    empty = pa.table({"run_id": pa.array([], pa.string())})
    pq.write_table(empty, tables["points"])
    publish(hub, tables)
    assert "points/train-00000-of-00001.parquet" not in hub.files(REPOS["metrics"])
    pq.write_table(empty, tables["results"])
    with pytest.raises(PublishError, match="results table is empty"):
        publish(hub, tables)


def test_a_table_that_cannot_be_read(hub, tables):
    tables["results"].write_bytes(b"no Parquet")
    with pytest.raises(PublishError, match="cannot be read"):
        publish(hub, tables)


def test_a_repository_that_is_there_stays_public_or_private(hub, tables):
    publish(hub, {"leaderboard": tables["leaderboard"]}, private=False)
    assert hub.repos[REPOS["leaderboard"]].private is False
    publish(hub, {"leaderboard": tables["leaderboard"]})
    assert hub.repos[REPOS["leaderboard"]].private is False


def test_what_the_hub_says_of_a_card_is_said_whole():
    def refused():
        raise ValueError("Invalid metadata in README.md.\n- license must be one of mit, other.")

    with pytest.raises(
        PublishError, match=r"failed: Invalid metadata in README\.md\. - license must be one of mit, other$"
    ):
        persist(refused, "publishing", QUICK)
