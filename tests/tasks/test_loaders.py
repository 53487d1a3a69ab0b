from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.task_files import fault_of, written

from smoltrace.tasks.loaders import fingerprint_of, from_documented_name, load_tasks
from smoltrace.tasks.task import Task

ROWS = [
    {
        "id": "tool_weather_single",
        "prompt": "What's the weather in Paris, France?",
        "expected_tool": "get_weather",
        "expected_tool_calls": 1,
        "difficulty": "easy",
        "agent_type": "tool",
        "expected_keywords": ["12", "partly cloudy"],
    },
    {"id": "code_product", "prompt": "What is 234 × 67?", "agent_type": "code", "expected_answer": "15678"},
]


def file_of(folder: Path, kind: str, rows: list[dict]) -> Path:
    """The same rows in any of the formats."""
    path = folder / f"tasks.{kind}"
    if kind == "jsonl":
        return written(folder, path.name, "".join(json.dumps(row) + "\n" for row in rows))
    if kind == "json":
        return written(folder, path.name, json.dumps(rows, indent=2))
    table = pa.Table.from_pylist(rows, schema=schema_of(rows))
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        table.to_pandas().assign(
            expected_keywords=lambda frame: [
                None if v is None else json.dumps(list(v)) for v in frame.expected_keywords
            ]
        ).to_csv(path, index=False)
    return path


def schema_of(rows: list[dict]) -> pa.Schema:
    kinds = {"expected_tool_calls": pa.int64(), "expected_keywords": pa.list_(pa.string())}
    names = {name: None for row in rows for name in row}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_every_format_gives_the_same_tasks_and_the_same_fingerprint(tmp_path, kind):
    found = load_tasks(file_of(tmp_path, kind, ROWS))
    assert found.tasks == (
        Task(
            id="tool_weather_single",
            prompt="What's the weather in Paris, France?",
            agent_type="tool",
            difficulty="easy",
            expected_tool="get_weather",
            expected_tool_calls=1,
            expected_keywords=("12", "partly cloudy"),
        ),
        Task(id="code_product", prompt="What is 234 × 67?", agent_type="code", expected_answer="15678"),
    )
    assert found.name == "tasks"
    assert found.fingerprint == load_tasks(file_of(tmp_path, "jsonl", ROWS)).fingerprint


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
words = st.text(min_size=1).filter(lambda text: text.strip() and not text.strip().startswith("["))
tasks = st.builds(
    Task,
    id=st.text(st.characters(categories=["L", "N", "P"]), min_size=1),
    prompt=words,
    agent_type=st.sampled_from(["tool", "code", "both"]),
    difficulty=st.none() | words,
    expected_tool=st.none() | words,
    expected_tool_calls=st.none() | st.integers(0, 9),
    expected_keywords=st.lists(words, max_size=3).map(tuple),
    expected_answer=json_values.filter(
        lambda value: value != [] and not (isinstance(value, str) and not value.strip())
    ),
    metadata=st.dictionaries(st.sampled_from(["source", "year", "notes"]), st.integers(0, 9), max_size=3),
)


@given(st.lists(tasks, min_size=1, max_size=4, unique_by=lambda task: task.id))
def test_what_to_json_writes_is_read_back_as_the_same_tasks(tmp_path_factory, every):
    folder = tmp_path_factory.mktemp("tasks")
    lines = "".join(json.dumps(task.to_json(), ensure_ascii=False) + "\n" for task in every)
    as_lines = load_tasks(written(folder, "tasks.jsonl", lines))
    as_document = load_tasks(written(folder, "tasks.json", json.dumps([task.to_json() for task in every], indent=1)))
    assert as_lines.tasks == as_document.tasks == tuple(every)
    assert as_lines.fingerprint == fingerprint_of(every)


def test_the_fingerprint_follows_content_and_not_place(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    prints = []
    for folder, text in [("a", "1"), ("b", "1"), ("b", "2")]:
        written(tmp_path / folder, "data.txt", text)
        tasks_file = written(tmp_path / folder, "t.jsonl", '{"id": 1, "prompt": "p", "files": ["data.txt"]}')
        prints.append(load_tasks(tasks_file).fingerprint)
    assert prints[0] == prints[1] != prints[2]


class TestSources:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("t.jsonl", ""),
            ("t.jsonl", "\n \r\n\n"),
            ("t.jsonl", "\ufeff"),
            ("t.json", ""),
            ("t.json", "[]"),
            ("t.json", '{"tasks": []}'),
            ("t.csv", ""),
            ("t.csv", "id,prompt\n"),
        ],
    )
    def test_a_file_without_tasks(self, tmp_path, name, content):
        error = fault_of(written(tmp_path, name, content))
        assert error.line is None
        assert "holds no tasks" in error.problem

    @pytest.mark.parametrize(
        ("source", "problem"),
        [
            ("absent.jsonl", "no such file"),
            ("basic", 'did you mean "basics"'),
            ("owner/name", "write hf:owner/name"),
            ("x" * 5_000, "neither a built-in suite"),
            (".", "is a directory"),
            ("tasks.yaml", "neither a built-in suite"),
            ("hf:", "write hf:owner/name"),
            ("hf:name", "write hf:owner/name"),
            ("hf:a/b/c/d", "write hf:owner/name"),
            ("hf:a/b@", "write hf:owner/name"),
        ],
    )
    def test_names_that_lead_nowhere(self, tmp_path, monkeypatch, source, problem):
        monkeypatch.chdir(tmp_path)
        assert problem in fault_of(source).problem

    def test_an_unknown_ending(self, tmp_path):
        assert ".jsonl" in fault_of(written(tmp_path, "tasks.yaml", "- id: 1")).problem

    def test_a_suite_is_found_by_its_name_and_a_file_of_that_name_by_its_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert load_tasks("basics").name == load_tasks("basics").source == "basics"
        written(tmp_path, "basics", "")
        assert "extension" in fault_of(Path("basics")).problem

    @pytest.mark.parametrize(
        ("name", "source"),
        [
            ("owner/name", "hf:owner/name"),
            ("owner/name@v2", "hf:owner/name@v2"),
            ("hf:owner/name", "hf:owner/name"),
            ("basics", "basics"),
            ("mine.jsonl", "mine.jsonl"),
            ("folder/absent.csv", "folder/absent.csv"),
            ("here/name", "here/name"),
        ],
    )
    def test_the_documented_name_of_a_dataset(self, tmp_path, monkeypatch, name, source):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "here").mkdir()
        (tmp_path / "owner" / "name").mkdir(parents=True)
        written(tmp_path / "here", "name", "")
        assert from_documented_name(name) == source
