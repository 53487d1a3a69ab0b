"""Success as the users of the documented command know it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from smoltrace.records.execution import ToolUse
from smoltrace.scoring.documented import Attempt, Judge, used_expected_tool
from smoltrace.tasks.task import Task

WEATHER = ToolUse(name="get_weather", arguments={"location": "Paris"}, ok=True, duration_ms=1.0)
TASK = Task(id="t", prompt="p", expected_tool="get_weather", expected_keywords=("sunny",))
GOOD = Attempt(task=TASK, agent_type="tool", answer="It is sunny", tools=(WEATHER,), final_answer_called=True, steps=2)


def test_a_tool_agent_needs_tool_final_answer_and_right_answer() -> None:
    judge = Judge()
    assert judge.judge(GOOD).success
    assert not judge.judge(replace(GOOD, tools=())).success
    assert not judge.judge(replace(GOOD, final_answer_called=False)).success
    assert not judge.judge(replace(GOOD, answer="It is wet")).success


def test_a_code_agent_needs_no_tool() -> None:
    verdict = Judge().judge(replace(GOOD, agent_type="code", tools=()))
    assert verdict.success
    assert verdict.correct_tool is False
    assert verdict.tool_called is False


def test_the_expected_tool_must_be_used_often_enough() -> None:
    twice = replace(TASK, expected_tool_calls=2)
    assert not used_expected_tool(twice, [WEATHER])
    assert used_expected_tool(twice, [WEATHER, WEATHER])
    assert not used_expected_tool(twice, [WEATHER, replace(WEATHER, name="calculator")])


def test_calls_without_a_named_tool_count_for_any_tool() -> None:
    task = Task(id="t", prompt="p", expected_tool_calls=2)
    assert used_expected_tool(task, [WEATHER, replace(WEATHER, name="calculator")])
    assert not used_expected_tool(task, [WEATHER])


def test_a_task_that_expects_no_tool_needs_none() -> None:
    task = Task(id="t", prompt="p", expected_keywords=("sunny",))
    assert Judge().judge(replace(GOOD, task=task, tools=())).success


def test_a_task_that_expects_nothing_of_the_answer_leaves_it_unjudged() -> None:
    verdict = Judge().judge(replace(GOOD, task=Task(id="t", prompt="p")))
    assert verdict.success
    assert verdict.response_correct is None
    assert verdict.score is None


def test_an_error_is_no_success_whatever_was_said() -> None:
    assert not Judge().judge(replace(GOOD, error="it broke")).success


def test_keywords_and_expected_answer_must_both_hold() -> None:
    task = replace(TASK, expected_answer=21)
    assert not Judge().judge(replace(GOOD, task=task)).success
    verdict = Judge().judge(replace(GOOD, task=task, answer="sunny, 21 degrees"))
    assert verdict.success
    assert verdict.scores == {"keywords": True, "expected_answer": True}


@dataclass(frozen=True)
class Length:
    name: str = "length"

    def score(self, attempt: Attempt) -> int:
        return len(attempt.answer or "")


@dataclass(frozen=True)
class Broken:
    name: str = "broken"

    def score(self, attempt: Attempt) -> float:
        raise ZeroDivisionError("no")


def test_a_scorer_of_ones_own_is_recorded_and_does_not_decide() -> None:
    verdict = Judge((Length(),)).judge(GOOD)
    assert verdict.success
    assert verdict.scores["length"] == len("It is sunny")


def test_a_scorer_that_fails_is_data() -> None:
    verdict = Judge((Broken(),)).judge(GOOD)
    assert verdict.success
    assert verdict.scores["broken"] is None
    assert verdict.scores["broken.error"] == "ZeroDivisionError: no"


@pytest.mark.parametrize("answer", [None, ""])
def test_no_answer_is_not_right(answer: str | None) -> None:
    assert not Judge().judge(replace(GOOD, answer=answer)).success
