"""The lanes of the GPUs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.device_lines import SECOND, batch, point
from support.run_states import commit_all, going_on, killed
from support.runs import START, execution, make_run

from smoltrace.errors import UsageError
from smoltrace.store.read import Run
from smoltrace.viewer.data.gpu import LANES, WIDEST, Samples, gpu_lanes
from smoltrace.viewer.data.readings import Readings

GPUS = {"devices": [{"kind": "gpu", "id": "0", "uuid": "GPU-0", "name": "Test GPU"}]}


def known(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]


@pytest.mark.parametrize(("name", "gpus"), [("llama-8b", 1), ("llama-70b", 4)])
def test_the_lanes_hold_what_the_file_holds(samples: dict[str, Run], name: str, gpus: int) -> None:
    rows = pq.read_table(samples[name].directory.parquet("metrics")).to_pylist()
    found = gpu_lanes(samples[name])
    assert [gpu["id"] for gpu in found["gpus"]] == [str(number) for number in range(gpus)]
    for gpu in found["gpus"]:
        of_gpu = [row for row in rows if row["gpu_id"] == gpu["id"]]
        assert gpu["name"] == of_gpu[0]["gpu_name"]
        for lane, (column, unit, _) in LANES.items():
            values = known([row[column] for row in of_gpu])
            told = gpu["lanes"][lane]
            assert told["unit"] == unit
            assert (min(known(told["min"])), max(known(told["max_values"]))) == (min(values), max(values))
            assert known(told["last"])[-1] == values[-1]
        assert gpu["lanes"]["utilisation"]["max"] == 100
        assert gpu["lanes"]["memory"]["max"] == max(row["gpu_memory_total_mib"] for row in of_gpu)


@pytest.mark.parametrize("name", ["large", "preview"])
def test_a_run_without_a_gpu_says_so_in_a_word(samples: dict[str, Run], name: str) -> None:
    found = gpu_lanes(samples[name])
    assert (found["gpus"], found["reason"]) == ([], "no GPU")


def test_a_killed_run_tells_the_same_from_its_journal(samples: dict[str, Run], tmp_path: Path) -> None:
    run = samples["llama-70b"]
    window = (1_000.0, 20_000.0, 300)
    assert gpu_lanes(killed(run, tmp_path), *window)["gpus"] == gpu_lanes(run, *window)["gpus"]


def moments(run: Run, column: str, gpu: str = "0") -> list[tuple[float, float]]:
    rows = pq.read_table(run.directory.parquet("metrics")).to_pylist()
    start = 1_767_690_000_000_000_000  # the run's start, 2026-01-06 09:00 UTC
    of_gpu = [row for row in rows if row["gpu_id"] == gpu and row[column] is not None]
    return [((int(row["timestamp_unix_nano"]) - start) / 1e6, row[column]) for row in of_gpu]


@pytest.mark.parametrize("width", [1, 7, 600])
def test_a_window_holds_its_samples_and_no_others(samples: dict[str, Run], width: int) -> None:
    run = samples["llama-8b"]
    start, end = 3_000.0, 9_500.0
    power = gpu_lanes(run, start, end, width)["gpus"][0]["lanes"]["power"]
    buckets: list[list[float]] = [[] for _ in range(width)]
    for at, value in moments(run, "gpu_power_watts"):
        if start <= at <= end:
            buckets[min(width - 1, math.floor((at - start) * width / (end - start)))].append(value)
    assert power["min"] == [min(each, default=None) for each in buckets]
    assert power["max_values"] == [max(each, default=None) for each in buckets]
    assert power["last"] == [each[-1] if each else None for each in buckets]


@given(
    times=st.lists(st.integers(-50, 150), max_size=30),
    window=st.tuples(st.integers(-20, 120), st.integers(0, 100)),
    width=st.integers(1, 12),
)
@example(times=[0], window=(0, 0), width=2)
def test_every_sample_of_a_window_is_in_one_bucket(times: list[int], window: tuple[int, int], width: int) -> None:
    from smoltrace.viewer.data.gpu import _buckets

    samples = Samples()
    for number, at in enumerate(times):
        samples.add("gpu_power_watts", at, float(number))
    if not times:
        return
    start, end = window[0], window[0] + window[1]
    low, high, last = _buckets(samples["gpu_power_watts"], start, end, width)
    inside = [number for number, at in enumerate(times) if start <= at <= end]
    assert len(low) == len(high) == len(last) == width
    assert min(known(low), default=None) == min(inside, default=None)
    assert max(known(high), default=None) == max(inside, default=None)
    assert [value is None for value in low] == [value is None for value in last]
    taken = {min(width - 1, (times[n] - start) * width // (end - start)) if end > start else 0 for n in inside}
    assert {place for place, value in enumerate(low) if value is not None} == taken


def test_a_bucket_without_a_sample_is_empty(samples: dict[str, Run]) -> None:
    power = gpu_lanes(samples["llama-8b"], 0, 1_000, 1_000)["gpus"][0]["lanes"]["power"]
    assert 0 < len(known(power["last"])) < 100


@pytest.mark.parametrize(
    ("start", "end", "width"),
    [(5, 1, 10), (0, 10, 0), (0, 10, WIDEST + 1), (math.nan, 10, 5), (0, math.inf, 5), (-math.inf, 0, 5), (0, 1e30, 5)],
)
def test_a_window_that_is_none_is_refused(samples: dict[str, Run], start: float, end: float, width: int) -> None:
    with pytest.raises(UsageError):
        gpu_lanes(samples["llama-8b"], start, end, width)


def line(seconds: int, power: float, uuid: str = "GPU-0", number: str = "0") -> bytes:
    at = START + seconds * SECOND
    told: dict[str, Any] = {
        "gpu__energy": [point(1_000_000 * seconds, at, START, number, gpu_uuid=uuid)],
        "gpu__power": [point(power, at, START, number, gpu_uuid=uuid)],
    }
    return orjson.dumps({"resourceMetrics": [batch(**told)]}) + b"\n"


def test_a_run_that_goes_on_is_read_as_it_grows(tmp_path: Path) -> None:
    readings = Readings()
    with going_on(tmp_path, metering=GPUS, started_at="2025-06-15T15:06:40+00:00") as (run, journal):
        assert gpu_lanes(run, readings=readings)["reason"] == "no sample yet"
        file = run.directory.metrics_journal
        file.write_bytes(line(1, 50.0) + line(2, 60.0)[:30])
        assert powers(run, Readings()) == [50.0]
        file.write_bytes(line(1, 50.0) + line(2, 60.0))
        assert powers(run, Readings()) == [50.0, 60.0]
        commit_all(journal, [execution(1)])
        assert powers(run, Readings()) == [50.0, 60.0]


def powers(run: Run, readings: Readings) -> list[float]:
    found = gpu_lanes(run, 0, 10_000, 100, readings=readings)["gpus"]
    return known(found[0]["lanes"]["power"]["last"])


def test_a_gpu_that_got_another_number_is_still_one(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1)], finish=False, metering=GPUS)
    run_dir.metrics_journal.write_bytes(
        line(1, 50.0, number="1") + line(2, 60.0, number="0") + line(2, 9.0, "GPU-b", "1")
    )
    found = gpu_lanes(Run(run_dir), 0, 10_000, 100)["gpus"]
    assert [(gpu["id"], known(gpu["lanes"]["power"]["last"])) for gpu in found] == [("0", [50.0, 60.0]), ("1", [9.0])]


def test_a_lane_without_any_sample_is_left_out(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1)], finish=False, metering=GPUS)
    run_dir.metrics_journal.write_bytes(line(1, 50.0))
    (gpu,) = gpu_lanes(Run(run_dir))["gpus"]
    assert set(gpu["lanes"]) == {"power", "energy"}
    assert gpu["lanes"]["power"]["max"] is None
