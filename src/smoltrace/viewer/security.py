"""Who may ask the viewer what: traces hold whatever people wrote to their models, so no other site may read them.

A browser lets any page send requests to this machine. Three things keep it from reading the answers: the Host must be
a name of this server, which a name that was rebound to it is not; a request must not come from a page of another site;
and what it answers bears no CORS header, and headers that forbid its use elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from smoltrace.viewer.answers import refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_METHODS: Final = frozenset({"GET", "HEAD"})
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_NO_PAGES: Final = ("/api/", "/static/")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names by which the viewer may be asked, besides those of the loopback interface.

    `addresses`: also by any address that is written as a number. No DNS can make such a one point elsewhere.
    """

    names: frozenset[str] = frozenset()
    addresses: bool = False

    @classmethod
    def bound_to(cls, host: str) -> Hosts:
        """The names of a server that listens on `host`: that one, and of one that listens everywhere this machine's."""
        address = _address(host)
        if address is None or not address.is_unspecified:
            return cls(frozenset({host.lower().removesuffix(".") if address is None else str(address)}))
        return cls(frozenset({socket.gethostname().lower(), socket.getfqdn().lower()}), addresses=True)

    def allow(self, authority: str) -> bool:
        """Whether a Host header, with or without a port, names this server."""
        found = _AUTHORITY.fullmatch(authority)
        if found is None:
            return False
        name = found[1].strip("[]").lower().removesuffix(".")
        address = _address(name)
        if address is not None and (self.addresses or address.is_loopback):
            return True
        return name == "localhost" or (name if address is None else str(address)) in self.names


class Guard:
    """ASGI middleware: refuses what no page of the viewer asks for, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if (why := self._refusal(Headers(scope=scope), scope["path"])) is not None:
            await refused(403, *why)(scope, receive, send_guarded)
        elif scope["method"] not in _METHODS:
            answer = refused(405, f"{scope['method']} is not for here.", "The viewer changes nothing: use GET.")
            answer.headers["Allow"] = "GET, HEAD"
            await answer(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, path: str) -> tuple[str, str] | None:
        """What is wrong with a request and what to do; None where nothing is."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.allow(hosts[0]):
            return "This is not the name of this server.", "Use the address that 'smoltrace view' printed."
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{hosts[0]}".lower(), f"https://{hosts[0]}".lower()):
            return _ANOTHER_SITE
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not _follows_a_link(headers, path):
            return _ANOTHER_SITE
        return None


_ANOTHER_SITE: Final = ("A page of another site asks for this.", "Open the viewer's own address in the browser.")


def _follows_a_link(headers: Headers, path: str) -> bool:
    """Whether somebody opens a page of ours from elsewhere: what is shown then is out of that site's reach."""
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return navigates and not path.startswith(_NO_PAGES)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
