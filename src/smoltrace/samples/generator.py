"""Metric documents as `smoltrace.core.extract_metrics` returns them: of a run on GPUs, and of one over an API."""

from __future__ import annotations

import errno
import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from smoltrace.books import names
from smoltrace.errors import StoreError, UsageError
from smoltrace.samples.gpus import A100, Grid, SimulatedGpu, resource_metrics

SCOPE: Final = "genai.gpu"
POINTS: Final = 12
INTERVAL_S: Final = 10
START_NS: Final = 1_760_947_217_774_556_600
"""Unix nanoseconds: 2025-10-20 08:00 UTC."""
GRID: Final = Grid(grams_per_kwh=475.0, usd_per_kwh=Decimal("0.12"))
"""Of no country in particular."""
SERVICE_NAME: Final = "smoltrace-eval"

GPU_FILE: Final = "metrics_llama31.json"
API_FILE: Final = "metrics_gpt4.json"


def gpu_document(*, run_id: str | None = None, seed: int = 0, gpus: int = 1, points: int = POINTS) -> dict[str, Any]:
    """A run on GPUs: {"run_id", "resourceMetrics", "aggregates"} with `points` moments 10 seconds apart for each GPU.

    Emissions and electricity cost are cumulative and follow from the power by the trapezoid rule: 0 at the first
    moment, then g CO₂e at 475 g/kWh and USD at 0.12 USD/kWh. `run_id` None takes one that depends on the seed.
    """
    rng = random.Random(f"gpu metrics {seed}")
    run_id = run_id or _uuid(rng)
    machine = [SimulatedGpu(A100, index, rng, used_share=0.24) for index in range(gpus)]
    readings = []
    for moment in range(points):
        load = 0.08 if moment == 0 else min(0.98, 0.62 + 0.03 * moment + rng.uniform(-0.08, 0.08))
        time_ns = START_NS + moment * INTERVAL_S * 1_000_000_000
        readings += [gpu.read(time_ns, load * rng.uniform(0.94, 1.0)) for gpu in machine]
    resource = {names.SERVICE_NAME: SERVICE_NAME, names.RUN_ID_UNDERSCORE: run_id, names.RUN_ID: run_id}
    metrics = resource_metrics(readings, resource=resource, scope=SCOPE, start_ns=START_NS, grid=GRID)
    return {"run_id": run_id, "resourceMetrics": [metrics], "aggregates": []}


def api_document(*, run_id: str | None = None, seed: int = 0) -> dict[str, Any]:
    """A run over an API, which has no GPU to measure: the same keys, and no series."""
    return {"run_id": run_id or _uuid(random.Random(f"api metrics {seed}")), "resourceMetrics": [], "aggregates": []}


def write_documents(folder: Path, *, seed: int = 0, gpus: int = 1) -> list[Path]:
    """Write both documents into a folder, which is made; their files, the GPU run's first. Existing ones are replaced.

    Raises UsageError for a folder that cannot be written to.
    """
    import orjson

    from smoltrace.store import atomic

    make_folder(folder)
    documents = {GPU_FILE: gpu_document(seed=seed, gpus=gpus), API_FILE: api_document(seed=seed)}
    files = []
    for name, document in documents.items():
        content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        try:
            atomic.write(folder / name, content)
        except StoreError as error:
            raise _unwritable(folder, error.__cause__ or error) from error
        files.append(folder / name)
    return files


def make_folder(folder: Path) -> None:
    """Make the folder of the documents where it is not there. Raises UsageError for what can be none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise _unwritable(folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def _unwritable(folder: Path, error: BaseException) -> UsageError:
    why = getattr(error, "strerror", None) or error
    why = "It is no folder." if folder.exists() and not folder.is_dir() else f"{why}."
    return UsageError(f"The sample metrics cannot be written into {folder.absolute()}: {why}")


def _uuid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
