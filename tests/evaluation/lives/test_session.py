"""A run in the hands of one process."""

from __future__ import annotations

import errno
import os
from decimal import Decimal
from pathlib import Path

import pytest
from support.runs import commit, execution, make_run, manifest

from smoltrace.errors import StoreError, UsageError
from smoltrace.evaluation.lives.lives import new_life
from smoltrace.evaluation.lives.session import Session
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.spending import spent

USED = {"input_tokens": 10, "output_tokens": 1, "cost": Decimal("0.1")}


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return make_run(tmp_path, [execution(1)], finish=False, status="running", lives=[new_life()])


def test_taking_a_run_changes_nothing_of_it(run_dir: RunDir) -> None:
    before = run_dir.manifest_file.read_bytes(), run_dir.results_journal.read_bytes()
    with Session(run_dir) as session:
        assert session.earlier == {("tool", "t1", 1)}
        assert [row["test_id"] for row in session.rows()] == ["t1"]
    assert (run_dir.manifest_file.read_bytes(), run_dir.results_journal.read_bytes()) == before


def test_a_run_is_taken_by_one_at_a_time_and_given_back(run_dir: RunDir) -> None:
    with Session(run_dir), pytest.raises(UsageError, match="Another process"):
        Session(run_dir)
    run_dir.manifest_file.write_text("{")
    with pytest.raises(StoreError):
        Session(run_dir)
    run_dir.manifest_file.write_text("{}")
    Session(run_dir).__exit__()


def test_a_new_life_sweeps_up_what_the_last_one_left_half_written(run_dir: RunDir) -> None:
    (run_dir.path / ".results.parquet.123-abc.tmp").write_text("half")
    run_dir.summary_file.write_text("{}")
    with Session(run_dir) as session:
        session.go_on({"notes": "again"})
    assert not list(run_dir.path.glob(".*.tmp"))
    assert not run_dir.summary_file.exists()
    assert run_dir.manifest()["notes"] == "again"
    assert [life["stopped_by"] for life in run_dir.manifest()["lives"]] == ["killed", None]


def test_spending_is_noted_under_the_life_that_spends(run_dir: RunDir) -> None:
    with Session(run_dir) as session:
        session.note_spending("tool:t2:1", **USED)  # nothing is called before a life has begun
        session.go_on({})
        session.note_spending("tool:t2:1", **USED)
    assert spent(run_dir).calls == 1
    assert b'"life":2' in run_dir.spending_journal.read_bytes()


def test_a_disk_that_refuses_to_note_spending_stops_the_run_and_not_the_agent(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    stopped: list[bool] = []
    with Session(run_dir) as session:
        session.go_on({})
        session.when_spending_fails(lambda: stopped.append(True))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            session.note_spending("tool:t2:1", **USED)
        assert stopped == [True]
        assert session.fault is not None
        assert "The disk is full" in str(session.fault)


def test_a_run_that_cannot_be_made_is_wrong_usage_and_leaves_no_lock(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(UsageError, match="Cannot make a run"):
        Session.begin(Store(tmp_path), manifest(run_id="r"))


def test_a_new_run_is_taken_at_once(tmp_path: Path) -> None:
    with Session.begin(Store(tmp_path), manifest(run_id="r", lives=[new_life()])) as session:
        commit(session._journal, execution(1))
        with pytest.raises(UsageError, match="Another process"):
            Session(session.run_dir)
        assert session.finished == {("tool", "t1", 1)}
        assert session.earlier == frozenset()
