"""Which executions a run consists of."""

from __future__ import annotations

import pytest

from smoltrace.errors import UsageError
from smoltrace.evaluation.plan import plan_tests
from smoltrace.tasks.task import Task

TASKS = [
    Task(id="a", prompt="p", agent_type="tool"),
    Task(id="b", prompt="p", agent_type="code"),
    Task(id="c", prompt="p"),
]


def test_each_task_runs_on_each_agent_kind_it_is_for() -> None:
    assert [test.uid for test in plan_tests(TASKS, "both", 1)] == ["tool:a:1", "tool:c:1", "code:b:1", "code:c:1"]
    assert [test.uid for test in plan_tests(TASKS, "code", 1)] == ["code:b:1", "code:c:1"]


def test_repetitions_stand_together_and_are_numbered_from_one() -> None:
    planned = plan_tests(TASKS[:1], "tool", 3)
    assert [test.attempt for test in planned] == [1, 2, 3]
    assert [test.index for test in planned] == [0, 1, 2]


def test_a_plan_without_a_test_is_refused() -> None:
    with pytest.raises(UsageError, match="No task is left"):
        plan_tests(TASKS[:1], "code", 1)
