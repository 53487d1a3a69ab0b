from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.board_rows import DAY

from smoltrace.records.schema import METRICS, empty_row
from smoltrace.store.layout import RunDir
from smoltrace.store.parquet import write_rows
from smoltrace.viewer.data.database import Database
from smoltrace.viewer.data.spark import MOST, Spark, Sparks, spark_of_rows


def look(ms: float, power: float | None, gpu: str = "0") -> dict[str, Any]:
    moment = DAY + timedelta(milliseconds=ms)
    return empty_row(METRICS) | {"timestamp": moment, "gpu_id": gpu, "gpu_power_watts": power}


def both(folder: Path, rows: list[dict[str, Any]]) -> Spark:
    """The line, after it has been seen that it is the same from a file and from rows."""
    run = RunDir(folder / "run")
    run.path.mkdir(exist_ok=True)
    write_rows(run.parquet("metrics"), METRICS, rows)
    numbers, reason = Sparks(Database()).of([run])["run"]
    again, same_reason = spark_of_rows(rows)
    assert reason == same_reason
    assert numbers == (None if again is None else [pytest.approx(number) for number in again])
    return numbers, reason


def test_gpus_are_added_up_and_looks_are_averaged(tmp_path: Path) -> None:
    rows = [look(ms, power, gpu) for ms in range(0, 20_001, 500) for gpu, power in (("0", 100.0), ("1", 50.0))]
    numbers, reason = both(tmp_path, rows)
    assert (numbers, reason) == ([150.0] * 21, None)


def test_a_long_run_has_no_more_numbers_than_there_is_room_for(tmp_path: Path) -> None:
    numbers, _ = both(tmp_path, [look(ms, float(ms)) for ms in range(0, 3_600_001, 500)])
    assert numbers is not None
    assert len(numbers) == MOST
    assert numbers == sorted(numbers)


def test_a_short_run_is_told_finely(tmp_path: Path) -> None:
    numbers, _ = both(tmp_path, [look(ms, 10.0) for ms in range(0, 1_001, 100)])
    assert numbers == [10.0] * 6


def test_nothing_is_drawn_where_nothing_was_measured(tmp_path: Path) -> None:
    early = [look(ms, 10.0) for ms in range(0, 10_001, 500)]
    late = [look(ms, 20.0) for ms in range(60_000, 120_001, 500)]
    numbers, _ = both(tmp_path, [*early, look(30_000, None), *late])
    assert numbers is not None
    assert numbers[0] == 10.0
    assert numbers[15] is None
    assert numbers[-1] == 20.0


def test_readings_without_power_say_so(tmp_path: Path) -> None:
    assert both(tmp_path, [look(0, None)]) == (None, "no power was read")


def test_a_line_is_made_anew_when_its_file_is_replaced(tmp_path: Path) -> None:
    run, sparks = RunDir(tmp_path), Sparks(Database())
    assert sparks.of([run])[run.run_id] == (None, "the readings are not in the store")
    for power in (10.0, 30.0):
        write_rows(run.parquet("metrics"), METRICS, [look(0, power)])
        assert sparks.of([run])[run.run_id] == ([power], None)


def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    good, bad, other = (RunDir(tmp_path / name) for name in ("good", "bad", "other"))
    for run in (good, bad, other):
        run.path.mkdir()
    write_rows(good.parquet("metrics"), METRICS, [look(0, 5.0)])
    bad.parquet("metrics").write_bytes(b"PAR1 broken")
    found = Sparks(Database()).of([good, bad, other])
    assert found == {
        "good": ([5.0], None),
        "bad": (None, "the readings cannot be read"),
        "other": (None, "the readings are not in the store"),
    }
