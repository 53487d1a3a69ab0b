"""Real receivers of traces, as servers of their own that a test starts and ends.

Each lives in a virtual environment of its own. SMOLTRACE_TEST_PHOENIX and SMOLTRACE_TEST_MLFLOW name one that is there
(its folder, or its python); without, one is made in pytest's cache, which takes a minute or two the first time.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support.processes import wait_until

from smoltrace.store.lock import locked

QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "PHOENIX_TELEMETRY_ENABLED": "false"}
START_S = 180


def python_with(requirement: str, variable: str, cache: pytest.Cache | None) -> Path:
    """The python of an environment that has this package; skips the test where there is none and none can be made."""
    if named := os.environ.get(variable):
        python = Path(named) if Path(named).is_file() else Path(named) / "bin" / "python"
        if not python.exists():
            pytest.fail(f"${variable} names {named}, where there is no python")
        return python
    if cache is None:
        pytest.skip(f"{requirement} needs pytest's cache, or ${variable}")
    folder = Path(cache.mkdir("backends")) / requirement
    python = folder / "bin" / "python"
    # Tests of one server may run in several processes.
    with locked(folder.parent / f"{requirement}.lock"):
        if (folder / "complete").exists():
            return python
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, env=_plain())
        install = [python, "-m", "pip", "install", "-q", requirement]
        made = subprocess.run(install, capture_output=True, text=True, env=_plain(), check=False)
        if made.returncode != 0:
            pytest.skip(f"{requirement} cannot be installed here: {made.stderr.strip().splitlines()[-1:]}")
        (folder / "complete").touch()
    return python


def _plain() -> dict[str, str]:
    """What this process was started with, without what is for its own python and its own traces."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OTEL_"))}


@contextmanager
def served(command: list[str], folder: Path, environment: Mapping[str, str], healthy: str) -> Iterator[None]:
    """Run a server in a folder until the block ends; it is there when `healthy` answers."""
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**_plain(), **QUIET, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        assert wait_until(lambda: server.poll() is not None or _answers(healthy), START_S), log.read_text()[-3000:]
        assert server.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def asked(url: str, body: Any = None) -> Any:
    """What a server answers with as JSON; `body` makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
