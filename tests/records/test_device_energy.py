"""The energy of devices as the journal's counters tell it."""

from __future__ import annotations

from typing import Any

from support.device_lines import SECOND, batch, point

from smoltrace.books.attribution import Segment
from smoltrace.records.device_energy import DeviceEnergy, EnergySeries
from smoltrace.records.otlp_points import points_in


def devices(*batches: dict[str, Any]) -> list[DeviceEnergy]:
    series = EnergySeries()
    for found in points_in(batches):
        series.add(found)
    return series.devices()


def test_a_counter_is_cut_into_what_was_used_between_its_readings() -> None:
    (gpu,) = devices(batch(gpu__energy=[point(0, 10, 10), point(300, 20, 10), point(500, 40, 10)]))
    assert list(gpu.segments()) == [Segment(10, 10, 0), Segment(10, 20, 300), Segment(20, 40, 200)]
    assert gpu.uj == 500
    assert (gpu.kind, gpu.id, gpu.uuid, gpu.name) == ("gpu", "0", "GPU-0", "Test GPU")


def test_a_line_that_came_twice_and_another_order_change_nothing() -> None:
    lines = [batch(gpu__energy=[point(v, t, 10)]) for v, t in ((0, 10), (300, 20), (500, 40))]
    (gpu,) = devices(*reversed(lines), *lines)
    assert gpu.uj == 500
    assert sum(segment.uj for segment in gpu.segments()) == 500


def test_lives_add_up_and_the_time_between_them_used_nothing() -> None:
    first = batch(gpu__energy=[point(0, 10, 10), point(300, 20, 10)])
    second = batch(gpu__energy=[point(0, 100, 100), point(50, 110, 100)])
    (gpu,) = devices(first, second)
    assert gpu.uj == 350
    assert [segment for segment in gpu.segments() if segment.uj] == [Segment(10, 20, 300), Segment(100, 110, 50)]


def test_a_gpu_with_another_number_in_the_next_life_is_the_same_gpu() -> None:
    first = batch(gpu__energy=[point(0, 10, 10), point(300, 20, 10)])
    second = batch(gpu__energy=[point(50, 110, 100, gpu="3", gpu_uuid="GPU-0")])
    (gpu,) = devices(first, second)
    assert gpu.uj == 350


def test_idle_energy_is_idle_power_times_time_and_never_more_than_all() -> None:
    energy = [point(0, 0 + SECOND, SECOND), point(100_000_000, 3 * SECOND, SECOND)]
    (gpu,) = devices(batch(gpu__energy=energy, gpu__power__idle=[point(20.0, SECOND, SECOND)]))
    assert gpu.idle_uj == 40_000_000
    (hot,) = devices(batch(gpu__energy=energy, gpu__power__idle=[point(90.0, SECOND, SECOND)]))
    assert hot.idle_uj == hot.uj
    (unknown,) = devices(batch(gpu__energy=energy))
    assert unknown.idle_uj is None


def test_processors_stand_apart_and_other_instrumentations_are_left_out() -> None:
    cpu = point(7, 20, 10) | {
        "attributes": [
            {"key": key, "value": {"stringValue": value}}
            for key, value in (("hw.type", "cpu"), ("hw.id", "package-0"), ("hw.name", "CPU"))
        ]
    }
    ours = batch(host__energy=[cpu], gpu__energy=[point(5, 20, 10, gpu="10"), point(5, 20, 10, gpu="9")])
    foreign = batch(scope="genai.gpu", gpu__energy=[point(999, 20, 10)])
    assert [(device.kind, device.id, device.uj) for device in devices(ours, foreign)] == [
        ("gpu", "9", 5),
        ("gpu", "10", 5),
        ("cpu", "package-0", 7),
    ]
