from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.runs import execution, make_run

from smoltrace.cli import cli, run_command


def runs(*args: str | Path) -> int:
    return run_command(cli, "smoltrace", ["runs", *map(str, args)])


def test_runs_are_listed_the_newest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, run_id="older", started_at="2025-01-01T10:00:00+00:00")
    make_run(
        tmp_path, [execution(1)], run_id="newer", started_at="2025-01-02T10:00:00Z", status="incomplete", num_tests=9
    )

    assert runs("--store", tmp_path) == 0

    assert capsys.readouterr().out.splitlines() == [
        "RUN    STATUS      MODEL  TESTS  SUCCESS   TOKENS     COST  STARTED",
        "newer  incomplete  m        1/9    100 %  330 tok  $0.0014  2025-01-02 10:00 UTC",
        "older  completed   m          3   66.7 %  990 tok  $0.0040  2025-01-01 10:00 UTC",
    ]


def test_the_list_can_be_limited_and_read_by_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(3):
        make_run(tmp_path, [execution(1)], run_id=f"run-{n}", started_at=f"2025-01-0{n + 1}T00:00:00+00:00")

    runs("--store", tmp_path, "--limit", 2, "--json")

    found = json.loads(capsys.readouterr().out)
    assert [run["run_id"] for run in found] == ["run-2", "run-1"]
    assert found[0]["total_cost_usd"] == 0.00135
    assert found[0]["started_at"] == "2025-01-03T00:00:00+00:00"


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("--store", tmp_path / "none") == 0

    caught = capsys.readouterr()
    assert caught.out == ""
    assert "Make one with: smoltrace eval" in caught.err
    assert not (tmp_path / "none").exists()


def test_an_empty_list_is_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs("--store", tmp_path, "--json")

    assert json.loads(capsys.readouterr().out) == []
