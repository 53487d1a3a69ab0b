"""Signals that reach a run with worker processes, all of it or a part: nothing is lost, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace
from support.model_server import ModelServer
from support.processes import wait_until, workers_of

from smoltrace.store.contents import results_in
from smoltrace.store.layout import Store
from smoltrace.store.lines import index_results

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

TOOLS = '''
import ctypes, multiprocessing, os, signal, subprocess, sys, time, uuid
from pathlib import Path
from smolagents import tool

@tool
def held(task: str) -> str:
    """Waits until it may go on.

    Args:
        task: anything
    """
    name = uuid.uuid4().hex
    Path("begun-" + name).touch()
    while not (Path("go-" + name).exists() or Path("go-all").exists()):
        time.sleep(0.02)
    if Path("die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return "went on"

@tool
def starts(task: str) -> str:
    """Starts a program, and hangs.

    Args:
        task: anything
    """
    child = subprocess.Popen(["sleep", "1000"])
    Path("child").write_text(str(child.pid))
    if Path("in-c").exists():
        ctypes.PyDLL(None).sleep(1000)
    time.sleep(1000)
    return "never"

@tool
def tells(task: str) -> str:
    """Tells how what it starts takes signals.

    Args:
        task: anything
    """
    asks = "import signal as s; print(*(s.getsignal(n).name for n in (s.SIGTERM, s.SIGHUP)))"
    started = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True).stdout.strip()
    forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
    forked.start()
    forked.terminate()
    forked.join(20)
    forked.kill()
    return f"started: {started}, forked: {forked.exitcode}"
'''


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as serving:
        yield serving


def arguments(folder: Path, server: ModelServer, tool: str, tests: int = 1) -> list[str]:
    tasks = [{"id": f"t{n}", "prompt": f"[test:t{n}] [tool:{tool}] [steps:1] What is 6 * 7?"} for n in range(tests)]
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    (folder / "my_tools.py").write_text(TOOLS)
    return [
        *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--store", "store", "--run-id", "r"),
        *("--agent-type", "tool", "--tools", f"my_tools:{tool}", "--engine", "processes", "--workers", "2"),
    ]


def start(folder: Path, given: list[str]) -> subprocess.Popen[str]:
    program = Path(sys.executable).parent / "smoltrace"
    return subprocess.Popen([program, *given], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def hold_two(folder: Path, server: ModelServer) -> subprocess.Popen[str]:
    """A run of three tests, two of which are held in their tools."""
    run = start(folder, arguments(folder, server, "held", 3))
    assert wait_until(lambda: len(list(folder.glob("begun-*"))) == 2)
    return run


def let_go(folder: Path) -> None:
    for begun in list(folder.glob("begun-*")):
        (folder / begun.name.replace("begun-", "go-")).touch()


def rows(folder: Path) -> list[dict[str, Any]]:
    run = Store(folder / "store").run("r")
    return list(results_in(run, index_results(run.results_journal)))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_signal_to_all_processes_of_a_run_kills_no_test(
    tmp_path: Path, server: ModelServer, number: signal.Signals
) -> None:
    run = hold_two(tmp_path, server)
    for pid in (*workers_of(tmp_path), run.pid):
        os.kill(pid, number)
    let_go(tmp_path)
    _, errors = run.communicate()
    assert run.returncode == 3, errors
    assert [row["status"] for row in rows(tmp_path)] == ["completed"] * 2


@pytest.mark.slow
def test_a_test_whose_worker_dies_when_the_run_is_being_stopped_is_left_for_the_next_life(
    tmp_path: Path, server: ModelServer
) -> None:
    run = hold_two(tmp_path, server)
    run.terminate()
    time.sleep(1)  # the signal is there first
    (tmp_path / "die").touch()
    let_go(tmp_path)
    _, errors = run.communicate()
    assert run.returncode == 3, errors
    assert rows(tmp_path) == []
    (tmp_path / "die").unlink()
    (tmp_path / "go-all").touch()
    done = smoltrace("resume", "r", "--store", "store", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in rows(tmp_path)] == ["completed"] * 3


def test_what_tools_start_takes_signals_as_any_program_does(tmp_path: Path, server: ModelServer) -> None:
    done = smoltrace(*arguments(tmp_path, server, "tells"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = rows(tmp_path)
    assert "started: SIG_DFL SIG_DFL, forked: -15" in row["response"]


@pytest.mark.parametrize("in_c", [False, True])
def test_what_tools_have_started_ends_with_a_run_that_is_killed(
    tmp_path: Path, server: ModelServer, in_c: bool
) -> None:
    if in_c:
        (tmp_path / "in-c").touch()
    run = start(tmp_path, arguments(tmp_path, server, "starts"))
    told = tmp_path / "child"
    assert wait_until(lambda: told.exists() and told.read_text())
    child = int(told.read_text())
    try:
        assert is_alive(child)
        run.kill()
        run.wait()
        assert wait_until(lambda: not is_alive(child) and not workers_of(tmp_path))
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
