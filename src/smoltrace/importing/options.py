"""How to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Say: TypeAlias = Callable[[str], None]
"""Is told what was left out, and what is not as it may seem."""
Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many traces are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to import.

    store           where runs are kept; None is what SMOLTRACE_STORE says, else ./smoltrace-runs
    run_id          name of the run; None is that of the run of smoltrace that the traces are from, else a new one
    model           name of the model to show, where that of the calls is not the one wanted
    price_file      prices of the user's own, for calls that no run of smoltrace has priced
    record_content  False keeps no prompt and no answer
    redact          regular expressions of what is to be masked, beside known secrets
    """

    store: Path | None = None
    run_id: str | None = None
    model: str | None = None
    price_file: Path | None = None
    tags: dict[str, str] = field(default_factory=dict)
    notes: str | None = None
    record_content: bool = True
    redact: tuple[str, ...] = ()
