"""GPU counters read for a moment, on a simulated NVML library under the real nvidia-ml-py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from support.nvml import DRIVER_NOT_LOADED, SimulatedGpu, SimulatedNvml, install

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


@pytest.mark.parametrize("setting", ["", "7"])
def test_a_setting_that_hides_all_gpus_is_a_warning_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    found, _ = check([SimulatedGpu()])
    assert found.status == "warning"
    assert f"CUDA_VISIBLE_DEVICES={setting} hides every GPU" in found.detail
    assert str(found.remedy).startswith("unset it, or name GPUs that nvidia-smi -L lists")


def test_what_the_driver_says_to_do_is_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    found, _ = check([SimulatedGpu(name="Card A"), SimulatedGpu(name="Card B")])
    assert found.status == "warning"
    assert "others may be read than are used" in found.detail
    assert str(found.remedy).startswith("set CUDA_DEVICE_ORDER=PCI_BUS_ID")
    assert "set CUDA_DEVICE_ORDER" not in found.detail


def test_a_driver_that_refuses_is_told_with_where_to_look() -> None:
    with install(SimulatedNvml([], refusal=DRIVER_NOT_LOADED)):
        (found,) = GpuReadings(0.1, FACTORS).checks()
    assert found.status == "warning"
    assert "the NVIDIA driver is not loaded" in found.detail
    assert "driver's log" in str(found.remedy)


@pytest.mark.parametrize("counter", [True, False], ids=["energy counter", "power trapezoid"])
def test_a_gpu_that_is_lost_for_good_fails_as_such(counter: bool) -> None:
    found, _ = check([SimulatedGpu(name="Card", lost_at_s=0.15, energy_counter=counter), SimulatedGpu(watts=50.0)])
    assert found.status == "failed"
    assert "GPU 0 was lost and had not come back at the end: " in found.detail
    assert "for a while" not in found.detail
    assert "does not grow" not in found.detail
    assert "GPU 1 was" not in found.detail


def test_the_only_gpu_is_lost_for_good() -> None:
    found, _ = check([SimulatedGpu(lost_at_s=0.15)])
    assert found.status == "failed"
    assert "GPU 0 was lost and had not come back at the end: " in found.detail


def test_a_gpu_that_came_back_is_a_warning() -> None:
    readings = GpuReadings(2.6, FACTORS)
    with install(SimulatedNvml([SimulatedGpu(lost_at_s=0.15, back_at_s=0.4)])):
        (found,) = readings.checks()
    assert found.status == "warning"
    assert "could not be read for a while" in found.detail


def test_a_gpu_that_is_divided_is_told_as_shared() -> None:
    found, _ = check([SimulatedGpu(mig=True), SimulatedGpu()])
    assert found.status == "ok"
    assert "GPU 0 is shared (MIG): its energy is that of all its parts" in found.detail
    assert "GPU 1 is shared" not in found.detail


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
    assert str(found.remedy).startswith("there is nothing to set")


def test_the_library_is_given_back() -> None:
    with install(SimulatedNvml([SimulatedGpu()])) as nvml:
        list(GpuReadings(0.1, FACTORS).checks())
        assert nvml is not None
        assert nvml.users == 0
