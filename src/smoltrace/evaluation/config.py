"""What a run is asked to do: everything that decides its result, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from smoltrace.agents.spec import AgentSpec, ModelSpec
from smoltrace.errors import UsageError

DEFAULT_SUITE = "basics"
DEFAULT_WORKERS = 8


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """One evaluation. `tasks` is a built-in suite, a file, or hf:owner/name[@revision]; `store` None means the default.

    `workers` tests run at once, each test `repeats` times. `scorers` are MODULE:NAME. `run_id` None makes a new one.
    Raises UsageError for a value that cannot be.
    """

    tasks: str = DEFAULT_SUITE
    split: str = "train"
    model: ModelSpec = field(default_factory=lambda: ModelSpec(model_id="demo"))
    agent: AgentSpec = field(default_factory=AgentSpec)
    agent_type: Literal["tool", "code", "both"] = "both"
    difficulty: str | None = None
    category: str | None = None
    limit: int | None = None
    repeats: int = 1
    workers: int = DEFAULT_WORKERS
    scorers: tuple[str, ...] = ()
    price_file: Path | None = None
    store: Path | None = None
    run_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str | None = None
    submitted_by: str | None = None
    instrument: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("repeats", "workers"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}: give a whole number of at least 1.")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit is {self.limit}: give a whole number of at least 1, or none for all tasks.")

    def to_json(self) -> dict[str, Any]:
        """The configuration as JSON values, without any key."""
        return {
            "tasks": self.tasks,
            "split": self.split,
            "model": self.model.to_json(),
            "agent": self.agent.to_json(),
            "agent_type": self.agent_type,
            "difficulty": self.difficulty,
            "category": self.category,
            "limit": self.limit,
            "repeats": self.repeats,
            "workers": self.workers,
            "scorers": list(self.scorers),
            "price_file": None if self.price_file is None else str(self.price_file),
            "instrument": list(self.instrument),
        }
