"""Threads that can be ended from outside, and exits that wait for none that hangs."""

from __future__ import annotations

import concurrent.futures.thread as pools
import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

AGAIN_S = 0.05
"""A thread that catches what it is told with is told again after this long."""


class StoppableThread(threading.Thread):
    """A daemon that does `work` and can be told to stop while it does: by an exception that is raised in it.

    What waits inside C code, as a sleep or a read does, hears of it when that returns. What is raised last ends the
    thread silently: `work` itself accounts for what matters.
    """

    def __init__(self, work: Callable[[], Any], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        # Reentrant: a thread that is interrupted while it takes its own lock must be able to take it again.
        self._lock = threading.RLock()
        self._at_work = True
        self._told: type[BaseException] | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            if self._told is None or not isinstance(error, self._told):
                raise
        finally:
            self._close()

    def stop(self, error: type[BaseException]) -> bool:
        """Raise `error` in the thread at its next bytecode; False when it is not at work any more."""
        if not self._lock.acquire(timeout=AGAIN_S):
            return self.is_alive()
        try:
            self._told = error
            return self._at_work and self.ident is not None and _raise_in(self.ident, error)
        finally:
            self._lock.release()

    def stop_for_sure(self, error: type[BaseException], patience_s: float) -> bool:
        """Tell the thread to stop until it has ended, for at most `patience_s` seconds; whether it has."""
        until = time.monotonic() + patience_s
        while self.is_alive() and time.monotonic() < until:
            self.stop(error)
            self.join(AGAIN_S)
        return not self.is_alive()

    @contextmanager
    def unstopped(self) -> Iterator[None]:
        """Within, which is for the thread itself, it is not told to stop."""
        with self._lock:
            yield

    def _close(self) -> None:
        """From here on nothing is raised in this thread: an exception would find nobody to take it."""
        while True:
            try:
                with self._lock:
                    self._at_work = False
                    # Only where something may be on its way: CPython 3.11 never ends under a profiler otherwise.
                    if self.ident is not None and self._told is not None:
                        _raise_in(self.ident, None)
                return
            except BaseException:  # noqa: BLE001 - one that was on its way; it has done its work
                continue


def start_unstopped(thread: threading.Thread) -> None:
    """Start a thread from one that may be told to stop, which it hears of only when the other has started.

    While a thread is born it bears its parent's ident, and the interpreter would raise in the child what is meant for
    the parent: the child would die before it could say that it has started, and the parent would wait for ever.
    """
    current = threading.current_thread()
    if isinstance(current, StoppableThread):
        with current.unstopped():
            thread.start()
    else:
        thread.start()


def _raise_in(ident: int, error: type[BaseException] | None) -> bool:
    """Raise an exception in the thread of this ident, or take back one that is on its way."""
    told = None if error is None else ctypes.py_object(error)
    return bool(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), told))


def abandon_pool_threads() -> None:
    """Let the interpreter exit without waiting for pools that still work for a test: smolagents calls the tools of one
    step in such a pool, and a tool may hang. Their threads are daemons, as the workers are that started them."""
    queues = getattr(pools, "_threads_queues", None)  # private to the standard library: what it waits for at exit
    if queues is not None:
        for thread in list(queues):
            if thread.daemon:
                queues.pop(thread, None)
