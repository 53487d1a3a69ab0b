"""The metrics journal of a made-up run: its GPUs as the meters of a real run would have kept them."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from smoltrace.books import names
from smoltrace.samples.gpus import Reading, SimulatedGpu

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.devices.device import DeviceInfo
    from smoltrace.devices.device import Reading as DeviceReading
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.samples.runs import SampleRun
    from smoltrace.store.layout import RunDir

SAMPLE_NS: Final = 500_000_000
_PROMPT_SHARE: Final = 0.25
LOOK_NS: Final = 100_000_000
"""Between two looks at the power, whose trapezoids are the energy."""


def write_metrics(
    run_dir: RunDir, run: SampleRun, config: EvalConfig, traces: Iterable[Sequence[Span]], end_ns: int
) -> dict[str, Any]:
    """Write metrics.jsonl: a line every half second from the run's start to `end_ns`, its GPUs at work while the model
    is asked. Returns what the manifest is to tell of the meters. Raises StoreError when the disk refuses."""
    from smoltrace.evaluation.meters.instruments import DeviceMeter
    from smoltrace.records.energy import Factors
    from smoltrace.store.line_log import LineLog

    assert run.model.gpu is not None
    rng = random.Random(f"gpus {run.run_id}")
    gpus = [SimulatedGpu(run.model.gpu, index, rng) for index in range(run.model.gpus)]
    infos = [_info(gpu) for gpu in gpus]
    factors = Factors.of({"footprint": config.footprint.manifest()})
    idle = {info: gpu.kind.idle_w for info, gpu in zip(infos, gpus, strict=True)}
    busy = _Busy(traces)
    resource = {"service.name": "smoltrace", "run.id": run.run_id, "run_id": run.run_id}
    with LineLog(run_dir.metrics_journal) as journal:
        meter = DeviceMeter(resource, factors, journal.write)
        meter.instruments.idle_watts = idle
        for time_ns in [*range(run.start_ns, end_ns, LOOK_NS), end_ns]:
            load = busy.load_at(time_ns)
            looks = [gpu.read(time_ns, load * rng.uniform(0.9, 1.0)) for gpu in gpus]
            if (time_ns - run.start_ns) % SAMPLE_NS == 0 or time_ns == end_ns:
                meter.sampled([_reading(info, look) for info, look in zip(infos, looks, strict=True)])
        meter.close()
    return {
        "metering": {
            "devices": [
                {name: getattr(info, name) for name in ("kind", "id", "uuid", "name", "method", "scope")}
                for info in infos
            ],
            "reasons": {},
            "idle_watts": {info.id: watts for info, watts in idle.items()},
            "faults": [],
        }
    }


class _Busy:
    """When the model was asked."""

    def __init__(self, traces: Iterable[Sequence[Span]]) -> None:
        chats = [
            (span.start_ns, span.end_ns)
            for spans in traces
            for span in spans
            if span.attributes.get(names.OPERATION_NAME) == names.CHAT
        ]
        self._spans = sorted(chats)
        self._starts = [start for start, _ in self._spans]

    def load_at(self, time_ns: int) -> float:
        """What a model in this process asks of its GPUs, 0 to 1: more while it reads the prompt than while it answers.
        It does one call after the other."""
        place = bisect_right(self._starts, time_ns) - 1
        if place < 0 or time_ns >= self._spans[place][1]:
            return 0.0
        start, end = self._spans[place]
        return 0.96 if time_ns - start < _PROMPT_SHARE * (end - start) else 0.78


def _info(gpu: SimulatedGpu) -> DeviceInfo:
    from smoltrace.devices.device import DeviceInfo

    return DeviceInfo(kind="gpu", id=gpu.id, uuid=gpu.uuid, name=gpu.kind.name, method="energy_counter", scope="device")


def _reading(info: DeviceInfo, look: Reading) -> DeviceReading:
    from smoltrace.devices.device import Gauges
    from smoltrace.devices.device import Reading as DeviceReading

    gauges = Gauges(
        power_w=look.milliwatts / 1000,
        utilization_percent=look.utilization_percent,
        memory_used_mib=look.memory_used_mib,
        memory_total_mib=look.gpu.kind.memory_mib,
        temperature_c=look.temperature_c,
    )
    return DeviceReading(info=info, time_ns=look.time_ns, energy_uj=look.uj, gauges=gauges)
