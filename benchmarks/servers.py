"""Servers in processes of their own, and a client that times their answers."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FILES = """
import functools, http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
server.serve_forever()
"""
PATIENCE_S = 120


@contextmanager
def _running(command: Sequence[str | Path]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def files(folder: Path) -> Iterator[str]:
    """The address of Python's own server of files."""
    with _running([sys.executable, "-c", FILES, folder]) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


@contextmanager
def viewer(store: Path) -> Iterator[str]:
    """The address of `smoltrace view`, as anybody starts it."""
    with _running(smoltrace("view", "--store", store, "--port", "0", "--json")) as process:
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if line.startswith("}"):
                break
        if not told:
            raise SystemExit("smoltrace view did not start: see above.")
        yield json.loads(told)["url"]


def smoltrace(*arguments: str | Path) -> list[str | Path]:
    return [Path(sys.executable).parent / "smoltrace", *arguments]


class Client:
    """One connection that is kept, as a browser's is, and takes answers compressed, as a browser does."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_S)

    def took(self, path: str) -> float:
        """Ms until the whole answer was there."""
        started = time.perf_counter()
        self._content(path)
        return (time.perf_counter() - started) * 1000

    def json(self, path: str) -> Any:
        return json.loads(self._content(path, encoding="identity"))

    def _content(self, path: str, encoding: str = "gzip") -> bytes:
        self._connection.request("GET", "/" + path, headers={"Accept-Encoding": encoding})
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise SystemExit(f"{path} was answered {response.status}: {content[:500]!r}")
        return content


@dataclass(frozen=True)
class Spread:
    median: float
    p99: float


def spread(values: Sequence[float]) -> Spread:
    """p99 is the smallest value that 99 % do not exceed: of few values, the largest."""
    ordered = sorted(values)
    return Spread(statistics.median(ordered), ordered[max(-(-99 * len(ordered) // 100) - 1, 0)])
