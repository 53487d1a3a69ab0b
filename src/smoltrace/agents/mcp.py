"""Tools of MCP servers (Model Context Protocol), given by URL or by command, as smolagents tools.

The connections are opened once, before anything is spent, and shared by all agents of a run: one thread of their own
runs them, and MCP tells the calls of different agents apart. Each server's standard error goes to a temporary file, and
its last lines into the message when the server cannot be reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shlex
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, TextIO

from smoltrace.agents.mcp_tool import McpTool
from smoltrace.errors import MissingExtraError, UsageError

CONNECT_TIMEOUT_S: Final = 30.0
CALL_TIMEOUT_S: Final = 300.0
_CLOSE_TIMEOUT_S: Final = 10.0


class McpServers:
    """`servers`: URLs (`…/sse` speaks SSE, any other streamable HTTP) or commands as one types them in a shell.

    A command gets this process's environment. `connect` may be called again, and `close` without `connect`.
    """

    def __init__(self, servers: Sequence[str], *, connect_timeout: float = CONNECT_TIMEOUT_S) -> None:
        self.servers, self.connect_timeout = tuple(servers), connect_timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing: list[asyncio.Event] = []
        self._tasks: list[Future[None]] = []
        self._found: list[tuple[Any, dict[str, Any]]] = []

    def connect(self) -> None:
        """Open every connection and learn the tools. Raises UsageError that names the server which failed."""
        if not self.servers or self._loop is not None:
            return
        if importlib.util.find_spec("mcp") is None:
            raise MissingExtraError("mcp", "--mcp")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="smoltrace-mcp")
        self._thread.start()
        try:
            for server in self.servers:
                self._open(server, self._loop)
        except BaseException:
            self.close()
            raise

    def tools(self) -> list[McpTool]:
        """A fresh tool for every tool of every server, in the servers' order; none before `connect`."""
        return [McpTool(described, self._caller(session, described["name"])) for session, described in self._found]

    def close(self) -> None:
        """End every connection, and the processes that commands started."""
        if self._loop is None or self._thread is None:
            return
        for closing in self._closing:
            self._loop.call_soon_threadsafe(closing.set)
        for task in self._tasks:
            # Whatever a server does on its way out is of no interest any more.
            with contextlib.suppress(Exception):
                task.result(_CLOSE_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_TIMEOUT_S)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = self._thread = None
        self._closing, self._tasks, self._found = [], [], []

    def _open(self, server: str, loop: asyncio.AbstractEventLoop) -> None:
        ready: Future[tuple[Any, list[dict[str, Any]]]] = Future()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
            task = asyncio.run_coroutine_threadsafe(self._hold(server, ready, noise), loop)
            try:
                session, tools = ready.result(self.connect_timeout)
            except TimeoutError:
                task.cancel()
                problem = f"it did not answer within {self.connect_timeout:g} s"
                raise UsageError(f"--mcp {server}: {problem}{_last_lines(noise)}") from None
            # Anything can fail on the way to somebody's server; all of it means that it cannot be used.
            except Exception as error:
                raise UsageError(f"--mcp {server}: {_innermost(error)}{_last_lines(noise)}") from error
        self._tasks.append(task)
        self._found.extend((session, tool) for tool in tools)

    async def _hold(self, server: str, ready: Future[tuple[Any, list[dict[str, Any]]]], noise: TextIO) -> None:
        """Keep one connection open until closing; enter and leave it in the same task, as anyio demands."""
        closing = asyncio.Event()
        try:
            async with _session(server, noise) as session:
                tools = await _list_tools(session)
                self._closing.append(closing)
                ready.set_result((session, tools))
                await closing.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error if isinstance(error, Exception) else ConnectionError("the connection broke"))
            raise

    def _caller(self, session: Any, name: str) -> Any:
        def call(arguments: dict[str, Any]) -> Any:
            if self._loop is None:
                raise ConnectionError("the connection to the MCP server is closed")
            called = session.call_tool(name, arguments, read_timeout_seconds=CALL_TIMEOUT_S)
            return asyncio.run_coroutine_threadsafe(called, self._loop).result(CALL_TIMEOUT_S + 5)

        return call


@asynccontextmanager
async def _session(server: str, noise: TextIO) -> AsyncIterator[Any]:
    from mcp import ClientSession

    async with AsyncExitStack() as stack:
        reading, writing, *_ = await stack.enter_async_context(_transport(server, noise))
        session = await stack.enter_async_context(ClientSession(reading, writing))
        await session.initialize()
        yield session


def _transport(server: str, noise: TextIO) -> Any:
    if server.startswith(("http://", "https://")):
        if server.partition("?")[0].rstrip("/").endswith("/sse"):
            from mcp.client.sse import sse_client

            return sse_client(server)
        from mcp.client.streamable_http import streamable_http_client

        return streamable_http_client(server)
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client

    words = shlex.split(server)
    if not words:
        raise ValueError("the command is empty; give a URL or a command")
    # Duplicated, because the file closes when the connection stands and the server goes on writing.
    errors = os.fdopen(os.dup(noise.fileno()), "w", encoding="utf-8", errors="replace")
    return stdio_client(StdioServerParameters(command=words[0], args=words[1:], env=dict(os.environ)), errlog=errors)


async def _list_tools(session: Any) -> list[dict[str, Any]]:
    from mcp.types import PaginatedRequestParams

    tools: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        tools.extend(tool.model_dump(by_alias=True, exclude_none=True) for tool in page.tools)
        cursor = page.next_cursor
        if not cursor:
            return tools


def _innermost(error: BaseException) -> str:
    """The first real cause: anyio wraps what failed into groups of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"there is no program {error.filename!r}; give a URL or a command that can be run"
    return f"it cannot be reached or is no MCP server: {type(error).__name__}: {error}".rstrip(": ")


def _last_lines(noise: TextIO, count: int = 3) -> str:
    noise.seek(0)
    lines = [line.strip() for line in noise if line.strip()][-count:]
    return f" (it said: {' | '.join(lines)})" if lines else ""
