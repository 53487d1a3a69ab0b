"""What a run tells while it goes on. The command line draws it; a program may pass its own reporter."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `before` tests of those `done` were finished by earlier lives of the run, and `elapsed` is of
    this one. `cost_known` is in USD, a lower bound where `unpriced` calls are not 0; times in seconds."""

    total: int
    done: int = 0
    before: int = 0
    successes: int = 0
    errors: int = 0
    tokens: int = 0
    cost_known: Decimal = Decimal(0)
    unpriced: int = 0
    elapsed: float = 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds left at the pace of this life; None before its first test is done."""
        done = self.done - self.before
        return None if done == 0 else self.elapsed / done * (self.total - self.done)

    def after(self, row: Mapping[str, Any], elapsed: float) -> Progress:
        """The progress with one more finished test."""
        return replace(
            self,
            done=self.done + 1,
            successes=self.successes + bool(row["success"]),
            errors=self.errors + (row["error_type"] is not None),
            tokens=self.tokens + (row["gen_ai.usage.total_tokens"] or 0),
            cost_known=self.cost_known + (row["cost_known_usd"] or Decimal(0)),
            unpriced=self.unpriced + (row["unpriced_calls"] or 0),
            elapsed=elapsed,
        )


class Reporter(Protocol):
    """Is told of a run's course, one call at a time."""

    def started(self, run_id: str, progress: Progress) -> None: ...
    def finished(self, row: Mapping[str, Any], progress: Progress) -> None: ...
    def closed(self, progress: Progress) -> None: ...


def say(reporter: Reporter, message: str) -> None:
    """Tell a reporter something that is no progress; one that has no method `noted` is not told."""
    noted = getattr(reporter, "noted", None)
    if noted is not None:
        noted(message)


def warn(reporter: Reporter, message: str | None) -> None:
    """Tell of something that went wrong beside the run. One that is to be silent is told it too, by its method
    `warned`; where there is neither, it goes to the log."""
    if message is None:
        return
    told = getattr(reporter, "warned", None) or getattr(reporter, "noted", None)
    if told is None:
        logging.getLogger("smoltrace").warning(message)
    else:
        told(message)


class Terminal:
    """A reporter that has standard output and error to itself while a run goes on: what anything else prints meanwhile
    is masked, and goes to standard error."""


class Silent:
    """A reporter that says nothing."""

    def started(self, run_id: str, progress: Progress) -> None:
        return None

    def finished(self, row: Mapping[str, Any], progress: Progress) -> None:
        return None

    def closed(self, progress: Progress) -> None:
        return None


class Tally:
    """Counts finished tests from many threads and passes them on to a reporter one at a time.

    `earlier` are the rows of tests that the run has finished already; the reporter is not told of them one by one.
    """

    def __init__(self, total: int, reporter: Reporter, earlier: Iterable[Mapping[str, Any]] = ()) -> None:
        self.progress = Progress(total)
        for row in earlier:
            self.progress = self.progress.after(row, 0.0)
        self.progress = replace(self.progress, before=self.progress.done)
        self._reporter = reporter
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def add(self, row: Mapping[str, Any]) -> None:
        with self._lock:
            self.progress = self.progress.after(row, time.monotonic() - self._began)
            self._reporter.finished(row, self.progress)
