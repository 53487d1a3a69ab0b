"""What all tests share: `support` is importable, and nothing outside this machine is asked for anything."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from support.model_server import ModelServer

sys.path.insert(0, str(Path(__file__).parent))

# Before any test is collected: LiteLLM, once imported without it, asks the network for prices in the background.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_API_KEY", "HF_TOKEN", "SMOLTRACE_STORE")


PLAIN = Path(__file__).parent / "support" / "plain"
LAWS = {"quick": 30, "thorough": 100}
"""Examples of each law: in the normal line, and in the slow one, which has all laws too."""


def thorough(config: pytest.Config) -> bool:
    return "not slow" not in config.option.markexpr


def pytest_configure(config: pytest.Config) -> None:
    """How long an example takes refutes no law: that depends on what else runs. And Ctrl-C means the same wherever
    the tests are run: a shell starts what it puts in the background with SIGINT and SIGQUIT ignored, and so would
    every process that a test starts."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    examples = LAWS["thorough" if thorough(config) else "quick"]
    settings.register_profile("smoltrace", deadline=None, max_examples=examples)
    settings.load_profile("smoltrace")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if thorough(config) and getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("slow")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than processors for every two: many tests wait for a server, a limit or another process."""
    processors = os.cpu_count() or 1
    return processors + (processors + 1) // 2


@pytest.fixture(scope="session", autouse=True)
def cheap_processes(pytestconfig: pytest.Config) -> Iterator[None]:
    """Processes that tests start find no PyTorch (see support/plain), and each module is compiled by one of them only:
    where no bytecode may lie beside the modules, it lies in pytest's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PLAIN), prepend=os.pathsep)
        if sys.dont_write_bytecode and pytestconfig.cache is not None:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(pytestconfig.cache.mkdir("bytecode")))
        yield


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
