from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from support.runs import NO_PRICES, execution, failed, make_run

from smoltrace.cli import cli, run_command
from smoltrace.cli.leaderboard import _sorted
from smoltrace.records.schema import LEADERBOARD


def leaderboard(*args: str | Path) -> int:
    return run_command(cli, "smoltrace", ["leaderboard", *map(str, args)])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    make_run(tmp_path, [execution(1), failed(2)], run_id="half", model="a")
    make_run(tmp_path, [execution(1)], run_id="all", model="b")
    make_run(tmp_path, [failed(1), failed(2, price_book=NO_PRICES)], run_id="none", model="a")
    make_run(tmp_path, [execution(1)], run_id="part", status="incomplete", num_tests=4)
    return tmp_path


def order(out: str) -> list[str]:
    return [row["run_id"] for row in json.loads(out)]


def test_finished_runs_are_ranked_by_success(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leaderboard("--store", store) == 0

    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["RUN", "MODEL", "AGENT"]
    assert [row.split()[0] for row in rows] == ["all", "half", "none"]
    assert "9.5 to 90.5" in rows[1]
    assert "≥ $0.0014 (2 unpriced)" in rows[2]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("success_rate", ["all", "half", "none"]),
        ("-success_rate", ["none", "half", "all"]),
        ("total_cost_usd", ["all", "half", "none"]),
        ("-total_cost_usd", ["half", "all", "none"]),
        ("run_id", ["all", "half", "none"]),
        ("-run_id", ["none", "half", "all"]),
    ],
)
def test_sorting_puts_the_best_first_and_the_unknown_last(
    store: Path, capsys: pytest.CaptureFixture[str], sort: str, expected: list[str]
) -> None:
    leaderboard("--store", store, "--sort", sort, "--json")

    assert order(capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    "column",
    [
        name
        for name in LEADERBOARD.names
        if any(word in name for word in ("energy_", "co2", "power", "gpu_temperature", "carbon", "electricity"))
        and name not in ("energy_estimate_method",)
    ],
)
def test_whatever_costs_energy_is_better_the_less_it_is(column: str) -> None:
    rows = [{column: 3}, {column: None}, {column: 1}, {column: 2}]
    assert [row[column] for row in _sorted(rows, column)] == [1, 2, 3, None]
    assert [row[column] for row in _sorted(rows, f"-{column}")] == [3, 2, 1, None]


def test_a_gpu_that_is_busy_is_no_worse() -> None:
    rows = [{"gpu_utilization_avg": 3}, {"gpu_utilization_avg": 9}]
    assert _sorted(rows, "gpu_utilization_avg")[0] == {"gpu_utilization_avg": 9}


LONG = "5e884898-da28-4770-9c4f-4b8c0d2c0f3a"


@pytest.mark.parametrize("width", [40, 64, 80, 100, 120, 160, 210])
def test_a_narrow_terminal_gets_fewer_columns_and_no_folded_cell(
    width: int, store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(store, [execution(1)], run_id=LONG, model="an-organisation/a-model-with-quite-a-long-name")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert leaderboard("--store", store) == 0
    said = capsys.readouterr()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said.out).splitlines()
    header, _, *rows = [line for line in lines if line.strip()]
    assert max(map(len, lines)) <= width
    assert len(rows) == 4, "one line a run"
    if width >= 64:
        for kept in ("RUN", "MODEL", "SUCCESS", "COST"):
            assert kept in header
        assert LONG[:8] in said.out
    assert ("95 % INTERVAL" in header) == (width >= 160)
    assert ("too narrow" in said.err) == (width < 210)
    assert (LONG in said.out) == (width == 210)


def test_ids_are_not_shortened_until_they_look_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make_run(tmp_path, [execution(1)], run_id=f"nightly-0{number}-with-a-long-name", model="a-model-of-some-length")
    monkeypatch.setenv("COLUMNS", "64")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    leaderboard("--store", tmp_path)
    said = capsys.readouterr().out
    assert all(f"nightly-0{number}…" in said for number in range(3))


def test_groups_sum_what_can_be_summed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaderboard("--store", store, "--group-by", "model", "--json")

    found = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    assert (found["a"]["runs"], found["a"]["num_tests"], found["a"]["success_rate"]) == (2, 4, 25.0)
    assert found["a"]["total_tokens"] == 4 * 330
    assert found["a"]["total_cost_usd"] is None
    assert found["a"]["cost_known_usd"] == pytest.approx(3 * 0.00135)
    assert found["a"]["p95_duration_ms"] is None
    assert found["b"]["total_cost_usd"] == 0.00135


def test_groups_are_printed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaderboard("--store", store, "--group-by", "model")

    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["MODEL", "RUNS", "TESTS"]
    assert [row.split()[:3] for row in rows] == [["b", "1", "1"], ["a", "2", "4"]]


def test_csv_has_every_column(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaderboard("--store", store, "--csv", "--limit", 1)

    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert tuple(row) == LEADERBOARD.names
    assert (row["run_id"], row["total_cost_usd"]) == ("all", "0.001350")


def test_a_column_that_is_not_there_is_an_error(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leaderboard("--store", store, "--sort", "total_cost") == 2
    assert "no column 'total_cost'. Did you mean total_cost_usd" in capsys.readouterr().err


def test_two_formats_at_once_are_an_error(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leaderboard("--store", store, "--csv", "--json") == 2


def test_an_empty_leaderboard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leaderboard("--store", tmp_path) == 0
    assert "no finished runs" in capsys.readouterr().err
    leaderboard("--store", tmp_path, "--json")
    assert json.loads(capsys.readouterr().out) == []
    leaderboard("--store", tmp_path, "--csv")
    assert capsys.readouterr().out.count("\n") == 1
