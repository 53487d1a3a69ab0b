from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.processes import wait_until
from support.viewing import running, viewing

from smoltrace.errors import UsageError
from smoltrace.store.layout import Store
from smoltrace.viewer import serve
from smoltrace.viewer.serve import ViewerServer, listening, open_in_browser


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


@contextlib.contextmanager
def has_ipv6() -> Iterator[None]:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    yield


def test_it_answers_where_it_says_and_gives_the_port_back(tmp_path: Path) -> None:
    server = ViewerServer(Store(tmp_path), port=0)
    assert server.url == f"http://127.0.0.1:{server.port}/"
    with running(server):
        assert httpx.get(server.url).status_code == 200
    listening("127.0.0.1", server.port).close()


def test_what_is_asked_before_it_runs_waits_for_it(tmp_path: Path) -> None:
    server = ViewerServer(Store(tmp_path), port=0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as early:
        early.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with running(server):
            assert early.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_port_that_was_asked_for_and_is_taken_is_an_error_that_says_what_to_do(taken: int) -> None:
    with pytest.raises(UsageError, match=rf"Port {taken} is in use\. Choose another with --port, or leave --port out"):
        listening("127.0.0.1", taken)


def test_where_the_usual_port_is_taken_the_next_is_used(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "PORT", taken)
    with contextlib.closing(listening("127.0.0.1", None)) as found:
        assert found.getsockname()[1] != taken


def test_where_all_the_usual_ports_are_taken_any_is_used(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "PORT", taken)
    monkeypatch.setattr(serve, "_NEXT_PORTS", 1)
    with contextlib.closing(listening("127.0.0.1", None)) as found:
        assert found.getsockname()[1] not in (0, taken)


def test_an_answer_does_not_wait_for_the_one_before_it_to_be_acknowledged(tmp_path: Path) -> None:
    with contextlib.closing(listening("127.0.0.1", 0)) as found:
        assert found.proto == socket.IPPROTO_TCP, "asyncio would set no TCP_NODELAY"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a b", "x" * 300, "192.0.2.1"])
def test_an_address_that_is_not_of_this_machine_is_an_error(host: str) -> None:
    with pytest.raises(UsageError, match="--host"):
        listening(host, 0)


@pytest.mark.parametrize(
    ("host", "begin"), [("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://localhost:"), ("127.0.0.2", "http://")]
)
def test_its_address_is_one_that_a_browser_here_can_open(tmp_path: Path, host: str, begin: str) -> None:
    with viewing(tmp_path, host=host) as client:
        assert str(client.base_url).startswith(begin)
        assert client.get("").status_code == 200


@pytest.mark.parametrize(("host", "written"), [("127.1", "127.0.0.1"), ("0x7f000002", "127.0.0.2"), ("0", "0.0.0.0")])
def test_an_address_is_told_as_browsers_write_it(tmp_path: Path, host: str, written: str) -> None:
    with running(ViewerServer(Store(tmp_path), host=host, port=0)) as server:
        assert server.host == written
        assert httpx.get(server.url).status_code == 200


@pytest.mark.parametrize(("host", "is_local"), [("127.1", True), ("localhost", True), ("::1", True), ("0", False)])
def test_who_can_reach_it_is_told_from_where_it_listens(tmp_path: Path, host: str, is_local: bool) -> None:
    with has_ipv6(), running(ViewerServer(Store(tmp_path), host=host, port=0)) as server:
        assert server.is_local is is_local


@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_an_ipv6_address_is_written_in_brackets(tmp_path: Path, host: str) -> None:
    with has_ipv6(), viewing(tmp_path, host=host) as client:
        assert str(client.base_url).startswith("http://[::1]:")
        assert client.get("").status_code == 200


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_nobody_who_stays_connected_keeps_it_from_ending(tmp_path: Path, begun: bytes) -> None:
    server = ViewerServer(Store(tmp_path), port=0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection, running(server):
        connection.sendall(begun)
        assert httpx.get(server.url).status_code == 200


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="there is always a browser")
class TestTheBrowser:
    @pytest.fixture(autouse=True)
    def none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
            monkeypatch.delenv(name, raising=False)

    def test_is_left_alone_where_nothing_can_be_drawn(self) -> None:
        assert not open_in_browser("http://localhost:1/")

    def test_is_shown_the_address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script, shown = tmp_path / "browser", tmp_path / "shown"
        script.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
        script.chmod(0o755)
        monkeypatch.setenv("BROWSER", f"{script} %s")

        assert open_in_browser("http://localhost:1/run.html?id=a%2Bb&x=1")

        assert wait_until(lambda: shown.exists() and shown.read_text().strip())
        assert shown.read_text() == "http://localhost:1/run.html?id=a%2Bb&x=1\n"
