from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import smoltrace_here
from support.runs import execution, make_run

from smoltrace.cli.clean import size_text
from smoltrace.store.layout import Store
from smoltrace.store.lock import WriterLock


@pytest.fixture
def store(tmp_path: Path) -> Path:
    make_run(tmp_path, [execution(1)], run_id="older", started_at="2025-01-01T10:00:00+00:00")
    make_run(tmp_path, [execution(1)], run_id="newer", started_at="2025-01-02T10:00:00+00:00", status="incomplete")
    return tmp_path


def test_a_dry_run_tells_what_would_go_and_how_much(store: Path) -> None:
    done = smoltrace_here("clean", "--older-than", "30d", "--store", store)

    assert done.returncode == 0
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["RUN", "STATUS", "MODEL", "SIZE", "STARTED"]
    assert [row.split()[:2] for row in rows] == [["newer", "incomplete"], ["older", "completed"]]
    assert done.stderr.startswith("2 runs, ") and done.stderr.endswith("would be deleted. Nothing was: add --yes.\n")
    assert Store(store).run_ids() == ["newer", "older"]


def test_with_yes_they_are_gone(store: Path) -> None:
    done = smoltrace_here("clean", "--incomplete", "--yes", "--store", store, "--json")

    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert [(run["run_id"], run["kept"]) for run in told["runs"]] == [("newer", False)]
    assert told["deleted"] is True and told["bytes"] == told["runs"][0]["bytes"] > 1000
    assert Store(store).run_ids() == ["older"]
    assert smoltrace_here("clean", "older", "--yes", "--quiet", "--store", store).stdout == ""
    assert Store(store).run_ids() == []


def test_a_run_that_is_written_is_kept_and_told(store: Path) -> None:
    lock = WriterLock(Store(store).run("older").lock_file, "older")
    try:
        dry = smoltrace_here("clean", "older", "--store", store)
        done = smoltrace_here("clean", "older", "--yes", "--store", store)
    finally:
        lock.release()
    assert "older is kept: it is being written" in dry.stderr and "0 runs" in dry.stderr
    assert (done.returncode, "older is kept: Another process" in done.stderr) == (0, True)
    assert Store(store).run_ids() == ["newer", "older"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Nothing is selected"),
        (["--yes"], "Nothing is selected"),
        (["--older-than", "soon"], "is no age"),
        (["--keep", "0"], "not in the range"),
        (["--tag", "x", "--yes"], "write KEY=VALUE"),
        (["--owner", "ann", "--keep", "1"], "--owner is for --hub"),
        (["--hub", "--keep", "1", "--incomplete"], "says nothing with --hub"),
        (["gone", "--yes"], "has no run 'gone'"),
    ],
)
def test_wrong_usage_deletes_nothing(store: Path, arguments: list[str], said: str) -> None:
    done = smoltrace_here("clean", *arguments, env={"SMOLTRACE_STORE": str(store)})
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert Store(store).run_ids() == ["newer", "older"]


def test_nothing_that_fits_is_no_error(store: Path) -> None:
    done = smoltrace_here("clean", "--tag", "branch=y", "--yes", "--store", store)
    assert (done.returncode, done.stdout) == (0, "")
    assert "No run of the store" in done.stderr


def test_sizes_read_well() -> None:
    assert [size_text(n) for n in (0, 999, 12_340, 4_600_000, 7_000_000_000)] == [
        *("0 B", "999 B", "12.3 kB", "4.6 MB", "7.0 GB")
    ]
