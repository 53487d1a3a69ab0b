from __future__ import annotations

import csv
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.task_files import fault_of, written

from smoltrace.tasks.loaders import examine, load_tasks

ROWS = [{"id": "a", "prompt": "p"}, {"id": "b", "prompt": "q"}]


class TestLines:
    def test_a_broken_line_is_named_and_the_others_counted(self, tmp_path):
        path = written(
            tmp_path, "t.jsonl", '{"id": 1, "prompt": "p"}\n{"id": 2,\n{"id": 1, "prompt": "p"}\n{"id": 3}\n'
        )
        error = fault_of(path)
        assert (error.source, error.line) == (str(path), 2)
        assert "not valid JSON" in error.problem
        assert error.problem.endswith("(and 2 more faults)")

    def test_all_faults_come_in_the_order_of_their_lines(self, tmp_path):
        content = '{"id": 1}\n{\n{"prompt": "p"}\n{"id": 1, "prompt": "p"}\n{"id": 1, "prompt": "p"}'
        found, faults = examine(written(tmp_path, "t.jsonl", content))
        assert found is None
        assert [fault.line for fault in faults] == [1, 2, 3, 5]
        assert "already used in line 4" in faults[-1].problem

    def test_one_row_may_have_several_faults(self, tmp_path):
        _, faults = examine(written(tmp_path, "t.jsonl", '{"agent_type": "x", "expected_tool_calls": "y"}'))
        assert [fault.line for fault in faults] == [1, 1, 1, 1]

    def test_windows_line_ends_a_byte_order_mark_and_unicode_separators_are_fine(self, tmp_path):
        content = '\ufeff{"id": 1, "prompt": "a\u2028b\x85c"}\r\n\r\n{"id": 2, "prompt": "q"}\r\n'
        assert [task.prompt for task in load_tasks(written(tmp_path, "t.jsonl", content))] == ["a\u2028b\x85c", "q"]

    def test_a_prompt_of_a_megabyte(self, tmp_path):
        prompt = "word, " * 200_000
        as_lines = written(tmp_path, "t.jsonl", json.dumps({"id": 1, "prompt": prompt}))
        as_csv = written(tmp_path, "t.csv", f'id,prompt\n1,"{prompt}"\n')
        assert load_tasks(as_lines).tasks[0].prompt == load_tasks(as_csv).tasks[0].prompt == prompt

    def test_an_escaped_nul_belongs_to_the_prompt(self, tmp_path):
        assert load_tasks(written(tmp_path, "t.jsonl", r'{"id": 1, "prompt": "a\u0000b"}')).tasks[0].prompt == "a\0b"

    @pytest.mark.parametrize("name", ["t.jsonl", "t.json", "t.csv"])
    def test_a_nul_byte_and_another_encoding_are_named_with_their_line(self, tmp_path, name):
        nul = fault_of(written(tmp_path, name, b"id,prompt\n1,\0\n"))
        assert nul.line == 2
        assert "UTF-8" in nul.problem
        latin = fault_of(written(tmp_path, name, b"id,prompt\n1,a\n2,caf\xe9\n"))
        assert latin.line == 3
        assert "not UTF-8" in latin.problem

    def test_a_document_under_the_wrong_ending_is_recognised(self, tmp_path):
        assert ".json instead" in fault_of(written(tmp_path, "t.jsonl", json.dumps(ROWS, indent=1))).problem
        lines = "\n".join(json.dumps(row) for row in ROWS)
        assert fault_of(written(tmp_path, "t.json", lines)).problem.startswith("holds no list of tasks")


class TestJsonDocuments:
    def test_the_line_of_an_element_is_where_it_begins(self, tmp_path):
        content = (
            '\n[\n  {"id": 1,\n   "prompt": "two\\nlines"},\n\n  {"id": 2}, {"id": 3, "prompt": "p"},\n  {\n"id": 1}]'
        )
        _, faults = examine(written(tmp_path, "t.json", content))
        assert [fault.line for fault in faults] == [6, 7]

    def test_an_object_with_tasks_and_a_name(self, tmp_path):
        content = '{"name": "mine", "version": {"a": [1]},\n "tasks": [{"id": 1, "prompt": "p"}]}'
        found = load_tasks(written(tmp_path, "t.json", content))
        assert (found.name, len(found)) == ("mine", 1)
        assert load_tasks(written(tmp_path, "t.json", '{"tasks": [{"id": 1, "prompt": "p"}]}')).name == "t"

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            ('[{"id": 1, "prompt": "p"},\n\n]', 3),
            ('[{"id": 1, "prompt": "p"}\n {"id": 2, "prompt": "p"}]', 2),
            ('[{"id": 1, "prompt": "p"}', 1),
            ('[\n{"id": 1, "prompt: "p"}]', 2),
            ('[{"id": 1, "prompt": "p"}]\n]', 2),
            ('{"tasks": [{"id": 1, "prompt": "p"}],\n}', 2),
            ('{"tasks"\n [{"id": 1, "prompt": "p"}]}', 2),
            ('{"tasks": {"id": 1}}', 1),
            ('{"data": [{"id": 1, "prompt": "p"}]}', 1),
            ('"tasks"', 1),
            ("[" * 100_000, 1),
            ("[1" + "0" * 5_000 + "]", 1),
            ("{", 1),
        ],
    )
    def test_broken_documents(self, tmp_path, content, line):
        assert fault_of(written(tmp_path, "t.json", content)).line == line


class TestCsv:
    def test_the_line_of_a_record_is_the_physical_one(self, tmp_path):
        content = 'id,prompt,agent_type\r\n1,"a\r\nb",tool\r\n\r\n2,"c\r\nd",robot\r\n,e,tool\r\n'
        _, faults = examine(written(tmp_path, "t.csv", content))
        assert [fault.line for fault in faults] == [5, 7]

    def test_lists_and_objects_are_json_and_empty_cells_are_absent(self, tmp_path):
        content = (
            "id,prompt,expected_keywords,expected_answer,expected_tool_calls,notes\n"
            '1,p,"[""a"", ""b""]","{""x"": 1}",2.0,\n2,p,one word,42,nan,kept\n3,p,,[not json,,\n'
        )
        first, second, third = load_tasks(written(tmp_path, "t.csv", content))
        assert (first.expected_keywords, first.expected_answer, first.expected_tool_calls) == (("a", "b"), {"x": 1}, 2)
        assert (second.expected_keywords, second.expected_answer, second.metadata) == (
            ("one word",),
            "42",
            {"notes": "kept"},
        )
        assert second.expected_tool_calls is None
        assert (third.expected_keywords, third.expected_answer, third.metadata) == ((), "[not json", {})

    @pytest.mark.parametrize(
        ("content", "line", "problem"),
        [
            ("id,prompt\n1,a,b\n", 2, "3 cells where the header has 2"),
            ("id,prompt\n1\n", 2, "1 cells where the header has 2"),
            ("id,prompt,id\n1,a,2\n", 1, "twice"),
            ('id,prompt\n1,a\n2,"never closed\n', 3, "not valid CSV"),
            ("name;prompt\n1;a\n", 2, "has no id (its columns: name;prompt)"),
        ],
    )
    def test_what_is_refused(self, tmp_path, content, line, problem):
        error = fault_of(written(tmp_path, "t.csv", content))
        assert error.line == line
        assert problem in error.problem

    def test_an_index_column_without_a_name_is_ignored(self, tmp_path):
        assert load_tasks(written(tmp_path, "t.csv", ",id,prompt\n0,a,p\n")).tasks[0].metadata == {}

    def test_the_limit_of_the_csv_module_is_left_as_it_was(self, tmp_path):
        before = csv.field_size_limit()
        load_tasks(written(tmp_path, "t.csv", "id,prompt\n1,p\n"))
        assert csv.field_size_limit() == before


class TestParquet:
    def test_typed_columns_become_json_values(self, tmp_path):
        pq.write_table(
            pa.table(
                {
                    "id": [1, 2],
                    "prompt": ["p", "q"],
                    "expected_tool_calls": [1.0, float("nan")],
                    "when": [datetime(2026, 1, 2, tzinfo=UTC), None],
                    "picture": [b"1234", None],
                }
            ),
            tmp_path / "t.parquet",
        )
        first, second = load_tasks(tmp_path / "t.parquet")
        assert (first.id, first.expected_tool_calls) == ("1", 1)
        assert first.metadata == {"when": "2026-01-02T00:00:00+00:00", "picture": "4 bytes"}
        assert (second.expected_tool_calls, second.metadata) == (None, {})

    def test_a_fault_tells_the_row(self, tmp_path):
        pq.write_table(pa.table({"id": ["a", "b", "a"], "prompt": ["p", "q", "r"]}), tmp_path / "t.parquet")
        assert fault_of(tmp_path / "t.parquet").line == 3

    def test_another_file_is_refused(self, tmp_path):
        assert "Parquet" in fault_of(written(tmp_path, "t.parquet", b"PAR1 not really")).problem


@given(
    st.sampled_from(["t.jsonl", "t.json", "t.csv"]),
    st.binary(max_size=200) | st.text('[]{}:,"\\ \n\rabid1', max_size=60).map(str.encode),
)
def test_whatever_a_file_holds_it_is_tasks_or_a_fault_of_the_file(tmp_path_factory, name, content):
    path = written(tmp_path_factory.mktemp("any"), name, content)
    found, faults = examine(path)
    assert (found is None) == bool(faults)
    assert all(
        fault.line is None or 1 <= fault.line <= content.count(b"\n") + content.count(b"\r") + 1 for fault in faults
    )
