"""What run.json says of a run: what was asked for, by whom, with which versions, on which machine, in which lives."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.evaluation.lives.identity import identity_of, local_model, without_password
from smoltrace.evaluation.lives.lives import new_life
from smoltrace.evaluation.lives.machine import hardware, job, user, versions

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.tasks.loaders import TaskSet

SERVICE_NAME = "smoltrace"


def new_manifest(
    config: EvalConfig, tasks: TaskSet, *, run_id: str, spec: ModelSpec, system: str, planned: int
) -> dict[str, Any]:
    """The manifest of a run that begins now: JSON values, no key. `spec` is the resolved model, `planned` the number of
    executions to come."""
    return {
        "run_id": run_id,
        "status": "running",
        "service_name": SERVICE_NAME,
        "model": config.model.model_id,
        "provider": spec.provider,
        "system": system,
        "agent_type": config.agent_type,
        "tasks": {"name": tasks.name, "fingerprint": tasks.fingerprint, "source": str(tasks.source)},
        "num_tests": planned,
        "attempts": config.repeats,
        "generation": config.model.generation.to_json(),
        "stream": config.model.stream,
        **of_this_life(config, spec),
        "identity": identity_of(config, spec, tasks),
        "started_at": datetime.now(UTC).isoformat(),
        "finished_at": None,
        "wall_time_ms": None,
        "lives": [new_life(config.instrument)],
        "versions": versions(config.instrument),
        "hardware": hardware(),
        "job": job(os.environ),
        "submitted_by": config.submitted_by or user(),
        "notes": config.notes,
        "tags": dict(config.tags),
        "references": {"results": None, "traces": None, "metrics": None},
    }


def of_this_life(config: EvalConfig, spec: ModelSpec) -> dict[str, Any]:
    """What a life of a run is asked for, so that the next can be asked for the same from any directory.

    `withheld` names what was left out because it holds a secret, and has to be given again.
    """
    data = config.to_json()
    data["tasks"] = _tasks_place(config.tasks)
    data["price_file"] = _place(data["price_file"])
    for name in ("prompt_file", "working_directory"):
        if name in data["agent"]:
            data["agent"][name] = _place(data["agent"][name])
    address = without_password(spec.base_url)
    data["model"] |= {
        "model_id": local_model(spec) or config.model.model_id,
        "provider": spec.provider,
        "base_url": address,
    }
    withheld = [] if address == spec.base_url else ["base_url"]
    return {
        "config": data,
        "footprint": config.footprint.manifest(),
        "directory": str(Path.cwd()),
        "withheld": withheld,
    }


def _tasks_place(tasks: str) -> str:
    """A file by its whole path; a suite and a dataset on the Hub by their names."""
    from smoltrace.tasks.hub import HUB_PREFIX
    from smoltrace.tasks.suites import builtin_suites

    named = tasks in builtin_suites() or tasks.startswith(HUB_PREFIX)
    return tasks if named else str(Path(tasks).resolve())


def _place(path: str | None) -> str | None:
    return None if path is None else str(Path(path).resolve())
