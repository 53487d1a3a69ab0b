"""Whether a run or a store has changed: cheap to tell, since it is asked twice a second."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from smoltrace.store.read import Run
from smoltrace.viewer.data.listing import listing_of
from smoltrace.viewer.data.readings import state_of
from smoltrace.viewer.data.sources import RUNNING, Source

if TYPE_CHECKING:
    from smoltrace.store.layout import RunDir
    from smoltrace.viewer.data.board import Board
    from smoltrace.viewer.data.readings import Readings


class State(NamedTuple):
    """`version` is another whenever something has changed; `finished` and `planned` count tests. Of a store there is
    only the version."""

    version: str
    status: str | None = None
    finished: int | None = None
    planned: int | None = None


class RunWatch:
    """Looks at one run, again and again. `readings` are shared with those who show its tests."""

    def __init__(self, run_dir: RunDir, readings: Readings) -> None:
        self._run, self._readings = Run(run_dir), readings
        self._seen: tuple[Any, ...] = ()
        self._state: State | None = None

    def state(self) -> State | None:
        """The run as it stands; None when it is gone. Raises StoreError."""
        run = self._run.directory
        if not run.manifest_file.is_file():
            return None
        files = (run.manifest_file, run.results_journal, run.metrics_journal, run.summary_file)
        marks = tuple(map(state_of, files))
        # A run that goes on may be killed, which leaves no trace in its files.
        if self._state is None or self._state.status == RUNNING or self._seen[:-1] != marks:
            source = Source(self._run, self._readings)
            seen = (*marks, source.status)
            if seen != self._seen:
                finished, planned = len(listing_of(source).tests), source.manifest.get("num_tests")
                self._state = State(_digest(seen), source.status, finished, planned)
                self._seen = seen
        return self._state


class StoreWatch:
    """Looks at a store, again and again, by the eyes of the leaderboard: whoever is told of a change and asks for the
    runs then gets no older ones."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def state(self) -> State:
        """The store as it stands, also when there is none."""
        return State(self._board.version())


def _digest(marks: Iterable[Any]) -> str:
    return hashlib.blake2b(repr(list(marks)).encode(), digest_size=8).hexdigest()
