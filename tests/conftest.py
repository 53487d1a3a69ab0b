"""What all tests share: `support` is importable, and nothing outside this machine is asked for anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.model_server import ModelServer

sys.path.insert(0, str(Path(__file__).parent))

# Before any test is collected: LiteLLM, once imported without it, asks the network for prices in the background.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_API_KEY", "HF_TOKEN", "SMOLTRACE_STORE")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than processors for every two: many tests wait for a server, a limit or another process."""
    processors = os.cpu_count() or 1
    return processors + (processors + 1) // 2


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own keys and store must not decide what a test sees."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A fresh scripted OpenAI-compatible server; see support/model_server.py."""
    from support.model_server import ModelServer

    with ModelServer() as server:
        yield server
