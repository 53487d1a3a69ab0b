"""How often what passes is tried again, and how long is waited between."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is tried, and the seconds between: doubling from `first` to `longest`, with jitter.

    A server that asks to be left alone for longer is, as long as that is at most `patience` seconds.
    """

    attempts: int = 8
    first: float = 1.0
    longest: float = 30.0
    patience: float = 300.0

    def pause(self, attempt: int, asked: float | None = None) -> float:
        """Seconds to wait after the attempt with this number, which begins at 0. `asked`: what the server asked for."""
        own = random.uniform(0.5, 1.0) * min(self.longest, self.first * 2.0**attempt)
        return own if asked is None else max(own, min(asked, self.patience))
