"""How a run is told to stop: Ctrl-C, or SIGTERM and SIGHUP, which are taken as one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what runs inside as Ctrl-C does: by KeyboardInterrupt, so that all is kept."""
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and is the one that gets the signals
        return
    before = {each: signal.signal(each, _interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


_OF_TESTS: Final = ("smoltrace-worker", "smoltrace-code", "ThreadPoolExecutor-")
"""Threads of tests: a worker's, that of model-written code, those in which an agent calls several tools at once."""


def leave(code: int) -> None:
    """End the process with this exit code, also when a thread of a test that hung is still at work.

    The interpreter's own end kills such a thread wherever it is, and then waits for the locks that it held.
    """
    if any(thread.daemon and thread.name.startswith(_OF_TESTS) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)
