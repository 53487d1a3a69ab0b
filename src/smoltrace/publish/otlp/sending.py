"""Batches on their way to a receiver: tried again while that may help, halved where they are too large, counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from smoltrace.errors import PublishError
from smoltrace.publish.otlp.bodies import Piece
from smoltrace.publish.otlp.receiver import Endpoint, Signal
from smoltrace.publish.otlp.wire import Answer, Wire
from smoltrace.publish.retry import Retry


@dataclass(slots=True)
class Sent:
    """What a receiver has taken, and what it threw away of it, with its reason."""

    traces: int = 0
    items: int = 0
    rejected: int = 0
    reason: str = ""

    def add(self, batch: Sequence[Piece], answer: Answer) -> None:
        self.traces += sum(piece.traces for piece in batch)
        self.items += sum(piece.items for piece in batch) - answer.rejected
        self.rejected += answer.rejected
        self.reason = answer.problem or self.reason


class RefusedError(PublishError):
    """The receiver's answer was no, and would be again; `status` is that of HTTP."""

    def __init__(self, status: int | None, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass
class Sender:
    """Sends the batches of one signal to one endpoint."""

    wire: Wire
    signal: Signal
    endpoint: Endpoint
    retry: Retry
    sent: Sent = field(default_factory=Sent)

    def send(self, batch: Sequence[Piece]) -> None:
        """Send it, whole or in parts. Raises PublishError when it was not taken: RefusedError when it never will be."""
        answer = self._persist(b"".join(piece.body for piece in batch))
        if answer.is_taken:
            self.sent.add(batch, answer)
            return
        if answer.status == 413 and (smaller := self._smaller(batch)):
            for part in smaller:
                self.send(part)
            return
        if answer.status == 413:
            what = (
                "one span is larger. Leave out what was said: --no-content"
                if self.signal == "traces"
                else "one metric is larger"
            )
            raise RefusedError(413, f"{answer.problem}; {what}")
        if answer.passes:
            raise PublishError(answer.problem)
        raise RefusedError(answer.status, answer.problem)

    def _persist(self, body: bytes) -> Answer:
        answer = self.wire.post(self.signal, self.endpoint, body)
        for attempt in range(self.retry.attempts - 1):
            if answer.is_taken or not answer.passes:
                break
            time.sleep(self.retry.pause(attempt, answer.retry_after))
            answer = self.wire.post(self.signal, self.endpoint, body)
        return answer

    def _smaller(self, batch: Sequence[Piece]) -> list[Sequence[Piece]]:
        if len(batch) > 1:
            middle = len(batch) // 2
            return [batch[:middle], batch[middle:]]
        return [[half] for half in batch[0].halves()] if self.signal == "traces" else []
