"""The verdict that decides success: the expected tool was used often enough, and a right final answer was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from smoltrace.records.execution import ToolUse, Verdict
from smoltrace.scoring.answers import holds_keywords, matches_expected
from smoltrace.tasks.task import Task

Score = bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a scorer sees of one execution of a test. `answer` is None where no answer came out."""

    task: Task
    agent_type: str
    answer: str | None
    tools: Sequence[ToolUse] = ()
    final_answer_called: bool = False
    steps: int = 0
    error: str | None = None


@runtime_checkable
class Scorer(Protocol):
    """Says of an attempt a bool, a number or a label, under its own name."""

    @property
    def name(self) -> str: ...

    def score(self, attempt: Attempt) -> Score: ...


@dataclass(frozen=True, slots=True)
class Keywords:
    """Whether the expected keywords stand in the answer as whole words."""

    name: str = "keywords"

    def score(self, attempt: Attempt) -> bool:
        task = attempt.task
        return attempt.answer is not None and holds_keywords(attempt.answer, task.expected_keywords, task.keyword_match)


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """Whether the answer holds the expected one (see `matches_expected`)."""

    name: str = "expected_answer"

    def score(self, attempt: Attempt) -> bool:
        return attempt.answer is not None and matches_expected(attempt.answer, attempt.task.expected_answer)


def answer_scorers(task: Task) -> list[Scorer]:
    """The scorers that a task's expectations call for; none when it expects nothing of the answer."""
    scorers: list[Scorer] = []
    if task.expected_keywords:
        scorers.append(Keywords())
    if task.expected_answer is not None:
        scorers.append(ExpectedAnswer())
    return scorers


def used_expected_tool(task: Task, tools: Sequence[ToolUse]) -> bool:
    """Whether the expected tool was used often enough: `expected_tool_calls` times, once where that is not given.

    A task that names no tool but a number of calls takes the calls of any tool; one that names neither needs none.
    """
    if task.expected_tool is None:
        return len(tools) >= (task.expected_tool_calls or 0)
    wanted = 1 if task.expected_tool_calls is None else task.expected_tool_calls
    return Counter(tool.name for tool in tools)[task.expected_tool] >= wanted


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges an attempt as users of the documented command know it.

    A tool agent succeeds when it used the expected tool often enough, gave a final answer, and the answer is right; a
    code agent when it gave a final answer and the answer is right. The answer is right when every answer scorer says
    so; a task that expects nothing of the answer leaves `response_correct` unknown, and success rests on the rest.
    `extra` scorers are recorded in `scores` and do not decide success. A scorer that fails is data: its score is None,
    with the reason beside it under "NAME.error".
    """

    extra: tuple[Scorer, ...] = field(default=())

    def judge(self, attempt: Attempt) -> Verdict:
        scores: dict[str, Any] = {}
        deciding = answer_scorers(attempt.task)
        for scorer in (*deciding, *self.extra):
            _run(scorer, attempt, scores)
        right = all(scores[scorer.name] is True for scorer in deciding) if deciding else None
        tool_ok = used_expected_tool(attempt.task, attempt.tools)
        needs_tool = attempt.agent_type == "tool"
        success = attempt.final_answer_called and right is not False and (tool_ok or not needs_tool)
        return Verdict(
            success=success and attempt.error is None,
            score=None if right is None else float(right),
            scores=scores,
            tool_called=bool(attempt.tools),
            correct_tool=tool_ok,
            final_answer_called=attempt.final_answer_called,
            response_correct=right,
        )


def _run(scorer: Scorer, attempt: Attempt, scores: dict[str, Any]) -> None:
    try:
        scores[scorer.name] = scorer.score(attempt)
    except Exception as error:  # noqa: BLE001 - a scorer is somebody's code, and its failure is data about the test
        scores[scorer.name] = None
        scores[f"{scorer.name}.error"] = f"{type(error).__name__}: {error}"
