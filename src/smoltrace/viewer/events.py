"""Live changes as server-sent events: one poller looks twice a second, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from smoltrace.viewer.answers import refused
from smoltrace.viewer.asked import run_dir
from smoltrace.viewer.data.shape import to_json
from smoltrace.viewer.watching import RunWatch, State, StoreWatch

if TYPE_CHECKING:
    from starlette.requests import Request

    from smoltrace.store.layout import RunDir
    from smoltrace.viewer.data.board import Board
    from smoltrace.viewer.data.readings import Readings

PAUSE_S: Final = 0.5
BEAT_S: Final = 15.0
LISTENERS: Final = 64
"""A browser has six connections to a server at most, so this is more tabs than anybody looks at."""

logger = logging.getLogger(__name__)


class _Listener:
    """What one stream has to say next: only the newest state, however slowly it is read."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.state: State | None = None
        self.sent: State | None = None
        self.over = False

    def tell(self, state: State | None) -> None:
        """`state` None: what was watched is gone."""
        self.state, self.over = state, state is None
        if self.over or state != self.sent:
            self.news.set()


class _Watched:
    """A run or the store, and those who listen to its changes."""

    def __init__(self, read: Callable[[], State | None]) -> None:
        self.listeners: set[_Listener] = set()
        self._read, self._lock = read, asyncio.Lock()

    async def look(self) -> None:
        """Tell all listeners how it stands."""
        try:
            async with self._lock:
                state = await run_in_threadpool(self._read)
        except Exception as error:  # noqa: BLE001 - one that cannot be watched must not end the watching of all
            # Whoever asks for the data is told what is wrong with them; there is no change to tell of here.
            logger.debug("cannot be watched: %s", error)
            return
        for listener in list(self.listeners):
            listener.tell(state)


class Changes:
    """Who listens to what. Used from one event loop only."""

    def __init__(self, board: Board, readings: Readings) -> None:
        self._board, self._readings = board, readings
        self._watched: dict[str | None, _Watched] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def listeners(self) -> int:
        return sum(len(watched.listeners) for watched in self._watched.values())

    @property
    def polls(self) -> bool:
        """Whether the store is being looked at."""
        return self._poller is not None and not self._poller.done()

    def close(self) -> None:
        """End all streams, those that come later too."""
        self._closed = True
        for watched in self._watched.values():
            for listener in watched.listeners:
                listener.over = True
                listener.news.set()

    async def stream(self, run: RunDir | None) -> AsyncIterator[bytes]:
        """The state of a run, or of the store, as it is and then whenever it has changed, as server-sent events.

        It ends when what is watched is gone, and when `close` is called.
        """
        listener = _Listener()
        watched = self._watch(run, listener)
        try:
            await watched.look()
            while not (listener.over or self._closed):
                if not await _set_within(listener.news, BEAT_S):
                    yield b": beat\n\n"
                    continue
                listener.news.clear()
                state = listener.state
                if state is not None and state != listener.sent:
                    listener.sent = state
                    yield b"event: change\ndata: " + to_json(state._asdict()) + b"\n\n"
        finally:
            watched.listeners.discard(listener)

    def _watch(self, run: RunDir | None, listener: _Listener) -> _Watched:
        key = None if run is None else run.run_id
        if key not in self._watched:
            watch = StoreWatch(self._board) if run is None else RunWatch(run, self._readings)
            self._watched[key] = _Watched(watch.state)
        self._watched[key].listeners.add(listener)
        if not self.polls:
            self._poller = asyncio.create_task(self._poll())
        return self._watched[key]

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_S)
            for key in [key for key, watched in self._watched.items() if not watched.listeners]:
                del self._watched[key]
            if not self._watched or self._closed:
                return
            for watched in list(self._watched.values()):
                await watched.look()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def routes() -> list[Route]:
    return [Route("/api/events", _events)]


async def _events(request: Request) -> Response:
    changes: Changes = request.app.state.changes
    run_id = request.query_params.get("run")
    run = None if not run_id else await run_in_threadpool(run_dir, request.app.state.board, run_id)
    if changes.listeners >= LISTENERS:
        return refused(503, f"{LISTENERS} pages listen to changes already.", "Close some of them, or reload this one.")
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return StreamingResponse(changes.stream(run), media_type="text/event-stream")
