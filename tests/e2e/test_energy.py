"""Energy of whole runs on simulated GPUs, read through the real nvidia-ml-py: near the truth, and adding up exactly."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace, smoltrace_here
from support.model_scripts import default_script
from support.model_server import ModelServer
from support.nvml import SimulatedGpu, SimulatedNvml, install, python_path, read_truth

from smoltrace.books.energy import UJ_PER_J, uj_of
from smoltrace.store.read import Run, load_run

GPUS, WATTS, TESTS, AT_ONCE, CALLS = 4, 300.0, 16, 8, 3
LONG_RUNS = (12.0, 22.0)
"""Seconds: of shorter runs the tolerance is no more than what a busy machine takes to begin and to end."""


def workplace(folder: Path) -> Path:
    tasks = [{"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris?"} for n in range(TESTS)]
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    return folder


def latency(seconds: float) -> float:
    """Of each call, so that the run takes about so long."""
    return seconds / (TESTS / AT_ONCE) / CALLS


def asked(server: ModelServer, *more: str) -> list[str]:
    return [
        *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--agent-type", "tool", "--quiet"),
        *("--workers", str(AT_ONCE), "--run-id", "r", "--country", "FRA", *more),
    ]


def gpus(**changes: Any) -> list[SimulatedGpu]:
    return [SimulatedGpu(watts=WATTS, uuid=f"GPU-{n}", **changes) for n in range(GPUS)]


def seconds_of(run: Run) -> float:
    return float(run.manifest["wall_time_ms"]) / 1000


def assert_it_adds_up(run: Run) -> dict[str, Any]:
    """Σ tests + unattributed = Σ devices in microjoules, in every dataset; returns what the summary tells of energy."""
    told = run.summary().energy or {}
    results, spans, metrics = (run.table(name).to_pylist() for name in ("results", "spans", "metrics"))
    tests = [uj_of(row["gpu_energy_wh"]) for row in results]
    assert sum(tests) + told["unattributed_uj"] == told["gpu_uj"] == sum(each["uj"] for each in told["devices"])
    assert sum(uj_of(row["gpu_energy_wh"]) for row in spans) == sum(tests) == told["tests_uj"]
    last = {row["gpu_id"]: row["gpu_energy_wh"] for row in metrics}
    assert sum(map(uj_of, last.values())) == told["gpu_uj"]
    assert len(tests) == TESTS
    assert all(tests)
    return told


def run_here(
    folder: Path, nvml: SimulatedNvml, seconds: float, monkeypatch: pytest.MonkeyPatch, on_call: Callable[[int], None]
) -> Run:
    """A run in this process, in which something happens to the GPUs at some call."""

    def script(*arguments: Any) -> Any:
        on_call(len(server.ledger()))
        return default_script(*arguments)

    monkeypatch.chdir(workplace(folder))
    with ModelServer(script, latency_s=latency(seconds)) as server, install(nvml):
        done = smoltrace_here(*asked(server))
    assert done.returncode == 0, done.stderr
    return load_run("r")


def nothing(_: int) -> None:
    return None


@pytest.mark.slow
@pytest.mark.parametrize("seconds", LONG_RUNS)
def test_the_energy_of_a_run_is_what_its_gpus_used(tmp_path: Path, seconds: float) -> None:
    environment = python_path(tmp_path, gpus())
    with ModelServer(latency_s=latency(seconds)) as server:
        done = smoltrace(*asked(server), cwd=workplace(tmp_path), env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""

    run = load_run(tmp_path / "smoltrace-runs/runs/r")
    told = assert_it_adds_up(run)
    assert told["gpu_uj"] == pytest.approx(GPUS * WATTS * seconds_of(run) * UJ_PER_J, rel=0.02)
    read = [asked[-1][1] - asked[0][1] for asked in read_truth(tmp_path).values()]
    assert told["gpu_uj"] < sum(read), "what was read before the baseline is not the run's"
    row = run.leaderboard_row()
    assert row["gpu_energy_idle_wh"] == pytest.approx(row["total_gpu_energy_wh"], rel=0.02)
    assert (row["gpu_power_avg_w"], row["gpu_utilization_avg"]) == pytest.approx((GPUS * WATTS, 87), rel=0.001)
    assert row["co2_emissions_g"] == pytest.approx(row["total_gpu_energy_wh"] / 1000 * row["carbon_intensity"])
    # Eight at once on all of the time: hardly anything is left for nobody.
    assert told["unattributed_uj"] < 0.15 * told["gpu_uj"]
    assert "4 × NVIDIA Simulated 80GB" in row["hardware"]


@pytest.mark.slow
@pytest.mark.parametrize("seconds", LONG_RUNS)
def test_a_counter_that_begins_anew_in_mid_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    nvml = SimulatedNvml(gpus())

    def reset(calls: int) -> None:
        if calls == TESTS and nvml.states[2].gpu.reset_at_s is None:
            at = (time.monotonic_ns() - nvml.began_ns) / 1e9
            nvml.states[2].gpu = replace(nvml.states[2].gpu, reset_at_s=at)

    run = run_here(tmp_path, nvml, seconds, monkeypatch, reset)
    assert nvml.states[2].gpu.reset_at_s is not None
    told = assert_it_adds_up(run)
    assert told["gpu_uj"] == pytest.approx(GPUS * WATTS * seconds_of(run) * UJ_PER_J, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", LONG_RUNS)
def test_a_gpu_that_is_lost_in_mid_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    nvml = SimulatedNvml(gpus())
    lost: list[datetime] = []

    def lose(calls: int) -> None:
        if calls == TESTS and not lost:
            lost.append(datetime.now(UTC))
            at = (time.monotonic_ns() - nvml.began_ns) / 1e9
            nvml.states[1].gpu = replace(nvml.states[1].gpu, lost_at_s=at)

    run = run_here(tmp_path, nvml, seconds, monkeypatch, lose)
    told = assert_it_adds_up(run)
    assert len(run.manifest["metering"]["faults"]) == 1
    asked_of = defaultdict(list)
    for row in run.table("metrics").to_pylist():
        asked_of[row["gpu_uuid"]].append(row["timestamp"])
    missed = [at for at in asked_of["GPU-0"] if asked_of["GPU-1"][-1] < at < lost[0]]
    assert len(missed) <= 1, "it was asked until it was lost; the answer of one moment comes after it"
    there = (asked_of["GPU-1"][-1] - datetime.fromisoformat(run.manifest["started_at"])).total_seconds()
    truth = WATTS * ((GPUS - 1) * seconds_of(run) + there)
    assert told["gpu_uj"] == pytest.approx(truth * UJ_PER_J, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", LONG_RUNS)
def test_power_readings_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    nvml = SimulatedNvml(gpus(energy_counter=False, swing_w=150.0, period_s=1.7))
    run = run_here(tmp_path, nvml, seconds, monkeypatch, nothing)
    told = assert_it_adds_up(run)
    assert {each["method"] for each in told["devices"]} == {"power_trapezoid"}
    # From the clock of the manifest to that of the simulation.
    began = datetime.fromisoformat(run.manifest["started_at"]).timestamp() - (time.time() - time.monotonic())
    truth = nvml.truth_uj(round(began * 1e9), round((began + seconds_of(run)) * 1e9))
    assert told["gpu_uj"] == pytest.approx(sum(truth.values()), rel=0.02)


@pytest.mark.slow
def test_renumbered_gpus_give_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each GPU by its UUID, whatever its number: their powers differ, so a mix-up would be seen."""
    powers = [100.0, 200.0, 300.0, 400.0]
    found = []
    for place, numbering in enumerate([(0, 1, 2, 3), (2, 0, 3, 1)]):
        folder = tmp_path / str(place)
        folder.mkdir()
        nvml = SimulatedNvml(
            [SimulatedGpu(watts=power, uuid=f"GPU-{n}") for n, power in enumerate(powers)], numbering=numbering
        )
        run = run_here(folder, nvml, 1.0, monkeypatch, nothing)
        told = assert_it_adds_up(run)
        found.append({each["uuid"]: each["uj"] / each["seconds"] / UJ_PER_J for each in told["devices"]})
    assert found[0] == pytest.approx({f"GPU-{n}": power for n, power in enumerate(powers)}, rel=0.02)
    assert found[1] == pytest.approx(found[0], rel=0.02)


def test_without_a_gpu_nothing_is_said_twice_and_nothing_is_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace(tmp_path))
    with ModelServer() as server, install(None):
        silent = smoltrace_here(*asked(server)[:-2], "--run-id", "silent")
        told = smoltrace_here(*[word for word in asked(server) if word != "--quiet"], "--gpu-metrics")
    assert silent.returncode == told.returncode == 0
    assert silent.stderr == ""
    assert told.stderr.count("No GPU counter can be read here") == 1
    for name in ("silent", "r"):
        run = load_run(name)
        (metrics,) = run.table("metrics").to_pylist()
        assert {name for name, value in metrics.items() if value is not None} == {
            *("run_id", "service_name", "timestamp", "timestamp_unix_nano")
        }
        row = run.leaderboard_row()
        energy = [name for name in row if "gpu" in name or name in ("co2_emissions_g", "electricity_cost_usd")]
        assert {row[name] for name in energy} == {None}
        assert {result["gpu_energy_wh"] for result in run.results()} == {None}


def test_a_resumed_run_adds_up_over_its_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workplace(tmp_path))
    with ModelServer(latency_s=0.2) as server, install(SimulatedNvml(gpus())):
        first = smoltrace_here(*asked(server, "--max-tokens-total", "9000"))
        assert first.returncode == 3, first.stderr
        time.sleep(1.0)  # between its lives nothing is the run's
        second = smoltrace_here("resume", "r", "--quiet", "--max-tokens-total", "10000000")
    assert second.returncode == 0, second.stderr
    run = load_run("r")
    told = assert_it_adds_up(run)
    assert told["gpu_uj"] == pytest.approx(GPUS * WATTS * seconds_of(run) * UJ_PER_J, rel=0.1)
