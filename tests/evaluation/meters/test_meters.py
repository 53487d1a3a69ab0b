"""All meters of one life of a run: nothing that fails in them stops it, and what failed is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from support.nvml import SimulatedGpu, SimulatedNvml, install

from smoltrace.agents.spec import ModelSpec
from smoltrace.errors import StoreError
from smoltrace.evaluation.meters import meters as meters_module
from smoltrace.evaluation.meters.footprint import Footprint
from smoltrace.evaluation.meters.meters import Meters
from smoltrace.records.device_energy import EnergySeries
from smoltrace.records.otlp_points import points_in

LOCAL = ModelSpec(model_id="m", provider="openai", base_url="http://localhost:1/v1")
FAR = ModelSpec(model_id="m", provider="openai", base_url="http://192.0.2.1/v1")
RESOURCE = {"run_id": "r"}


@pytest.fixture(autouse=True)
def short_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters_module, "IDLE_S", 0.1)


@pytest.fixture
def nvml() -> Iterator[SimulatedNvml]:
    simulated = SimulatedNvml([SimulatedGpu(uuid="GPU-a"), SimulatedGpu(uuid="GPU-b", watts=100.0)])
    with install(simulated):
        yield simulated


class Disk:
    """Keeps lines, but for those that it refuses."""

    def __init__(self, refused: tuple[int, ...] = ()) -> None:
        self.lines: list[bytes] = []
        self._refused, self._asked = refused, 0

    def write(self, line: bytes) -> None:
        self._asked += 1
        if self._asked in self._refused:
            raise StoreError("The disk is full.")
        self.lines.append(line)

    def uj(self) -> int:
        series = EnergySeries()
        for line in self.lines:
            for point in points_in(orjson.loads(line)["resourceMetrics"]):
                series.add(point)
        return sum(device.uj for device in series.devices())


def measured(disk: Disk, seconds: float = 0.6, footprint: Footprint | None = None) -> dict[str, Any]:
    with Meters(footprint or Footprint(), LOCAL, RESOURCE) as meters:
        meters.read_idle()
        meters.begin(disk.write)
        meters.boundary()
        time.sleep(seconds)
        meters.end()
        return meters.manifest() or {}


def test_the_devices_of_a_local_model_are_read_from_the_beginning_to_the_end(nvml: SimulatedNvml) -> None:
    disk = Disk()
    told = measured(disk)
    assert disk.uj() == pytest.approx(400 * 0.6 * 1_000_000, rel=0.2)
    assert [device["uuid"] for device in told["devices"]] == ["GPU-a", "GPU-b"]
    assert told["idle_watts"] == pytest.approx({"GPU-a": 300.0, "GPU-b": 100.0}, rel=0.1)
    assert told["faults"] == []
    assert nvml.users == 0, "the driver has it back"


def test_a_line_that_the_disk_refused_takes_no_energy_with_it(nvml: SimulatedNvml) -> None:
    disk = Disk(refused=(2, 3))
    told = measured(disk)
    assert disk.uj() == pytest.approx(400 * 0.6 * 1_000_000, rel=0.2)
    assert told["faults"] == ["The disk is full."]


def test_the_environment_cannot_switch_them_off(nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    disk = Disk()
    measured(disk)
    assert disk.uj() > 0


def test_a_model_elsewhere_is_not_asked_of_unless_the_user_says_so(nvml: SimulatedNvml) -> None:
    with Meters(Footprint(), FAR, RESOURCE) as meters:
        assert meters.manifest() is None
        assert meters.manifest({"faults": ["of an earlier life"]}) == {"faults": ["of an earlier life"]}
    with Meters(Footprint(gpu_metrics=True), FAR, RESOURCE) as meters:
        assert len((meters.manifest() or {})["devices"]) == 2
    with Meters(Footprint(gpu_metrics=False), LOCAL, RESOURCE) as meters:
        assert meters.manifest() is None


def test_what_earlier_lives_told_is_kept(nvml: SimulatedNvml) -> None:
    old = {"kind": "gpu", "id": "0", "uuid": "GPU-old", "name": "Old", "method": "energy_counter", "scope": "device"}
    before = {"devices": [old], "reasons": {}, "idle_watts": {"GPU-old": 5.0}, "faults": ["lost"]}
    renumbered = {**old, "id": "7", "uuid": "GPU-a"}
    with Meters(Footprint(), LOCAL, RESOURCE) as meters:
        told = meters.manifest(before) or {}
        again = meters.manifest(told) or {}
        other = meters.manifest(before | {"devices": [renumbered]}) or {}
    assert [device["uuid"] for device in told["devices"]] == ["GPU-old", "GPU-a", "GPU-b"]
    assert told["faults"] == ["lost"]
    assert told["idle_watts"]["GPU-old"] == 5.0
    assert again == told
    assert [(device["id"], device["uuid"]) for device in other["devices"]] == [("0", "GPU-a"), ("1", "GPU-b")]


def test_only_who_asked_is_told_that_nothing_can_be_read() -> None:
    with install(None):
        with Meters(Footprint(), LOCAL, RESOURCE) as silent:
            assert silent.note is None
        with Meters(Footprint(gpu_metrics=True), LOCAL, RESOURCE) as asked:
            assert "No GPU counter can be read here (no NVIDIA driver here" in (asked.note or "")


def test_a_gpu_that_tells_nothing_is_named() -> None:
    mute = SimulatedGpu(energy_counter=False, watts=None, name="Mute")
    with install(SimulatedNvml([mute])), Meters(Footprint(gpu_metrics=True), LOCAL, RESOURCE) as meters:
        assert "GPU 0, Mute, tells neither energy nor power" in (meters.note or "")
