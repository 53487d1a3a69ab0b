"""The one thread that sends what a run keeps, while it goes on.

Lines of the journal wait for it as they are, up to a bound in bytes, and are made into requests when their turn comes:
a receiver that is not there costs next to nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import orjson

from smoltrace.publish.otlp.receiver import Receiver

if TYPE_CHECKING:
    from smoltrace.publish.otlp.bodies import Piece
    from smoltrace.publish.otlp.receiver import Signal
    from smoltrace.publish.otlp.wire import Answer, Wire

HELD: Final = 64_000_000
"""Bytes of journal lines that may wait."""
AT_ONCE: Final = 64
"""Lines that are made into requests together."""
AT_ONCE_BYTES: Final = 2_000_000
FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S, _LONGEST_WISH_S = 30.0, 300.0
NEVER: Final = frozenset({401, 403, 404, 405, 415, 501})
"""What a receiver would answer to every further request too."""
_TAKES_NONE: Final = frozenset({404, 405, 501})


@dataclass(slots=True)
class Count:
    """What became of the lines of a signal. `rejected` are spans or points of those that were sent."""

    sent: int = 0
    missing: int = 0
    rejected: int = 0
    problem: str = ""


@dataclass(slots=True)
class _Group:
    """Lines that are sent together."""

    signal: Signal
    lines: list[bytes]


@dataclass(slots=True)
class _State:
    """What the thread and those who give it lines share, under one lock."""

    waiting: deque[tuple[Signal, bytes]] = field(default_factory=deque)
    size: int = 0
    current: _Group | None = None
    closing: bool = False
    stopped: bool = False
    ended: bool = False
    refusing: set[Signal] = field(default_factory=set)
    counts: dict[Signal, Count] = field(default_factory=lambda: {"traces": Count(), "metrics": Count()})

    @property
    def is_idle(self) -> bool:
        return self.current is None and not self.waiting

    def next_group(self) -> _Group:
        """The first lines that wait, as long as they are of one signal."""
        group, size = _Group(self.waiting[0][0], []), 0
        while self.waiting and self.waiting[0][0] == group.signal and len(group.lines) < AT_ONCE:
            if group.lines and size + len(self.waiting[0][1]) > AT_ONCE_BYTES:
                break
            group.lines.append(self.waiting.popleft()[1])
            size += len(group.lines[-1])
        self.size -= size
        return group


class Courier:
    """Takes lines from any thread and sends them from its own. Nothing that it does raises anything."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._change = threading.Condition()
        self._state = _State()
        if receiver.metrics is None:
            self._state.refusing.add("metrics")
        self._wire: Wire | None = None
        # A daemon: no receiver may keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="smoltrace-otlp", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, signal: Signal, line: bytes) -> None:
        """Send this some time. What no longer fits is counted, and left to the store."""
        with self._change:
            state = self._state
            if state.stopped or signal in state.refusing or state.size + len(line) > HELD:
                self._miss(signal, 1)
                return
            state.waiting.append((signal, line))
            state.size += len(line)
            self._change.notify_all()

    def close(self, seconds: float) -> dict[Signal, Count]:
        """Wait until all is sent or it is clear that it cannot be, for so long at most; and tell what became of it."""
        with suppress(KeyboardInterrupt), self._change:  # whoever is in a hurry does not wait for a copy
            self._state.closing = True
            self._change.notify_all()
            self._change.wait_for(lambda: self._state.is_idle or self._state.ended, seconds)
        with self._change:
            self._state.stopped = True
            self._miss_all()
            wire, busy = self._wire, self._state.current is not None
            counts: dict[Signal, Count] = {name: replace(count) for name, count in self._state.counts.items()}
            self._change.notify_all()
        if busy and wire is not None:
            wire.abort()
        return counts

    # Under the lock

    def _miss(self, signal: Signal, lines: int) -> None:
        if not (signal == "metrics" and signal in self._state.refusing):  # it has no place for any, and that is no loss
            self._state.counts[signal].missing += lines

    def _miss_all(self) -> None:
        """Count what waits, and what is under way, as not sent."""
        state = self._state
        for signal, _ in state.waiting:
            self._miss(signal, 1)
        if state.current is not None:
            self._miss(state.current.signal, len(state.current.lines))
            state.current.lines = []
        state.waiting.clear()
        state.size = 0

    # The thread

    def _work(self) -> None:
        try:
            from smoltrace.publish.otlp.wire import Wire

            self._wire = Wire(self._receiver)
            while (group := self._next()) is not None:
                problem = self._deliver(group)
                with self._change:
                    count = self._state.counts[group.signal]
                    if problem is None:
                        count.sent += len(group.lines)
                    else:
                        self._miss(group.signal, len(group.lines))
                        count.problem = problem
                    self._state.current = None
                    self._change.notify_all()
        except Exception as error:  # noqa: BLE001 - nobody waits for this thread to say what ended it
            with self._change:
                for count in self._state.counts.values():
                    count.problem = f"sending ended ({type(error).__name__}: {error})"
        finally:
            with self._change:
                self._state.ended = True
                self._change.notify_all()
            if self._wire is not None:
                self._wire.close()

    def _next(self) -> _Group | None:
        with self._change:
            state = self._state
            self._change.wait_for(lambda: state.stopped or state.closing or state.waiting)
            if state.stopped or not state.waiting:
                return None
            state.current = state.next_group()
            return state.current

    def _deliver(self, group: _Group) -> str | None:
        """Send a group; why it was not taken, None when it was."""
        from smoltrace.publish.otlp.bodies import batches

        try:
            for batch in batches(_pieces(group.signal, list(group.lines))):
                if (problem := self._send(group.signal, batch)) is not None:
                    return problem
        except Exception as error:  # noqa: BLE001 - a span that cannot be made into a request must not end the thread
            return f"a span could not be sent ({type(error).__name__}: {error})"
        return None

    def _send(self, signal: Signal, batch: Sequence[Piece]) -> str | None:
        answer = self._persist(signal, b"".join(piece.body for piece in batch))
        if answer.is_taken:
            if answer.rejected:
                with self._change:
                    self._state.counts[signal].rejected += answer.rejected
                    self._state.counts[signal].problem = answer.problem
            return None
        if answer.status == 413 and len(batch) > 1:
            middle = len(batch) // 2
            return self._send(signal, batch[:middle]) or self._send(signal, batch[middle:])
        if answer.status == 413 and signal == "traces" and (halves := batch[0].halves()):
            return self._send(signal, halves[:1]) or self._send(signal, halves[1:])
        if answer.status in NEVER:
            self._refuse(signal, answer)
        return answer.problem

    def _refuse(self, signal: Signal, answer: Answer) -> None:
        """Keep nothing more for a receiver that would refuse it too."""
        with self._change:
            state = self._state
            if signal == "traces" or answer.status in _TAKES_NONE:
                state.refusing.add(signal)
            kept = [(other, line) for other, line in state.waiting if other != signal]
            self._miss(signal, len(state.waiting) - len(kept))
            state.waiting = deque(kept)
            state.size = sum(len(line) for _, line in kept)

    def _persist(self, signal: Signal, body: bytes) -> Answer:
        """Try until the receiver has it or will never take it; once more at the end of the run, and then no more."""
        assert self._wire is not None
        endpoint = self._receiver.traces if signal == "traces" else self._receiver.metrics
        assert endpoint is not None
        pause = FIRST_PAUSE_S
        while True:
            last = self._state.closing
            answer = self._wire.post(signal, endpoint, body)
            if answer.is_taken or not answer.passes:
                return answer
            with self._change:
                self._state.counts[signal].problem = answer.problem
                if last:
                    self._state.stopped = True  # what waits would fare no better
                    return answer
            wish = min(answer.retry_after or 0.0, _LONGEST_WISH_S)
            if not self._pause(max(pause, wish), wish):
                return answer
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _pause(self, seconds: float, wish: float) -> bool:
        """Wait; the end of the run cuts it short, but not what the receiver asked for. False to try no more."""
        began = time.monotonic()
        with self._change:
            self._change.wait_for(lambda: self._state.closing or self._state.stopped, seconds)
            return not self._state.stopped and (not self._state.closing or time.monotonic() - began >= wish)


def _pieces(signal: Signal, lines: Sequence[bytes]) -> list[Piece]:
    from smoltrace.publish.otlp.bodies import pieces
    from smoltrace.publish.otlp.conventions import as_sent, same_resources
    from smoltrace.publish.otlp.metrics import piece_of
    from smoltrace.records.otlp import from_otlp_json

    if signal == "metrics":
        return [piece_of(orjson.loads(line)["resourceMetrics"]) for line in lines]
    unify = same_resources()
    return [piece for line in lines for piece in pieces(unify(as_sent(from_otlp_json(line))))]
