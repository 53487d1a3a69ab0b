"""Outputs that cannot take what a command says: another encoding, a full disk, a reader that went away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import smoltrace
from support.runs import execution, failed, make_run

PROGRAM = Path(sys.executable).parent / "smoltrace"
FULL = Path("/dev/full")
needs_a_full_device = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_run(folder, [execution(1), failed(2)], run_id="mine")
    return folder


COMMANDS = [("show", "mine"), ("leaderboard",), ("runs",)]


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_encoding_that_lacks_a_character_ends_no_command(
    command: tuple[str, ...], encoding: str, store: Path
) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([PROGRAM, *command, "--store", store], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"mine" in done.stdout


def test_utf8_stays_what_it_is(store: Path) -> None:
    done = smoltrace("show", "mine", "--store", store, env={"PYTHONIOENCODING": "utf-8"})
    assert "—" in done.stdout or "·" in done.stdout
    assert "?" not in done.stdout


@needs_a_full_device
@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", [*COMMANDS, ("tasks", "list"), ("--help",), ("--version",)], ids=" ".join)
def test_an_output_that_cannot_be_written_is_said_in_one_line(
    command: tuple[str, ...], buffered: bool, store: Path
) -> None:
    place = ["--store", str(store)] if command in COMMANDS else []
    env = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    with FULL.open("w") as full:
        done = subprocess.run(
            [PROGRAM, *command, *place], env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The output cannot be written: No space left on device.")


@needs_a_full_device
def test_errors_that_cannot_be_written_end_in_the_same_code(store: Path) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([PROGRAM, "show", "none", "--store", store], stderr=full, stdout=full, check=False)
    assert done.returncode == 3


@needs_a_full_device
def test_a_run_whose_summary_cannot_be_written_is_kept(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        command = [str(PROGRAM), "eval", "--limit", "1", "--run-id", "mine", "--store", str(tmp_path)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("Error: The output cannot be written")
    assert "Traceback" not in done.stderr
    assert "completed" in smoltrace("runs", "--store", tmp_path).stdout


def test_a_reader_that_goes_away_is_no_fault(store: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(
            [PROGRAM, "runs", "--store", store], stdout=output, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr == ""
    assert done.returncode in (0, 1)


@pytest.mark.parametrize("command", ["--version", "runs --store {}", "show mine --store {}", "leaderboard --store {}"])
def test_an_output_that_was_closed_is_no_fault(command: str, store: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{PROGRAM}" {command.format(store)} >&-'], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
