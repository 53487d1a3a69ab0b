"""Tools of real MCP servers, each in a process of its own, over all three transports."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from smoltrace.agents import mcp as smoltrace_mcp
from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.mcp import McpServers
from smoltrace.agents.spec import AgentSpec
from smoltrace.errors import MissingExtraError, UsageError

pytestmark = pytest.mark.skipif(find_spec("mcp") is None, reason="mcp is not installed")

SERVER = Path(__file__).parents[1] / "support" / "mcp_server.py"
COMMAND = shlex.join([sys.executable, str(SERVER)])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(transport: str) -> Iterator[str]:
    """What `--mcp` is given for a server that runs and is reached over HTTP."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(SERVER), transport, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a server for all tests to which it is all the same how it is reached."""
    with serving("streamable-http") as address:
        yield address


@pytest.fixture(params=["stdio", "streamable-http", "sse"])
def server(request: pytest.FixtureRequest, address: str) -> Iterator[str]:
    """What `--mcp` is given for a server, over each transport."""
    if request.param == "sse":
        with serving("sse") as other:
            yield other
    else:
        yield COMMAND if request.param == "stdio" else address


def connected(*servers: str) -> McpServers:
    opened = McpServers(servers)
    opened.connect()
    return opened


def test_tools_are_listed_and_called(server: str) -> None:
    opened = connected(server)
    try:
        tools = {tool.name: tool for tool in opened.tools()}
        assert set(tools) == {"add", "shout_out"}
        assert tools["add"](a=2, b=3) == "sum 5"
        assert tools["add"](2) == "sum 3"
        with pytest.raises(ValueError, match="shout"):
            tools["shout_out"](text="boom")
    finally:
        opened.close()
    with pytest.raises(ConnectionError, match="closed"):
        tools["add"](a=1)


def test_calls_of_many_threads_do_not_mix() -> None:
    opened = connected(COMMAND)
    answers: dict[int, str] = {}
    add = opened.tools()[0]
    threads = [threading.Thread(target=lambda n=n: answers.update({n: add(a=n, b=1000)})) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened.close()
    assert answers == {n: f"sum {n + 1000}" for n in range(32)}


@pytest.mark.parametrize("kind", ["tool", "code"])
def test_an_agent_is_given_them_beside_the_others(address: str, kind: Any) -> None:
    spec = AgentSpec(tools=("calculator",), mcp=(address,))
    with AgentBuilder(spec, DemoModel(first_token_s=0, token_s=0)) as builder:
        builder.check([kind])
        agent = builder.build(kind)
        assert set(agent.tools) == {"calculator", "add", "shout_out", "final_answer"}
        assert "Adds two numbers." in agent.system_prompt
        assert builder.build(kind).tools["add"](a=1) == "sum 2"


def test_two_tools_of_one_name_are_refused(address: str) -> None:
    spec = AgentSpec(mcp=(address, address))
    with (
        AgentBuilder(spec, DemoModel()) as builder,
        pytest.raises(UsageError, match="two tools are named add, shout_out"),
    ):
        builder.check()


def test_closing_ends_the_process_and_may_be_repeated(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(
        f"import os, runpy, pathlib\npathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        f"runpy.run_path({str(SERVER)!r}, run_name='__main__')\n"
    )
    opened = connected(shlex.join([sys.executable, str(script)]))
    process = Path("/proc") / (tmp_path / "pid").read_text()
    opened.close()
    opened.close()
    if Path("/proc").exists():
        for _ in range(100):
            if not process.exists():
                break
            time.sleep(0.05)
        assert not process.exists()


@pytest.mark.parametrize(
    ("server", "complaint"),
    [
        ("http://127.0.0.1:{port}/mcp", "cannot be reached"),
        ("http://127.0.0.1:{port}/sse", "cannot be reached"),
        ("no-such-program-anywhere --flag", "there is no program 'no-such-program-anywhere'"),
        (f"{sys.executable} -c 'raise SystemExit(\"broken inside\")'", "it said: broken inside"),
        ("", "the command is empty"),
    ],
)
def test_a_server_that_cannot_be_used_is_named(server: str, complaint: str) -> None:
    address = server.format(port=free_port())
    with pytest.raises(UsageError, match=f"--mcp .*{complaint}"):
        connected(address)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    silent = McpServers([f"{sys.executable} -c 'import time; time.sleep(30)'"], connect_timeout=0.5)
    with pytest.raises(UsageError, match=r"did not answer within 0\.5 s"):
        silent.connect()


def test_one_bad_server_closes_the_good_ones(address: str) -> None:
    servers = McpServers([address, "no-such-program-anywhere"])
    with pytest.raises(UsageError, match="no-such-program-anywhere"):
        servers.connect()
    assert servers.tools() == []


def test_the_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoltrace_mcp.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="smoltrace\\[mcp\\]"):
        connected(COMMAND)


def test_without_servers_nothing_is_started() -> None:
    threads = threading.active_count()
    opened = connected()
    assert (opened.tools(), threading.active_count()) == ([], threads)
