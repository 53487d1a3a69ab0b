from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from support.board_rows import board_row, put_row

from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.viewer.data import loading
from smoltrace.viewer.data.loading import load_rows, read_rows, table_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    put_row(store, "a", 7, total_cost_usd=Decimal("0.1234567890123456789"))
    put_row(store, "b", 8, notes="über 😀", tags='{"team":"x"}')
    put_row(store, "c", 9, evaluation_date=None)
    return store


def row_file(store: Store, run_id: str) -> Path:
    return store.leaderboard_path / "rows" / f"{run_id}.json"


def test_rows_are_the_same_from_the_cache_and_from_their_files(store: Store) -> None:
    found = leaderboard.files(store)
    from_files, refused = load_rows(store, found)
    assert refused == {}
    assert not (store.leaderboard_path / "leaderboard.parquet").exists(), "a small store is not written to"

    cached = leaderboard.table(store)

    assert load_rows(store, found)[0].equals(from_files)
    assert from_files.equals(cached.replace_schema_metadata(None))
    assert from_files["total_cost_usd"][0].as_py() == 0.1234567890123456789


def test_an_outdated_cache_is_not_believed(store: Store) -> None:
    leaderboard.table(store)
    put_row(store, "a", 70)
    table, _ = load_rows(store, leaderboard.files(store))
    assert table["success_rate"].to_pylist() == [70.0, 8.0, 9.0]


def test_many_rows_are_kept_for_the_next_start(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORTH_KEEPING", 2)
    found = leaderboard.files(store)
    table, _ = load_rows(store, found)
    kept = leaderboard.cached(store, found)
    assert kept is not None
    assert kept.replace_schema_metadata(None).equals(table)


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", '{"run_id": "other"}', '{"run_id": "a"}{"run_id": "a"}',
        '{"run_id": "a", "num_tests": "x"}', '{"run_id": "a", "notes": {"a": [1, {}]}}', '{"run_id": ["a"]}',
        '{"run_id": "a", "evaluation_date": "some day"}', '{"run_id": "a", "total_cost_usd": "much"}', "7", '"a"',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_broken_row_is_told_and_hides_no_other(store: Store, content: str | bytes) -> None:
    row_file(store, "a").write_bytes(content if isinstance(content, bytes) else content.encode())
    table, refused = load_rows(store, leaderboard.files(store))
    assert table["run_id"].to_pylist() == ["b", "c"]
    assert list(refused) == ["a"]
    assert refused["a"]


def test_a_row_of_another_version_is_read(store: Store) -> None:
    """Columns it lacks are null, others it has are left out."""
    document = json.loads(row_file(store, "a").read_bytes())
    del document["hardware"]
    row_file(store, "a").write_text(json.dumps(document | {"total_cost_usd": 0.5, "of_tomorrow": {"x": [1]}}))
    table, refused = read_rows(store, ["a", "b"])
    assert refused == {}
    assert table["total_cost_usd"].to_pylist() == [0.5, 0.25]


def test_a_row_that_has_vanished_is_no_fault(store: Store) -> None:
    found = leaderboard.files(store)
    row_file(store, "b").unlink()
    table, refused = load_rows(store, found)
    assert (table["run_id"].to_pylist(), refused) == (["a", "c"], {})


def test_a_store_whose_cache_cannot_be_written_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORTH_KEEPING", 1)
    (store.leaderboard_path / "leaderboard.parquet" / "in the way").mkdir(parents=True)
    assert len(load_rows(store, leaderboard.files(store))[0]) == 3


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    assert load_rows(Store(tmp_path), {})[0].schema.equals(table_of([board_row("a")]).schema)
