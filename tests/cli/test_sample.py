from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.disks import unwritable

from smoltrace.cli import cli, run_command
from smoltrace.store.layout import Store


def smoltrace(*args: str | Path) -> int:
    return run_command(cli, "smoltrace", list(map(str, args)))


def test_a_store_is_made_and_the_next_command_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "a store"

    assert smoltrace("sample", "--store", place, "--runs", 2, "--limit", 2) == 0

    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"2 sample runs in {place}: nothing of it was measured.",
        f"Next: smoltrace view --store '{place}' · smoltrace leaderboard --store '{place}'",
    ]
    assert said.err.splitlines() == ["made sample-01-large", "made sample-02-small"]
    assert Store(place).run_ids() == ["sample-01-large", "sample-02-small"]


def test_runs_show_and_leaderboard_work_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smoltrace("sample", "--store", tmp_path, "--runs", 6, "--limit", 4, "--quiet")
    assert capsys.readouterr() == ("", "")

    assert smoltrace("runs", "--store", tmp_path) == 0
    assert len(capsys.readouterr().out.splitlines()) == 7
    assert smoltrace("leaderboard", "--store", tmp_path, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 5
    assert {row["tags"]["sample"] for row in rows} == {"yes"}
    for run_id in Store(tmp_path).run_ids():
        assert smoltrace("show", run_id, "--store", tmp_path) == 0
        assert "no model was asked" in capsys.readouterr().out


def test_it_says_what_it_made_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert smoltrace("sample", "--runs", 1, "--limit", 1, "--big-trace", 20, "-o", "files", "--json") == 0

    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out) == {
        "store": "smoltrace-sample",
        "runs": ["sample-01-large", "sample-big-trace"],
        "metrics": ["files/metrics_llama31.json", "files/metrics_gpt4.json"],
    }
    assert Store("smoltrace-sample").run_ids() == ["sample-01-large", "sample-big-trace"]


def test_the_metrics_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)

    assert smoltrace("sample", "--metrics-only", "--gpus", 2) == 0

    assert capsys.readouterr().out.split() == ["metrics_llama31.json", "metrics_gpt4.json"]
    assert {file.name for file in tmp_path.iterdir()} == {"metrics_llama31.json", "metrics_gpt4.json"}
    document = json.loads((tmp_path / "metrics_llama31.json").read_text())
    points = document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"]
    assert len(points) == 24


@pytest.mark.parametrize("how", [("--metrics-only",), ("--runs", "1", "--limit", "1")])
def test_a_folder_that_is_a_file_is_refused_before_anything_is_made(
    how: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    for place in ("/dev/null", "file", "file/below"):
        assert smoltrace("sample", *how, "-o", place) == 2

        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("Error: The sample metrics cannot be written into ")
        assert line.endswith("Name another folder with -o.")
        assert "--store" not in line
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_nobody_may_write_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with unwritable(tmp_path / "shut") as folder:
        assert smoltrace("sample", "--metrics-only", "-o", folder) == 2

        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("Name another folder with -o.")
        assert "--store" not in line


def test_runs_that_are_there_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smoltrace("sample", "--store", tmp_path, "--runs", 1, "--limit", 1, "--quiet")

    assert smoltrace("sample", "--store", tmp_path, "--runs", 1, "--limit", 1) == 2

    said = capsys.readouterr().err
    assert "has a run 'sample-01-large' already" in said
    assert "Delete that folder, or name another with --store." in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--metrics-only", "--runs", "2"), "--metrics-only makes no runs"),
        (("--metrics-only",), "--metrics-only makes no runs: leave out --store"),
        (("--gpus", "3"), "add -o FOLDER, or --metrics-only"),
        (("--runs", "0"), "--runs 0"),
        (("--big-trace", "2"), "at least 5 spans"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_what_cannot_be_is_refused(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoltrace("sample", "--store", tmp_path / "s", *options) == 2

    assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
