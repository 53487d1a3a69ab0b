"""Files of traces, of every kind that is written, and of none."""

from __future__ import annotations

import gzip
import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from support.otlp_json import call, request, span, write

from smoltrace.errors import UsageError
from smoltrace.importing.files import read_files
from smoltrace.records.otlp import from_otlp_json
from smoltrace.records.otlp_proto import to_otlp_proto

LINES = [request(call(2, 1)), request(span(1)), request(call(3, 1))]
BODY = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)
PROTOBUF = [to_otlp_proto(from_otlp_json(json.dumps(line))) for line in LINES]


def ids(*files: Path, said: list[str] | None = None) -> list[str]:
    told: list[str] = [] if said is None else said
    return [span.span_id[-1] for found in read_files(files, told.append) for span in found.spans]


def kept(folder: Path, content: bytes) -> Path:
    file = folder / "traces"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(BODY, id="lines"),
        pytest.param(b"\n\r\n" + BODY.replace(b"\n", b"\r\n\n"), id="blank lines between"),
        pytest.param(b"\xef\xbb\xbf" + BODY, id="byte order mark"),
        pytest.param(BODY.rstrip(b"\n"), id="no last newline"),
        pytest.param(json.dumps(LINES).encode(), id="array"),
        pytest.param(json.dumps(LINES, indent=2).encode(), id="pretty array"),
        pytest.param(b"[" + b",\n".join(BODY.splitlines()) + b"]", id="array line by line"),
        pytest.param(gzip.compress(BODY), id="gzip"),
        pytest.param(gzip.compress(BODY[: len(BODY) // 2]) + gzip.compress(BODY[len(BODY) // 2 :]), id="joined gzip"),
        pytest.param(b"".join(struct.pack(">I", len(body)) + body for body in PROTOBUF), id="protobuf of a collector"),
        pytest.param(b"".join(PROTOBUF), id="protobuf body"),
        pytest.param(gzip.compress(b"".join(PROTOBUF)), id="packed protobuf"),
    ],
)
def test_every_kind_of_file_is_known_by_its_content(tmp_path: Path, content: bytes) -> None:
    assert ids(kept(tmp_path, content)) == ["2", "1", "3"]


def test_one_pretty_printed_document(tmp_path: Path) -> None:
    assert ids(kept(tmp_path, json.dumps({"result": LINES[0]}, indent=4).encode())) == ["2"]


def test_several_files_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = write(tmp_path / "a", LINES[0]), write(tmp_path / "b", LINES[1])
    pipe = io.TextIOWrapper(io.BufferedReader(io.BytesIO(BODY)))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdin", pipe)
    assert ids(first, second, Path("-")) == ["2", "1", "2", "1", "3"]


def test_a_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input: it is closed"):
        ids(Path("-"))


def test_a_last_line_that_is_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    said: list[str] = []
    assert ids(kept(tmp_path, BODY[:-40]), said=said) == ["2", "1"]
    assert said == [f"{tmp_path}/traces: line 3, the last, is cut off and left out."]


def test_a_packed_file_that_is_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    said: list[str] = []
    many = b"".join(json.dumps(request(span(n))).encode() + b"\n" for n in range(1, 400))
    found = ids(kept(tmp_path, gzip.compress(many)[:-300]), said=said)
    assert 0 < len(found) < 399
    assert any("the packed file is cut off" in each for each in said)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (BODY + b'{"resourceSpans": [}\n' + BODY, "traces, line 4: no JSON: "),
        (BODY + b'{"spans": []}\n', "traces, line 4: it is no OTLP: it has no resourceSpans. Nothing was written."),
        (BODY + json.dumps(request(span(1, traceId="xyz"))).encode(), "traces, line 4: 'xyz' is no id of 16 bytes."),
        (BODY[:40], "traces: no JSON: "),
        (b"{" * 5000 + b"}", "traces, line 1: "),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n", "traces, line 1: it is nested too deeply"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "neither OTLP JSON nor the protobuf body"),
        (b"\0\0\0\xff\n", "neither OTLP JSON nor the protobuf body"),
        (b"trace_id,span_id\n1,2\n", "neither OTLP JSON nor the protobuf body"),
        (b"\x1f\x8bno gzip at all", "cannot be read"),
    ],
)
def test_what_is_broken_is_told_with_its_place(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        ids(kept(tmp_path, content))
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: cannot be read: No such file"):
        ids(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        ids(tmp_path)


def test_lone_surrogates_and_numbers_beyond_64_bits_are_read(tmp_path: Path) -> None:
    attributes: list[Any] = [
        {"key": "text", "value": {"stringValue": "half \ud83d"}},
        {"key": "large", "value": {"intValue": str(2**70)}},
    ]
    file = kept(tmp_path, json.dumps(request({**span(1), "attributes": attributes})).encode())
    (found,) = read_files([file], lambda _: None)
    assert found.spans[0].attributes == {"text": "half \ud83d", "large": 2**70}


def test_an_empty_file_has_nothing(tmp_path: Path) -> None:
    assert ids(kept(tmp_path, b"")) == ids(kept(tmp_path, b"\n \n")) == ids(kept(tmp_path, b"{}\n")) == []
