"""Published runs come back as they were, or not at all."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.command import smoltrace_here
from support.hub_client import use_hub
from support.hub_server import DROPPED, HubServer
from support.runs import execution, failed, make_run
from support.same_run import DATASETS

from smoltrace.errors import StoreError, UsageError
from smoltrace.publish.hub.pull import Puller
from smoltrace.publish.hub.runs import publish_run
from smoltrace.publish.retry import Retry
from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.store.read import Run, load_run, load_trace

QUICK = Retry(attempts=3, first=0.001, longest=0.01)


def made(store: Path, run_id: str, tests: int, **about: Any) -> Run:
    executions = [(failed if n == 3 else execution)(n, run_id=run_id) for n in range(1, tests + 1)]
    return Run(make_run(store, executions, run_id=run_id, **about))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the run r1."""
    store = tmp_path_factory.mktemp("original")
    made(store, "r1", 3, started_at="2026-01-01T00:00:00+00:00")
    return store


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann", "hf_bob": "bob"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        yield server


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Run:
    shutil.copytree(original, tmp_path / "original")
    return load_run("r1", tmp_path / "original")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "pulled")


def publish(run: Run, layout: str = "four") -> dict[str, str]:
    """The name of each dataset of a published run."""
    published = publish_run(run, layout=layout, retry=QUICK)  # type: ignore[arg-type]
    return {kind: "/".join(address.split("/")[-2:]) for kind, address in published.items() if "/" in address}


def puller(store: Store) -> Puller:
    return Puller(store, retry=QUICK)


def change(hub: HubServer, repo: str, **files: bytes | None) -> None:
    """Replace or delete files whose path, with __ for / and without ending, begins so."""
    commit = hub.repos[repo].head
    for name, content in files.items():
        (path,) = (path for path in commit.files if path.startswith(name.replace("__", "/")))
        if content is None:
            del commit.files[path]
        else:
            commit.files[path] = content


def manifest_in(hub: HubServer, repo: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hub.files(repo)["run/run.json"])
    return found


def parquet(table: pa.Table) -> bytes:
    made = io.BytesIO()
    pq.write_table(table, made)
    return made.getvalue()


def table_in(hub: HubServer, repo: str, prefix: str = "data") -> pa.Table:
    (content,) = (content for path, content in hub.files(repo).items() if path.startswith(prefix + "/"))
    return pq.read_table(io.BytesIO(content))


def assert_same_books(one: Run, other: Run, *, but: tuple[str, ...] = ()) -> None:
    for dataset in DATASETS:
        left, right = (found.table(dataset) for found in (one, other))
        assert left.drop_columns(list(but)).equals(right.drop_columns(list(but))), dataset


@pytest.mark.parametrize("layout", ["four", "single"])
def test_a_pulled_run_has_the_published_books(hub: HubServer, run: Run, tmp_path: Path, layout: str) -> None:
    names = publish(run, layout)
    row = table_in(hub, "ann/smoltrace-leaderboard").to_pylist()[0]
    hub.fail("resolve", 503, DROPPED)
    for kind in ("results", "traces", "metrics") if layout == "four" else ("results",):
        store = Store(tmp_path / kind)

        pulled = puller(store).pull(names[kind])

        assert (pulled.run_id, pulled.is_new, pulled.notes) == ("r1", True, ())
        found = load_run("r1", store)
        assert_same_books(run, found)
        here = {name: float(v) if isinstance(v, Decimal) else v for name, v in found.leaderboard_row().items()}
        assert here == row
        assert leaderboard.table(store).to_pylist() == [row]
        assert found.manifest["pulled_from"]["repo"] == names[kind]
        assert found.manifest["pulled_from"]["revision"] == hub.repos[names[kind]].head.oid
        assert [path.name for path in store.runs_path.iterdir()] == ["r1"]


def test_a_pulled_run_is_as_any_other(hub: HubServer, run: Run, store: Store, tmp_path: Path) -> None:
    puller(store).pull(publish(run)["results"])

    row = next(load_run("r1", store).results())
    spans = load_trace(load_run("r1", store), str(row["trace_id"]))
    assert [span.span_id for span in spans] == [span.span_id for span in load_trace(run, str(row["trace_id"]))]
    for command in (["show", "r1"], ["leaderboard", "--json"], ["export", "r1", "-o", str(tmp_path / "out")]):
        assert smoltrace_here(*command, "--store", store.path).returncode == 0, command
    shown = smoltrace_here("view", "r1", "--export", tmp_path / "site", "--store", store.path)
    assert shown.returncode == 0, shown.stderr
    for arguments in (["--country", "FRA"], []):
        resumed = smoltrace_here("resume", "r1", *arguments, "--store", store.path)
        assert (resumed.returncode, "was pulled from the Hub" in resumed.stderr) == (2, True)
    assert_same_books(run, load_run("r1", store))


def test_pulling_again_changes_nothing(hub: HubServer, run: Run, store: Store) -> None:
    names = publish(run)
    puller(store).pull(names["results"])
    before = (store.runs_path / "r1" / "run.json").read_bytes()
    downloads = hub.counts["resolve"]
    leaderboard.remove(store, "r1")

    again = puller(store).pull(names["results"])
    assert not again.is_new and hub.counts["resolve"] == downloads
    assert leaderboard.has(store, "r1")
    assert not puller(store).pull(names["traces"]).is_new
    assert not puller(Store(run.path.parent.parent)).pull(names["traces"]).is_new, "where it was published from"
    assert (store.runs_path / "r1" / "run.json").read_bytes() == before


def test_another_run_of_that_id_stays_and_the_new_one_gets_another_name(hub: HubServer, run: Run, store: Store) -> None:
    repo = publish(run)["results"]
    made(store.path, "r1", 1)
    mine = load_run("r1", store).table("results")

    with pytest.raises(UsageError, match=r"another run 'r1' already.*--run-id"):
        puller(store).pull(repo)
    assert store.run_ids() == ["r1"]
    assert load_run("r1", store).table("results").equals(mine)

    assert puller(store).pull(repo, "theirs").run_id == "theirs"
    found = load_run("theirs", store)
    assert_same_books(run, found, but=("run_id",))
    assert {row["run_id"] for dataset in DATASETS for row in found.table(dataset).to_pylist()} == {"theirs"}
    assert (found.leaderboard_row()["run_id"], found.manifest["run_id"]) == ("theirs", "theirs")
    assert found.manifest["pulled_from"]["run_id"] == "r1"
    with pytest.raises(UsageError, match="cannot be used"):
        puller(store).pull(repo, "../theirs")


def test_columns_of_other_versions_are_filled_or_left_out(hub: HubServer, run: Run, store: Store) -> None:
    repo = publish(run)["results"]
    table = table_in(hub, repo).drop_columns(["retries"])
    table = table.append_column("of_tomorrow", pa.array([1] * table.num_rows))
    summary = json.loads(hub.files(repo)["run/summary.json"])
    change(hub, repo, data=parquet(table), run__summary=json.dumps(summary | {"of_tomorrow": 1}).encode())

    pulled = puller(store).pull(repo)

    assert pulled.notes == (
        "results has no columns retries, which are null here.",
        "results has columns of_tomorrow of another version, which are left out.",
    )
    found = load_run("r1", store)
    assert [row["retries"] for row in found.results()] == [None, None, None]
    assert found.leaderboard_row()["total_tokens"] == run.leaderboard_row()["total_tokens"]


def test_a_run_without_its_own_files_is_made_from_what_there_is(hub: HubServer, run: Run, store: Store) -> None:
    names = publish(run)
    for kind in ("results", "traces", "metrics"):
        files = hub.repos[names[kind]].head.files
        for path in [path for path in files if path.startswith("run/")]:
            del files[path]

    pulled = puller(store).pull(names["metrics"])

    assert pulled.notes == ("spans are made from traces, which do not tell everything.",)
    found = load_run("r1", store)
    unknown = ("scope", "cost_usd", "gpu_energy_wh", "co2_emissions_g", "power_cost_usd")
    for dataset in ("results", "traces", "metrics", "points"):
        assert found.table(dataset).equals(run.table(dataset)), dataset
    assert found.table("spans").drop_columns(list(unknown)).equals(run.table("spans").drop_columns(list(unknown)))
    ours, theirs = run.leaderboard_row(), found.leaderboard_row()
    assert {name: theirs[name] for name in ("total_tokens", "model", "success_rate", "dataset_fingerprint")} == {
        name: ours[name] for name in ("total_tokens", "model", "success_rate", "dataset_fingerprint")
    }
    assert smoltrace_here("show", "r1", "--store", store.path).returncode == 0


def test_a_leaderboard_is_listed_and_its_runs_are_pulled(hub: HubServer, run: Run, store: Store) -> None:
    publish(run)
    publish(made(run.path.parent.parent, "r2", 1, started_at="2026-01-02T00:00:00+00:00"), "single")
    board = "ann/smoltrace-leaderboard"

    listed = smoltrace_here("pull", board)
    assert (listed.returncode, [line.split()[0] for line in listed.stdout.splitlines()]) == (0, ["RUN", "r2", "r1"])
    assert [row["run_id"] for row in json.loads(smoltrace_here("pull", board, "--json").stdout)] == ["r2", "r1"]
    done = smoltrace_here("pull", board, "--run", "r2", "--run-id", "mine", "--store", store.path)
    assert (done.returncode, store.run_ids()) == (0, ["mine"]), done.stderr
    told = smoltrace_here("pull", board, "--all", "--json", "--store", store.path)
    assert told.returncode == 0, told.stderr
    assert [(each["run_id"], each["new"]) for each in json.loads(told.stdout)["pulled"]][1:] == [("r1", True)]
    with pytest.raises(UsageError, match=r"no run 'r3'.*lists its runs"):
        puller(store).pull_listed(board, "r3")
    with pytest.raises(UsageError, match="is a leaderboard"):
        puller(store).pull(board)

    table = table_in(hub, "ann/smoltrace-run-r2", "results").slice(0, 1).select(["run_id"])
    for name, odd in {
        "bomb": pa.table({"run_id": ["x"] * 100_000}),
        "kinds": table.append_column("model", pa.array([7])).append_column("success_rate", pa.array(["many"])),
    }.items():
        hub.put(board, {f"data/{name}.parquet": parquet(odd)})
    listed = smoltrace_here("pull", board)
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 3), listed.stderr
    quiet = smoltrace_here("pull", board, "--quiet")
    assert (quiet.returncode, quiet.stdout + quiet.stderr) == (0, "")


def _told(**changes: Any) -> Callable[[HubServer, str], None]:
    def spoil(hub: HubServer, repo: str) -> None:
        change(hub, repo, run__run=json.dumps(manifest_in(hub, repo) | changes).encode())

    return spoil


def _file(**files: bytes | None) -> Callable[[HubServer, str], None]:
    return lambda hub, repo: change(hub, repo, **files)


def _of_another_run(hub: HubServer, repo: str) -> None:
    table = table_in(hub, repo, "results")
    place = table.column_names.index("run_id")
    change(hub, repo, results__=parquet(table.set_column(place, "run_id", pa.array(["other"] * table.num_rows))))


def _cells(name: str, value: Any) -> Callable[[HubServer, str], None]:
    def spoil(hub: HubServer, repo: str) -> None:
        table = table_in(hub, repo, "results")
        place = table.column_names.index(name)
        change(hub, repo, results__=parquet(table.set_column(place, name, pa.array([value] * table.num_rows))))

    return spoil


def _cut(hub: HubServer, repo: str) -> None:
    (path,) = (path for path in hub.files(repo) if path.startswith("traces/"))
    content = bytearray(hub.files(repo)[path])
    content[200:1200] = bytes(1000)
    change(hub, repo, traces__=bytes(content))


def _elsewhere(hub: HubServer, repo: str) -> None:
    files = hub.repos[repo].head.files
    for path in [path for path in files if path.startswith("results/")]:
        files[f"results/../../{path}"] = files.pop(path)


def _huge(hub: HubServer, repo: str) -> None:
    change(hub, repo, run__run=b"[" * 3_000_000)


SPOILT: dict[str, tuple[Callable[[HubServer, str], None], str]] = {
    "id that leads elsewhere": (_told(run_id="../../evil"), "cannot be used"),
    "id that is none": (_told(run_id=7), "tells no run id"),
    "label that is none": (_told(tags=["x"]), "'tags' in its run.json"),
    "incomplete": (_told(status="running"), "is not complete"),
    "datasets of others": (_told(references={"results": "bob/secret"}), "names datasets of somebody else"),
    "a place of others": (_told(hub={"results": "bob/notes"}), "names datasets of somebody else"),
    "a leaderboard of others": (_told(hub={"leaderboard": "bob/notes"}), "names datasets of somebody else"),
    "a place that is none": (_told(hub=["x"]), "'hub' in its run.json"),
    "no references": (_told(references=None), "results cannot be found"),
    "no JSON": (_file(run__run=b"{"), "is no JSON"),
    "no object": (_file(run__run=b"[]"), "is no JSON object"),
    "bottomless JSON": (_huge, "is no JSON"),
    "summary that is none": (_file(run__summary=b"nonsense"), "is no JSON"),
    "no Parquet": (_file(results__=b"PAR1 nonsense PAR1"), "cannot be read as Parquet"),
    "damaged Parquet": (_cut, "cannot be read as Parquet"),
    "rows of another run": (_of_another_run, "rows of another run"),
    "a cell that is no JSON": (_cells("tool_calls", "{"), "cannot be read as Parquet"),
    "a cell of other JSON": (_cells("tool_calls", "[7]"), "tool_calls holds something else"),
    "money that is no number": (_cells("cost_known_usd", float("nan")), "cost_known_usd holds no number"),
    "other columns": (_file(results__=parquet(pa.table({"run_id": ["r1"], "steps": ["many"]}))), "cannot be read"),
    "names that lead elsewhere": (_elsewhere, "results cannot be found"),
}


def test_what_is_no_run_is_refused_and_nothing_is_written(hub: HubServer, run: Run, store: Store) -> None:
    repo = publish(run, "single")["results"]
    whole = hub.files(repo)
    for name, (spoil, said) in SPOILT.items():
        hub.put(repo, {})  # a commit of its own
        hub.repos[repo].head.files = dict(whole)
        spoil(hub, repo)
        with pytest.raises(UsageError) as refused:
            puller(store).pull(repo)
        assert said in str(refused.value), name
        assert not store.path.exists(), name


def test_a_summary_of_another_kind_is_made_anew(hub: HubServer, run: Run, store: Store) -> None:
    repo = publish(run, "single")["results"]
    published = json.loads(hub.files(repo)["run/summary.json"])
    rows = ({"total_cost_usd": "NaN"}, {"success_rate_ci_high": None}, {"failed_tests": None}, {"error_types": "[1]"})
    for number, summary in enumerate(
        [
            {"leaderboard": [1], "discarded": 5, "energy": 7},
            *({**published, "leaderboard": published["leaderboard"] | row} for row in rows),
        ]
    ):
        hub.put(repo, {})  # a commit of its own
        change(hub, repo, run__summary=json.dumps(summary).encode())
        puller(store).pull(repo, f"r{number}")
        found, ours = load_run(f"r{number}", store).leaderboard_row(), run.leaderboard_row()
        assert {name for name in found if found[name] != ours[name]} <= {
            f"{k}_dataset" for k in ("results", "traces", "metrics")
        } | {"submitted_by", "run_id"}
    assert smoltrace_here("leaderboard", "--store", store.path).returncode == 0


def test_datasets_that_are_not_to_be_had(
    hub: HubServer, run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = publish(run)
    hub.put("ann/photos", {"README.md": b"# mine"})
    hub.put("ann/smoltrace-results-20200101_000000", {"README.md": b"# mine"})
    for repo, said in {
        "ann/photos": "is no run of smoltrace",
        "ann/smoltrace-results-20200101_000000": "results cannot be found",
        "ann/none": "no dataset ann/none that can be read",
        "../../etc": "is no name of a dataset",
    }.items():
        with pytest.raises(UsageError, match=said):
            puller(store).pull(repo)
    with pytest.raises(UsageError, match="has no revision v9"):
        Puller(store, "v9", retry=QUICK).pull(names["results"])
    del hub.repos[names["metrics"]]
    with pytest.raises(UsageError, match=r"metrics.* that can be read"):
        puller(store).pull(names["results"])
    hub.fail("info", *[DROPPED] * 3)
    with pytest.raises(UsageError, match=r"not reached.*Nothing was written"):
        puller(store).pull(names["results"])
    monkeypatch.setenv("HF_TOKEN", "hf_bob")
    with pytest.raises(UsageError, match="token that may read it"):
        puller(store).pull(names["results"])
    assert not store.path.exists()


def test_a_disk_that_refuses_leaves_nothing(
    hub: HubServer, run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = publish(run)["results"]

    def refused(*_: object) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr("smoltrace.publish.hub.pull.atomic.sync", refused)
        with pytest.raises(StoreError, match="disk is full"):
            puller(store).pull(repo)
    assert not store.path.exists()
    assert puller(store).pull(repo).is_new
