"""What a run is asked to do: everything that decides its result, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from smoltrace.agents.spec import AgentSpec, ModelSpec
from smoltrace.errors import UsageError
from smoltrace.evaluation.limits import Limits
from smoltrace.evaluation.meters.footprint import Footprint

DEFAULT_SUITE = "basics"
DEFAULT_WORKERS = 8
ENGINES = ("threads", "processes")


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """One evaluation. `tasks` is a built-in suite, a file, or hf:owner/name[@revision]; `store` None means the default.

    `workers` tests run at once, each test `repeats` times. `scorers` are MODULE:NAME. `run_id` None makes a new one.
    `engine` says where tests run: in threads of this process, or in worker processes, which can be killed.
    `record_content` False keeps no prompt and no answer; `redact` are regular expressions of secrets of your own.
    `pass_env` names secret variables that worker processes keep; without it they keep none but those of the model.
    `footprint` says how the energy of the run is measured, and what it emits and costs.
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
    limits: Limits = field(default_factory=Limits)
    engine: Literal["threads", "processes"] = "threads"
    record_content: bool = True
    redact: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()
    footprint: Footprint = field(default_factory=Footprint)

    def __post_init__(self) -> None:
        for name in ("repeats", "workers"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}: give a whole number of at least 1.")
        if self.engine not in ENGINES:
            raise UsageError(f"engine is {self.engine!r}: choose {' or '.join(ENGINES)}.")
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
            "limits": self.limits.to_json(),
            "engine": self.engine,
            "record_content": self.record_content,
            "redact": list(self.redact),
            "pass_env": list(self.pass_env),
            "footprint": self.footprint.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EvalConfig:
        """The inverse of `to_json`: what it leaves out (store, run id, tags, notes, keys) is as by default."""
        price_file = data.get("price_file")
        return cls(
            **{
                **data,
                "model": ModelSpec.from_json(data["model"]),
                "agent": AgentSpec.from_json(data["agent"]),
                "limits": Limits.from_json(data.get("limits") or {}),
                "footprint": Footprint.from_json(data.get("footprint") or {}),
                "price_file": None if price_file is None else Path(price_file),
                **{name: tuple(data.get(name) or ()) for name in ("scorers", "instrument", "redact", "pass_env")},
            }
        )
