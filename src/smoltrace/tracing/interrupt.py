"""Threads that can be ended from outside, and exits that wait for none that hangs."""

from __future__ import annotations

import concurrent.futures.thread as pools
import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

AGAIN_S = 0.05
"""A thread that catches what it is told with is told again after this long."""


class StoppableThread(threading.Thread):
    """A daemon that does `work` and can be told to stop while it does: by an exception that is raised in it.

    What waits inside C code, as a sleep or a read does, hears of it when that returns. What is raised last ends the
    thread silently: `work` itself accounts for what matters.

    An exception between any two bytecodes may leave a lock behind that nobody frees: it comes after the lock was taken
    and before the `with` has begun that would give it back, wherever `__enter__` is written in Python, as that of a
    `Condition` or of an HTTP client's pool is. What shares such a lock with others runs `unstopped`.
    """

    def __init__(self, work: Callable[[], Any], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        # Reentrant: a thread that is interrupted while it takes its own lock must be able to take it again.
        self._lock = threading.RLock()
        self._at_work = True
        self._sheltered = False
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
        """Raise `error` in the thread at its next bytecode, or at the end of what is `unstopped`; False when it is no
        longer at work."""
        if not self._lock.acquire(timeout=AGAIN_S):
            return self.is_alive()
        try:
            self._told = error
            return self._at_work and self.ident is not None and (self._sheltered or _raise_in(self.ident, error))
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
    def _shelter(self, sheltered: bool) -> Iterator[None]:
        """For the thread itself. What it is told in a shelter is raised in it where it leaves that."""
        before = self._sheltered
        try:
            with self._lock:  # nothing is raised while it is held; what is on its way arrives when it is given back
                self._sheltered = sheltered
            self._hear()
            yield
        finally:
            with self._lock:
                self._sheltered = before
            self._hear()

    def _hear(self) -> None:
        if self._told is not None and not self._sheltered:
            raise self._told

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


@contextmanager
def unstopped() -> Iterator[None]:
    """Within, this thread is not told to stop, where it is one that can be: it hears of it at the end."""
    with _shelter(True):
        yield


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, this thread can be told to stop, where it is one that can be, also when what is around is `unstopped`."""
    with _shelter(False):
        yield


def _shelter(sheltered: bool) -> AbstractContextManager[None]:
    current = threading.current_thread()
    return current._shelter(sheltered) if isinstance(current, StoppableThread) else nullcontext()


def start_unstopped(thread: threading.Thread) -> None:
    """Start a thread from one that may be told to stop, which it hears of only when the other has started.

    While a thread is born it bears its parent's ident, and the interpreter would raise in the child what is meant for
    the parent: the child would die before it could say that it has started, and the parent would wait for ever.
    """
    with unstopped():
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
