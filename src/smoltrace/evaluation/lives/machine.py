"""Who and what runs an evaluation: versions, machine, account, job."""

from __future__ import annotations

import getpass
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from smoltrace.version import __version__


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


def hardware(gpus: Iterable[str] = ()) -> str:
    """The machine in words: architecture, processors, and those of its GPUs that were read, by their names."""
    found = [f"{number} × {name}" for name, number in Counter(gpus).items()]
    return ", ".join([f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs", *found])


JOB_TYPE: Final = "SMOLTRACE_JOB_TYPE"
"""Tells a job that we submit what machine it was asked for: ACCELERATOR is `none` for every one without a GPU."""


def job(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Which Hugging Face Job this is, from the variables that such a job is started with; nulls elsewhere."""
    accelerator = environment.get("ACCELERATOR")
    return {
        "hf_job_id": environment.get("JOB_ID"),
        "job_type": environment.get(JOB_TYPE)
        or (None if accelerator == "none" else accelerator)
        or environment.get("JOB_TYPE"),
    }


def user() -> str | None:
    """The name of the account that runs, None where the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
