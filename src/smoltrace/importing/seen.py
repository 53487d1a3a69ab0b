"""What is seen of a run while its tests are made: what its manifest says, and what has to be told."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from smoltrace.importing.options import Options, Say
from smoltrace.records.text import json_text
from smoltrace.records.times import time_of
from smoltrace.version import __version__

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.importing.executions import Test
    from smoltrace.importing.plans import Plan
    from smoltrace.importing.spill import Spill

TASKS: Final = "imported"
OTHER_METRICS: Final = "other-metrics.otlp.jsonl"
"""In the folder of a run: metrics that came with its traces and that no number of it is made from."""


@dataclass(slots=True)
class Seen:
    """What was seen while the tests of a run were made."""

    tests: int = 0
    spans: int = 0
    start_ns: int = 2**63
    end_ns: int = 0
    attempts: int = 1
    orphans: int = 0
    circular: int = 0
    unjudged: int = 0
    models: Counter[str] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    systems: Counter[str] = field(default_factory=Counter)
    kinds: set[str] = field(default_factory=set)
    asked: set[bytes] = field(default_factory=set)

    def add(self, test: Test, spans: Sequence[Span], *, circular: bool) -> None:
        told, row = test.told, test.row
        self.tests += 1
        self.spans += len(spans)
        self.start_ns = min(self.start_ns, spans[0].start_ns)
        self.end_ns = max(self.end_ns, *(span.end_ns for span in spans))
        self.attempts = max(self.attempts, row["attempt"])
        self.orphans += all(span.parent_span_id is not None for span in spans)
        self.circular += circular
        self.unjudged += told.ours and told.verdict.success is None
        self.models.update(told.models)
        names = ((self.shown, row["model"]), (self.providers, told.provider), (self.systems, told.system))
        for counter, value in names:
            counter.update([] if value is None else [value])
        self.kinds.update([] if told.agent_type is None else [told.agent_type])
        self.asked.add(hashlib.sha256(json_text([row["test_id"], row["prompt"]]).encode()).digest())

    def fingerprint(self) -> str:
        """That of the tests as they were imported: equal where runs have tests of the same names and prompts.

        A set of tasks has one of its own, which spans do not tell; without any a run would be in no set of the viewer.
        """
        return hashlib.sha256(b"".join(sorted(self.asked))).hexdigest()


def manifest_before(plan: Plan, sources: Sequence[str], options: Options) -> dict[str, Any]:
    """What run.json says before the traces were gone through."""
    from smoltrace.evaluation.lives.machine import user

    return {
        "run_id": plan.run_id,
        "status": "running",
        "service_name": "smoltrace",
        "model": options.model,
        "provider": None,
        "system": None,
        "agent_type": None,
        "tasks": {"name": TASKS, "fingerprint": None, "source": None},
        "num_tests": len(plan.traces),
        "imported_from": {
            "sources": list(sources),
            "run_id": plan.source,
            "at": datetime.now(UTC).isoformat(),
        },
        "identity": {"tasks": TASKS},
        "versions": {"smoltrace": __version__, "smolagents": None, "genai_otel": None, "python": None},
        "hardware": None,
        "job": {"hf_job_id": None, "job_type": None},
        "submitted_by": user(),
        "notes": options.notes,
        "tags": dict(options.tags),
        "references": {"results": None, "traces": None, "metrics": None},
    }


def manifest_after(seen: Seen, options: Options) -> dict[str, Any]:
    """What it says when they were."""
    kinds = sorted(seen.kinds)
    return {
        "status": "completed",
        "tasks": {"name": TASKS, "fingerprint": seen.fingerprint(), "source": None},
        "model": options.model or _most(seen.shown),
        "provider": _most(seen.providers),
        "system": _most(seen.systems),
        "agent_type": "both" if len(kinds) > 1 else next(iter(kinds), None),
        "num_tests": seen.tests,
        "attempts": seen.attempts,
        "started_at": time_of(seen.start_ns).isoformat(),
        "finished_at": time_of(seen.end_ns).isoformat(),
        "wall_time_ms": (seen.end_ns - seen.start_ns) / 1e6,
    }


def _most(found: Counter[str]) -> str | None:
    return min(found, key=lambda name: (-found[name], name), default=None)


# What is not as it may seem


def tell(seen: Seen, plan: Plan, say: Say) -> None:
    run = f"Run {plan.run_id}"
    if seen.orphans:
        say(f"{run}: the root span of {counted(seen.orphans, 'trace')} did not arrive; the first span stands for it.")
    if seen.circular:
        say(f"{run}: in {counted(seen.circular, 'trace')} spans are each other's parents; the earliest lost its own.")
    if seen.unjudged:
        say(f"{run}: no verdict arrived of {counted(seen.unjudged, 'test')}, which may not have ended.")
    if plan.source is None and len(seen.models) > 1:
        named = [f"{model} ({counted(calls, 'call')})" for model, calls in seen.models.most_common()]
        say(f"{run}: its calls asked {len(seen.models)} models: {listed(named)}. Each test bears its most used one.")


def tell_metrics(spill: Spill, plans: Sequence[Plan], say: Say) -> None:
    others = spill.metrics_count(None)
    if not others:
        return
    run_id = next((plan.run_id for plan in plans if plan.source is None), None)
    if run_id is None:
        say(f"Left out: {counted(others, 'group')} of metrics that are of no run of smoltrace.")
    else:
        say(f"Run {run_id}: {counted(others, 'group')} of metrics kept in {OTHER_METRICS}; no number rests on them.")


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def listed(found: Sequence[str]) -> str:
    shown = ", ".join(found[:5])
    return shown if len(found) <= 5 else f"{shown} and {len(found) - 5} more"
