"""The energy of a run in its store: read from the journals, in every finished file, the same on every way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from support.device_lines import SECOND, batch, point
from support.runs import START, make_run

from smoltrace.books.energy import uj_of
from smoltrace.store.energy import DeviceJournal, energy_of
from smoltrace.store.export import metrics_document
from smoltrace.store.finalise import finalise
from smoltrace.store.layout import RunDir
from smoltrace.store.read import Run

FOOTPRINT = {
    "country": "FRA",
    "carbon_intensity_g_per_kwh": 56.0,
    "carbon_source": "a table",
    "power_price_usd_per_kwh": "0.12",
    "power_price_is_default": True,
}
WATTS = (300, 100)


def gpu_lines(start_ns: int = START, seconds: int = 4) -> list[dict[str, Any]]:
    """Two GPUs, read every half second; one line a sample."""
    lines = []
    for half in range(2 * seconds + 1):
        at = start_ns + half * SECOND // 2
        energy = [point(watts * half * 500_000, at, start_ns, str(gpu)) for gpu, watts in enumerate(WATTS)]
        power = [point(float(watts), at, start_ns, str(gpu)) for gpu, watts in enumerate(WATTS)]
        lines.append(batch(gpu__energy=energy, gpu__power=power))
    return lines


def with_gpus(folder: Path, *lines: dict[str, Any], finish: bool = True, **about: Any) -> RunDir:
    run_dir = make_run(folder, finish=False, footprint=FOOTPRINT, **about)
    run_dir.metrics_journal.write_bytes(b"".join(orjson.dumps({"resourceMetrics": [line]}) + b"\n" for line in lines))
    if finish:
        finalise(run_dir)
    return run_dir


def rows(run_dir: RunDir, dataset: str) -> list[dict[str, Any]]:
    return pq.read_table(run_dir.parquet(dataset)).to_pylist()


def test_every_dataset_tells_the_same_energy(tmp_path: Path) -> None:
    run_dir = with_gpus(tmp_path, *gpu_lines())

    results, spans, metrics = (rows(run_dir, name) for name in ("results", "spans", "metrics"))
    summary = Run(run_dir).summary()
    told = summary.energy or {}
    assert told["gpu_uj"] == 4 * sum(WATTS) * 1_000_000
    assert sum(uj_of(row["gpu_energy_wh"]) for row in results) + told["unattributed_uj"] == told["gpu_uj"]
    assert sum(uj_of(row["gpu_energy_wh"]) for row in spans) == told["tests_uj"]
    assert sum(uj_of(row["gpu_energy_wh"]) for row in metrics[-2:]) == told["gpu_uj"]
    assert uj_of(summary.leaderboard["total_gpu_energy_wh"]) == told["gpu_uj"]
    assert {row["energy_quality"] for row in results} == {"allocated"}
    # A test takes 120 ms, and no other runs meanwhile.
    assert uj_of(results[0]["gpu_energy_wh"]) == pytest.approx(sum(WATTS) * 120_000, abs=2)


def test_emissions_and_price_add_up_like_the_energy(tmp_path: Path) -> None:
    run_dir = with_gpus(tmp_path, *gpu_lines())

    row = Run(run_dir).leaderboard_row()
    kwh = row["total_gpu_energy_wh"] / 1000
    assert row["co2_emissions_g"] == pytest.approx(kwh * 56)
    assert float(row["electricity_cost_usd"]) == float(row["power_cost_total_usd"]) == pytest.approx(kwh * 0.12)
    assert (row["carbon_intensity"], row["country"], row["gpu_power_avg_w"]) == (56.0, "FRA", 400.0)
    last = rows(run_dir, "metrics")[-2:]
    assert sum(each["co2_emissions_gco2e"] for each in last) == pytest.approx(row["co2_emissions_g"])
    assert sum(each["power_cost_usd"] for each in last) == pytest.approx(float(row["electricity_cost_usd"]))


def test_the_journal_and_the_finished_files_say_the_same(tmp_path: Path) -> None:
    going_on = Run(with_gpus(tmp_path / "a", *gpu_lines(), finish=False))
    finished = Run(with_gpus(tmp_path / "b", *gpu_lines()))

    for dataset in ("results", "spans", "metrics"):
        assert going_on.table(dataset) == finished.table(dataset)
    assert going_on.leaderboard_row() == finished.leaderboard_row()
    assert [test.result for test in going_on.tests()] == list(finished.results())
    finished.directory.results_journal.unlink()
    (first, *_) = finished.results()
    assert first["gpu_energy_wh"] == next(going_on.results())["gpu_energy_wh"]


def test_finalising_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    run_dir = with_gpus(tmp_path, *gpu_lines())
    before = {path.name: path.read_bytes() for path in run_dir.path.glob("*.parquet")}
    finalise(run_dir)
    assert {path.name: path.read_bytes() for path in run_dir.path.glob("*.parquet")} == before


def test_lines_that_came_twice_and_a_torn_last_one_change_nothing(tmp_path: Path) -> None:
    once = Run(with_gpus(tmp_path / "a", *gpu_lines()))
    run_dir = with_gpus(tmp_path / "b", *gpu_lines(), *gpu_lines(), finish=False)
    with run_dir.metrics_journal.open("ab") as file:
        file.write(b'{"resourceMetrics":[{"scopeMe')
    finalise(run_dir)
    assert Run(run_dir).leaderboard_row() == once.leaderboard_row()
    assert list(Run(run_dir).results()) == list(once.results())
    assert Run(run_dir).metrics() == once.metrics()


def test_lines_in_another_order_change_nothing(tmp_path: Path) -> None:
    once = Run(with_gpus(tmp_path / "a", *gpu_lines()))
    mixed = Run(with_gpus(tmp_path / "b", *gpu_lines()[::2], *gpu_lines()[::-1]))
    assert mixed.leaderboard_row() == once.leaderboard_row()
    assert list(mixed.results()) == list(once.results())
    assert mixed.metrics() == once.metrics()


@pytest.mark.parametrize(
    "line", [b"{", b'["x"]', b'{"resourceMetrics":5}', b'{"resourceMetrics":[{"scopeMetrics":5}]}']
)
def test_a_damaged_line_costs_no_energy_and_is_told(tmp_path: Path, line: bytes) -> None:
    run_dir = with_gpus(tmp_path, *gpu_lines(), finish=False)
    kept = run_dir.metrics_journal.read_bytes().splitlines()
    run_dir.metrics_journal.write_bytes(b"\n".join([*kept[:3], line, *kept[4:], b""]))
    finalise(run_dir)
    told = Run(run_dir).summary().energy or {}
    assert told["gpu_uj"] == 4 * sum(WATTS) * 1_000_000
    assert told["damaged_lines"] == 1
    assert told["tests_uj"] + told["unattributed_uj"] == told["gpu_uj"]


def test_another_gpu_of_the_same_number_in_a_later_life_is_another_gpu(tmp_path: Path) -> None:
    start = START + 3600 * SECOND
    energy = [point(200_000_000 * n, start + n * SECOND, start, "0", gpu_uuid="GPU-new") for n in range(3)]
    run_dir = with_gpus(tmp_path, *gpu_lines(), batch(gpu__energy=energy))
    told = Run(run_dir).summary().energy or {}
    last = {row["gpu_uuid"]: row["gpu_energy_wh"] for row in Run(run_dir).metrics()}
    assert last.keys() == {"GPU-0", "GPU-1", "GPU-new"}
    assert sum(map(uj_of, last.values())) == told["gpu_uj"] == 4 * sum(WATTS) * 1_000_000 + 400_000_000


def test_a_part_is_not_shown_as_all(tmp_path: Path) -> None:
    """Of three tests the last ran in a life in which no GPU was read."""
    run_dir = with_gpus(tmp_path, *gpu_lines(seconds=2))
    row, told = Run(run_dir).leaderboard_row(), Run(run_dir).summary().energy or {}
    assert told["unmeasured_tests"] == 1
    assert told["gpu_uj"] == 2 * sum(WATTS) * 1_000_000
    assert {row[name] for name in ("total_gpu_energy_wh", "co2_emissions_g", "electricity_cost_usd")} == {None}
    assert [each["gpu_energy_wh"] is None for each in Run(run_dir).results()] == [False, False, True]


def test_a_later_life_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    lines = [*gpu_lines(), *gpu_lines(START + 3600 * SECOND, seconds=1)]
    run_dir = with_gpus(tmp_path, *lines)

    assert (Run(run_dir).summary().energy or {})["gpu_uj"] == 5 * sum(WATTS) * 1_000_000
    of_first = [row["gpu_energy_wh"] for row in rows(run_dir, "metrics") if row["gpu_id"] == "0"]
    assert of_first == sorted(of_first)
    assert uj_of(of_first[-1]) == 5 * WATTS[0] * 1_000_000


def test_a_run_without_a_gpu_has_one_row_of_nulls(tmp_path: Path) -> None:
    calls = batch(scope="smoltrace.client", gpu__energy=[point(1, START, START)])
    run_dir = with_gpus(tmp_path, calls)

    (row,) = rows(run_dir, "metrics")
    assert {name for name, value in row.items() if value is not None} == {
        *("run_id", "service_name", "timestamp", "timestamp_unix_nano")
    }
    found = Run(run_dir)
    assert found.summary().energy is None
    assert found.leaderboard_row()["total_gpu_energy_wh"] is None
    assert {each["gpu_energy_wh"] for each in found.results()} == {None}
    assert list(DeviceJournal(run_dir)) == []
    assert metrics_document(found)["resourceMetrics"] == []


def test_metrics_of_devices_are_given_back_as_they_were_kept(tmp_path: Path) -> None:
    lines = gpu_lines()
    assert metrics_document(Run(with_gpus(tmp_path, *lines)))["resourceMetrics"] == lines


def test_calls_on_the_device_have_the_energy_of_their_time(tmp_path: Path) -> None:
    run_dir = with_gpus(tmp_path, *gpu_lines(), provider="transformers")

    chats = [row for row in rows(run_dir, "spans") if row["operation"] == "chat"]
    tests = rows(run_dir, "results")
    assert sum(row["gpu_energy_wh"] for row in chats) == pytest.approx(sum(row["gpu_energy_wh"] for row in tests))
    assert energy_of(run_dir, run_dir.manifest()) is not None
