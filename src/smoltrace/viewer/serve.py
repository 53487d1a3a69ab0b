"""Serving the viewer: a port, the server, its end, and a browser that shows it."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn

from smoltrace.errors import UsageError
from smoltrace.viewer.app import make_app
from smoltrace.viewer.security import Hosts

if TYPE_CHECKING:
    from smoltrace.store.layout import Store
    from smoltrace.viewer.events import Changes

PORT: Final = 7860
_NEXT_PORTS: Final = 20
"""So many ports from the usual one on are tried before any port is taken: a second viewer is easily found."""
_LAST_ANSWERS_S: Final = 3
"""How long answers that are under way may take when the server is to end."""
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class ViewerServer:
    """A viewer that listens, from the moment it is made, and answers while `run` runs.

    `port` None: the usual one, or where that is in use another. `port` 0: any that is free. `is_local` says whether
    only this machine can ask it.
    Raises UsageError when it cannot listen there.
    """

    def __init__(self, store: Store, *, host: str = "127.0.0.1", port: int | None = None) -> None:
        self._socket = listening(host, port)
        address, self.port = self._socket.getsockname()[:2]
        # "0" and "127.1" are addresses as well; a browser writes them out before it asks.
        self.host = str(address) if _is_address(host) else host
        self.is_local = ipaddress.ip_address(address).is_loopback
        self.app = make_app(store, hosts=Hosts.bound_to(self.host))
        config = uvicorn.Config(
            self.app,
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
        )
        self._server = _Server(config, self.app.state.changes)

    @property
    def url(self) -> str:
        """The address of the first page, for a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Answer until `stop`, or in the main thread a signal, ends it; then give the port back.

        `ready` is called when a signal would do so already: whoever learns of the server may end it at once.
        """
        try:
            with self._server.ending_on_signals():
                if ready is not None:
                    ready()
                self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Let `run` end, from any thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Ends streams of live changes when it is to end, and takes a signal as a wish that has been granted."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._changes.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Its own way begins late, and raises the signal again at the end: a viewer that is told to stop did no wrong.
        yield

    @contextlib.contextmanager
    def ending_on_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
        before = {number: signal.signal(number, self._told) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _told(self, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def listening(host: str, port: int | None) -> socket.socket:
    """A socket that listens; see `ViewerServer`. Raises UsageError."""
    family, address = _resolved(host)
    if port is not None:
        return _listening(family, address, port, host)
    for tried in range(PORT, PORT + _NEXT_PORTS):
        with contextlib.suppress(_InUse):
            return _listening(family, address, tried, host)
    return _listening(family, address, 0, host)


class _InUse(UsageError):
    pass


def _resolved(host: str) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host {host}: no such name is known. Write an address of this machine.") from error
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, str(address[0])


def _is_address(host: str) -> bool:
    try:
        socket.getaddrinfo(host.strip("[]"), None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True


def _listening(family: socket.AddressFamily, address: str, port: int, host: str) -> socket.socket:
    # Only to a socket that says so does asyncio give TCP_NODELAY, without which each answer waits 40 ms for its body.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # Elsewhere this option would let two servers have one port.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen()
    except OSError as error:
        made.close()
        raise _refusal(error, port, host) from error
    return made


def _refusal(error: OSError, port: int, host: str) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return _InUse(f"Port {port} is in use. Choose another with --port, or leave --port out to get a free one.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return UsageError(f"Port {port} may not be used by you. Choose one above 1023 with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"--host {host}: this machine has no such address. Write one that it has, or leave it out.")
    return UsageError(f"Nothing can listen at {host}, port {port}: {error.strerror}. Choose another --port or --host.")


def open_in_browser(url: str) -> bool:
    """Show an address in the browser, without waiting for it. False where there is none that could show it."""
    shows = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not shows:
        return False  # there may be a browser that draws text; it would take the terminal
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    threading.Thread(target=browser.open, args=(url,), name="smoltrace-browser", daemon=True).start()
    return True
