"""The lives of a run, as its manifest tells them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smoltrace.evaluation.lives.lives import lives_of, new_life, with_ended, with_killed, with_new

START = datetime(2025, 6, 15, 12, 0, tzinfo=UTC)


def begun(**life: Any) -> dict[str, Any]:
    return {"status": "running", "lives": [{**new_life(), "started_at": START.isoformat(), **life}]}


def ns(seconds: float) -> int:
    return int((START.timestamp() + seconds) * 1e9)


def test_a_life_that_ends_says_when_and_why() -> None:
    manifest = with_ended(begun(), seconds=12.5, stopped_by="interrupt")
    (life,) = lives_of(manifest)
    assert (life["wall_time_ms"], life["stopped_by"]) == (12_500, "interrupt")
    assert manifest["finished_at"] == life["ended_at"]
    assert manifest["wall_time_ms"] == 12_500


@pytest.mark.parametrize(("written", "lasted"), [(90.0, 90.0), (0.0, 0.0), (-500.0, 0.0)])
def test_a_killed_life_lasted_until_it_last_wrote_a_result(written: float, lasted: float) -> None:
    manifest = with_killed(begun(), ns(written))
    (life,) = lives_of(manifest)
    assert life["stopped_by"] == "killed"
    assert life["wall_time_ms"] == pytest.approx(lasted * 1000, abs=1)


def test_a_life_that_has_ended_is_not_ended_again() -> None:
    ended = with_ended(begun(), seconds=1, stopped_by=None)
    assert with_killed(ended, ns(1000)) == ended


def test_the_time_of_a_run_is_that_of_all_its_lives() -> None:
    manifest = with_ended(begun(), seconds=10, stopped_by="interrupt")
    again = with_new(manifest)
    assert (again["status"], again["finished_at"], again["wall_time_ms"]) == ("running", None, None)
    assert with_ended(again, seconds=5, stopped_by=None)["wall_time_ms"] == 15_000
    assert lives_of(manifest) == lives_of(again)[:1]


@pytest.mark.parametrize("manifest", [{}, {"lives": None}, {"lives": "three"}, {"lives": [3]}])
def test_a_manifest_without_lives_gets_one(manifest: dict[str, Any]) -> None:
    assert lives_of(manifest) == []
    assert with_killed(manifest, 0) == manifest
    assert len(lives_of(with_new(manifest))) == 1
    assert with_ended(manifest, seconds=1, stopped_by=None)["wall_time_ms"] == 1000
