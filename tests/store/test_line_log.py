"""Files of lines that grow: whole lines, whatever ended the process that wrote the last one."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.disks import unwritable
from support.runs import make_run

from smoltrace.errors import StoreError
from smoltrace.store.layout import RunDir
from smoltrace.store.line_log import LineLog


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return make_run(tmp_path, finish=False)


def test_lines_are_appended_and_a_torn_tail_is_cut(run_dir: RunDir) -> None:
    with LineLog(run_dir.metrics_journal) as journal:
        journal.write(b'{"a":1}')
    with run_dir.metrics_journal.open("ab") as file:
        file.write(b'{"torn"')
    with LineLog(run_dir.metrics_journal) as journal:
        journal.write(b'{"b":2}')
    assert run_dir.metrics_journal.read_bytes() == b'{"a":1}\n{"b":2}\n'


def test_a_line_is_one_line(run_dir: RunDir) -> None:
    with LineLog(run_dir.metrics_journal) as journal, pytest.raises(ValueError, match="newline"):
        journal.write(b"{\n}")


def test_what_comes_after_the_end_is_dropped(run_dir: RunDir) -> None:
    journal = LineLog(run_dir.metrics_journal)
    journal.close()
    journal.close()
    journal.write(b"{}")
    assert run_dir.metrics_journal.read_bytes() == b""


def test_a_disk_that_refuses_is_a_store_error(run_dir: RunDir) -> None:
    with unwritable(run_dir.path), pytest.raises(StoreError):
        LineLog(run_dir.metrics_journal)
