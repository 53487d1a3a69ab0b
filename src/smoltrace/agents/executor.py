"""Runs the code that a model wrote, in smolagents' restricted interpreter, and lets go of it when its time is up.

smolagents runs timed code in a pool of one thread, and leaving the pool waits for the thread: code that hangs holds the
agent for good. Its thread also knows nothing of the caller's context. Here the code has a thread of its own that shares
the caller's context, is stopped when its time is up, and is not waited for.
"""

from __future__ import annotations

import contextvars
import threading
import time
from typing import Any, Final

from smolagents.local_python_executor import (
    MAX_EXECUTION_TIME_SECONDS,
    CodeOutput,
    ExecutionTimeoutError,
    LocalPythonExecutor,
)

from smoltrace.tracing.interrupt import StoppableThread, start_unstopped
from smoltrace.tracing.scope import Stopped

SLICE_S: Final = 0.05
"""A thread that waits hears of an exception that another raises in it only between two waits."""
PATIENCE_S: Final = 30.0
"""How long code that catches what it is stopped with is told again."""


class LocalExecutor(LocalPythonExecutor):  # type: ignore[misc,unused-ignore]
    """smolagents' local executor with a time limit that holds: `timeout_seconds` for one piece of code, None for none.

    Python code is stopped where it stands. What waits in C code, as a sleep does, goes on in the background until it
    returns; the agent does not wait for it.
    """

    def __init__(
        self,
        additional_authorized_imports: list[str],
        *,
        timeout_seconds: float | None = MAX_EXECUTION_TIME_SECONDS,
        **settings: Any,
    ) -> None:
        super().__init__(additional_authorized_imports, timeout_seconds=None, **settings)
        self.limit_s = timeout_seconds

    def __call__(self, code_action: str) -> CodeOutput:
        """Raises what the code raises, and ExecutionTimeoutError when its time is up."""
        piece = _Piece()
        run, execute = contextvars.copy_context().run, super().__call__
        thread = StoppableThread(lambda: run(piece.run, execute, code_action), name="smoltrace-code")
        try:
            start_unstopped(thread)
            self._wait(piece)
        except BaseException:
            _stop(thread)
            raise
        return piece.result()

    def _wait(self, piece: _Piece) -> None:
        until = None if self.limit_s is None else time.monotonic() + self.limit_s
        while not piece.over.wait(SLICE_S):
            if until is not None and time.monotonic() >= until:
                raise ExecutionTimeoutError(
                    f"Code execution exceeded the maximum execution time of {self.limit_s:g} seconds"
                )


class _Piece:
    """One piece of code, and what came of it."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._output: CodeOutput | None = None
        self._error: BaseException | None = None

    def run(self, execute: Any, code: str) -> None:
        try:
            self._output = execute(code)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._error = error
        self.over.set()

    def result(self) -> CodeOutput:
        if self._error is not None:
            raise self._error
        return self._output


def _stop(thread: StoppableThread) -> None:
    """Stop a thread that nobody waits for any more, without waiting for it."""
    patient = threading.Thread(
        target=thread.stop_for_sure, args=(Stopped, PATIENCE_S), name="smoltrace-reaper", daemon=True
    )
    start_unstopped(patient)
