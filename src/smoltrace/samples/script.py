"""What an agent does in a test, move by move: the right way to each task of the built-in suite, and the wrong ones.

script.json holds the tools as an agent is offered them, and for each task the tool calls with what the tools say, a
right answer and a wrong one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from smoltrace.tasks.task import Task

Ending: TypeAlias = Literal[
    "right", "recovered", "retried", "wrong", "no_tool", "tool_error", "parse_error", "max_steps", "budget", "timeout",
    "rate_limit", "llm_error",
]  # fmt: skip
"""How a test goes: the first three succeed, a failed step or call on the way; the others fail as they say."""

_OUTAGE: Final = "The weather service does not answer (HTTP 503)."


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool, what it is given, and what it returns, or the text of the error that it raises."""

    tool: str
    arguments: Mapping[str, Any]
    result: str = ""
    error: str | None = None
    error_type: str = "ValueError"


@dataclass(frozen=True, slots=True)
class Act:
    """A step with tool calls, or with code of its own that prints `result`. `retries` attempts of its model call fail
    before the one that is answered."""

    thought: str
    calls: Sequence[ToolCall] = ()
    code: str | None = None
    result: str = ""
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A planning step."""

    text: str


@dataclass(frozen=True, slots=True)
class Babble:
    """A step whose model call brings words without an action in them."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The step with the final answer."""

    answer: str


@dataclass(frozen=True, slots=True)
class OutOfSteps:
    """What an agent says whose steps are used up."""

    answer: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A model call that fails for good with this HTTP status, after so many retries."""

    http_status: int
    message: str
    retries: int


@dataclass(frozen=True, slots=True)
class Hang:
    """A model call that never ends."""


Move: TypeAlias = Act | Plan | Babble | Finish | OutOfSteps | Refused | Hang


@dataclass(frozen=True, slots=True)
class Solution:
    """How a task is solved: tool calls, or for agents that write code perhaps a program and what it prints."""

    answer: str
    wrong: str
    calls: Sequence[ToolCall] = ()
    code: str | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """The tools that an agent is offered, as JSON values, and the solutions by task id."""

    tools: Sequence[Mapping[str, Any]]
    solutions: Mapping[str, Solution] = field(default_factory=dict)


@cache
def script() -> Script:
    """What script.json says."""
    document = json.loads(Path(__file__).with_name("script.json").read_text(encoding="utf-8"))
    solutions = {
        task: Solution(**{**told, "calls": tuple(ToolCall(**call) for call in told["calls"])})
        for task, told in document["solutions"].items()
    }
    return Script(document["tools"], solutions)


@dataclass(frozen=True, slots=True)
class Scene:
    """A task as an agent of this kind meets it, with so many steps. `plans` begins it with a plan."""

    task: Task
    agent_type: str
    max_steps: int
    plans: bool = False


def moves(scene: Scene, ending: Ending, rng: random.Random) -> list[Move]:
    """The moves of a test that is to go this way."""
    solution = script().solutions[scene.task.id]
    plan: list[Move] = [Plan("1. Find out what the tools can tell.\n2. Answer from what they said.")]
    return [*(plan if scene.plans else []), *_ENDINGS[ending](scene, solution, rng)]


def possible(ending: Ending, task: Task, agent_type: str) -> Ending:
    """The same ending, or the nearest that this test can have: one without tools cannot fail by not using them."""
    needs_tool = agent_type == "tool" and task.expected_tool is not None
    if ending in ("no_tool", "tool_error") and not needs_tool:
        return "wrong"
    return ending


def _acts(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    """The way to the answer. Calls of one tool are now and then made in one step, as models do."""
    if solution.code is not None and scene.agent_type == "code":
        return [Act("I work it out.", code=solution.code, result=solution.result)]
    calls = list(solution.calls)
    same = len(calls) > 1 and len({call.tool for call in calls}) == 1 and all(call.error is None for call in calls)
    if same and rng.random() < 0.4:
        return [Act(f"I use {calls[0].tool} for all of them at once.", tuple(calls))]
    return [Act(f"I use {call.tool}.", (call,)) for call in calls]


def _right(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [*_acts(scene, solution, rng), Finish(solution.answer)]


def _recovered(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    failed: Move = Babble("The task can be done in two steps, and I begin with the first of them.")
    if solution.calls and scene.agent_type == "tool":
        failed = _outage(solution.calls[0])
    return [failed, *_right(scene, solution, rng)]


def _retried(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    first, *rest = _right(scene, solution, rng)
    first = first if isinstance(first, Act) else Act("I make sure of it.", code="print('ready')", result="ready")
    return [replace(first, retries=rng.choice((1, 2, 3))), *(rest or [Finish(solution.answer)])]


def _wrong(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [*_acts(scene, solution, rng), Finish(solution.wrong)]


def _no_tool(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [Finish(solution.answer if rng.random() < 0.5 else solution.wrong)]


def _tool_error(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    failed = _outage(solution.calls[0])
    return [*[failed] * scene.max_steps, OutOfSteps("The tool failed each time, so I cannot tell.")]


def _parse_error(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    words = Babble("Sure! I would look this up first, then compare the results, and then tell you the answer.")
    return [*[words] * scene.max_steps, OutOfSteps("I did not reach an answer in the steps that I had.")]


def _max_steps(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [*_circles(scene.max_steps), OutOfSteps("I did not reach an answer in the steps that I had.")]


def _budget(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    """Round in circles until the test's budget is used up."""
    return [*_circles(200), Finish(solution.wrong)]


def _timeout(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [*_acts(scene, solution, rng)[:1], Hang()]


def _rate_limit(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [*_acts(scene, solution, rng)[:1], Refused(429, "Rate limit reached, please slow down", retries=4)]


def _llm_error(scene: Scene, solution: Solution, rng: random.Random) -> list[Move]:
    return [Refused(500, "The server had an error while processing your request", retries=2)]


def _circles(steps: int) -> list[Move]:
    sums = [f"{n} + 1" for n in range(steps)]
    return [
        Act("I go on to the next number.", (ToolCall("calculator", {"expression": each}, str(n + 1)),))
        for n, each in enumerate(sums)
    ]


def _outage(call: ToolCall) -> Act:
    broken = replace(call, result="", error=_OUTAGE if call.tool == "get_weather" else "The tool timed out.")
    return Act(f"I use {call.tool}.", (replace(broken, error_type="ConnectionError"),))


_ENDINGS: Final[Mapping[Ending, Callable[[Scene, Solution, random.Random], list[Move]]]] = {
    "right": _right,
    "recovered": _recovered,
    "retried": _retried,
    "wrong": _wrong,
    "no_tool": _no_tool,
    "tool_error": _tool_error,
    "parse_error": _parse_error,
    "max_steps": _max_steps,
    "budget": _budget,
    "timeout": _timeout,
    "rate_limit": _rate_limit,
    "llm_error": _llm_error,
}
