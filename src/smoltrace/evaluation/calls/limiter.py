"""How fast a model's server may be asked: calls at once, calls a minute, tokens a minute, and pauses that it wants.

Nothing here waits or looks at a clock: the moment is handed in, in seconds of any clock that never goes back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

CALLS_BEFORE_THE_FIRST_ANSWER: Final = 4
"""How many calls may be under way before one is answered: a wrong key costs this many, not one a worker."""
MINUTE_S: Final = 60.0
PACE_S: Final = 6.0
"""A tenth of a minute's worth is asked for in a tenth of a minute, so that a minute does not begin with all of it."""
BETWEEN_DECREASES_S: Final = 1.0


@dataclass(slots=True, eq=False)
class Use:
    """What was taken of a window, and when."""

    at: float
    weight: int


class Window:
    """What was used in the last `seconds`, and when more of it may be.

    `hard` lets a use in where all of it still fits, so that the limit holds in whatever window of that length, and a
    use larger than the limit when nothing else is in there. Else a use is let in while anything is left.
    """

    def __init__(self, limit: float, seconds: float, *, hard: bool) -> None:
        self._limit, self._seconds, self._hard = limit, seconds, hard
        self._uses: deque[Use] = deque()
        self._total = 0

    def wait(self, now: float, weight: int) -> float:
        """Seconds from `now` until a use of this weight may begin, 0 when it may at once."""
        self._forget(now)
        total = self._total
        if self._has_room(total, weight):
            return 0.0
        for use in self._uses:
            total -= use.weight
            if self._has_room(total, weight):
                return max(0.0, use.at + self._seconds - now)
        return 0.0

    def add(self, now: float, weight: int) -> Use:
        use = Use(now, weight)
        self._uses.append(use)
        self._total += weight
        return use

    def correct(self, now: float, use: Use, weight: int) -> None:
        """Say what a use really took. One that has left the window is past."""
        self._forget(now)
        if use.at + self._seconds > now:
            self._total += weight - use.weight
            use.weight = weight

    def _has_room(self, total: int, weight: int) -> bool:
        if self._hard and total:
            return total + weight <= self._limit
        return total < self._limit or not total

    def _forget(self, now: float) -> None:
        while self._uses and self._uses[0].at + self._seconds <= now:
            self._total -= self._uses.popleft().weight


class Rate:
    """At most `a_minute` in whatever 60 s, begun evenly: while a tenth of it is used within 6 s, nothing more begins.

    A single use of more than a minute's worth is let in alone.
    """

    def __init__(self, a_minute: int) -> None:
        self._minute = Window(a_minute, MINUTE_S, hard=True)
        self._pace = Window(a_minute * PACE_S / MINUTE_S, PACE_S, hard=False)

    def wait(self, now: float, weight: int) -> float:
        return max(self._minute.wait(now, weight), self._pace.wait(now, weight))

    def add(self, now: float, weight: int) -> tuple[Use, Use]:
        return self._minute.add(now, weight), self._pace.add(now, weight)

    def correct(self, now: float, uses: tuple[Use, Use], weight: int) -> None:
        self._minute.correct(now, uses[0], weight)
        self._pace.correct(now, uses[1], weight)


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A call that was let through."""

    at: float
    uses: tuple[Use, Use] | None


class Limiter:
    """Says when the next call may go.

    Few calls are under way until one is answered. Then there is no limit on them, until the server says that it is
    asked too often: half of those that were under way may be, and one more after each round of answers. Answers to
    calls that were let through before a decrease tell nothing new, and there is at most one decrease in
    `BETWEEN_DECREASES_S`. `rpm` and `tpm` hold as `Rate` says, tokens by what a call was expected to use, corrected
    when it is known.
    """

    def __init__(self, rpm: int | None = None, tpm: int | None = None) -> None:
        self._calls = None if rpm is None else Rate(rpm)
        self._tokens = None if tpm is None else Rate(tpm)
        self._answered = False
        self._limit: int | None = None
        self._since_increase = 0
        self._decreased_at = float("-inf")
        self._paused_until = float("-inf")
        self.under_way = 0

    @property
    def concurrency(self) -> int | None:
        """Calls that may be under way, None for any number."""
        if self._answered:
            return self._limit
        return CALLS_BEFORE_THE_FIRST_ANSWER if self._limit is None else min(CALLS_BEFORE_THE_FIRST_ANSWER, self._limit)

    def wait(self, now: float, tokens: int) -> float | None:
        """Seconds from `now` until a call of this size may go; 0 at once, None when another has to end first."""
        if self.concurrency is not None and self.under_way >= self.concurrency:
            return None
        waits = [0.0, self._paused_until - now]
        if self._calls is not None:
            waits.append(self._calls.wait(now, 1))
        if self._tokens is not None:
            waits.append(self._tokens.wait(now, tokens))
        return max(waits)

    def pass_through(self, now: float, tokens: int) -> Passage:
        """Let a call go."""
        self.under_way += 1
        if self._calls is not None:
            self._calls.add(now, 1)
        return Passage(now, None if self._tokens is None else self._tokens.add(now, tokens))

    def answered(self, now: float, passage: Passage, tokens: int) -> None:
        """A call had its answer, and used so many tokens."""
        self._end(now, passage, tokens)
        self._answered = True
        if self._limit is None:
            return
        self._since_increase += 1
        if self._since_increase >= self._limit:
            self._limit += 1
            self._since_increase = 0

    def failed(
        self, now: float, passage: Passage, tokens: int, *, too_often: bool = False, retry_after: float | None = None
    ) -> None:
        """A call had no answer. `too_often` says that the server refused it for that; `retry_after` in seconds."""
        if too_often and passage.at > self._decreased_at and now - self._decreased_at >= BETWEEN_DECREASES_S:
            at_once = self.under_way if self._limit is None else min(self._limit, self.under_way)
            self._limit, self._since_increase, self._decreased_at = max(1, at_once // 2), 0, now
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + retry_after)
        self._end(now, passage, tokens)

    def _end(self, now: float, passage: Passage, tokens: int) -> None:
        self.under_way -= 1
        if self._tokens is not None and passage.uses is not None:
            self._tokens.correct(now, passage.uses, tokens)
