"""Sampling simulated GPUs in real time: what is told is what they used, whenever they were read.

The simulation keeps what a GPU had really used at each question, so that no test depends on how fast this machine is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from support.nvml import SimulatedGpu, SimulatedNvml, install
from support.processes import wait_until

from smoltrace.devices import sampler as sampling
from smoltrace.devices import watched
from smoltrace.devices.device import Device, Gauges, Reading
from smoltrace.devices.nvidia import open_nvidia
from smoltrace.devices.sampler import Sampler

MJ = 1000
"""The counter's step in microjoules."""


class Bench:
    """Simulated GPUs, a sampler of them, and what it told: one list of readings for each sample."""

    def __init__(self, nvml: SimulatedNvml, devices: list[Device], options: dict[str, Any]) -> None:
        self.nvml, self.devices = nvml, devices
        self.samples: list[Sequence[Reading]] = []
        self.sampler = Sampler(devices, self.samples.append, **options)
        self.baseline: list[int] = []

    def start(self) -> None:
        self.baseline = [len(state.asked) for state in self.nvml.states]
        self.sampler.start()

    def series(self, uuid: str) -> list[Reading]:
        return [reading for sample in self.samples for reading in sample if reading.info.uuid == uuid]

    def energies(self) -> dict[str, int | None]:
        """What was told last, by UUID."""
        return {uuid: self.series(uuid)[-1].energy_uj for uuid in self.nvml.uuids}

    def truth(self) -> dict[str, int]:
        """What was really used between the first and the last question, by UUID."""
        return {
            state.uuid: state.asked[-1][1] - state.asked[first][1]
            for state, first in zip(self.nvml.states, self.baseline, strict=True)
        }

    def assert_books_balance(self) -> None:
        for uuid, truth in self.truth().items():
            told = self.energies()[uuid]
            assert told is not None
            assert abs(told - truth) <= MJ


@contextmanager
def bench(*gpus: SimulatedGpu, numbering: Sequence[int] | None = None, **options: Any) -> Iterator[Bench]:
    with ExitStack() as stack:
        nvml = SimulatedNvml(gpus, numbering=numbering)
        stack.enter_context(install(nvml))
        devices = open_nvidia({}).devices
        for device in devices:
            stack.callback(device.close)
        made = Bench(nvml, devices, options)
        stack.callback(made.sampler.stop)
        yield made


def run(made: Bench, seconds: float) -> None:
    made.start()
    time.sleep(seconds)
    made.sampler.stop()


def test_four_gpus_of_300_watts_use_what_they_really_use() -> None:
    with bench(*[SimulatedGpu(watts=300.0)] * 4) as made:
        run(made, 0.5)
        made.assert_books_balance()
        assert len(made.samples) >= 3
        for uuid in made.nvml.uuids:
            series = made.series(uuid)
            seconds = (series[-1].time_ns - series[0].time_ns) / 1e9
            assert series[-1].energy_uj == pytest.approx(300e6 * seconds, rel=0.2)
            assert series[0].gauges.power_w == 300.0
        assert made.sampler.faults == []


def test_the_first_sample_is_0_energy_never_falls_and_time_goes_on() -> None:
    before = time.time_ns()
    with bench(SimulatedGpu(), SimulatedGpu(energy_counter=False), fine_interval_s=0.02) as made:
        made.start()
        assert [reading.energy_uj for reading in made.samples[0]] == [0, 0]
        time.sleep(0.2)
        made.sampler.stop()
        for uuid in made.nvml.uuids:
            series = made.series(uuid)
            energies = [reading.energy_uj or 0 for reading in series]
            times = [reading.time_ns for reading in series]
            assert energies == sorted(energies)
            assert times == sorted(set(times))
            assert before <= times[0]
            assert times[-1] <= time.time_ns()


def test_the_last_partial_interval_is_read_when_it_ends() -> None:
    with bench(SimulatedGpu(), fine_interval_s=60.0) as made:
        made.start()
        time.sleep(0.1)
        stopped = time.time_ns()
        made.sampler.stop()
        assert len(made.samples) == 2
        assert made.samples[-1][0].time_ns >= stopped
        made.assert_books_balance()


def test_a_reset_hides_no_more_than_what_was_used_since_the_reading_before() -> None:
    with bench(SimulatedGpu(), SimulatedGpu(), fine_interval_s=0.05) as made:
        made.start()
        time.sleep(0.2)
        state, first = made.nvml.states[0], made.baseline[0]
        state.reset_s = reset_s = made.nvml.seconds(time.monotonic_ns())
        time.sleep(0.2)
        made.sampler.stop()
        before = max(uj for moment, uj in state.asked[first:] if made.nvml.seconds(moment) < reset_s)
        truth = before - state.asked[first][1] + state.asked[-1][1] - state.uj(reset_s)
        assert abs((made.energies()[state.uuid] or 0) - truth) <= 2 * MJ
        other = made.nvml.uuids[1]
        assert abs((made.energies()[other] or 0) - made.truth()[other]) <= MJ
        assert made.sampler.faults == []


def test_a_lost_gpu_is_left_out_until_it_is_back_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "RETRY_NS", 50_000_000)
    with bench(SimulatedGpu(), SimulatedGpu(), fine_interval_s=0.02) as made:
        made.start()
        lost, other = made.nvml.uuids
        made.nvml.states[0].gone = True
        assert wait_until(lambda: len(made.samples[-1]) == 1)
        seen = len(made.series(lost)), len(made.series(other))
        assert wait_until(lambda: len(made.series(other)) > seen[1] + 5)
        assert len(made.series(lost)) == seen[0]
        made.nvml.states[0].gone = False
        assert wait_until(lambda: len(made.series(lost)) > seen[0])
        made.sampler.stop()
        made.assert_books_balance()
        (fault,) = made.sampler.faults
        assert fault == "gpu 0 (NVIDIA Simulated 80GB) could not be read for a while: GPU is lost"


def test_a_lost_gpu_is_hardly_asked() -> None:
    with bench(SimulatedGpu(), fine_interval_s=0.01) as made:
        made.start()
        made.nvml.states[0].gone = True
        assert wait_until(lambda: made.sampler.faults)
        asked = made.nvml.states[0].questions
        time.sleep(0.2)
        assert made.nvml.states[0].questions == asked


def test_power_readings_are_integrated_exactly_where_power_is_constant() -> None:
    with bench(SimulatedGpu(watts=250.0, energy_counter=False)) as made:
        run(made, 0.4)
        (uuid,) = made.nvml.uuids
        first, *_, last = made.series(uuid)
        assert abs((last.energy_uj or 0) - 250 * (last.time_ns - first.time_ns) / 1000) <= 1


def test_power_is_read_between_samples_and_follows_what_swings() -> None:
    swinging = SimulatedGpu(watts=250.0, swing_w=150.0, period_s=2.0, energy_counter=False)
    with bench(swinging, fine_for_s=0.0, interval_s=60.0) as made:
        run(made, 1.0)
        assert len(made.samples) == 2
        (state,) = made.nvml.states
        assert len(state.asked) - made.baseline[0] > 2
        assert made.energies()[state.uuid] == pytest.approx(made.truth()[state.uuid], rel=0.25)


def test_without_a_way_to_read_energy_the_gauges_are_told() -> None:
    with bench(SimulatedGpu(energy_counter=False, watts=None)) as made:
        run(made, 0.1)
        for sample in made.samples:
            assert sample[0].energy_uj is None
            assert sample[0].gauges.temperature_c == 61.0


def test_a_divided_gpu_is_told_as_shared() -> None:
    with bench(SimulatedGpu(mig=True)) as made:
        run(made, 0.1)
        made.assert_books_balance()
        assert {reading.info.scope for sample in made.samples for reading in sample} == {"device_shared"}
        assert made.samples[0][0].gauges.utilization_percent is None


@pytest.mark.parametrize("numbering", [[0, 1, 2], [2, 0, 1]])
def test_renumbered_gpus_have_the_same_energy_by_uuid(numbering: list[int]) -> None:
    gpus = [SimulatedGpu(watts=watts, uuid=f"GPU-{watts:.0f}") for watts in (100.0, 200.0, 400.0)]
    with bench(*gpus, numbering=numbering) as made:
        run(made, 0.3)
        made.assert_books_balance()
        for gpu in gpus:
            series = made.series(str(gpu.uuid))
            seconds = (series[-1].time_ns - series[0].time_ns) / 1e9
            assert series[-1].energy_uj == pytest.approx(gpu.mean_watts * 1e6 * seconds, rel=0.2)
            assert {reading.info.id for reading in series} == {str(numbering.index(gpus.index(gpu)))}


def test_finer_sampling_changes_nothing() -> None:
    gpu = SimulatedGpu(swing_w=200.0)
    with bench(gpu, fine_interval_s=0.01) as fine:
        run(fine, 0.3)
        fine.assert_books_balance()
    with bench(gpu, fine_interval_s=60.0) as coarse:
        run(coarse, 0.3)
        coarse.assert_books_balance()
    assert len(fine.samples) > len(coarse.samples) == 2


def test_samples_become_rare_after_the_beginning() -> None:
    with bench(SimulatedGpu(), fine_interval_s=0.02, fine_for_s=0.1, interval_s=60.0) as made:
        made.start()
        time.sleep(0.3)
        seen = len(made.samples)
        time.sleep(0.2)
        assert 2 <= len(made.samples) <= seen + 1
        assert len(made.samples) <= 10


def test_a_mark_brings_a_sample_and_marks_close_to_each_other_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SHARED_NS", 300_000_000)
    with bench(SimulatedGpu(), fine_interval_s=60.0) as made:
        made.start()
        made.sampler.mark()
        time.sleep(0.4)
        assert len(made.samples) == 1
        for _ in range(5):
            made.sampler.mark()
        assert wait_until(lambda: len(made.samples) == 2)
        time.sleep(0.05)
        assert len(made.samples) == 2


def test_later_on_marks_bring_energy_alone_and_not_more_often_than_power_is_read() -> None:
    with bench(SimulatedGpu(), fine_for_s=0.0, interval_s=60.0, fine_interval_s=0.1) as made:
        made.start()
        until = time.monotonic() + 0.75
        while time.monotonic() < until:
            made.sampler.mark()
            time.sleep(0.005)
        (first, *later) = [sample[0] for sample in made.samples]
        assert first.gauges.power_w is not None
        assert 2 <= len(later) <= 8
        assert all(reading.energy_uj and reading.gauges == Gauges() for reading in later)


def test_a_clock_that_is_set_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(SimulatedGpu(), fine_interval_s=0.02) as made:
        made.start()
        assert made.sampler.faults == []
        right = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: right() + 30_000_000_000)
        assert wait_until(lambda: made.sampler.faults != [])
        time.sleep(0.1)
        (fault,) = made.sampler.faults
        assert "clock was set by +30.0 s" in fault


@contextmanager
def hanging(made: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within, the driver answers nothing, and is waited for only shortly."""
    monkeypatch.setattr(sampling, "PATIENCE_S", 0.2)
    made.nvml.answers.clear()
    try:
        yield
    finally:
        made.nvml.answers.set()


def is_asked(made: Bench, gpu: int = 0) -> Callable[[], bool]:
    """Whether a question was asked since."""
    before = made.nvml.states[gpu].questions
    return lambda: made.nvml.states[gpu].questions > before


def test_a_mark_is_not_delayed_by_a_driver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(SimulatedGpu(), fine_interval_s=0.02) as made:
        made.start()
        hangs = is_asked(made)
        with hanging(made, monkeypatch):
            assert wait_until(hangs)
            for _ in range(1000):
                made.sampler.mark()  # would wait for ever: the driver answers only after it
        made.sampler.stop()
        made.assert_books_balance()


def test_the_start_is_not_held_up_by_a_driver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(SimulatedGpu(), fine_interval_s=0.02) as made:
        with hanging(made, monkeypatch):
            made.start()
            assert made.samples == []
            (fault,) = made.sampler.faults
            assert fault.startswith("the energy of the beginning is missing")
        assert wait_until(lambda: len(made.samples) > 2)
        made.sampler.stop()
        made.assert_books_balance()


def test_the_end_is_not_held_up_by_a_driver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(SimulatedGpu(), fine_interval_s=0.02) as made:
        made.start()
        hangs = is_asked(made)
        with hanging(made, monkeypatch):
            assert wait_until(hangs)
            made.sampler.stop()
            (fault,) = made.sampler.faults
            assert fault.startswith("the energy of the end is missing")
            told = len(made.samples)
        assert wait_until(lambda: all(thread.name != "smoltrace-devices" for thread in threading.enumerate()))
        assert len(made.samples) == told


def test_a_slow_driver_delays_only_samples_and_each_reading_has_its_own_time() -> None:
    with bench(*[SimulatedGpu(delay_s=0.03)] * 2, fine_interval_s=0.02) as made:
        run(made, 0.3)
        made.assert_books_balance()
        for first, second in made.samples:
            assert second.time_ns - first.time_ns >= 30_000_000


def test_at_the_end_a_slow_driver_is_asked_for_its_energy_and_not_for_its_gauges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "LATE_NS", 0)
    with bench(SimulatedGpu(), fine_interval_s=60.0) as made:
        run(made, 0.05)
        made.assert_books_balance()
        first, last = made.series(made.nvml.uuids[0])
        assert first.gauges.power_w == 300.0
        assert last.gauges.power_w is None


def test_a_callback_that_raises_ends_sampling_and_is_told() -> None:
    def refuse(_: Sequence[Reading]) -> None:
        raise OSError("the disk is full")

    with bench(SimulatedGpu(), fine_interval_s=0.01) as made:
        sampler = Sampler(made.devices, refuse, fine_interval_s=0.01)
        sampler.start()
        sampler.mark()
        sampler.stop()
        assert sampler.faults == ["sampling of the devices ended early: OSError: the disk is full"]


def test_idle_watts_come_from_the_counter_or_from_the_power() -> None:
    gpus = [
        SimulatedGpu(watts=70.0),
        SimulatedGpu(watts=80.0, energy_counter=False),
        SimulatedGpu(watts=None, energy_counter=False),
    ]
    with bench(*gpus) as made:
        counted, powered, unknown = made.sampler.idle(0.2).values()
        assert counted == pytest.approx(70.0, rel=0.2)
        assert powered == 80.0
        assert unknown is None
        assert made.samples == []


def test_idle_watts_of_a_gpu_that_is_lost_or_begins_anew_are_unknown() -> None:
    with bench(SimulatedGpu(), SimulatedGpu(), SimulatedGpu(energy_counter=False)) as made:
        made.nvml.states[0].gone = made.nvml.states[2].gone = True
        begins = is_asked(made, 1)

        def reset() -> None:
            wait_until(begins)
            made.nvml.states[1].reset_s = made.nvml.seconds(time.monotonic_ns())

        threading.Thread(target=reset).start()
        assert list(made.sampler.idle(0.4).values()) == [None, None, None]


def test_idle_is_not_held_up_by_a_driver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(SimulatedGpu()) as made, hanging(made, monkeypatch):
        assert list(made.sampler.idle(0.05).values()) == [None]
        assert made.sampler.faults[0].startswith("what the devices draw when idle is unknown")


def test_without_devices_nothing_happens() -> None:
    samples: list[Sequence[Reading]] = []
    sampler = Sampler([], samples.append)
    threads = threading.active_count()
    assert sampler.idle(60.0) == {}
    sampler.start()
    sampler.mark()
    assert threading.active_count() <= threads
    sampler.stop()
    assert samples == []
    assert sampler.faults == []


def test_stopping_twice_or_before_the_start_changes_nothing() -> None:
    with bench(SimulatedGpu()) as made:
        made.sampler.stop()
        assert made.samples == []
        run(made, 0.05)
        told = len(made.samples)
        made.sampler.stop()
        assert len(made.samples) == told
