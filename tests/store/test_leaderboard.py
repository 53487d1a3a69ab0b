from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from smoltrace.errors import StoreError
from smoltrace.records.schema import LEADERBOARD, arrow_schema, empty_row
from smoltrace.store import leaderboard
from smoltrace.store.layout import Store


def put(store: Store, run_id: str, **values: object) -> None:
    leaderboard.put(store, empty_row(LEADERBOARD) | {"run_id": run_id} | values)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_rows_come_back_exact_and_in_order(store: Store) -> None:
    put(store, "b")
    put(store, "a", total_cost_usd=Decimal("0.123456789012345678901234567890"))

    rows = leaderboard.rows(store)

    assert [row["run_id"] for row in rows] == ["a", "b"]
    assert rows[0]["total_cost_usd"] == Decimal("0.123456789012345678901234567890")


def test_a_row_put_again_replaces_the_old_one(store: Store) -> None:
    put(store, "a", num_tests=1)
    put(store, "a", num_tests=2)

    assert [row["num_tests"] for row in leaderboard.rows(store)] == [2]


def test_an_empty_leaderboard_has_every_column(store: Store) -> None:
    assert leaderboard.rows(store) == []
    assert leaderboard.table(store).schema == arrow_schema(LEADERBOARD)


def test_the_cache_follows_rows_that_come_change_and_go(store: Store) -> None:
    put(store, "a", num_tests=1)
    assert leaderboard.table(store)["num_tests"].to_pylist() == [1]
    put(store, "b", num_tests=5)
    assert leaderboard.table(store)["num_tests"].to_pylist() == [1, 5]
    put(store, "a", num_tests=3)
    assert leaderboard.table(store)["num_tests"].to_pylist() == [3, 5]
    leaderboard.remove(store, "b")
    leaderboard.remove(store, "b")
    assert leaderboard.table(store)["num_tests"].to_pylist() == [3]


def test_the_cache_can_be_deleted_or_damaged(store: Store) -> None:
    put(store, "a", num_tests=1)
    leaderboard.table(store)
    cache = store.leaderboard_path / "leaderboard.parquet"

    cache.write_bytes(b"damaged")
    assert leaderboard.table(store)["num_tests"].to_pylist() == [1]
    cache.unlink()
    assert leaderboard.table(store)["num_tests"].to_pylist() == [1]
    assert pq.read_table(cache)["num_tests"].to_pylist() == [1]


def test_a_cache_that_is_up_to_date_is_not_written_again(store: Store) -> None:
    put(store, "a")
    leaderboard.table(store)
    cache = store.leaderboard_path / "leaderboard.parquet"
    before = cache.stat().st_ino

    leaderboard.table(store)

    assert cache.stat().st_ino == before


def test_a_damaged_row_is_told_with_a_remedy(store: Store) -> None:
    put(store, "a")
    (store.leaderboard_path / "rows" / "a.json").write_text("{")

    with pytest.raises(StoreError, match=r"a\.json is no leaderboard row"):
        leaderboard.rows(store)


def _put_many(path: str, worker: int) -> None:
    for n in range(20):
        put(Store(path), f"run-{worker}-{n}", num_tests=n)


def test_processes_that_write_at_once_lose_no_row(store: Store) -> None:
    # Spawned, not forked: the test process has threads of Arrow's.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_put_many, [str(store.path)] * 2, range(2)))

    assert {row["run_id"] for row in leaderboard.rows(store)} == {f"run-{w}-{n}" for w in range(2) for n in range(20)}


def test_the_cache_is_whole_whoever_writes_while_it_is_made(store: Store) -> None:
    def work(worker: int) -> None:
        for n in range(5):
            put(store, f"run-{worker}-{n}")
            assert f"run-{worker}-{n}" in leaderboard.table(store)["run_id"].to_pylist()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert leaderboard.table(store).num_rows == 20
