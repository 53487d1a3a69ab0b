"""The instruments of the `points` dataset, and what adds up their measurements."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is measured, in which unit, and how. `bounds` are a histogram's inclusive upper bounds."""

    name: str
    type: Literal["counter", "sum", "histogram"]
    unit: str
    doc: str
    bounds: tuple[float, ...] = ()


_COUNTS = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0)
# The bounds that the OpenTelemetry conventions for generative AI advise.
_CALL_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TTFT_SECONDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TBT_SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)

SUCCESSFUL = Instrument("tests.successful", "counter", "tests", "Executions that succeeded.")
TOOL_CALLS = Instrument("tests.tool_calls", "histogram", "calls", "Tool calls per execution.", _COUNTS)
STEPS = Instrument("tests.steps", "histogram", "steps", "Steps per execution.", _COUNTS)
TOTAL_TOKENS = Instrument("llm.token_count.total", "sum", "tokens", "Input and output of all calls.")
TOKEN_USAGE = Instrument("gen_ai.client.token.usage", "counter", "tokens", "Tokens by token_type: prompt, completion.")
COST = {
    part: Instrument(f"gen_ai.usage.cost.{part}", "sum" if part == "total" else "counter", "USD", doc)
    for part, doc in {
        "total": "Cost of all calls.",
        "prompt": "Cost of input that no cache touched.",
        "completion": "Cost of output that was not reasoning.",
        "reasoning": "Cost of reasoning output.",
        "cache_read": "Cost of input read from a cache.",
        "cache_write": "Cost of input written to a cache.",
    }.items()
}
REQUESTS = Instrument("gen_ai.requests", "counter", "requests", "Calls to a model, by operation and provider.")
ERRORS = Instrument("gen_ai.client.errors", "counter", "errors", "Calls that failed, by operation and error_type.")
DURATION = Instrument("gen_ai.client.operation.duration", "histogram", "seconds", "Time of a call.", _CALL_SECONDS)
TTFT = Instrument("gen_ai.server.ttft", "histogram", "seconds", "Time to the first token.", _TTFT_SECONDS)
TBT = Instrument("gen_ai.server.tbt", "histogram", "seconds", "Mean time between tokens of a call.", _TBT_SECONDS)

INSTRUMENTS = (
    *(SUCCESSFUL, TOOL_CALLS, STEPS, TOTAL_TOKENS, TOKEN_USAGE, *COST.values()),
    *(REQUESTS, ERRORS, DURATION, TTFT, TBT),
)
"""In the order in which their points are written."""


@dataclass(slots=True)
class Histogram:
    """Measurements in buckets: `counts[i]` is how many are at most `bounds[i]` and above the bound before, if any."""

    bounds: tuple[float, ...]
    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.counts[bisect_left(self.bounds, value)] += 1

    def extend(self, values: Iterable[float]) -> None:
        for value in values:
            self.add(value)
