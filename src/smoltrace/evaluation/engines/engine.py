"""Runs tests side by side and lets nothing hang: each worker takes the next test, and the engine watches the clock.

What is common to threads and worker processes stands here: who runs, until when, and how all of it comes to an end.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from smoltrace.evaluation.calls.failures import Failure
from smoltrace.tracing.interrupt import StoppableThread, abandon_pool_threads, stoppable, unstopped
from smoltrace.tracing.scope import Stopped

if TYPE_CHECKING:
    from smoltrace.evaluation.calls.governor import Governor
    from smoltrace.evaluation.engines.execute import Bench, RunningTest
    from smoltrace.evaluation.engines.scribe import Finished
    from smoltrace.evaluation.limits import Limits
    from smoltrace.evaluation.plan import PlannedTest

TICK_S = 0.25
"""How often a thread that outlived its test is told again to end."""


class InterruptedAtOnce(KeyboardInterrupt):
    """Ctrl-C came a second time: nothing is waited for any more."""


class Execution(Protocol):
    """A test under way, wherever it runs."""

    planned: PlannedTest

    def execute(self) -> Finished | None:
        """Run the test to its end; None when it was ended from outside meanwhile. Raises Stopped."""

    def give_up(self, failure: Failure) -> Finished | None:
        """End it with what it has so far; None when it has ended by itself."""

    def cancel(self) -> bool:
        """End it without a result; False when it has one already."""


@dataclass(eq=False, slots=True)
class Slot:
    """A worker's place: the thread, the test that it runs, and when that has to be over (`time.monotonic()`)."""

    thread: StoppableThread
    test: Execution | None = None
    deadline: float | None = None
    abandoned: bool = False


@dataclass(eq=False, slots=True)
class _State:
    """What the workers and the engine share, under one lock."""

    upcoming: list[PlannedTest]
    slots: set[Slot] = field(default_factory=set)
    lost: list[StoppableThread] = field(default_factory=list)
    fault: BaseException | None = None
    closing: bool = False

    @property
    def running(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.test is not None]


class Engine:
    """Runs planned tests, `workers` at once.

    `begin` makes an execution of a planned test. A test past the limit's `test_timeout` is ended as `timeout` with the
    spans that it has, and its worker is replaced; what still runs of it is no longer waited for, and with `interrupt`
    it is stopped where it stands.
    """

    def __init__(
        self,
        begin: Callable[[PlannedTest], Execution],
        *,
        workers: int,
        governor: Governor,
        limits: Limits,
        interrupt: bool = True,
    ) -> None:
        self._begin, self._workers, self._governor, self._limits = begin, workers, governor, limits
        self._interrupt = interrupt
        self._boundary: Callable[[], None] = lambda: None
        self._change = threading.Condition()

    def at_boundaries(self, act: Callable[[], None]) -> None:
        """What is to be done whenever a test begins or has ended; it must not wait for anything."""
        self._boundary = act

    def run(self, tests: Iterable[PlannedTest], commit: Callable[[Finished], None]) -> None:
        """Run all tests, or as many as are finished when the governor stops them.

        Ctrl-C starts no further test, gives those that run `grace` seconds to end, and raises KeyboardInterrupt; a
        second one raises InterruptedAtOnce. An exception that no test accounts for stops the run, and is raised.
        """
        self._state = _State(upcoming=list(reversed(list(tests))))
        self._commit = commit
        try:
            try:
                for _ in range(min(self._workers, len(self._state.upcoming))):
                    self._hire()
                self._watch(until=None)
            except KeyboardInterrupt:
                self._wind_down_interrupted()
                raise
            if self._state.slots:
                self._wind_down()
        finally:
            self._leave()
        if self._state.fault is not None:
            raise self._state.fault

    def _wind_down_interrupted(self) -> None:
        try:
            self._wind_down()
        except KeyboardInterrupt as again:
            raise InterruptedAtOnce from again

    def _wind_down(self) -> None:
        """Start nothing more, wait a little for what runs, and end the rest without a result."""
        with self._change:
            self._state.closing = True
            self._change.notify_all()
        self._watch(until=time.monotonic() + self._limits.grace)

    def _leave(self) -> None:
        """Cancel what still runs. Nothing is waited for: a thread that hangs must not keep the process."""
        self._governor.stop()
        with self._change:
            self._state.closing = True
            running = self._state.running
            self._change.notify_all()
        for slot in running:
            self._drop(slot)
        self._interrupt_lost()
        if self._state.lost:
            abandon_pool_threads()

    def _drop(self, slot: Slot) -> None:
        test = slot.test
        if test is not None and test.cancel():
            self._governor.abandon(test.planned.uid)
            self._lose(slot)

    # The watch, in the thread that runs the evaluation

    def _watch(self, until: float | None) -> None:
        """Wait for the workers; end each test whose time is up. Returns when all are done, the run stops, or at `until`
        (`time.monotonic()`)."""
        while True:
            with self._change:
                over = not self._state.slots or (until is None and self._ends_early)
                if over or (until is not None and time.monotonic() >= until):
                    return
                self._change.wait(self._next_look(until))
                late = [slot for slot in self._state.running if slot.deadline and slot.deadline <= time.monotonic()]
            if late:
                self._expire_all(late)
            self._interrupt_lost()

    @property
    def is_stopping(self) -> bool:
        """Whether the run ends before its time: what is not finished now is left for its next life."""
        return self._ends_early or self._state.closing

    @property
    def _ends_early(self) -> bool:
        return self._governor.stopping.is_set() or self._state.fault is not None

    def _next_look(self, until: float | None) -> float:
        """Seconds until something may have to be done. Never long: signals reach Python only between two waits."""
        times = [slot.deadline for slot in self._state.running if slot.deadline is not None]
        times += [] if until is None else [until]
        return max(0.0, min([TICK_S, *(at - time.monotonic() for at in times)]))

    def _expire_all(self, late: list[Slot]) -> None:
        """End all these at once: a worker process that hangs takes its time to be given up, and the last of many must
        not wait for the others. Raises what their commits raise."""
        with ThreadPoolExecutor(len(late), "smoltrace-timeout") as pool:
            for ending in [pool.submit(self._expire, slot) for slot in late]:
                ending.result()

    def _expire(self, slot: Slot) -> None:
        test = slot.test
        if test is None:
            return
        limit = self._limits.test_timeout
        finished = test.give_up(Failure("timeout", f"The test was not over within its {limit:g} s (--test-timeout)."))
        if finished is None:
            return
        self._governor.abandon(test.planned.uid)
        self._lose(slot)
        self._commit(finished)
        with self._change:
            if self._state.upcoming and not self._state.closing:
                self._hire()

    def _lose(self, slot: Slot) -> None:
        """Take a worker off the list: its thread may go on, but for nobody."""
        with self._change:
            slot.abandoned = True
            self._state.slots.discard(slot)
            self._state.lost.append(slot.thread)
            self._change.notify_all()

    def _interrupt_lost(self) -> None:
        if not self._interrupt:
            return
        with self._change:
            self._state.lost = [thread for thread in self._state.lost if thread.is_alive()]
            lost = list(self._state.lost)
        for thread in lost:
            thread.stop(Stopped)

    # The workers, each in its thread

    def _hire(self) -> None:
        with self._change:
            slot = Slot(thread=StoppableThread(lambda: self._serve(slot), name="smoltrace-worker"))
            self._state.slots.add(slot)
        slot.thread.start()

    def _serve(self, slot: Slot) -> None:
        # Only a test is stopped where it stands: what all workers share must not stay locked.
        with unstopped():
            self._work(slot)

    def _work(self, slot: Slot) -> None:
        try:
            while (planned := self._next()) is not None and self._run_one(slot, planned):
                continue
        except Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that runs the evaluation
            if not slot.abandoned:
                with self._change:
                    self._state.fault = self._state.fault or error
                self._governor.stop()
        finally:
            with self._change:
                self._state.slots.discard(slot)
                self._change.notify_all()

    def _next(self) -> PlannedTest | None:
        """The next test; waits while the budget may not last for one more beside those that run."""
        with self._change:
            while self._state.upcoming and not self._state.closing and not self._governor.stopping.is_set():
                if self._governor.may_start():
                    planned = self._state.upcoming.pop()
                    self._governor.started(planned.uid)
                    return planned
                self._change.wait(TICK_S)
            return None

    def _run_one(self, slot: Slot, planned: PlannedTest) -> bool:
        """Run one test; False when it was ended from outside: another worker has taken this one's place."""
        test = self._begin(planned)
        self._boundary()
        limit = self._limits.test_timeout
        with self._change:
            slot.test, slot.deadline = test, None if limit is None else time.monotonic() + limit
            self._change.notify_all()
        try:
            # A fresh context: what a test leaves behind in it must not become the parent of the next one's spans.
            with stoppable():
                finished = contextvars.Context().run(test.execute)
            if finished is None:
                return False
            self._commit(finished)
        finally:
            self._boundary()
            if not slot.abandoned:
                self._governor.abandon(planned.uid)
            with self._change:
                slot.test = slot.deadline = None
                self._change.notify_all()
        return True


def threads(bench: Bench, *, workers: int, governor: Governor, limits: Limits) -> Engine:
    """An engine whose tests run in threads of this process."""

    def begin(planned: PlannedTest) -> RunningTest:
        return bench.begin(planned)

    return Engine(begin, workers=workers, governor=governor, limits=limits)
