"""Worker processes: what they see, what they may take, and that none is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace
from support.model_scripts import agent_kind, call_index, markers
from support.model_server import ModelServer, Reply, default_script
from support.processes import wait_until, workers_of

import smoltrace as public
from smoltrace.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

CANARY = "canary-Zq83hfLs02mXcvPw91Kd"
TOOLS = f'''
from pathlib import Path
import os
from smolagents import tool

@tool
def peek(task: str) -> str:
    """Looks for the secret.

    Args:
        task: anything
    """
    here = os.environ.get("MY_SERVICE_TOKEN") == "{CANARY}"
    started = "{CANARY}".encode() in Path("/proc/self/environ").read_bytes()
    parent = "{CANARY}".encode() in Path(f"/proc/{{os.getppid()}}/environ").read_bytes()
    return f"in its environment: {{here}}, at its start: {{started}}, in its parent: {{parent}}"
'''
AGENT = """
import sys

def make_agent(model, tools, agent_type):
    if "smoltrace.evaluation.engines.worker" in sys.modules or "__main__" in sys.modules and hasattr(
        sys.modules["__main__"], "Nursery"
    ):
        raise RuntimeError("no agent in a worker")
"""
CODE = {"greedy": "text = 'a' * (1 << 31)\nprint(len(text))", "endless": "sum(range(10**12))"}


def script(request: dict[str, Any], index: int) -> Reply:
    test = markers(request).get("test", "")
    if agent_kind(request) == "code" and call_index(request) == 0 and test in CODE:
        return Reply(content=f"Thought: well.\n<code>\n{CODE[test]}\n</code>")
    return default_script(request, index)


def arguments(folder: Path, server: ModelServer, name: str, kind: str, prompt: str = "") -> list[str]:
    task = {"id": name, "agent_type": kind, "prompt": f"[test:{name}] {prompt} What is 6 * 7?"}
    (folder / "tasks.jsonl").write_text(json.dumps(task))
    (folder / "my_tools.py").write_text(TOOLS)
    (folder / "my_agents.py").write_text(AGENT)
    return [
        *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--store", "store"),
        *("--engine", "processes", "--workers", "2"),
    ]


def only_test(folder: Path) -> Any:
    (test,) = public.load_run("latest", folder / "store").tests()
    return test


@pytest.mark.parametrize("passed", [False, True])
def test_workers_see_no_secret_unless_it_is_passed_on(tmp_path: Path, passed: bool) -> None:
    with ModelServer(script) as server:
        given = arguments(tmp_path, server, "peeks", "tool", "[tool:peek] [steps:1]")
        more = ["--pass-env", "MY_SERVICE_TOKEN"] if passed else []
        done = smoltrace(*given, "--tools", "my_tools:peek", *more, cwd=tmp_path, env={"MY_SERVICE_TOKEN": CANARY})
    assert done.returncode == 0, done.stderr
    assert (
        f"in its environment: {passed}, at its start: False, in its parent: False"
        in only_test(tmp_path).result["response"]
    )


def test_code_that_wants_too_much_memory_is_refused_it(tmp_path: Path) -> None:
    with ModelServer(script) as server:
        given = arguments(tmp_path, server, "greedy", "code")
        done = smoltrace(*given, "--memory-mb", "500", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    test = only_test(tmp_path)
    assert test.result["error_type"] is None
    failed = [span.status_description for span in test.spans if span.name.startswith("step") and span.status == "ERROR"]
    assert len(failed) == 1
    assert "MemoryError" in str(failed[0])


def test_workers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    with ModelServer(script) as server:
        program = Path(sys.executable).parent / "smoltrace"
        run = subprocess.Popen(
            [program, *arguments(tmp_path, server, "endless", "code")],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert wait_until(lambda: server.ledger())
        assert len(workers_of(tmp_path)) >= 2
        run.kill()
        run.wait()
        assert wait_until(lambda: not workers_of(tmp_path))


def test_an_agent_that_cannot_be_made_in_a_worker_costs_nothing(tmp_path: Path) -> None:
    with ModelServer(script) as server:
        given = arguments(tmp_path, server, "any", "tool")
        done = smoltrace(*given, "--agent", "my_agents:make_agent", cwd=tmp_path)
        assert server.ledger() == []
    assert done.returncode == 2
    assert "my_agents:make_agent" in done.stderr
    assert "Traceback" not in done.stderr
    assert not workers_of(tmp_path)


def test_a_model_object_cannot_be_sent_to_a_worker() -> None:
    from smoltrace.agents.demo import DemoModel

    with pytest.raises(UsageError, match="worker processes"):
        public.evaluate(model=DemoModel("demo"), engine="processes")


def test_what_tools_print_is_no_output_of_the_command(tmp_path: Path) -> None:
    with ModelServer(script) as server:
        given = arguments(tmp_path, server, "prints", "tool", "[tool:chatty] [steps:1]")
        (tmp_path / "my_tools.py").write_text(
            TOOLS.replace("def peek", "def chatty").replace("here =", "print('HELLO')\n    here =")
        )
        done = smoltrace(*given, "--tools", "my_tools:chatty", "--json", cwd=tmp_path, env=dict(os.environ))
    assert json.loads(done.stdout)["num_tests"] == 1
    assert "HELLO" in done.stderr
