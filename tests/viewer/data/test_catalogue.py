from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from support.board_rows import put_row
from support.run_states import commit_all, going_on
from support.runs import execution, failed, make_run

from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.viewer.data.catalogue import Catalogue, Snapshot
from smoltrace.viewer.data.database import Database


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def catalogue(store: Store) -> Catalogue:
    return Catalogue(store, Database(), patience=0)


def rows(snapshot: Snapshot, *columns: str) -> list[dict[str, Any]]:
    return snapshot.frame.rows(range(snapshot.runs), ["run_id", *columns])


def run_ids(snapshot: Snapshot) -> list[str]:
    return sorted(row["run_id"] for row in rows(snapshot))


def test_a_store_that_is_not_there_yet_has_no_runs(store: Store, catalogue: Catalogue) -> None:
    assert (catalogue.now().runs, catalogue.now().refused, catalogue.now().task_sets) == (0, [], [])
    put_row(store, "a")
    assert run_ids(catalogue.now()) == ["a"]


def test_rows_come_change_and_go(store: Store, catalogue: Catalogue) -> None:
    put_row(store, "a", 10)
    put_row(store, "c", 30)
    first = catalogue.now()
    put_row(store, "b", 20)
    assert run_ids(catalogue.now()) == ["a", "b", "c"]
    put_row(store, "a", 90)
    assert {row["run_id"]: row["success_rate"] for row in rows(catalogue.now(), "success_rate")}["a"] == 90.0
    leaderboard.remove(store, "c")
    assert run_ids(catalogue.now()) == ["a", "b"]
    # Who still has an older answer is not disturbed.
    assert run_ids(first) == ["a", "c"]


def test_the_version_tells_whether_anything_changed(store: Store, catalogue: Catalogue) -> None:
    put_row(store, "a", 10)
    version = catalogue.now().version
    assert catalogue.now().version == version
    put_row(store, "a", 11)
    changed = catalogue.now().version
    assert changed != version
    (store.runs_path / "nothing").mkdir(parents=True)
    assert catalogue.now().version != changed, "that it has no run.json is told"


def test_a_row_replaced_twice_at_once_is_seen(store: Store, catalogue: Catalogue) -> None:
    """The folder's time may not tell two changes apart that come so soon after one another."""
    put_row(store, "a", 1)
    for right in range(2, 12):
        put_row(store, "a", right)
        assert rows(catalogue.now(), "success_rate")[0]["success_rate"] == float(right)


def test_many_changes_one_by_one(store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoltrace.viewer.data.catalogue._MOST_CHUNKS", 4)
    for number in range(12):
        put_row(store, f"r{number:02}", number)
        assert catalogue.now().runs == number + 1
    assert [row["success_rate"] for row in rows(catalogue.now(), "success_rate")] == [float(n) for n in range(12)]


def test_very_many_changes_at_once(store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoltrace.viewer.data.catalogue._MANY", 2)
    put_row(store, "r0", 1)
    assert catalogue.now().runs == 1
    for number in range(4):
        put_row(store, f"r{number}", 50)
    assert [row["success_rate"] for row in rows(catalogue.now(), "success_rate")] == [50.0] * 4


def test_broken_things_are_told_and_never_raised(store: Store, catalogue: Catalogue) -> None:
    put_row(store, "good")
    broken = store.leaderboard_path / "rows" / "bad.json"
    broken.write_text('{"run_id": "ba')
    for name, manifest in (("no-json", "{"), ("a-list", "[]"), ("odd", '{"tasks": 7, "lives": 3, "footprint": 1}')):
        (store.runs_path / name).mkdir(parents=True)
        (store.runs_path / name / "run.json").write_text(manifest)
    (store.runs_path / "empty").mkdir()
    (store.runs_path / ".half.new").mkdir()
    (store.runs_path / "a-file").write_text("x")

    snapshot = catalogue.now()

    assert run_ids(snapshot) == ["good"]
    told = {each["path"]: each["error"] for each in snapshot.refused}
    assert sorted(told) == ["leaderboard/rows/bad.json", "runs/a-list", "runs/empty", "runs/no-json", "runs/odd"]
    assert all(told.values())

    put_row(store, "bad")
    for name in ("no-json", "a-list", "odd", "empty"):
        shutil.rmtree(store.runs_path / name)
    assert (run_ids(catalogue.now()), catalogue.now().refused) == (["bad", "good"], [])


def test_a_run_that_goes_on_grows(store: Store, catalogue: Catalogue) -> None:
    columns = ("_state", "_finished", "_planned", "_calls", "success_rate")
    with going_on(store.path, planned=3) as (_, journal):
        assert rows(catalogue.now(), *columns) == [
            {"run_id": "live", "_state": 1, "_finished": 0, "_planned": 3, "_calls": 0, "success_rate": None}
        ]
        commit_all(journal, [execution(1), failed(2)])
        assert rows(catalogue.now(), *columns) == [
            {"run_id": "live", "_state": 1, "_finished": 2, "_planned": 3, "_calls": 4, "success_rate": 50.0}
        ]
        assert catalogue.now().live == 1
    # Its process is gone and could not write that it is incomplete.
    assert (rows(catalogue.now(), "_state"), catalogue.now().live) == ([{"run_id": "live", "_state": 2}], 0)


def test_a_run_that_ends_gets_its_row(store: Store, catalogue: Catalogue) -> None:
    stopped = make_run(store.path, [execution(1)], run_id="made", finish=False, status="incomplete")
    assert rows(catalogue.now(), "_state") == [{"run_id": "made", "_state": 2}]
    manifest = json.loads(stopped.manifest_file.read_text())
    stopped.manifest_file.write_text(json.dumps(manifest | {"status": "completed"}))
    from smoltrace.store.finalise import finalise

    finalise(stopped)
    assert rows(catalogue.now(), "_state", "_finished") == [{"run_id": "made", "_state": 3, "_finished": None}]


def test_a_run_whose_row_is_broken_is_shown_from_its_folder(store: Store, catalogue: Catalogue) -> None:
    make_run(store.path, [execution(1)], run_id="made")
    (store.leaderboard_path / "rows" / "made.json").write_text("{")
    assert rows(catalogue.now(), "success_rate", "_finished") == [
        {"run_id": "made", "success_rate": 100.0, "_finished": 1}
    ]
    assert [each["path"] for each in catalogue.now().refused] == ["leaderboard/rows/made.json"]


def test_a_run_that_is_deleted_is_gone(store: Store, catalogue: Catalogue) -> None:
    run = make_run(store.path, [execution(1)], run_id="made", finish=False, status="incomplete")
    assert run_ids(catalogue.now()) == ["made"]
    shutil.rmtree(run.path)
    assert (run_ids(catalogue.now()), catalogue.now().refused) == ([], [])


def test_nothing_is_looked_at_before_its_time(store: Store) -> None:
    put_row(store, "a")
    patient = Catalogue(store, Database(), patience=3600)
    first = patient.now()
    put_row(store, "b")
    assert patient.now() is first


def test_task_sets_are_told_by_how_many_runs_they_have(store: Store, catalogue: Catalogue) -> None:
    put_row(store, "a", dataset_fingerprint="b" * 64, dataset_used="small")
    for run_id in ("b", "c"):
        put_row(store, run_id)
    put_row(store, "d", dataset_fingerprint=None)
    found = [(each["fingerprint"][0], each["name"], each["runs"]) for each in catalogue.now().task_sets]
    assert found == [("a", "basics", 2), ("b", "small", 1)]


def test_a_folder_that_cannot_be_read_is_told(store: Store, catalogue: Catalogue) -> None:
    put_row(store, "a")
    rows, aside = store.leaderboard_path / "rows", store.leaderboard_path / "aside"
    rows.rename(aside)
    rows.write_text("a file where a folder should be")
    assert [each["path"] for each in catalogue.now().refused] == ["rows"]
    rows.unlink()
    aside.rename(rows)
    assert catalogue.now().refused == []
    assert run_ids(catalogue.now()) == ["a"]


def test_a_link_that_leads_nowhere_hides_no_run(store: Store, catalogue: Catalogue) -> None:
    make_run(store.path, [execution(1)], run_id="stopped", num_tests=2, status="incomplete")
    (store.runs_path / "round").symlink_to("round")
    (store.runs_path / "gone").symlink_to("nothing")
    assert run_ids(catalogue.now()) == ["stopped"]
    assert catalogue.now().refused == []


def test_what_was_wrong_with_the_store_is_told_no_longer_than_it_is(store: Store, catalogue: Catalogue) -> None:
    store.path.write_text("a file")
    assert [each["path"] for each in catalogue.now().refused] == ["rows", "runs"]
    store.path.unlink()
    assert catalogue.now().refused == []
    put_row(store, "a")
    assert run_ids(catalogue.now()) == ["a"]


def test_many_threads_ask_while_runs_come(store: Store, catalogue: Catalogue) -> None:
    put_row(store, "r0")
    failures: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                found = run_ids(catalogue.now())
                assert found == [f"r{number}" for number in range(len(found))]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 9):
        put_row(store, f"r{number}")
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert catalogue.now().runs == 9
