"""Threads that run tests: each takes the next, runs it in a fresh context, and commits it before it takes another."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from smoltrace.evaluation.execute import Finished
from smoltrace.evaluation.failures import Failure, classify
from smoltrace.evaluation.plan import PlannedTest

T = TypeVar("T")

CALLS_BEFORE_THE_FIRST_ANSWER = 4
"""How many model calls may be under way before one is answered: a wrong key costs this many, not one a worker."""


class Stopped(BaseException):
    """Raised in a test whose run is stopping. No Exception: an agent must not take it for a failed step and go on."""


class Gate:
    """Stands at the model's boundary: lets few calls through until one is answered, and stops what cannot heal.

    Its `call` is the call policy of the run's tracing. `failure` is what stopped the run, None while nothing has.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.stopping = threading.Event()
        self._answered = False
        self._under_way = 0
        self._change = threading.Condition()

    def stop(self) -> None:
        """Let no further call through."""
        self.stopping.set()
        self._open()

    def call(self, request: Callable[[], T]) -> T:
        """Make one call to the model. Raises Stopped when the run is stopping, else what the call raises."""
        if self._answered:
            return self._guarded(request)
        with self._change:
            self._change.wait_for(lambda: self._answered or self._under_way < CALLS_BEFORE_THE_FIRST_ANSWER)
            self._under_way += 1
        try:
            return self._guarded(request)
        finally:
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def _guarded(self, request: Callable[[], T]) -> T:
        if self.stopping.is_set():
            raise Stopped
        try:
            answer = request()
        except Exception as error:
            failure = classify(error)
            if failure.stops_run:
                self.failure = self.failure or failure
                self.stop()
                raise Stopped from error
            raise
        if not self._answered:
            self._open()
        return answer

    def _open(self) -> None:
        with self._change:
            self._answered = True
            self._change.notify_all()


class Threads:
    """Runs planned tests on `workers` threads. An exception that no test accounts for stops the run, and is raised."""

    def __init__(self, workers: int, gate: Gate) -> None:
        self._workers, self._gate = workers, gate
        self._fault: BaseException | None = None
        self._lock = threading.Lock()

    def run(
        self,
        tests: Iterable[PlannedTest],
        execute: Callable[[PlannedTest], Finished],
        commit: Callable[[Finished], None],
    ) -> None:
        """Run all tests, or as many as are finished when the gate stops them. Returns when every thread has ended.

        Ctrl-C lets the tests that run come to their next model call, and raises KeyboardInterrupt when they are done.
        """
        upcoming = iter(list(tests))
        threads = [
            threading.Thread(target=self._work, args=(upcoming, execute, commit), name=f"smoltrace-{n}", daemon=True)
            for n in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self._gate.stop()
            for thread in threads:
                thread.join()
            raise
        if self._fault is not None:
            raise self._fault

    def _next(self, upcoming: Iterator[PlannedTest]) -> PlannedTest | None:
        with self._lock:
            return None if self._gate.stopping.is_set() else next(upcoming, None)

    def _work(
        self,
        upcoming: Iterator[PlannedTest],
        execute: Callable[[PlannedTest], Finished],
        commit: Callable[[Finished], None],
    ) -> None:
        while (planned := self._next(upcoming)) is not None:
            try:
                # A fresh context: what a test leaves behind in it must not become the parent of the next one's spans.
                commit(contextvars.Context().run(execute, planned))
            except Stopped:
                return
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for this one
                with self._lock:
                    self._fault = self._fault or error
                self._gate.stop()
                return
