from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.runs import execution, make_run

from smoltrace.cli import cli, run_command


def export(*args: str | Path) -> int:
    return run_command(cli, "smoltrace", ["export", *map(str, args)])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("json", {"results.json", "traces.json", "metrics.json", "leaderboard_row.json", "metadata.json"}),
        ("csv", {f"{name}.csv" for name in ("results", "traces", "spans", "metrics", "points", "leaderboard")}),
        ("otlp", {"traces.otlp.jsonl"}),
    ],
)
def test_files_are_written_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, expected: set[str]
) -> None:
    make_run(tmp_path)
    out = tmp_path / "out"

    assert export("made", "--store", tmp_path, "--format", kind, "-o", out) == 0

    assert {Path(line).name for line in capsys.readouterr().out.splitlines()} == expected
    assert {path.name for path in out.iterdir()} == expected


def test_a_format_that_is_not_known_is_an_error(tmp_path: Path) -> None:
    make_run(tmp_path)

    assert export("made", "--store", tmp_path, "--format", "xml", "-o", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert export("made", "--store", tmp_path, "-o", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "parquet", "otlp"])
def test_without_content_nothing_that_was_said_is_written(tmp_path: Path, kind: str) -> None:
    said = "canary-91c4"
    config = {"config": {"agent": {"instructions": said}}, "identity": {"instructions": said}}
    config |= {"lives": [{"changes": [{"what": "instructions", "then": None, "now": said}]}]}
    make_run(tmp_path, [execution(1, prompt=said, response=said, expected={"answer": said})], **config)

    assert export("made", "--store", tmp_path, "--format", kind, "-o", tmp_path / "bare", "--no-content") == 0
    assert export("made", "--store", tmp_path, "--format", kind, "-o", tmp_path / "whole") == 0

    bare, whole = (sorted((tmp_path / name).iterdir()) for name in ("bare", "whole"))
    assert [path.name for path in bare] == [path.name for path in whole]
    assert not [path.name for path in bare if said.encode() in path.read_bytes() or b"Rome" in path.read_bytes()]
    assert kind == "parquet" or [path.name for path in whole if b"Rome" in path.read_bytes()]


def test_one_json_document_names_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)

    assert export("made", "--store", tmp_path, "--format", "otlp", "-o", tmp_path / "out", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told == {"run_id": "made", "format": "otlp", "files": [str(tmp_path / "out" / "traces.otlp.jsonl")]}


def test_quiet_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)

    assert export("made", "--store", tmp_path, "-o", tmp_path / "out", "--quiet") == 0

    assert capsys.readouterr() == ("", "")


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)
    (tmp_path / "out").write_text("mine")

    assert export("made", "--store", tmp_path, "-o", tmp_path / "out") == 2

    assert (tmp_path / "out").read_text() == "mine"
    assert "is a file" in capsys.readouterr().err
