from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from smoltrace.cli.tasks import command
from smoltrace.errors import TaskFileError, UsageError
from smoltrace.tasks.loaders import load_tasks


def run(*arguments: str):
    return CliRunner().invoke(command, list(map(str, arguments)))


def done(*arguments: str):
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result


def test_list_names_the_suites():
    assert "basics" in done("list").stdout
    (suite,) = json.loads(done("list", "--json").stdout)
    assert suite["name"] == "basics"
    assert suite["tasks"] == len(load_tasks("basics"))


def test_show_prints_one_line_a_task_or_one_task_in_full():
    lines = done("show", "basics").stdout.splitlines()
    assert len(lines) == len(load_tasks("basics"))
    assert lines[0].split()[:4] == ["weather_paris", "both", "easy", "weather"]
    assert "expected_tool: get_current_time" in done("show", "basics", "time_utc").stdout
    assert json.loads(done("show", "basics", "time_utc", "--json").stdout)["id"] == "time_utc"
    assert len(json.loads(done("show", "basics", "--json").stdout)["tasks"]) == len(lines)


def test_show_of_an_absent_task_says_where_to_look():
    assert "tasks show basics" in str(run("show", "basics", "nope").exception)


def test_validate_counts_the_tasks():
    result = done("validate", "basics")
    assert "difficulty: easy 8" in result.stdout
    assert json.loads(done("validate", "basics", "--json").stdout)["by_agent_type"]["both"] > 0


def test_validate_tells_every_fault_and_ends_with_2(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 1}\n{"id": 2, "prompt": "p", "agent_type": "x"}\n')
    result = run("validate", path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [f"{path}, line 1", f"{path}, line 2"]
    as_json = run("validate", path, "--json")
    assert as_json.exit_code == 2
    assert [fault["line"] for fault in json.loads(as_json.stdout)["faults"]] == [1, 2]


def test_a_copy_holds_the_same_tasks_and_replaces_nothing_unasked(tmp_path):
    path = tmp_path / "mine.jsonl"
    done("copy", "basics", "-o", path)
    assert load_tasks(path).tasks == load_tasks("basics").tasks
    assert load_tasks(path).fingerprint == load_tasks("basics").fingerprint
    path.write_text("mine")
    assert isinstance(run("copy", "basics", "-o", path).exception, UsageError)
    assert path.read_text() == "mine"
    assert json.loads(done("copy", "basics", "-o", path, "--force", "--json").stdout)["output"] == str(path)


@pytest.mark.parametrize("output", ["mine.csv", "absent/mine.jsonl"])
def test_a_copy_that_cannot_be_written(tmp_path, output):
    assert isinstance(run("copy", "basics", "-o", tmp_path / output).exception, UsageError)


def test_a_wrong_source_is_a_fault_of_the_tasks_file():
    assert isinstance(run("show", "absent.jsonl").exception, TaskFileError)
