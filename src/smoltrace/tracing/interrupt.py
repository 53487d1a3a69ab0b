"""Ending threads that nobody waits for any more."""

from __future__ import annotations

import concurrent.futures.thread as pools
import ctypes
import threading
import time
from collections.abc import Iterable

AGAIN_S = 0.05
"""A thread that catches what it is told with is told again after this long."""


def interrupt_thread(ident: int, error: type[BaseException]) -> bool:
    """Raise `error` in the thread of this `ident` at its next bytecode; False when there is no such thread.

    What waits inside C code, as a sleep or a read does, hears of it when that returns.
    """
    return bool(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error)))


def stop_threads(threads: Iterable[threading.Thread], error: type[BaseException], patience_s: float) -> bool:
    """Interrupt threads until they have ended, for at most `patience_s` seconds; whether all have."""
    until = time.monotonic() + patience_s
    left = [thread for thread in threads if thread.is_alive()]
    while left and time.monotonic() < until:
        for thread in left:
            if thread.ident is not None:
                interrupt_thread(thread.ident, error)
        left[0].join(AGAIN_S)
        left = [thread for thread in left if thread.is_alive()]
    return not left


def abandon_pool_threads() -> None:
    """Let the interpreter exit without waiting for pools that still work for a test: smolagents calls the tools of one
    step in such a pool, and a tool may hang. Their threads are daemons, as the workers are that started them."""
    queues = getattr(pools, "_threads_queues", None)  # private to the standard library: what it waits for at exit
    if queues is not None:
        for thread in list(queues):
            if thread.daemon:
                queues.pop(thread, None)
