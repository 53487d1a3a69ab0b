"""smoltrace: evaluation and observability for LLM agents whose books balance.

    run = smoltrace.evaluate("tasks.jsonl", model="openai/gpt-4o-mini", workers=16)
    run.leaderboard_row()["total_cost_usd"]
    smoltrace.load_trace(run, trace_id)

Names are loaded when they are first used, so `import smoltrace` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from smoltrace.version import __version__

if TYPE_CHECKING:
    from smoltrace.agents.spec import AgentSpec, GenerationParams, ModelSpec
    from smoltrace.api import evaluate, resume
    from smoltrace.books.spans import Span
    from smoltrace.errors import (
        ConfigError,
        MissingExtraError,
        ModelRefusedError,
        PublishError,
        RunIncompleteError,
        RunNotFoundError,
        SmoltraceError,
        StoreError,
        TaskFileError,
        UsageError,
    )
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.progress import Progress, Reporter
    from smoltrace.records.execution import ToolUse, Verdict
    from smoltrace.scoring.documented import Attempt, Scorer
    from smoltrace.store.layout import Store
    from smoltrace.store.read import Run, load_run, load_trace
    from smoltrace.tasks.loaders import TaskSet, load_tasks
    from smoltrace.tasks.task import Task

__all__ = [
    "AgentSpec",
    "Attempt",
    "ConfigError",
    "EvalConfig",
    "GenerationParams",
    "MissingExtraError",
    "ModelRefusedError",
    "ModelSpec",
    "Progress",
    "PublishError",
    "Reporter",
    "Run",
    "RunIncompleteError",
    "RunNotFoundError",
    "Scorer",
    "SmoltraceError",
    "Span",
    "Store",
    "StoreError",
    "Task",
    "TaskFileError",
    "TaskSet",
    "ToolUse",
    "UsageError",
    "Verdict",
    "__version__",
    "evaluate",
    "load_run",
    "load_tasks",
    "load_trace",
    "resume",
]

_HOMES = {
    "smoltrace.agents.spec": ("AgentSpec", "GenerationParams", "ModelSpec"),
    "smoltrace.api": ("evaluate", "resume"),
    "smoltrace.books.spans": ("Span",),
    "smoltrace.errors": (
        *("ConfigError", "MissingExtraError", "ModelRefusedError", "PublishError", "RunIncompleteError"),
        *("RunNotFoundError", "SmoltraceError", "StoreError", "TaskFileError", "UsageError"),
    ),
    "smoltrace.evaluation.config": ("EvalConfig",),
    "smoltrace.evaluation.progress": ("Progress", "Reporter"),
    "smoltrace.records.execution": ("ToolUse", "Verdict"),
    "smoltrace.scoring.documented": ("Attempt", "Scorer"),
    "smoltrace.store.layout": ("Store",),
    "smoltrace.store.read": ("Run", "load_run", "load_trace"),
    "smoltrace.tasks.loaders": ("TaskSet", "load_tasks"),
    "smoltrace.tasks.task": ("Task",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'smoltrace' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
