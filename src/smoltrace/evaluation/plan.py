"""The tests of a run, in their order: each task, for each agent kind it is for, as often as asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smoltrace.errors import UsageError
from smoltrace.tasks.task import AgentType, Task


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """One execution to come: `index` is its place in the run (from 0), `attempt` which repetition it is (from 1)."""

    index: int
    task: Task
    agent_type: AgentType
    attempt: int

    @property
    def uid(self) -> str:
        """Unique in a run: `{agent_type}:{test_id}:{attempt}`."""
        return f"{self.agent_type}:{self.task.id}:{self.attempt}"


def plan_tests(tasks: Iterable[Task], agent_type: str, repeats: int) -> list[PlannedTest]:
    """All executions of a run: tool agents first, then code agents; the repetitions of a test stand together.

    Raises UsageError when no task is left for the agent kind.
    """
    tasks = list(tasks)
    kinds: tuple[AgentType, ...] = ("tool", "code") if agent_type == "both" else (agent_type,)  # type: ignore[assignment]
    planned = [
        (task, kind, attempt)
        for kind in kinds
        for task in tasks
        if task.for_agent(kind)
        for attempt in range(1, repeats + 1)
    ]
    if not planned:
        raise UsageError(
            f"No task is left to run: of {len(tasks)} tasks none is for agent type '{agent_type}'. "
            "Choose another --agent-type, or loosen --difficulty, --category or --limit."
        )
    return [PlannedTest(index, *rest) for index, rest in enumerate(planned)]
