"""What was read of files, kept while the files stay as they were."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

T = TypeVar("T")

FileState: TypeAlias = tuple[int, int, int] | None
"""Number, size and time of the last change (ns) of a file; None for one that is not there."""

LIMIT: Final = 96 << 20


@dataclass(slots=True)
class _Kept:
    state: Hashable
    value: Any
    weight: int
    made_at: float
    took_s: float


class Readings:
    """A memory of what was read, at most `limit` bytes of it; the longest unused is forgotten first.

    Safe to use from many threads. What is kept is shared by them all, so nobody may change it.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()
        self._making: dict[Hashable, tuple[threading.Lock, int]] = {}

    @property
    def weight(self) -> int:
        """Bytes that are kept, as those who made them weighed them."""
        return self._weight

    def of(
        self,
        what: Hashable,
        state: Hashable,
        make: Callable[[], T],
        weigh: Callable[[T], int],
        *,
        patience: float = 0.0,
    ) -> T:
        """What `make` gives, made again only when `state` is another than it was.

        `what` names it, its files included. With `patience` an older one still serves for so many times as long as it
        took to make: what grows all the time is then read again for a bounded share of the time only. Two threads never
        make the same thing at once. Raises what `make` raises, and keeps nothing then.
        """
        return self.grown(what, state, lambda _: make(), weigh, patience=patience)

    def grown(
        self,
        what: Hashable,
        state: Hashable,
        make: Callable[[T | None], T],
        weigh: Callable[[T], int],
        *,
        patience: float = 0.0,
    ) -> T:
        """`of` for what can be made from the one before it, which `make` is given, None where there is none."""
        with self._one_at_a_time(what):
            with self._lock:
                known = self._kept.get(what)
                if known is not None and _serves(known, state, patience):
                    self._kept.move_to_end(what)
                    value: T = known.value
                    return value
            began = time.monotonic()
            made = make(None if known is None else known.value)
            ended = time.monotonic()
            self._keep(what, _Kept(state, made, weigh(made), ended, ended - began))
            return made

    def _keep(self, what: Hashable, kept: _Kept) -> None:
        with self._lock:
            before = self._kept.pop(what, None)
            self._weight -= 0 if before is None else before.weight
            if kept.weight > self._limit:
                return
            self._kept[what] = kept
            self._weight += kept.weight
            while self._weight > self._limit:
                _, forgotten = self._kept.popitem(last=False)
                self._weight -= forgotten.weight

    def _one_at_a_time(self, what: Hashable) -> _Turn:
        return _Turn(self._making, self._lock, what)


class _Turn:
    """The right to make one thing. A lock that nobody waits for is thrown away, so that their number stays small."""

    def __init__(self, making: dict[Hashable, tuple[threading.Lock, int]], guard: threading.Lock, what: Hashable):
        self._making, self._guard, self._what = making, guard, what

    def __enter__(self) -> None:
        with self._guard:
            lock, waiting = self._making.get(self._what) or (threading.Lock(), 0)
            self._making[self._what] = (lock, waiting + 1)
        lock.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            lock, waiting = self._making[self._what]
            if waiting == 1:
                del self._making[self._what]
            else:
                self._making[self._what] = (lock, waiting - 1)
        lock.release()


def _serves(kept: _Kept, state: Hashable, patience: float) -> bool:
    return kept.state == state or time.monotonic() - kept.made_at < patience * kept.took_s


def state_of(file: Path) -> FileState:
    """What tells whether a file is still the same. Where the disk does not tell, it will not let it be read either."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def is_up_to_date(file: Path, journal: Path) -> bool:
    """Whether a finished file was written after all that its journal holds."""
    made, written = state_of(file), state_of(journal)
    return made is not None and (written is None or made[2] >= written[2])
