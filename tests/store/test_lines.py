from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.errors import StoreError
from smoltrace.store.lines import LineFile, Place, cut_torn_tail, index_results, index_traces, whole_lines


def cut(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR)
    try:
        return cut_torn_tail(descriptor)
    finally:
        os.close(descriptor)


@given(st.binary(max_size=300))
def test_a_file_is_cut_to_its_last_newline(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("cut") / "file"
    path.write_bytes(content)

    length = cut(path)

    assert path.read_bytes() == content[:length]
    assert length == content.rfind(b"\n") + 1


def test_a_torn_tail_longer_than_any_buffer_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"whole\n" + b"x" * 300_000)

    assert cut(path) == 6
    assert path.read_bytes() == b"whole\n"


def test_only_whole_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one\n\ntwo\ntorn")

    assert list(whole_lines(path)) == [(Place(0, 3), b"one"), (Place(5, 3), b"two")]
    assert list(whole_lines(tmp_path / "absent")) == []


def test_lines_are_read_by_their_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("eins\nzwölf\n".encode())
    places = [place for place, _ in whole_lines(path)]

    with LineFile(path) as file:
        assert [file.read(place).decode() for place in reversed(places)] == ["zwölf", "eins"]


def test_a_line_of_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with LineFile(tmp_path / "absent") as file, pytest.raises(StoreError, match="is gone"):
        file.read(Place(0, 1))


def result(index: int, test_id: str, attempt: int = 1, trace: str = "a") -> str:
    return (
        f'{{"test_index":{index},"agent_type":"tool","test_id":"{test_id}","attempt":{attempt},"trace_id":"{trace}"}}\n'
    )


def test_results_are_indexed_in_the_order_of_the_plan_each_once(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(result(1, "b") + result(0, "a", 1, "old") + result(2, "a", 2) + result(0, "a", 1, "new"))

    entries = index_results(path)

    assert [entry.key for entry in entries] == [("tool", "a", 1), ("tool", "b", 1), ("tool", "a", 2)]
    assert entries[0].trace_id == "new"


@pytest.mark.parametrize(
    "line", ["{half", "[]", "17", '{"test_id":"a"}', '{"test_index":null,"agent_type":"x","test_id":1}']
)
def test_a_damaged_line_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(result(0, "a") + line + "\n")

    with pytest.raises(StoreError, match=r"results\.jsonl, line 2: .*Take the line out of the file"):
        index_results(path)


def test_traces_are_found_by_their_id(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    first, second = "a" * 32, "b" * 32
    path.write_text(f'{{"x":{{"traceId":"{first}"}}}}\n{{"traceId": "{second.upper()}"}}\n{{"no":"id"}}\n')

    assert list(index_traces(path)) == [first, second]
