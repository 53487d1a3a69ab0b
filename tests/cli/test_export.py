from __future__ import annotations

from pathlib import Path

import pytest
from support.runs import make_run

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
