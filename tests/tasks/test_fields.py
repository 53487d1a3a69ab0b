from __future__ import annotations

import json

import pytest
from support.task_files import fault_of, written

from smoltrace.tasks.loaders import load_tasks


class TestWhatAFieldMayHold:
    @pytest.mark.parametrize(
        ("row", "field", "value"),
        [
            ({"task_id": "x", "question": "q"}, "id", "x"),
            ({"test_id": 7, "question": "q"}, "id", "7"),
            ({"id": 7.0, "question": "q"}, "id", "7"),
            ({"id": 1, "question": "q"}, "prompt", "q"),
            ({"id": 1, "prompt": "p", "question": "q"}, "prompt", "p"),
            ({"id": 1, "prompt": "p", "expected_keyword": "a b"}, "expected_keywords", ("a b",)),
            ({"id": 1, "prompt": "p", "expected_keywords": '["a", "b"]'}, "expected_keywords", ("a", "b")),
            ({"id": 1, "prompt": "p", "expected_keywords": ["18", 5]}, "expected_keywords", ("18", "5")),
            ({"id": 1, "prompt": "p", "expected_keywords": []}, "expected_keywords", ()),
            ({"id": 1, "prompt": "p", "answer": 4}, "expected_answer", 4),
            ({"id": 1, "prompt": "p", "answer": False}, "expected_answer", False),
            ({"id": 1, "prompt": "p", "true_answer": {"a": [1]}}, "expected_answer", {"a": [1]}),
            ({"id": 1, "prompt": "p", "expected_tool_calls": 2.0}, "expected_tool_calls", 2),
            ({"id": 1, "prompt": "p", "expected_tool": ["calculator"]}, "expected_tool", "calculator"),
            ({"id": 1, "prompt": "p", "level": 3}, "difficulty", "3"),
            ({"id": 1, "prompt": "p", "difficulty": None}, "difficulty", None),
            ({"id": 1, "prompt": "p", "agent_type": ""}, "agent_type", "both"),
            ({"id": 1, "prompt": "p", "required_tools": ["a"], "x": None}, "metadata", {"required_tools": ["a"]}),
        ],
    )
    def test_names_and_kinds_that_are_understood(self, tmp_path, row, field, value):
        (task,) = load_tasks(written(tmp_path, "t.jsonl", json.dumps(row)))
        assert getattr(task, field) == value
        assert type(getattr(task, field)) is type(value)

    def test_nan_is_an_absent_value(self, tmp_path):
        (task,) = load_tasks(written(tmp_path, "t.jsonl", '{"id": 1, "prompt": "p", "expected_tool_calls": NaN}'))
        assert task.expected_tool_calls is None

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ({"prompt": "p"}, "has no id"),
            ({"id": "a"}, "has no prompt"),
            ({"id": "a", "prompt": "  "}, "has no prompt"),
            ({"id": "a", "prompt": ["x", "y"]}, "prompt is"),
            ({"id": True, "prompt": "p"}, "id is true"),
            ({"id": "a\nb", "prompt": "p"}, "line breaks"),
            ({"id": "a", "prompt": "p", "agent_type": "robot"}, 'agent_type is "robot"; it must be one of tool, code'),
            ({"id": "a", "prompt": "p", "keyword_match": "some"}, "one of all, any"),
            ({"id": "a", "prompt": "p", "expected_tool_calls": True}, "whole number"),
            ({"id": "a", "prompt": "p", "expected_tool_calls": 1.5}, "whole number"),
            ({"id": "a", "prompt": "p", "expected_tool_calls": -1}, "whole number"),
            ({"id": "a", "prompt": "p", "expected_tool_calls": "two"}, "whole number"),
            ({"id": "a", "prompt": "p", "expected_tool_calls": "1e999"}, "whole number"),
            ({"id": "a", "prompt": "p", "expected_tool": {"name": "x"}}, "it must be a text"),
            ({"id": "a", "prompt": "p", "expected_tool": ["x", "y"]}, "it must be a text"),
            ({"id": "a", "prompt": "p", "expected_keywords": {"a": 1}}, "expected_keywords is"),
            ({"id": "a", "prompt": "p", "expected_keywords": [["a"]]}, "a list of texts"),
            ({"id": "a", "prompt": "p", "expected_keywords": ["a", ""]}, "expected_keywords is"),
            ({"id": "a", "prompt": "p", "expected_keywords": "['a', 'b']"}, "write a list as JSON"),
            ({"id": "a", "prompt": "p", "files": ["absent.txt"]}, "which is no file"),
            ({"id": "a", "prompt": "half \ud83d"}, "surrogate"),
            ({"id": "a", "prompt": "p", "notes": {"x": ["\udc00"]}}, "surrogate"),
            (["a", "p"], "a task is an object"),
            ("a", "a task is an object"),
            (None, "a task is an object"),
        ],
    )
    def test_what_is_refused_with_the_line_and_the_remedy(self, tmp_path, row, problem):
        good = json.dumps({"id": "good", "prompt": "p"})
        error = fault_of(written(tmp_path, "t.jsonl", f"{good}\n\n{json.dumps(row)}\n"))
        assert error.line == 3
        assert problem in error.problem
        str(error).encode()

    def test_an_infinite_number_is_refused_wherever_it_stands(self, tmp_path):
        assert "infinite" in fault_of(written(tmp_path, "t.jsonl", '{"id": 1, "prompt": "p", "x": [1e999]}')).problem
        assert "JSON" in fault_of(written(tmp_path, "t.jsonl", '{"id": 1, "prompt": "p", "x": Infinity}')).problem

    def test_files_are_found_beside_the_tasks_file(self, tmp_path, monkeypatch):
        written(tmp_path, "data.csv", "x")
        tasks_file = written(tmp_path, "t.jsonl", '{"id": 1, "prompt": "p", "files": "data.csv"}')
        monkeypatch.chdir("/")
        assert load_tasks(tasks_file).tasks[0].files == (str((tmp_path / "data.csv").resolve()),)
