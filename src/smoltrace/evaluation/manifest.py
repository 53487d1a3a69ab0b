"""What run.json says of a run: who ran what, with which versions, on which machine."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from smoltrace.version import __version__

if TYPE_CHECKING:
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.tasks.loaders import TaskSet

SERVICE_NAME = "smoltrace"


def new_manifest(
    config: EvalConfig, tasks: TaskSet, *, run_id: str, provider: str, system: str, planned: int
) -> dict[str, Any]:
    """The manifest of a run that begins now: JSON values, no key. `planned` is the number of executions to come."""
    return {
        "run_id": run_id,
        "status": "running",
        "service_name": SERVICE_NAME,
        "model": config.model.model_id,
        "provider": provider,
        "system": system,
        "agent_type": config.agent_type,
        "tasks": {"name": tasks.name, "fingerprint": tasks.fingerprint, "source": str(tasks.source)},
        "num_tests": planned,
        "attempts": config.repeats,
        "generation": config.model.generation.to_json(),
        "stream": config.model.stream,
        "config": config.to_json(),
        "started_at": datetime.now(UTC).isoformat(),
        "finished_at": None,
        "wall_time_ms": None,
        "versions": versions(config.instrument),
        "hardware": hardware(),
        "job": job(os.environ),
        "submitted_by": config.submitted_by or user(),
        "notes": config.notes,
        "tags": dict(config.tags),
        "references": {"results": None, "traces": None, "metrics": None},
    }


def versions(instrument: tuple[str, ...] = ()) -> dict[str, str | None]:
    """Versions that decide a result; `genai_otel` is null unless its instrumentation is switched on."""
    return {
        "smoltrace": __version__,
        "smolagents": installed("smolagents"),
        "genai_otel": installed("genai-otel-instrument") if "genai-otel" in instrument else None,
        "python": platform.python_version(),
    }


def installed(distribution: str) -> str | None:
    """The version of an installed distribution, None where there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def hardware() -> str:
    """The machine in words: architecture, processors."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"


def job(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Which Hugging Face Job this is, from the variables that such a job is started with; nulls elsewhere."""
    return {
        "hf_job_id": environment.get("JOB_ID"),
        "job_type": environment.get("ACCELERATOR") or environment.get("JOB_TYPE"),
    }


def user() -> str | None:
    """The name of the account that runs, None where the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
