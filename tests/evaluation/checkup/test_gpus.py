"""GPU counters read for a moment, on a simulated NVML library under the real nvidia-ml-py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from support.nvml import SimulatedGpu, SimulatedNvml, install

from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.checkup.gpus import GpuReadings
from smoltrace.records.energy import Factors

FACTORS = Factors(100.0, Decimal("0.30"))


def check(gpus: Sequence[SimulatedGpu] | None, factors: Factors = FACTORS) -> tuple[Check, GpuReadings]:
    readings = GpuReadings(0.3, factors)
    with install(None if gpus is None else SimulatedNvml(gpus)):
        (only,) = readings.checks()
    return only, readings


def figures(line: str) -> tuple[float, float, float, float]:
    """Watts, joules, grams, dollars."""
    found = re.search(r": ([\d.]+) W, 0 → ([\d.]+) J.*CO2 0 → ([\d.]+) g, electricity 0 → ([\d.]+) USD", line)
    assert found, line
    watts, joules, grams, dollars = map(float, found.groups())
    return watts, joules, grams, dollars


def test_no_gpu_is_skipped_with_the_reason() -> None:
    found, readings = check(None)
    assert found.status == "skipped"
    assert "no NVIDIA driver" in found.detail
    assert readings.samples == []


@pytest.mark.parametrize("counter", [True, False], ids=["energy counter", "power trapezoid"])
def test_each_gpu_is_told_with_what_it_drew_emitted_and_cost(counter: bool) -> None:
    gpus = [SimulatedGpu(watts=watts, energy_counter=counter, name=f"Card {watts:g}") for watts in (300.0, 50.0)]
    found, readings = check(gpus)
    assert found.status == "ok", found.detail
    first, second = found.detail.splitlines()
    assert first.startswith("0 Card 300: ")
    assert second.startswith("1 Card 50: ")
    assert ("energy counter" if counter else "power trapezoid") in first
    for line, true_watts in ((first, 300), (second, 50)):
        watts, joules, grams, dollars = figures(line)
        assert watts == pytest.approx(true_watts, rel=0.05)
        assert joules > 0
        assert grams == pytest.approx(joules / 3.6e6 * 100, rel=0.2)
        assert dollars == pytest.approx(joules / 3.6e6 * 0.30, rel=0.2)
    assert len(readings.samples) >= 2


def test_a_driver_that_hides_its_gpus_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found, _ = check([SimulatedGpu()])
    assert found.status == "warning"
    assert "CUDA_VISIBLE_DEVICES" in found.detail


def test_without_a_country_the_emissions_are_unknown() -> None:
    found, _ = check([SimulatedGpu()], Factors(None, Decimal("0.12")))
    assert "CO2 unknown, electricity 0 → " in found.detail


def test_a_counter_that_stands_still_fails() -> None:
    found, _ = check([SimulatedGpu(watts=0.0)])
    assert found.status == "failed"
    assert "the energy of GPU 0 does not grow" in found.detail
    assert found.remedy


def test_a_gpu_whose_energy_cannot_be_read_is_a_warning() -> None:
    found, _ = check([SimulatedGpu(watts=None, energy_counter=False), SimulatedGpu()])
    assert found.status == "warning"
    assert "the energy of GPU 0 cannot be read and stays unknown" in found.detail


def test_the_library_is_given_back() -> None:
    with install(SimulatedNvml([SimulatedGpu()])) as nvml:
        list(GpuReadings(0.1, FACTORS).checks())
        assert nvml is not None
        assert nvml.users == 0
