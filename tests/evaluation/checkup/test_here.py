"""The store and the span chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoltrace.evaluation.checkup.here import check_chain, check_store
from smoltrace.store import room


def test_a_store_that_is_not_there_yet_is_fine_and_not_made(tmp_path: Path) -> None:
    (check,) = check_store(tmp_path / "a/b")
    assert check.status == "ok"
    assert "made by the first run" in check.detail
    assert "GB free" in check.detail
    assert not (tmp_path / "a").exists()


def test_the_store_of_the_environment_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOLTRACE_STORE", str(tmp_path))
    (check,) = check_store(None)
    assert check.detail.startswith(f"{tmp_path} can be written; ")


def test_a_full_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MIN_FREE_BYTES", 1 << 62)
    (check,) = check_store(tmp_path)
    assert check.status == "failed"
    assert "MB left" in check.detail
    assert "free some space" not in check.detail
    assert check.remedy == "free some space, or choose another store with --store"


@pytest.mark.parametrize("name", ["file", "a. b: c"])
def test_what_to_do_about_the_store_is_said_once(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    (check,) = check_store(tmp_path / name)
    assert check.detail.endswith(f"{tmp_path / name} is no folder")
    assert check.remedy == "choose another with --store"


def test_the_cost_stands_on_the_span_before_the_chain_sees_its_end() -> None:
    (check,) = check_chain()
    assert check.status == "ok"
    first, second, last = check.detail.splitlines()
    assert first.startswith("1. TracedModel sets tokens and cost")
    assert second == "2. Collector"
    assert last.startswith("cost before export: 0.0000")
