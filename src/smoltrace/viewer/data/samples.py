"""Every sample of the GPUs of a run, for a page that has nobody to ask for buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smoltrace.viewer.data.gpu import LANES, end_of, gpu_reason_of, gpus_of
from smoltrace.viewer.data.listing import t0_of
from smoltrace.viewer.data.sources import Source, reads_a_run

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.viewer.data.gpu import Gpu
    from smoltrace.viewer.data.readings import Readings


@reads_a_run
def gpu_samples(run: Run, *, readings: Readings | None = None) -> dict[str, Any]:
    """`{"gpus": [{"id", "name", "at_ms": [...], "lanes": {name: {"unit", "max", "values": [...]}}}], "end_ms",
    "reason"}`: what `gpu_lanes` puts into buckets, `at_ms` being milliseconds of the run. Raises StoreError."""
    source = Source(run, readings)
    t0_ns = t0_of(source)
    return {
        "gpus": [_samples(gpu, t0_ns) for gpu in gpus_of(source)],
        "end_ms": end_of(source),
        "reason": gpu_reason_of(source),
    }


def _samples(gpu: Gpu, t0_ns: int) -> dict[str, Any]:
    columns = gpu.samples.to_pydict()
    lanes = {}
    for lane, (column, unit, most) in LANES.items():
        values = columns[column]
        if any(value is not None for value in values):
            told = [value for value in columns[most] if value is not None] if most is not None else []
            lanes[lane] = {"unit": unit, "max": 100.0 if unit == "%" else max(told, default=None), "values": values}
    return {"id": gpu.id, "name": gpu.name, "at_ms": [(at - t0_ns) / 1e6 for at in columns["at"]], "lanes": lanes}
