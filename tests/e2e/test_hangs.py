"""Whatever hangs in a test, the test ends at its limit, with what it has, and nothing else is held up by it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace
from support.model_scripts import agent_kind, markers
from support.model_server import ModelServer, Reply, default_script
from support.processes import workers_of

import smoltrace as public
from smoltrace.books import names

LIMIT_S = 5

TOOLS = '''
import time
from smolagents import tool

@tool
def sleepy(task: str) -> str:
    """Sleeps for an hour.

    Args:
        task: anything
    """
    time.sleep(3600)
    return "awake"

@tool
def suicidal(task: str) -> str:
    """Ends the process that it runs in.

    Args:
        task: anything
    """
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"

@tool
def frozen(task: str) -> str:
    """Sleeps where Python has no say.

    Args:
        task: anything
    """
    import ctypes
    ctypes.PyDLL(None).sleep(3600)
    return "awake"
'''

CODE = {
    "loop": "while True:\n    pass",
    "stubborn": "while True:\n    try:\n        while True:\n            pass\n    except:\n        pass",
    "sleep": "import time\ntime.sleep(3600)",
    "locked": "sum(range(10**12))",
}


def script(request: dict[str, Any], index: int) -> Reply:
    test = markers(request).get("test", "")
    # At every step anew: smolagents ends a loop by itself after a million rounds, and lets the agent go on.
    if agent_kind(request) == "code" and test in CODE:
        return Reply(content=f"Thought: this may take a while.\n<code>\n{CODE[test]}\n</code>")
    return default_script(request, index)


def tasks(folder: Path, *rows: tuple[str, str, str]) -> Path:
    """A tasks file of (id, agent type, more of the prompt), and the tools that hang."""
    lines = [
        {"id": name, "agent_type": kind, "prompt": f"[test:{name}] {more} What is 6 * 7?"} for name, kind, more in rows
    ]
    file = folder / "tasks.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    (folder / "hang_tools.py").write_text(TOOLS)
    return file


def run(folder: Path, server: ModelServer, *options: str) -> public.Run:
    done = smoltrace(
        *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--tools"),
        "default,hang_tools:sleepy,hang_tools:suicidal,hang_tools:frozen",
        *("--store", "store", "--test-timeout", str(LIMIT_S), *options),
        cwd=folder,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return public.load_run("latest", folder / "store")


def by_test(found: public.Run) -> dict[str, Any]:
    return {test.result["test_id"]: test for test in found.tests()}


def assert_timed_out(test: Any) -> None:
    row = test.result
    assert (row["status"], row["error_type"]) == ("timeout", "timeout")
    assert "--test-timeout" in row["error"]
    assert LIMIT_S - 0.5 < row["execution_time_ms"] / 1000 <= LIMIT_S + 2
    assert not row["success"]
    root = next(span for span in test.spans if span.parent_span_id is None)
    assert root.status == "ERROR"
    assert root.attributes[names.ERROR_TYPE] == "timeout"
    ids = {span.span_id for span in test.spans}
    assert all(span.parent_span_id in ids for span in test.spans if span is not root)
    assert any(span.attributes.get(names.UNFINISHED) for span in test.spans)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_what_hangs_ends_at_its_limit_and_the_others_go_on(tmp_path: Path, engine: str) -> None:
    hanging = [
        ("tool_sleeps", "tool", "[tool:sleepy]"),
        ("tools_sleep", "tool", "[tool:sleepy] [parallel]"),
        ("code_calls_sleeper", "code", "[tool:sleepy]"),
        ("loop", "code", ""),
        ("stubborn", "code", ""),
        ("sleep", "code", ""),
        ("silent", "tool", ""),
    ]
    fine = [(f"fine{n}", kind, "") for n in range(4) for kind in ("tool", "code")][::2]
    tasks(tmp_path, *hanging, *fine)
    with ModelServer(script) as server:
        server.add_fault("hang", test="silent")
        began = time.monotonic()
        found = by_test(run(tmp_path, server, "--engine", engine, "--workers", "3", "--authorized-imports", "time"))
        assert time.monotonic() - began < 90
        served = server.totals()
    for name, _, _ in hanging:
        assert_timed_out(found[name])
    for name, _, _ in fine:
        assert found[name].result["status"] == "completed"
    rows = [test.result for test in found.values()]
    assert sum(row["gen_ai.usage.total_tokens"] or 0 for row in rows) == served["input"] + served["output"]


@pytest.mark.slow
def test_a_worker_process_is_killed_also_where_python_has_no_say(tmp_path: Path) -> None:
    tasks(tmp_path, ("locked", "code", ""), ("fine", "code", ""), ("fine_too", "tool", ""))
    with ModelServer(script) as server:
        found = by_test(run(tmp_path, server, "--engine", "processes", "--workers", "2"))
    assert_timed_out(found["locked"])
    assert [span.name for span in found["locked"].spans if span.name.startswith("chat")] == ["chat m"]
    assert found["locked"].result["llm_calls"] == 1
    assert found["fine"].result["status"] == found["fine_too"].result["status"] == "completed"
    assert not workers_of(tmp_path)


@pytest.mark.slow
def test_many_frozen_worker_processes_all_end_at_their_limit(tmp_path: Path) -> None:
    names = [f"frozen{n}" for n in range(10)]
    tasks(tmp_path, *((name, "tool", "[tool:frozen]") for name in names))
    with ModelServer(script) as server:
        found = by_test(run(tmp_path, server, "--engine", "processes", "--workers", "10"))
    for name in names:
        assert_timed_out(found[name])
    assert not workers_of(tmp_path)


def test_a_worker_process_that_dies_takes_only_its_test_with_it(tmp_path: Path) -> None:
    tasks(tmp_path, ("dies", "tool", "[tool:suicidal]"), ("fine", "code", ""), ("fine_too", "tool", ""))
    with ModelServer(script) as server:
        found = by_test(run(tmp_path, server, "--engine", "processes", "--workers", "1"))
    row = found["dies"].result
    assert (row["status"], row["error_type"], row["llm_calls"]) == ("error", "worker_lost", 1)
    assert "SIGKILL" in row["error"]
    assert found["fine"].result["status"] == found["fine_too"].result["status"] == "completed"
