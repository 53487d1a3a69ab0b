"""Where a run's spans and metrics go while it goes on, beside the store."""

from __future__ import annotations

from typing import Protocol


class Outlet(Protocol):
    """Is given what the run has kept, from any thread. None of its methods waits for anybody or raises anything: what
    cannot be sent is in the store all the same."""

    def began(self, run_id: str) -> str | None:
        """The run with this id begins, or goes on. Says what has to be known of the place, None for nothing."""

    def test(self, trace_line: bytes) -> None:
        """A finished test: its spans as one line of OTLP JSON, as the journal has it."""

    def metrics(self, line: bytes) -> None:
        """What the meters say: one line of OTLP JSON, as the journal has it."""

    def close(self) -> str | None:
        """No more is to come; what waits is sent, for a bounded time. Says what could not be sent, None for nothing."""


class Nowhere:
    """The outlet of a run that keeps everything to itself."""

    def began(self, run_id: str) -> str | None:
        return None

    def test(self, trace_line: bytes) -> None:
        return None

    def metrics(self, line: bytes) -> None:
        return None

    def close(self) -> str | None:
        return None
