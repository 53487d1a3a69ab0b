"""Deleting runs of a store: what is chosen, what is kept, and that nothing is ever left half."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.runs import execution, make_run

from smoltrace.errors import RunNotFoundError, StoreError, UsageError
from smoltrace.store import clean, leaderboard
from smoltrace.store.clean import Selection, choose, delete
from smoltrace.store.layout import Store
from smoltrace.store.lock import WriterLock

NOW = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four runs, a month apart: `r1` of the 1st of November is the oldest; r2 is incomplete, r3 of a branch."""
    about = {"r2": {"status": "incomplete", "num_tests": 9}, "r3": {"tags": {"branch": "x"}}}
    for n, month in enumerate(("2024-11", "2024-12", "2025-01", "2025-02"), start=1):
        make_run(tmp_path, [execution(1)], run_id=f"r{n}", started_at=f"{month}-01T00:00:00", **about.get(f"r{n}", {}))
    return Store(tmp_path)


def chosen(store: Store, **selection: object) -> list[str]:
    return [run.run_id for run in choose(store, Selection(**selection), now=NOW)]  # type: ignore[arg-type]


def test_runs_are_chosen_by_everything_that_is_given(store: Store) -> None:
    assert chosen(store, older_than=timedelta(days=60)) == ["r2", "r1"]
    assert chosen(store, keep=1) == ["r3", "r2", "r1"]
    assert chosen(store, keep=1, older_than=timedelta(days=30)) == ["r2", "r1"]
    assert chosen(store, statuses=frozenset({"incomplete"})) == ["r2"]
    assert chosen(store, tags={"branch": "x"}) == ["r3"]
    assert chosen(store, tags={"branch": "y"}) == []
    assert chosen(store, runs=("r1", "latest")) == ["r4", "r1"]
    assert chosen(store, runs=("r1", "r4"), older_than=timedelta(days=60)) == ["r1"]


def test_nothing_selected_never_means_everything(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is selected"):
        chosen(store)
    with pytest.raises(RunNotFoundError):
        chosen(store, runs=("r1", "r9"))
    elsewhere = make_run(tmp_path / "elsewhere", [execution(1)], run_id="r1")
    with pytest.raises(UsageError, match="is no run of the store"):
        chosen(store, runs=(str(elsewhere.path),))
    assert len(store.run_ids()) == 4


def test_deleting_takes_directory_row_and_cache(store: Store) -> None:
    leaderboard.table(store)
    size = sum(file.stat().st_size for file in (store.runs_path / "r3").iterdir())
    runs = choose(store, Selection(runs=("r3",)))
    assert (runs[0].bytes, runs[0].model, runs[0].status) == (size, "m", "completed")

    assert [(run.run_id, why) for run, why in delete(store, runs)] == [("r3", None)]

    assert store.run_ids() == ["r1", "r2", "r4"]
    assert sorted(path.name for path in store.runs_path.iterdir()) == ["r1", "r2", "r4"]
    assert leaderboard.table(store).column("run_id").to_pylist() == ["r1", "r4"]
    assert [why for _, why in delete(store, runs)] == [None]


def test_a_run_that_is_being_written_is_kept(store: Store) -> None:
    runs = choose(store, Selection(runs=("r1", "r2")))
    lock = WriterLock(store.run("r1").lock_file, "the run r1")
    try:
        assert [run.status for run in choose(store, Selection(runs=("r1",)))] == ["running"]
        told = {run.run_id: why for run, why in delete(store, runs)}
    finally:
        lock.release()

    assert told["r2"] is None and "Another process" in str(told["r1"])
    assert store.run_ids() == ["r1", "r3", "r4"]


def test_what_a_kill_leaves_is_taken_away_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = choose(store, Selection(runs=("r1", "r4")))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(leaderboard, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            list(delete(store, runs))
    assert store.run_ids() == ["r1", "r2", "r3"]
    assert leaderboard.has(store, "r4")

    assert [run.run_id for run, _ in delete(store, runs[1:])] == ["r1"]
    assert not leaderboard.has(store, "r4")
    assert sorted(path.name for path in store.runs_path.iterdir()) == ["r2", "r3"]


def test_runs_that_were_killed_before_they_were_there_are_taken_away(store: Store) -> None:
    old, young = store.runs_path / ".r5.1.new", store.runs_path / ".2.pulled"
    for folder in (old, young):
        folder.mkdir()
        (folder / "run.json").write_text("{}")
    (nothing := store.runs_path / ".3.deleted").mkdir()  # a kill came before the run went there
    for folder in (old, nothing):
        os.utime(folder, (0, 0))

    list(delete(store, choose(store, Selection(runs=("r1",)))))

    assert (old.exists(), nothing.exists(), young.exists()) == (False, False, True)


def test_a_run_that_cannot_be_read_is_deleted_by_name_alone(store: Store) -> None:
    store.run("r2").manifest_file.write_text("{")

    assert "r2" not in chosen(store, older_than=timedelta(days=1))
    assert chosen(store, statuses=frozenset({"unreadable"})) == ["r2"]
    (run,) = choose(store, Selection(runs=("r2",)))
    assert (run.status, run.model, run.started_at) == ("unreadable", None, None)
    assert [why for _, why in delete(store, [run])] == [None]
    assert "r2" not in store.run_ids()


def test_a_link_is_deleted_and_not_what_it_leads_to(store: Store, tmp_path: Path) -> None:
    shutil.move(store.runs_path / "r1", tmp_path / "moved")
    (store.runs_path / "r1").symlink_to(tmp_path / "moved")

    list(delete(store, choose(store, Selection(runs=("r1",)))))

    assert "r1" not in store.run_ids()
    assert (tmp_path / "moved" / "run.json").exists()


def test_a_disk_that_refuses_is_told_and_leaves_the_run_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(StoreError, match=r"delete .*r1"):
        list(delete(store, choose(store, Selection(runs=("r1",)))))
    assert sorted(path.name for path in store.runs_path.iterdir()) == ["r1", "r2", "r3", "r4"]
    assert clean.UNREADABLE == "unreadable"
