"""The viewer as browsers meet it: a real server on a real port, and a client."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from smoltrace.store.layout import Store
from smoltrace.viewer.serve import ViewerServer


@contextmanager
def running(server: ViewerServer) -> Iterator[ViewerServer]:
    """Let a server answer in a thread of its own."""
    thread = threading.Thread(target=server.run, name="viewer", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive(), "the viewer does not end"


@contextmanager
def viewing(store: Path, **options: Any) -> Iterator[httpx.Client]:
    """A client of a viewer that shows this store; addresses are relative to its first page."""
    server = ViewerServer(Store(store), **{"port": 0, **options})
    with running(server), httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


@contextmanager
def serving_files(folder: Path, *, says_gzip: bool = False) -> Iterator[str]:
    """The address of a plain server of files, as `python -m http.server` is one. `says_gzip`: it sends what ends in .gz
    as the compressed form of something else, so that browsers decompress it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing: what fails is told by who asked."""

        def end_headers(self) -> None:
            if says_gzip and self.path.endswith(".gz"):
                self.send_header("Content-Encoding", "gzip")
            super().end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def raw(url: httpx.URL, request: bytes) -> bytes:
    """What a server answers to these bytes, to the end of the connection."""
    with socket.create_connection((url.host, url.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


class Stream:
    """The events of `/api/events`, one after another."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def block(self) -> list[str]:
        """The lines of the next block, which an empty line ends; [] at the end of the stream."""
        lines: list[str] = []
        for line in self._lines:
            if not line:
                return lines
            lines.append(line)
        return lines

    def change(self) -> dict[str, Any] | None:
        """The next change; None at the end of the stream."""
        while block := self.block():
            if block[0] == "event: change":
                found: dict[str, Any] = json.loads(block[1].removeprefix("data: "))
                return found
        return None


@contextmanager
def listening(client: httpx.Client, run: str | None = None) -> Iterator[Stream]:
    with client.stream("GET", "api/events", params={} if run is None else {"run": run}) as response:
        yield Stream(response)
