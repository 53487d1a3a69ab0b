"""A worker process: runs one test after the other for the coordinator of a run, and can be killed at any time.

`python -m smoltrace.evaluation.engines.worker FD MODULES` is the nursery: it imports what workers need, once and with
no other thread, and forks a worker for each socket that it is sent. So a worker that was killed is replaced in
milliseconds, and all share the memory of what is imported. Nothing outlives the coordinator: an end of file ends
nursery and workers with all that their tools have started, and no other signal than SIGKILL ends them before that.
"""

from __future__ import annotations

import contextvars
import ctypes
import importlib
import itertools
import os
import pickle
import queue
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from smoltrace.errors import UsageError
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
)
from smoltrace.evaluation.streams import masked_streams
from smoltrace.tracing.scope import Stopped

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.calls.governor import Ask, Outcome
    from smoltrace.evaluation.engines.execute import Bench, RunningTest
    from smoltrace.evaluation.engines.wire import Setup
    from smoltrace.evaluation.plan import PlannedTest

PRELOADED = (
    *("openai.resources.chat.completions", "genai_prices.data_snapshot", "smolagents"),
    *("smoltrace.agents.build", "smoltrace.agents.pricing", "smoltrace.agents.recording"),
    *("smoltrace.evaluation.engines.bench", "smoltrace.evaluation.calls.retrying"),
)
"""What workers need, so that no test's time is spent on importing it. The rest is imported where it is used."""

_PR_SET_PDEATHSIG = 1
_UNHEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class RemoteGovernor:
    """The governor as a worker knows it: every question goes to the coordinator."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[Admitted]] = {}

    def admit(self, ask: Ask) -> int:
        number = next(self._numbers)
        answer = self._waiting[number] = queue.SimpleQueue()
        self._line.say(Admit(number, ask))
        admitted = answer.get()
        del self._waiting[number]
        if admitted.error is not None:
            raise admitted.error
        return admitted.ticket

    def answered(self, admitted: Admitted) -> None:
        self._waiting[admitted.number].put(admitted)

    def settle(self, ticket: int, outcome: Outcome) -> None:
        self._line.say(Settle(ticket, outcome))


class _Teller:
    """Tells the coordinator of every span, so that it has them when this process is killed."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def started(self, span: Span) -> None:
        self._line.say(Opened(span))

    def ended(self, span: Span) -> None:
        self._line.say(Closed(span))


class Worker:
    """What a worker process does from its first message to its last."""

    def __init__(self, line: Line) -> None:
        self._line, self._governor = line, RemoteGovernor(line)
        self._tests: queue.SimpleQueue[PlannedTest] = queue.SimpleQueue()
        self._running: RunningTest | None = None

    def serve(self) -> None:
        """Run tests until the coordinator goes away or kills this process."""
        setup: Setup = self._line.hear()
        with ExitStack() as stack:
            try:
                bench = stack.enter_context(self._bench(setup))
            except BaseException as error:  # noqa: BLE001 - the coordinator raises it
                self._line.say(Broken(sendable(error)))
                return
            stack.enter_context(masked_streams(setup.secrecy))
            self._line.say(Ready())
            threading.Thread(target=self._listen, name="smoltrace-line", daemon=True).start()
            while True:
                self._run(bench, self._tests.get())

    @contextmanager
    def _bench(self, setup: Setup) -> Iterator[Bench]:
        from smoltrace.agents.environment import limit_memory
        from smoltrace.evaluation.calls.retrying import Retrying
        from smoltrace.evaluation.engines.bench import open_bench

        os.chdir(setup.directory)
        sys.path[:] = setup.path
        os.environ.update(setup.secrets)
        policy = Retrying(self._governor, setup.config.limits.retries)
        with open_bench(
            _scribe(setup),
            setup.config,
            setup.spec,
            setup.agent_types,
            call_policy=policy,
            listener=_Teller(self._line),
        ) as bench:
            for name in setup.secrets.keys() - setup.kept:
                os.environ.pop(name, None)
            if setup.config.limits.memory_mb is not None:
                limit_memory(setup.config.limits.memory_mb)
            yield bench

    def _listen(self) -> None:
        try:
            while True:
                self._obey(self._line.hear())
        except (EOFError, OSError):
            os.killpg(0, signal.SIGKILL)  # the coordinator has gone: whatever runs here, or was started, is for nobody

    def _obey(self, message: Any) -> None:
        if isinstance(message, Run):
            self._tests.put(message.planned)
        elif isinstance(message, Admitted):
            self._governor.answered(message)
        elif isinstance(message, GiveUp) and self._running is not None:
            finished = self._running.give_up(message.failure)
            if finished is not None:
                self._line.say(Done(finished))

    def _run(self, bench: Bench, planned: PlannedTest) -> None:
        try:
            self._running = bench.begin(planned)
            finished = contextvars.Context().run(self._running.execute)
        except Stopped:
            self._line.say(Done(None))
        except BaseException as error:  # noqa: BLE001 - the coordinator raises it
            self._line.say(Broken(sendable(error)))
        else:
            if finished is not None:
                self._line.say(Done(finished))


def _scribe(setup: Setup) -> Any:
    """What the coordinator knows of the run, made anew: scorers and price tables are not sent."""
    from smoltrace.agents.pricing import load_price_book
    from smoltrace.agents.providers import declared_prices
    from smoltrace.evaluation.engines.scribe import Scribe
    from smoltrace.evaluation.meters.footprint import estimator_of
    from smoltrace.scoring.documented import Judge
    from smoltrace.scoring.load import load_scorers

    return Scribe(
        run_id=setup.run_id,
        model=setup.config.model.model_id,
        provider=setup.spec.provider,
        system=setup.system,
        generation=setup.spec.generation.to_json(),
        stream=setup.spec.stream,
        resource=setup.resource,
        judge=Judge(load_scorers(setup.config.scorers)),
        price_book=load_price_book(setup.config.price_file, declared=declared_prices(setup.spec)),
        secrecy=setup.secrecy,
        estimator=estimator_of(setup.config.footprint, setup.spec),
    )


def sendable(error: BaseException) -> BaseException:
    """The error, or one that says the same where it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - anybody's exception class
        kind = UsageError if isinstance(error, UsageError) else RuntimeError
        return kind(str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}")
    return error


# The nursery


class Nursery:
    """Forks a worker for each socket that comes over `control`, and tells there who was born and who has ended."""

    def __init__(self, control: socket.socket, work: Callable[[int], None]) -> None:
        self._control, self._work = control, work
        self._alive: set[int] = set()
        self._awake, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._awake, False)

    def serve(self) -> None:
        """Make workers until the coordinator goes away; what is left of them then is killed."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            self._serve()
        except ConnectionError:
            return  # the coordinator was killed before it had read all
        finally:
            # Before this process ends: the kernel then kills the workers, but not what their tools have started.
            for pid in self._alive:
                _kill_group(pid)
                os.kill(pid, signal.SIGKILL)  # it may not lead its group yet

    def _serve(self) -> None:
        while True:
            control = self._control.fileno()
            ready, _, _ = select.select([control, self._awake], [], [])
            if self._awake in ready:
                os.read(self._awake, 4096)
                self._reap()
            if control in ready and not self._fork():
                return

    def _fork(self) -> bool:
        """Fork a worker; False when nobody asks any more."""
        data, sockets, _, _ = socket.recv_fds(self._control, 1, 1)
        if not data:
            return False
        nursery = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(sockets[0], nursery)
        self._alive.add(pid)
        os.close(sockets[0])
        self._tell(f"born {pid}\n")
        return True

    def _become_worker(self, line: int, nursery: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()  # one group with all that its tools start, so that all can be killed together
            _let_forks_heed_signals()
            _die_with_parent(nursery)
            for descriptor in (self._control.fileno(), self._awake, self._wake):
                os.close(descriptor)
            self._work(line)
        finally:
            os._exit(1)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._alive:
                self._alive.discard(pid)
                _kill_group(pid)  # while one of a group lives, its number is nobody else's
            self._tell(f"gone {pid} {status}\n")

    def _tell(self, text: str) -> None:
        self._control.sendall(text.encode())


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _leave_signals_to_coordinator() -> None:
    """Let this process and its workers live on when a signal that ends the run reaches all processes of it: the
    coordinator gives running tests some time. Not by SIG_IGN, which programs that tools start would inherit."""
    for number in _UNHEEDED:
        signal.signal(number, lambda *_: None)
        signal.siginterrupt(number, False)


def _let_forks_heed_signals() -> None:
    """Let what tools fork from a worker end when it is told to, as `multiprocessing` tells its processes."""

    def heed() -> None:
        for number in _UNHEEDED:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _UNHEEDED)

    # Held back while the fork is made, or one that comes before it heeds them would be lost.
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _UNHEEDED),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _UNHEEDED),
        after_in_child=heed,
    )


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends, where it can; it may be stuck in C code by then."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _work(line: int) -> None:
    Worker(Line(Connection(line))).serve()


def _warm_up() -> None:
    """The client imports some 500 modules on its first call, price tables are read when the first price is asked for,
    and smolagents imports torch, where it is installed, for the first result that is no text: seconds, and not in some
    test's time."""
    import openai
    from smolagents.agent_types import handle_agent_output_types

    from smoltrace.agents.pricing import load_price_book

    handle_agent_output_types(0)
    assert openai.OpenAI(api_key="none", base_url="http://localhost").chat.completions
    load_price_book().find(None, "no such model", None, datetime.now(UTC))


def main(arguments: list[str]) -> None:
    _leave_signals_to_coordinator()
    os.dup2(2, 1)  # what a tool prints must not stand in the output of the command
    control = socket.socket(fileno=int(arguments[0]))
    for module in (*PRELOADED, *arguments[1:]):
        importlib.import_module(module)
    _warm_up()
    Nursery(control, _work).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
