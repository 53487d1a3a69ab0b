"""Runs tests in worker processes, which can be killed whatever hangs in them. This side of it is the coordinator's."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import RunIncompleteError, UsageError
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.evaluation.engines.engine import Engine
from smoltrace.evaluation.engines.mirror import Mirror
from smoltrace.evaluation.engines.scribe import record_verdict
from smoltrace.evaluation.engines.wire import (
    Admit,
    Admitted,
    Broken,
    Closed,
    Done,
    GiveUp,
    Line,
    Opened,
    Ready,
    Run,
    Settle,
    Setup,
)
from smoltrace.tracing.scope import LimitReached, Stopped

if TYPE_CHECKING:
    from smoltrace.agents.prompts import AgentType
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.calls.governor import Governor
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.engines.scribe import Finished, Scribe
    from smoltrace.evaluation.plan import PlannedTest

GIVE_UP_S = 0.5
"""How long a worker has to give up a test by itself before it is killed."""
ATTEMPTS = 3
"""How many workers may die before a test begins until that is taken for more than an accident."""
_PRELOAD = {"litellm": ("litellm",), "transformers": ("torch", "transformers")}


@contextmanager
def processes(
    scribe: Scribe,
    config: EvalConfig,
    spec: ModelSpec,
    agent_types: Iterable[AgentType],
    *,
    workers: int,
    governor: Governor,
) -> Iterator[Engine]:
    """An engine whose tests run in worker processes; all of them end with the block.

    Raises UsageError where there are no such processes, and for a model or an agent that cannot be made in one.
    """
    if sys.platform == "win32":
        raise UsageError("--engine processes needs Linux or macOS. Leave it out: tests then run in threads.")
    pool = Pool(_setup(scribe, config, spec, agent_types), _PRELOAD.get(spec.provider, ()))
    try:
        # The governor's first question, while the nursery gets ready: reading price tables takes most of a second.
        scribe.price_book.find(None, spec.model_id, scribe.system, datetime.now(UTC))
        pool.release(pool.lease())

        def begin(planned: PlannedTest) -> RemoteTest:
            return RemoteTest(planned, scribe, governor, pool, lambda: engine.is_stopping)

        # The threads on this side end when their worker is killed.
        engine = Engine(begin, workers=workers, governor=governor, limits=config.limits, interrupt=False)
        yield engine
    finally:
        pool.close()


def _setup(scribe: Scribe, config: EvalConfig, spec: ModelSpec, agent_types: Iterable[AgentType]) -> Setup:
    from smoltrace.agents.environment import needed_by_model, sent_to_worker

    setup = Setup(
        run_id=scribe.run_id,
        system=scribe.system,
        config=config,
        spec=spec,
        secrecy=scribe.secrecy,
        agent_types=frozenset(agent_types),
        resource=scribe.resource,
        secrets=sent_to_worker(os.environ),
        kept=frozenset({*needed_by_model(spec, os.environ), *config.pass_env}),
        path=tuple(sys.path),
        directory=str(Path.cwd()),
    )
    try:
        pickle.dumps(setup)
    except Exception as error:
        raise UsageError(f"--engine processes: the run cannot be sent to another process: {error}") from error
    return setup


class WorkerProcess:
    """A worker: its process, which leads a group of its own, and the line to it."""

    def __init__(self, pid: int, line: Line) -> None:
        self.pid, self.line = pid, line

    def kill(self) -> None:
        """Kill it, with all that its tools have started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # it may not lead its group yet

    def close(self) -> None:
        self.kill()
        self.line.close()


class Pool:
    """The workers of a run: made when they are needed, used again when they are free. Any thread may use it."""

    def __init__(self, setup: Setup, preload: Iterable[str]) -> None:
        self._setup = setup
        self._idle: deque[WorkerProcess] = deque()
        self._all: set[WorkerProcess] = set()
        self._change = threading.Condition()
        self._birth = threading.Lock()
        self._born: deque[int] = deque()
        self._gone: dict[int, int] = {}
        self._closed = False
        self._control, theirs = socket.socketpair()
        from smoltrace.agents.environment import withhold_secrets

        with theirs:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "smoltrace.evaluation.engines.worker", str(theirs.fileno()), *preload],
                pass_fds=(theirs.fileno(),),
                env=withhold_secrets(os.environ),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, name="smoltrace-nursery", daemon=True).start()

    def lease(self) -> WorkerProcess:
        """A worker that is ready. Raises what it could not be made ready for, and Stopped when the run has ended."""
        with self._change:
            self._check()
            if self._idle:
                return self._idle.pop()
        worker = self._start()
        try:
            worker.line.say(self._setup)
            answer = worker.line.hear()
        except (EOFError, OSError) as error:
            self.discard(worker)
            self._check()
            raise RunIncompleteError(
                f"A worker process ended before it was ready: {self.ending_of(worker)}. Run with --engine threads to "
                "see more of why, or give it more memory."
            ) from error
        if not isinstance(answer, Ready):
            self.discard(worker)
            raise answer.error
        return worker

    def release(self, worker: WorkerProcess) -> None:
        """Give back a worker that can be used again."""
        with self._change:
            if worker in self._all:
                self._idle.append(worker)

    def discard(self, worker: WorkerProcess) -> None:
        """Kill a worker: something in it hangs, or it is dead already."""
        with self._change:
            known = worker in self._all
            self._all.discard(worker)
        if known:
            worker.kill()

    def ending_of(self, worker: WorkerProcess) -> str:
        """How a worker has ended, in words."""
        with self._change:
            self._change.wait_for(lambda: worker.pid in self._gone or self._closed, timeout=2)
            status = self._gone.get(worker.pid)
        if status is None:
            return "it went away"
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return f"it ended itself with exit code {code}"
        why = ", as the system does when memory runs out" if code == -signal.SIGKILL else ""
        return f"it was killed by {signal.Signals(-code).name}{why}"

    def close(self) -> None:
        """Kill all workers, and end the nursery."""
        with self._change:
            self._closed = True
            workers, self._all = self._all, set()
            self._change.notify_all()
        for worker in workers:
            worker.kill()
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        try:
            self._nursery.wait(5)
        except subprocess.TimeoutExpired:
            self._nursery.kill()
            self._nursery.wait()

    def _check(self) -> None:
        if self._closed:
            raise Stopped

    def _start(self) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        with self._birth, theirs:
            try:
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            except OSError:
                self._nursery_gone()
            with self._change:
                self._change.wait_for(lambda: self._born or self._closed or self._nursery_ended)
                self._check()
                if not self._born:
                    self._nursery_gone()
                pid = self._born.popleft()
                worker = WorkerProcess(pid, Line(Connection(ours.detach())))
                self._all.add(worker)
        return worker

    def _nursery_gone(self) -> None:
        self._check()
        code = self._nursery.wait()
        raise RunIncompleteError(
            f"The process that starts the workers ended with exit code {code}; see its message above."
        )

    _nursery_ended = False

    def _listen(self) -> None:
        """Hear from the nursery who was born and who has ended."""
        try:
            with self._control.makefile("r") as lines:
                for line in lines:
                    word, *numbers = line.split()
                    with self._change:
                        if word == "born":
                            self._born.append(int(numbers[0]))
                        else:
                            self._gone[int(numbers[0])] = int(numbers[1])
                        self._change.notify_all()
        except (OSError, ValueError):
            pass  # closed by us
        with self._change:
            self._nursery_ended = True
            self._change.notify_all()


class RemoteTest:
    """A test in a worker process. The worker is there before the test's time begins to run.

    `stopping` says whether the run is about to end: whatever ends the run may have ended the worker too, so that is
    no result then.
    """

    def __init__(
        self, planned: PlannedTest, scribe: Scribe, governor: Governor, pool: Pool, stopping: Callable[[], bool]
    ) -> None:
        self.planned, self._scribe, self._governor, self._pool = planned, scribe, governor, pool
        self._stopping = stopping
        self._mirror = Mirror()
        self._lock, self._over, self._giving_up = threading.Lock(), False, False
        self._arrived = threading.Event()
        self._result: Finished | None = None
        self._worker = pool.lease()

    def execute(self) -> Finished | None:
        """Let the worker run the test. Raises Stopped, and what is no fault of the test."""
        for _ in range(ATTEMPTS):
            try:
                self._worker.line.say(Run(self.planned))
                return self._follow()
            except (EOFError, OSError):
                self._pool.discard(self._worker)
                if self._over or self._giving_up:
                    return None
                if self._mirror.has_begun:
                    return self._lost()
                if self._stopping():
                    raise Stopped from None
            self._worker = self._pool.lease()  # it died before the test began
        raise RunIncompleteError(f"Worker processes die before a test begins: {self._pool.ending_of(self._worker)}.")

    def give_up(self, failure: Failure) -> Finished | None:
        """End the test: by the worker itself if it can still do so, else by killing it. It is killed in any case."""
        with self._lock:
            if self._over:
                return None
            self._giving_up = True
        with suppress(OSError):
            self._worker.line.say(GiveUp(failure))
        self._arrived.wait(GIVE_UP_S)
        self._pool.discard(self._worker)
        if not self._claim():
            return None
        return self._result or self._from_mirror(failure)

    def cancel(self) -> bool:
        if not self._claim():
            return False
        self._pool.discard(self._worker)
        return True

    def _claim(self) -> bool:
        with self._lock:
            mine, self._over = not self._over, True
        return mine

    def _follow(self) -> Finished | None:
        """Hear what the worker says until the test is over."""
        while True:
            message = self._worker.line.hear()
            if isinstance(message, Done):
                return self._done(message.finished)
            if isinstance(message, Broken):
                self._pool.discard(self._worker)
                raise message.error
            self._note(message)

    def _note(self, message: Any) -> None:
        if isinstance(message, Opened):
            self._mirror.started(message.span)
        elif isinstance(message, Closed):
            self._mirror.ended(message.span)
        elif isinstance(message, Settle):
            self._governor.settle(message.ticket, message.outcome)
        elif isinstance(message, Admit):
            # It may wait for long, and another call of the same test has to be settled meanwhile.
            threading.Thread(target=self._admit, args=(message,), name="smoltrace-admission", daemon=True).start()

    def _admit(self, message: Admit) -> None:
        try:
            answer = Admitted(message.number, self._governor.admit(message.ask))
        except (Stopped, LimitReached) as error:
            answer = Admitted(message.number, error=error)
        with suppress(OSError):  # the worker has been killed meanwhile
            self._worker.line.say(answer)

    def _done(self, finished: Finished | None) -> Finished | None:
        with self._lock:
            if self._giving_up:
                self._result = finished
                self._arrived.set()
                return None
            if self._over:
                return None
            self._over = True
        self._pool.release(self._worker)
        if finished is None:
            raise Stopped
        return finished

    def _lost(self) -> Finished | None:
        """The result of a test whose worker has died by itself. Raises Stopped when the run is stopping."""
        if not self._claim():
            return None
        how = self._pool.ending_of(self._worker)
        if self._stopping():
            raise Stopped
        return self._from_mirror(Failure("worker_lost", f"The worker process of the test died: {how}."))

    def _from_mirror(self, failure: Failure) -> Finished:
        mirror, ended = self._mirror, self._mirror.so_far()
        verdict = self._scribe.verdict(self.planned, None, failure, ended, given_up=True)
        record_verdict(mirror, verdict, failure)
        told = self._scribe.secrecy.failure(failure)
        mirror.fail(failure.error_type, told.message)
        return self._scribe.finished(self.planned, None, failure, verdict, mirror.close())
