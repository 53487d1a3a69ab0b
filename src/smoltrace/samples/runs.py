"""Which runs a sample store has: what was asked of which model, on which day, and what goes wrong in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from smoltrace.errors import UsageError
from smoltrace.samples.models import DEMO, LARGE, LLAMA, LLAMA_70B, PREVIEW, SMALL, SampleModel
from smoltrace.samples.script import Ending

if TYPE_CHECKING:
    from smoltrace.evaluation.config import EvalConfig

FIRST_START_NS: Final = 1_767_603_600_000_000_000
"""Unix nanoseconds: 2026-01-05 09:00 UTC, when the first run of the first day begins."""
HOUR_NS: Final = 3_600_000_000_000
COUNTRY: Final = "FRA"
NOTES: Final = "Made up by `smoltrace sample`: no model was asked and no device was read."
SUITE: Final = "basics"
MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRun:
    """One run to be made up.

    number     its place among the runs of its model, from 0: later ones are a little better
    hour       hours after the first
    endings    what happens in some of its tests, whatever chance says
    finished   share of its tests that are finished; less than 1 leaves it incomplete
    plans      its agents begin with a plan
    """

    run_id: str
    model: SampleModel
    agent_type: Literal["tool", "code", "both"] = "both"
    repeats: int = 1
    number: int = 0
    hour: int = 0
    endings: Sequence[Ending] = ()
    finished: float = 1.0
    plans: bool = False
    max_steps: int = 6
    max_tokens_per_test: int | None = None
    test_timeout: float = 60.0
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def start_ns(self) -> int:
        return FIRST_START_NS + self.hour * HOUR_NS

    @property
    def skill(self) -> float:
        return min(0.98, self.model.skill + 0.025 * self.number)

    def config(self, tests: int | None) -> EvalConfig:
        """The evaluation as it would have been asked for, of the first `tests` tasks."""
        from smoltrace.agents.spec import AgentSpec
        from smoltrace.evaluation.config import EvalConfig
        from smoltrace.evaluation.limits import Limits
        from smoltrace.evaluation.meters.footprint import Footprint

        told: dict[str, Any] = {}
        if self.model is not DEMO:
            interval = 10 if self.plans else None
            told = {
                "agent": AgentSpec(max_steps=self.max_steps, planning_interval=interval),
                "limits": Limits(test_timeout=self.test_timeout, max_tokens_per_test=self.max_tokens_per_test),
                "footprint": Footprint(country=COUNTRY, estimate_energy=self.model.estimate_wh is not None),
            }
        return EvalConfig(
            tasks=SUITE,
            model=self.model.spec,
            agent_type=self.agent_type,
            limit=tests,
            repeats=self.repeats,
            workers=self.model.workers,
            run_id=self.run_id,
            tags={"sample": "yes", **self.tags},
            notes=NOTES,
            submitted_by="sample",
            **told,
        )


_FIRST: Final = (
    SampleRun(run_id="large", model=LARGE, endings=("retried", "no_tool", "wrong", "recovered")),
    SampleRun(run_id="small", model=SMALL, hour=3, endings=("rate_limit", "wrong", "retried", "max_steps")),
    SampleRun(run_id="llama-8b", model=LLAMA, hour=24, endings=("timeout", "tool_error", "parse_error", "wrong")),
    SampleRun(run_id="llama-70b", model=LLAMA_70B, hour=27, plans=True, endings=("recovered", "wrong")),
    SampleRun(
        run_id="preview",
        model=PREVIEW,
        hour=48,
        max_steps=20,
        max_tokens_per_test=16_000,
        endings=("budget", "llm_error", "wrong"),
    ),
    SampleRun(run_id="demo-interrupted", model=DEMO, hour=50, finished=0.6),
    SampleRun(run_id="small-tool", model=SMALL, hour=72, agent_type="tool", repeats=3, endings=("no_tool",)),
    SampleRun(run_id="llama-8b", model=LLAMA, hour=96, endings=("wrong", "max_steps")),
    SampleRun(run_id="large-code", model=LARGE, hour=99, agent_type="code", endings=("recovered",)),
    SampleRun(run_id="small", model=SMALL, hour=120),
    SampleRun(run_id="llama-70b", model=LLAMA_70B, hour=144, endings=("tool_error",)),
    SampleRun(run_id="llama-8b", model=LLAMA, hour=168, endings=("wrong", "retried")),
)
"""One of every kind. What stands for their run id is the end of it."""
DEFAULT_RUNS: Final = len(_FIRST)
_NIGHTLY: Final = tuple(_FIRST[place] for place in (1, 0, 2, 4))
"""What further runs repeat, in turn: one a day."""


def sample_runs(count: int) -> list[SampleRun]:
    """The first `count` runs of a sample store: one of every kind, then more of four models, a day apart.

    Raises UsageError for less than 1 and for more than 1,000.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"--runs {count}: give a number from 1 to {MOST}.")
    chosen = list(_FIRST[:count])
    for night in range(count - len(chosen)):
        again, hour = _NIGHTLY[night % len(_NIGHTLY)], _FIRST[-1].hour + 24 * (night + 1)
        chosen.append(replace(again, hour=hour, endings=(), tags={"nightly": "yes"}))
    numbers: Counter[str] = Counter()
    runs = []
    for place, run in enumerate(chosen, start=1):
        model = run.model.model_id
        runs.append(replace(run, run_id=f"sample-{place:02d}-{run.run_id}", number=numbers[model]))
        numbers[model] += 1
    return runs
