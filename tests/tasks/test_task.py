from __future__ import annotations

import pickle

import pytest

from smoltrace.tasks.task import Task


@pytest.mark.parametrize(
    ("of_task", "asked", "given"),
    [
        ("both", "tool", True),
        ("both", "code", True),
        ("tool", "tool", True),
        ("tool", "code", False),
        ("code", "code", True),
        ("code", "tool", False),
        ("tool", "both", True),
        ("code", "both", True),
    ],
)
def test_a_task_is_given_to_the_agents_it_is_for(of_task, asked, given):
    assert Task(id="a", prompt="p", agent_type=of_task).for_agent(asked) is given


def test_expected_holds_only_what_is_expected():
    assert Task(id="a", prompt="p").expected == {}
    task = Task(id="a", prompt="p", expected_tool="calculator", expected_keywords=("4", "four"), keyword_match="any")
    assert task.expected == {
        "expected_tool": "calculator",
        "expected_keywords": ["4", "four"],
        "keyword_match": "any",
    }


@pytest.mark.parametrize("answer", [0, False, "", 0.0, [], {}])
def test_an_expected_answer_that_is_falsy_is_still_expected(answer):
    assert Task(id="a", prompt="p", expected_answer=answer).expected == {"expected_answer": answer}


def test_zero_expected_tool_calls_are_kept():
    assert Task(id="a", prompt="p", expected_tool_calls=0).to_json()["expected_tool_calls"] == 0


def test_to_json_leaves_out_what_is_unset_and_keeps_unknown_columns_beside_the_fields():
    task = Task(id="a", prompt="p", metadata={"source": "gaia", "id": "other"})
    assert task.to_json() == {"id": "a", "prompt": "p", "agent_type": "both", "source": "gaia"}


def test_tasks_can_be_hashed_and_sent_to_other_processes():
    task = Task(id="a", prompt="p", expected_answer={"x": [1]}, metadata={"k": [1]})
    assert len({task, pickle.loads(pickle.dumps(task))}) == 1
