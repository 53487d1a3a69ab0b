"""What was spent, and what of it has no finished test to show for it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import make_run

from smoltrace.errors import StoreError
from smoltrace.store.layout import RunDir
from smoltrace.store.spending import Discarded, Spending, Spent, discarded, spent

COST = Decimal("0.0123456789")


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return make_run(tmp_path, [], finish=False)


def call(spending: Spending, test: str, **more: object) -> None:
    told = {"input_tokens": 100, "output_tokens": 10, "cost": COST, **more}
    spending.append(test, **told)  # type: ignore[arg-type]


def test_what_each_call_used_is_added_up_exactly(run_dir: RunDir) -> None:
    assert spent(run_dir) == Spent()
    with Spending(run_dir) as spending:
        for _ in range(3):
            call(spending, "tool:a:1")
        call(spending, "tool:a:1", input_tokens=None, output_tokens=None, cost=None, error_type="rate_limit")
    assert spent(run_dir) == Spent(4, 330, 3 * COST)


def test_another_life_goes_on_with_the_file(run_dir: RunDir) -> None:
    for life in (1, 2, 3):
        with Spending(run_dir, life) as spending:
            call(spending, "tool:a:1")
    assert spent(run_dir) == Spent(3, 330, 3 * COST)


def test_a_file_torn_at_any_byte_keeps_every_whole_line(run_dir: RunDir) -> None:
    with Spending(run_dir) as spending:
        call(spending, "tool:a:1")
    whole = run_dir.spending_journal.read_bytes()
    for length in range(1, len(whole)):
        run_dir.spending_journal.write_bytes(whole + whole[:length])
        assert spent(run_dir).calls == 1
        with Spending(run_dir) as spending:
            call(spending, "tool:b:1")
        assert spent(run_dir) == Spent(2, 220, 2 * COST)


@pytest.mark.parametrize("line", [b"{", b"[1]", b"\xff\x00", b'{"input_tokens": "many", "cost": []}'])
def test_a_damaged_line_is_a_call_of_unknown_size(run_dir: RunDir, line: bytes) -> None:
    run_dir.spending_journal.write_bytes(line + b"\n")
    assert spent(run_dir) == Spent(1, 0, Decimal(0))
    assert discarded(run_dir, {}) == Discarded(1, None, None, 1)


def test_threads_that_append_at_once_lose_nothing(run_dir: RunDir) -> None:
    with Spending(run_dir) as spending:
        threads = [
            threading.Thread(target=lambda n=n: [call(spending, f"tool:{n}:1") for _ in range(50)]) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert spent(run_dir) == Spent(400, 44_000, 400 * COST)


def test_a_call_that_outlives_its_run_is_not_written_anywhere(run_dir: RunDir) -> None:
    spending = Spending(run_dir)
    spending.close()
    call(spending, "tool:a:1")
    assert spent(run_dir) == Spent()


def test_a_full_disk_is_told_and_leaves_no_half_line(run_dir: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    room = [40]

    def full(descriptor: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    with Spending(run_dir) as spending:
        call(spending, "tool:a:1")
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(StoreError, match="disk is full"):
                call(spending, "tool:a:1")
        call(spending, "tool:a:1")
    assert spent(run_dir).calls == 2
    assert run_dir.spending_journal.read_bytes().count(b"\n") == 2


def test_what_was_spent_on_unfinished_tests_is_discarded(run_dir: RunDir) -> None:
    with Spending(run_dir, 1) as spending:
        call(spending, "tool:a:1")
        call(spending, "tool:b:1")
        call(spending, "tool:b:1")
    assert discarded(run_dir, {"tool:a:1": True}) == Discarded(2, 220, 2 * COST)
    assert discarded(run_dir, {"tool:a:1": True, "tool:b:1": True}) == Discarded()


def test_of_a_test_that_was_killed_and_then_finished_the_last_life_counts_as_its_own(run_dir: RunDir) -> None:
    for life in (1, 2, 3):
        with Spending(run_dir, life) as spending:
            call(spending, "tool:a:1", input_tokens=life)
    assert discarded(run_dir, {"tool:a:1": True}) == Discarded(2, 1 + 10 + 2 + 10, 2 * COST)


def test_of_a_test_that_finished_without_a_call_all_is_discarded(run_dir: RunDir) -> None:
    with Spending(run_dir) as spending:
        call(spending, "tool:a:1")
    assert discarded(run_dir, {"tool:a:1": False}) == Discarded(1, 110, COST)


def test_what_was_only_reserved_is_spent_but_told_as_unknown(run_dir: RunDir) -> None:
    with Spending(run_dir) as spending:
        call(spending, "tool:a:1")
        call(spending, "tool:a:1", reserved=True)
    assert spent(run_dir) == Spent(2, 220, 2 * COST)
    assert discarded(run_dir, {}) == Discarded(2, 110, COST, 1)


def begin(spending: Spending, test: str) -> None:
    spending.begin(test, input_tokens=300, output_tokens=30, cost=3 * COST)


def test_a_call_that_was_settled_counts_once_and_with_what_it_used(run_dir: RunDir) -> None:
    with Spending(run_dir) as spending:
        for _ in range(2):
            begin(spending, "tool:a:1")
            call(spending, "tool:a:1")
    assert spent(run_dir) == Spent(2, 220, 2 * COST)
    assert discarded(run_dir, {}) == Discarded(2, 220, 2 * COST)


def test_a_call_that_a_kill_cut_off_counts_with_what_was_set_aside_for_it(run_dir: RunDir) -> None:
    for life in (1, 2):
        with Spending(run_dir, life) as spending:
            begin(spending, "tool:a:1")
            begin(spending, "tool:b:1")
            begin(spending, "tool:a:1")
            call(spending, "tool:a:1")
    assert spent(run_dir) == Spent(6, 2 * 110 + 4 * 330, 14 * COST)
    assert discarded(run_dir, {"tool:a:1": True}) == Discarded(4, 110, COST, 3)


def test_what_the_tests_of_a_life_that_goes_on_have_spent_is_not_lost_yet(run_dir: RunDir) -> None:
    for life in (1, 2):
        with Spending(run_dir, life) as spending:
            begin(spending, "tool:a:1")
            call(spending, "tool:a:1")
            begin(spending, "tool:a:1")
    assert discarded(run_dir, {}, going_on=2) == Discarded(2, 110, COST, 1)


def test_what_no_call_told_is_unknown_and_not_nothing(run_dir: RunDir) -> None:
    with Spending(run_dir) as spending:
        call(spending, "tool:a:1", cost=None)
    assert discarded(run_dir, {}) == Discarded(1, 110, None)


AMOUNTS = st.tuples(
    st.integers(1, 3), st.sampled_from("abcd"), st.integers(0, 1000), st.decimals(0, 1, places=9, allow_nan=False)
)


@given(st.lists(AMOUNTS, max_size=30), st.sets(st.sampled_from("abcd")))
def test_finished_and_discarded_are_all_that_was_spent(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[int, str, int, Decimal]], done: set[str]
) -> None:
    run_dir = RunDir(tmp_path_factory.mktemp("spent"))
    for life in (1, 2, 3):
        with Spending(run_dir, life) as spending:
            for when, test, tokens, cost in calls:
                if when == life:
                    spending.append(test, input_tokens=tokens, output_tokens=0, cost=cost)
    last = {test: max(when for when, name, *_ in calls if name == test) for _, test, *_ in calls}
    own = [(tokens, cost) for when, test, tokens, cost in calls if test in done and when == last[test]]

    total, rest = spent(run_dir), discarded(run_dir, dict.fromkeys(done, True))

    assert total.calls == rest.calls + len(own)
    assert total.tokens == (rest.tokens or 0) + sum(tokens for tokens, _ in own)
    assert total.cost == (rest.cost_usd or Decimal(0)) + sum((cost for _, cost in own), Decimal(0))


@pytest.mark.parametrize("amount", [Discarded(), Discarded(2, 30, Decimal("0.10"), 1)])
def test_discarded_amounts_survive_json(amount: Discarded) -> None:
    told: Mapping[str, object] = amount.to_json()
    assert Discarded.from_json(told) == amount
