from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.runs import manifest

from smoltrace.errors import RunNotFoundError, StoreError, UsageError
from smoltrace.store.layout import RunDir, Store


def made(store: Store, run_id: str, started: str = "2025-01-01T00:00:00+00:00") -> RunDir:
    return store.create(run_id, manifest(run_id=run_id, started_at=started))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_the_store_is_the_given_one_else_the_environments_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Store().path == Path("smoltrace-runs")
    monkeypatch.setenv("SMOLTRACE_STORE", str(tmp_path))
    assert Store().path == tmp_path
    assert Store("elsewhere").path == Path("elsewhere")


def test_a_new_run_has_its_manifest(store: Store) -> None:
    run_dir = made(store, "one")

    assert run_dir.path == store.path / "runs" / "one"
    assert run_dir.manifest()["model"] == "m"
    assert store.run("one") == run_dir
    assert run_dir.store is not None
    assert run_dir.store.path == store.path


def test_a_run_without_a_given_id_gets_a_new_one_each_time(store: Store) -> None:
    first, second = store.create(None, manifest()), store.create(None, manifest())

    assert first.run_id != second.run_id
    assert first.manifest()["run_id"] == first.run_id


def test_an_id_that_is_taken_is_refused(store: Store) -> None:
    made(store, "one")

    with pytest.raises(UsageError, match="has a run 'one' already"):
        made(store, "one")


def test_of_many_that_want_one_id_one_gets_it(store: Store) -> None:
    def attempt(n: int) -> bool:
        try:
            store.create("wanted", manifest(notes=str(n)))
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
    assert [path.name for path in store.runs_path.iterdir()] == ["wanted"]


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "../up", "a/b", "a\\b", "-flag", ".hidden", "a b", "ü", "x" * 129, "latest"]
)
def test_an_unsafe_id_is_refused(store: Store, run_id: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        store.new_run_id(run_id)
    assert not store.path.exists()


@pytest.mark.parametrize(
    "run_id", ["experiment-001-baseline", "550e8400-e29b-41d4-a716-446655440000", "v1.2_b+c", "x" * 128]
)
def test_ids_as_people_write_them_are_taken(store: Store, run_id: str) -> None:
    assert made(store, run_id).run_id == run_id


def test_a_run_that_is_not_there_is_told_with_the_names_that_come_near(store: Store) -> None:
    made(store, "baseline-1")

    with pytest.raises(RunNotFoundError, match=r"no run 'baseline-2'\. Did you mean baseline-1\?"):
        store.run("baseline-2")
    with pytest.raises(RunNotFoundError, match="'smoltrace runs' lists them"):
        store.run("zzz")


def test_an_empty_store_says_how_to_fill_it(store: Store) -> None:
    with pytest.raises(RunNotFoundError, match=r"has no runs\. Make one with 'smoltrace eval'"):
        store.find("latest")


def test_a_run_is_found_by_id_by_beginning_by_latest_and_by_path(store: Store) -> None:
    first = made(store, "aaa-1", "2025-01-02T00:00:00+00:00")
    second = made(store, "bbb-1", "2025-01-01T00:00:00+00:00")

    assert store.find("bbb-1") == second
    assert store.find("b") == second
    assert store.find("latest") == first
    assert store.find(second.path) == RunDir(second.path.resolve())
    assert store.newest() == [first, second]
    assert store.newest(1) == [first]
    assert store.run_ids() == ["aaa-1", "bbb-1"]


def test_a_beginning_that_fits_several_is_refused_but_a_whole_id_is_not(store: Store) -> None:
    made(store, "run")
    made(store, "run-2")

    with pytest.raises(UsageError, match="'ru' is the beginning of 2 runs: run, run-2"):
        store.find("ru")
    assert store.find("run").run_id == "run"


@pytest.mark.parametrize("name", ["made (copy)", 'a"b\r\nc', "ü", "x" * 200, "made"])
def test_a_run_is_found_by_whatever_its_folder_was_named(store: Store, name: str) -> None:
    made(store, "made").path.rename(store.runs_path / name)
    made(store, "another").path.rename(store.runs_path / f"{name} 2")
    assert store.run(name) == store.find(name) == RunDir(store.runs_path / name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../runs/made", "made/", "made/.", "/", "a\0b", "x" * 5000, ".hidden", "\ud800"]
)
def test_what_is_no_name_of_a_folder_is_no_run(store: Store, name: str) -> None:
    made(store, "made")
    made(store, "other").path.rename(store.runs_path / ".hidden")
    with pytest.raises(RunNotFoundError):
        store.run(name)


def test_a_manifest_that_cannot_be_read_comes_after_all_others(store: Store) -> None:
    broken, whole = made(store, "z"), made(store, "a")
    broken.manifest_file.write_text("{")
    assert store.newest() == [whole, broken]
    assert store.latest() == whole


def test_a_manifest_that_is_no_json_is_told(store: Store) -> None:
    run_dir = made(store, "one")
    run_dir.manifest_file.write_text("{")

    with pytest.raises(StoreError, match=r"run\.json is no JSON"):
        run_dir.manifest()


def test_the_manifest_can_be_replaced(store: Store) -> None:
    run_dir = made(store, "one")
    run_dir.write_manifest({**run_dir.manifest(), "status": "incomplete"})

    assert run_dir.manifest()["status"] == "incomplete"


def test_a_store_where_a_file_stands_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="choose another store"):
        made(Store(tmp_path / "file"), "one")


def test_a_run_directory_outside_a_store_has_none(tmp_path: Path) -> None:
    assert RunDir(tmp_path / "copied").store is None


def test_a_run_that_has_begun_is_found_by_its_id_alone(store: Store) -> None:
    run_dir = made(store, "one")
    assert store.begun("one") == run_dir
    for free in (None, "on", "latest/../one", "../one", ""):
        assert store.begun(free) is None


def test_a_run_that_has_lost_its_manifest_is_told(store: Store) -> None:
    made(store, "one").manifest_file.unlink()
    with pytest.raises(UsageError, match=r"has no run\.json"):
        store.begun("one")
