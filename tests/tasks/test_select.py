from __future__ import annotations

import pytest

from smoltrace.errors import UsageError
from smoltrace.tasks.select import select
from smoltrace.tasks.task import Task

TASKS = (
    Task(id="a", prompt="p", difficulty="easy", category="weather", agent_type="tool"),
    Task(id="b", prompt="p", difficulty="hard", category="time", agent_type="code"),
    Task(id="c", prompt="p", difficulty="easy", category="time"),
    Task(id="d", prompt="p"),
)


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ({}, "abcd"),
        ({"difficulty": "easy"}, "ac"),
        ({"difficulty": "EASY"}, "ac"),
        ({"category": "time"}, "bc"),
        ({"agent_type": "tool"}, "acd"),
        ({"agent_type": "both"}, "abcd"),
        ({"limit": 2}, "ab"),
        ({"limit": 99}, "abcd"),
        ({"difficulty": "easy", "limit": 1}, "a"),
        ({"difficulty": "easy", "category": "time", "agent_type": "code"}, "c"),
    ],
)
def test_tasks_meet_every_condition_and_keep_their_order(conditions, ids):
    assert "".join(task.id for task in select(TASKS, **conditions)) == ids


def test_when_nothing_is_left_the_choices_are_told():
    with pytest.raises(
        UsageError, match=r'none of the 4 tasks has difficulty "medium"; .*easy \(2\), hard \(1\), none'
    ):
        select(TASKS, difficulty="medium")
    with pytest.raises(UsageError, match="no tasks"):
        select(())


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_one(limit):
    with pytest.raises(UsageError, match="1 or more"):
        select(TASKS, limit=limit)
