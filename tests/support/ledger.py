"""The truth that the books are held against: the server's ledger, summed and priced by plain arithmetic of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

MILLION = Decimal(1_000_000)

PRICE_FILE = """
version = "test"
[models."scripted-model"]
input = 2.50
output = 10.01
cache_read = 1.23
reasoning = 12.07
"""
PER_MILLION = {"fresh": "2.50", "output": "10.01", "cached": "1.23", "reasoning": "12.07"}


@dataclass(frozen=True)
class Sum:
    """Tokens and USD that were served."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0

    def plus(self, entry: Any) -> Sum:
        return Sum(
            self.calls + 1,
            self.input + (entry.input or 0),
            self.output + (entry.output or 0),
            self.cached + (entry.cached or 0),
            self.reasoning + (entry.reasoning or 0),
        )

    @property
    def cost(self) -> dict[str, Decimal]:
        """The five components and the total, exact."""
        price = {name: Decimal(text) / MILLION for name, text in PER_MILLION.items()}
        parts = {
            "prompt": (self.input - self.cached) * price["fresh"],
            "completion": (self.output - self.reasoning) * price["output"],
            "reasoning": self.reasoning * price["reasoning"],
            "cache_read": self.cached * price["cached"],
        }
        return {**parts, "total": sum(parts.values(), Decimal(0))}


def served(entries: Iterable[Any]) -> Sum:
    """Everything that was served, in one sum."""
    total = Sum()
    for entry in entries:
        total = total.plus(entry)
    return total


def served_by_test(entries: Iterable[Any]) -> Mapping[tuple[str, str], Sum]:
    """What was served to each (agent kind, test id)."""
    sums: dict[tuple[str, str], Sum] = defaultdict(Sum)
    for entry in entries:
        sums[entry.agent, entry.test] = sums[entry.agent, entry.test].plus(entry)
    return sums


def write_price_file(folder: Path) -> Path:
    file = folder / "prices.toml"
    file.write_text(PRICE_FILE)
    return file
