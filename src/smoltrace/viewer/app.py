"""The viewer as an ASGI application: pages, static files, data, live changes, downloads. It changes nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from smoltrace.errors import RunNotFoundError, SmoltraceError, UsageError
from smoltrace.store.atomic import disk_error
from smoltrace.viewer import api, downloads, events
from smoltrace.viewer.answers import refused, told
from smoltrace.viewer.data.board import Board
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.pages import PAGES, STATIC, page
from smoltrace.viewer.security import Guard, Hosts
from smoltrace.viewer.statics import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from smoltrace.store.layout import Store

WORTH_GZIP: Final = 1000
"""Bytes from which an answer is compressed."""
_GZIP_LEVEL: Final = 1
"""The quickest: most answers go nowhere but to this machine, and a tenth less of them would take twice the time."""

logger = logging.getLogger(__name__)


def make_app(store: Store, *, hosts: Hosts | None = None) -> Starlette:
    """The viewer of a store, which may be empty or not there yet.

    `hosts` are the names it answers to besides localhost. `app.state.changes.close()` ends the streams of live changes,
    which otherwise go on for as long as somebody listens.
    """
    app = Starlette(
        routes=[
            *(Route(path, _page(screen)) for path, screen in PAGES.items()),
            *api.routes(),
            *downloads.routes(),
            *events.routes(),
            Route("/static/{name:path}", StaticFiles(STATIC).answer),
        ],
        middleware=[
            Middleware(Guard, hosts=hosts or Hosts()),
            Middleware(_Failures),
            Middleware(GZipMiddleware, minimum_size=WORTH_GZIP, compresslevel=_GZIP_LEVEL),
        ],
        exception_handlers={HTTPException: _http_error},
    )
    app.state.board = Board(store)
    app.state.readings = Readings()
    app.state.changes = events.Changes(app.state.board, app.state.readings)
    return app


def _page(screen: str) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        first = api.asked_first(screen, request.query_params)
        return HTMLResponse(page(screen, first=first), headers={"Cache-Control": "no-cache"})

    return show


class _Failures:
    """ASGI middleware: our errors as what they say, any other as one line on standard error and a short word."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if not isinstance(error, UsageError):
                _log(scope, error)
            if begun:
                # An answer that stops in the middle must not look whole: the server cuts the connection.
                raise
            await _answer(error)(scope, receive, send)


def _answer(error: Exception) -> Response:
    if isinstance(error, RunNotFoundError):
        return told(404, error)
    if isinstance(error, UsageError):
        return told(400, error)
    if isinstance(error, OSError):
        error = disk_error(f"read {error.filename or 'the store'}", error)
    if isinstance(error, SmoltraceError):
        return told(500, error)
    return refused(500, "The viewer failed here.", "The terminal where 'smoltrace view' runs says more.")


def _log(scope: Scope, error: Exception) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    logger.error("%s: %s%s", _steering_nothing(scope["path"][:200]), _steering_nothing(said[:500]), place)


def _steering_nothing(text: str) -> str:
    """The text without control characters, which a terminal would obey."""
    return repr(text)[1:-1]


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refused(404, f"There is nothing at {request.url.path}.", "The leaderboard is at /.")
    return refused(error.status_code, str(error.detail))
