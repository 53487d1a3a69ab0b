"""Real stores, made once: sample runs of every kind, and runs of the demonstration model."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import smoltrace_here

from smoltrace.samples.store import make_sample_store
from smoltrace.store.read import Run


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """By what stands behind their number: large, small, llama-8b, llama-70b, preview, demo-interrupted."""
    made = make_sample_store(tmp_path_factory.mktemp("samples") / "store", runs=6, tests=4)
    return {run.run_id.split("-", 2)[2]: Run(run) for run in made.runs}


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that took place, of the demonstration model."""
    return evaluated(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with another instrumentation's spans beside ours."""
    pytest.importorskip("openinference.instrumentation.smolagents")
    return evaluated(tmp_path_factory.mktemp("watched"), "--instrument", "openinference")


def evaluated(folder: Path, *more: str) -> Run:
    from smoltrace.store.layout import Store

    store = folder / "store"
    done = smoltrace_here("eval", "--store", store, "--limit", "3", "--quiet", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return Run(Store(store).latest())
