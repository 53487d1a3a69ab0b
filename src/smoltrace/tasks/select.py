"""Choosing some tasks of a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from smoltrace.errors import UsageError
from smoltrace.tasks.task import Task


def select(
    tasks: Iterable[Task],
    *,
    difficulty: str | None = None,
    category: str | None = None,
    limit: int | None = None,
    agent_type: str | None = None,
) -> tuple[Task, ...]:
    """The tasks that meet every given condition, in their order; of these the first `limit`.

    Difficulty and category are compared without regard to case. `agent_type` "tool" or "code" keeps the tasks for that
    kind of agent, "both" keeps all. Raises UsageError when nothing is left, saying what there is, and for a limit
    below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"the limit is {limit}; it must be 1 or more")
    every = tuple(tasks)
    chosen = [
        task
        for task in every
        if _agrees(difficulty, task.difficulty)
        and _agrees(category, task.category)
        and (agent_type is None or task.for_agent(agent_type))
    ]
    if not chosen:
        asked = {"difficulty": difficulty, "category": category, "agent_type": agent_type}
        raise UsageError(_nothing_left(every, {name: value for name, value in asked.items() if value is not None}))
    return tuple(chosen[:limit])


def _agrees(wanted: str | None, found: str | None) -> bool:
    return wanted is None or (found is not None and wanted.casefold() == found.casefold())


def _nothing_left(tasks: tuple[Task, ...], asked: dict[str, str]) -> str:
    if not asked:
        return "there are no tasks to choose from"
    wanted = ", ".join(f'{name} "{value}"' for name, value in asked.items())
    there = []
    for name in asked:
        counted = Counter(getattr(task, name) or "none" for task in tasks)
        there.append(f"{name}: " + ", ".join(f"{value} ({number})" for value, number in sorted(counted.items())))
    return f"none of the {len(tasks)} tasks has {wanted}; there are {'; '.join(there)}"
