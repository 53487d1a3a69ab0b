"""A site of files: all that its pages load is there and nothing else, of every run that can be read."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.archives import documents_of, tree_of
from support.run_states import commit_all, going_on, killed
from support.runs import execution, failed, make_run

from smoltrace.errors import StoreError, UsageError
from smoltrace.samples.store import make_sample_store
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.archive import run_documents
from smoltrace.viewer.bundle import bundle
from smoltrace.viewer.data.gpu import LANES
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.export import POLICY, export_site
from smoltrace.viewer.pages import PAGES, STATIC

DATASETS = ("results", "traces", "spans", "metrics", "points")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Runs of every kind: of an API, with one GPU and with four, unpriced, interrupted."""
    store = tmp_path_factory.mktemp("export") / "store"
    make_sample_store(store, runs=6, tests=2)
    return [Run(run) for run in Store(store).newest()]


@pytest.fixture(scope="module")
def site(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "site"
    made = export_site(runs, folder)
    assert (made.runs, made.left_out) == ([run.id for run in runs], {})
    assert made.size == sum(len(content) for content in tree_of(folder).values())
    return folder


@pytest.fixture
def small(tmp_path: Path) -> list[Run]:
    """Two small runs, the newest first."""
    made = [make_run(tmp_path / "store", [execution(1), failed(2, "tool_error")], run_id=name) for name in ("b", "a")]
    return [Run(run) for run in made]


# --- What is in it -------------------------------------------------------------------------------------------------


def test_every_file_that_a_page_names_is_there(site: Path) -> None:
    for name in {path.strip("/") or "index.html" for path in PAGES}:
        loaded = re.findall(r'(?:src|href)="([^"]+)"', (site / name).read_text())
        assert len(loaded) > 5
        assert [file for file in loaded if not (site / file).is_file()] == []


def test_no_page_may_ask_anybody_else_and_none_names_anybody(site: Path) -> None:
    for name in {path.strip("/") or "index.html" for path in PAGES}:
        page = (site / name).read_text()
        assert f'http-equiv="Content-Security-Policy" content="{POLICY.replace(chr(39), "&#39;")}"' in page
        assert "//" not in page.replace("<!doctype html>", "")
    for sheet in site.rglob("*.css"):
        assert not re.search(r"""@import|url\((?!["']?(?:data:|#))""", sheet.read_text())
    for script in site.rglob("*.js"):
        named = set(re.findall(r"https?://[\w.]+", script.read_text()))
        assert named <= {"http://www.w3.org"}, "the name of SVG, which nobody asks for"


def test_the_script_of_a_page_holds_the_modules_and_they_are_not_there_besides(site: Path) -> None:
    scripts = {file.relative_to(site / "static" / "js").as_posix() for file in (site / "static").rglob("*.js")}
    assert scripts == {"theme.js", *(f"pages/{screen}.js" for screen in PAGES.values())}
    for screen in PAGES.values():
        written = (site / "static" / "js" / "pages" / f"{screen}.js").read_text()
        assert written == bundle(STATIC / "js" / "pages" / f"{screen}.js")


def numbers_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is a number in a row of Parquet, or unknown, as JSON has it."""
    known = {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
    return {name: value for name, value in known.items() if value is None or isinstance(value, bool | int | float)}


def test_every_number_of_tests_and_runs_is_that_of_the_parquet_files(runs: list[Run], site: Path) -> None:
    documents, compared = documents_of(site), 0
    board = documents["leaderboard"]["columns"]
    for place, run in enumerate(runs):
        for name, value in numbers_of(run.leaderboard_row()).items():
            assert board[name][place] == value, name
        light = documents[f"runs/{run.id}/tests"]["columns"]
        for at, uid in enumerate(light["test_case_uid"]):
            row = next(row for row in run.results() if row["test_case_uid"] == uid)
            shard = documents[f"runs/{run.id}/tests-{light['_shard'][at]:03d}"]
            for name, value in numbers_of(row).items():
                assert shard["tests"][uid]["row"][name] == value, name
                if name in light:
                    assert light[name][at] == value, name
                    compared += 1
    assert compared > 300


def test_every_number_of_spans_is_that_of_the_parquet_files(runs: list[Run], site: Path) -> None:
    documents, compared = documents_of(site), 0
    names = {"input_tokens": "tokens_in", "output_tokens": "tokens_out", "gpu_energy_wh": "energy_wh"}
    for run in runs:
        traces = {
            id_: trace
            for name, found in documents.items()
            if re.search(rf"{run.id}/tests-", name)
            for id_, trace in found["traces"].items()
        }
        details = {
            id_: span
            for name, found in documents.items()
            if re.search(rf"{run.id}/spans-", name)
            for id_, span in found.items()
        }
        for row in run.spans():
            trace = traces[row["trace_id"]]
            columns, is_electricity = trace["columns"], trace["header"]["_cost"]["kind"] == "electricity"
            shown = {**names, "power_cost_usd" if is_electricity else "cost_usd": "cost"}
            at = columns["id"].index(row["span_id"])
            for name, value in numbers_of(row).items():
                if name in shown:
                    assert columns[shown[name]][at] == value, name
                    compared += 1
            tokens = details[f"{row['trace_id']}/{row['span_id']}"]["tokens"]
            assert tokens == {name: row[f"{name}_tokens"] for name in tokens}
        assert len(details) == sum(1 for _ in run.spans())
    assert compared > 500


def test_every_sample_of_a_gpu_is_that_of_the_parquet_files(runs: list[Run], site: Path) -> None:
    documents, seen = documents_of(site), 0
    for run in runs:
        t0_ns = int(documents[f"runs/{run.id}/run"]["_t0_ns"])
        gpus = {gpu["id"]: gpu for gpu in documents[f"runs/{run.id}/gpu"]["gpus"]}
        for row in run.metrics():
            gpu = gpus.get(row["gpu_id"])
            at = (int(row["timestamp_unix_nano"]) - t0_ns) / 1e6
            for lane, (column, _, _) in LANES.items():
                if row[column] is not None:
                    assert gpu is not None
                    assert gpu["lanes"][lane]["values"][gpu["at_ms"].index(at)] == float(row[column])
                    seen += 1
    assert seen > 100


def test_the_parquet_files_of_a_run_lie_beside_its_documents(runs: list[Run], site: Path) -> None:
    for run in runs:
        for name in DATASETS:
            copy, file = site / "data" / "runs" / run.id / f"{name}.parquet", run.directory.parquet(name)
            if file.exists():
                assert copy.read_bytes() == file.read_bytes()
            else:
                assert pq.read_metadata(copy).num_rows == len(list(getattr(run, name)()))


def test_the_same_runs_give_the_same_bytes(small: list[Run], tmp_path: Path) -> None:
    killed(small[0], tmp_path / "dead", 1)
    some = [*small, Run(Store(tmp_path / "dead").run("b"))][1:]
    export_site(some, tmp_path / "one")
    export_site(some, tmp_path / "another")
    assert tree_of(tmp_path / "one") == tree_of(tmp_path / "another")


def test_large_runs_are_laid_down_in_parts_and_come_out_whole(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path / "store", [execution(n, response=f"{n}" * 200_000) for n in range(1, 8)]))
    whole, parts = dict(run_documents(run, Readings())), dict(run_documents(run, Readings(), together=2))
    assert parts == whole
    shards = whole["tests"]["columns"]["_shard"]
    assert shards == sorted(shards)
    assert whole["tests"]["count"] == 7
    for uid, shard in zip(whole["tests"]["columns"]["test_case_uid"], shards, strict=True):
        response = whole[f"tests-{shard:03d}"]["tests"][uid]["row"]["response"]
        assert whole[f"texts/{response['ref']}"]["text"] == uid.split(":")[1][1:] * 200_000


# --- Where it is written -------------------------------------------------------------------------------------------


def test_a_site_is_written_again_in_its_place_and_other_files_stay(small: list[Run], tmp_path: Path) -> None:
    folder = tmp_path / "site"
    export_site(small, folder)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (folder / "CNAME").write_text("example.org")
    (folder / "static" / "css" / "of-an-older-version.css").write_text("")
    made = export_site(small[:1], folder)
    assert made.runs == [small[0].id]
    assert [run.name for run in (folder / "data" / "runs").iterdir()] == made.runs
    pages = {path.strip("/") or "index.html" for path in PAGES}
    assert {file.name for file in folder.iterdir()} == pages | {"data", "static", ".git", "CNAME"}
    assert (folder / ".git" / "HEAD").read_text() == "ref: refs/heads/main"
    shutil.rmtree(folder / ".git")
    (folder / "CNAME").unlink()
    export_site(small[:1], tmp_path / "new")
    assert tree_of(folder) == tree_of(tmp_path / "new")


@pytest.mark.parametrize("name", ["index.html", "static", "data"])
def test_a_folder_of_something_else_is_left_alone(small: list[Run], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if name == "index.html":
        (folder / name).write_text("mine")
    else:
        (folder / name).mkdir()
    with pytest.raises(UsageError, match=rf"other files under names that the site needs: {re.escape(name)}\. Name"):
        export_site(small, folder)
    assert [file.name for file in folder.iterdir()] == [name]


def test_where_nothing_can_be_written_it_says_why(small: list[Run], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"is a file\. Name a folder"):
        export_site(small, file)
    with pytest.raises(UsageError, match=r"cannot be written to .*: Not a directory\."):
        export_site(small, file / "site")
    with pytest.raises(UsageError, match=r"cannot be written to .*: File name too long\."):
        export_site(small, tmp_path / ("x" * 300))
    assert file.read_text() == "mine"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "store"]


@pytest.mark.parametrize("had_one", [True, False])
@pytest.mark.parametrize("refused", ["index.html", "static", "data"])
def test_where_a_part_is_refused_the_earlier_site_comes_back(
    small: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str, had_one: bool
) -> None:
    folder = tmp_path / "site"
    if had_one:
        export_site(small, folder)
    before = tree_of(folder) if had_one else None
    rename, left = Path.rename, [refused]

    def once_refused(self: Path, target: Path) -> Path:
        if target == folder / refused and left:
            raise OSError(errno.EIO, "Input/output error", left.pop())
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", once_refused)
    with pytest.raises(UsageError, match=r"cannot be written to .*: Input/output error\."):
        export_site(small[:1], folder)
    assert (tree_of(folder) if folder.exists() else None) == before
    assert export_site(small[:1], folder).runs == [small[0].id]


# --- Runs that are not as they should be ---------------------------------------------------------------------------


def test_a_run_that_vanishes_meanwhile_is_left_out_and_named(small: list[Run], tmp_path: Path) -> None:
    made = export_site(small, tmp_path / "site", told=lambda _: shutil.rmtree(small[1].path, ignore_errors=True))
    assert made.runs == ["b"]
    assert "The run a is gone" in made.left_out["a"]
    documents = documents_of(tmp_path / "site")
    assert {name.split("/")[1] for name in documents if name.startswith("runs/")} == {"b"}
    assert documents["leaderboard"]["columns"]["run_id"] == ["b"]
    assert documents["store"]["refused"] == [{"path": "runs/a", "error": made.left_out["a"]}]


def test_a_broken_run_is_left_out_and_named(small: list[Run], tmp_path: Path) -> None:
    small[0].directory.results_journal.unlink()
    small[0].directory.parquet("results").write_bytes(b"PAR1 no Parquet")
    made = export_site(small, tmp_path / "site")
    assert made.runs == ["a"]
    assert "results.parquet" in made.left_out["b"]


def test_where_no_run_can_be_read_the_earlier_site_stays(small: list[Run], tmp_path: Path) -> None:
    export_site(small, tmp_path / "site")
    before = tree_of(tmp_path / "site")
    for run in small:
        run.directory.manifest_file.write_text("{")
    with pytest.raises(StoreError, match=r"None of the runs could be read.*run\.json.*run\.json"):
        export_site(small, tmp_path / "site")
    assert tree_of(tmp_path / "site") == before
    with pytest.raises(StoreError, match="None of the runs"):
        export_site(small, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_runs_that_go_on_or_were_killed_are_shown_as_they_stand(small: list[Run], tmp_path: Path) -> None:
    dead = killed(small[0], tmp_path / "dead", 1)
    with going_on(tmp_path / "live", planned=9) as (live, journal):
        commit_all(journal, [execution(1), failed(2), execution(3)])
        made = export_site([live, dead], tmp_path / "site")
    assert (made.runs, made.left_out) == (["live", "b"], {})
    documents = documents_of(tmp_path / "site")
    told = {name: documents[f"runs/{name}/run"] for name in made.runs}
    assert {name: (run["_status"], run["_finished"], run["_planned"]) for name, run in told.items()} == {
        "live": ("running", 3, 9),
        "b": ("incomplete", 1, 2),
    }
    assert documents["store"]["live"] == 1
    for name, count in (("live", 3), ("b", 1)):
        assert documents[f"runs/{name}/tests"]["count"] == count
        for dataset in ("results", "traces"):
            assert pq.read_metadata(tmp_path / "site" / "data" / "runs" / name / f"{dataset}.parquet").num_rows == count


def test_a_run_that_is_named_twice_is_there_once(small: list[Run], tmp_path: Path) -> None:
    assert export_site([small[0], *small], tmp_path / "site").runs == ["b", "a"]
    assert documents_of(tmp_path / "site")["store"]["runs"] == 2
