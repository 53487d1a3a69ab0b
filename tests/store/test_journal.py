from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.runs import RESOURCE, commit, execution, manifest, trace_of

from smoltrace.errors import StoreError, UsageError
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import result_row
from smoltrace.store.journal import Journal
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.lines import index_results, index_traces
from smoltrace.store.read import Run


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return Store(tmp_path).create("made", manifest())


@pytest.fixture
def journal(run_dir: RunDir) -> Iterator[Journal]:
    with Journal(run_dir) as opened:
        yield opened


def keys(run_dir: RunDir) -> list[str]:
    return [row["test_id"] for row in Run(run_dir).results()]


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.finished == set()


def test_what_is_committed_is_finished_and_can_be_read(run_dir: RunDir, journal: Journal) -> None:
    commit(journal, execution(1))

    assert journal.finished == {("tool", "t1", 1)}
    assert keys(run_dir) == ["t1"]


def test_a_journal_that_is_opened_again_knows_what_is_finished(run_dir: RunDir) -> None:
    with Journal(run_dir) as journal:
        commit(journal, execution(1))
    with Journal(run_dir) as journal:
        assert journal.finished == {("tool", "t1", 1)}
        commit(journal, execution(2))

    assert keys(run_dir) == ["t1", "t2"]


def test_a_trace_without_a_result_counts_as_not_run(run_dir: RunDir, journal: Journal) -> None:
    commit(journal, execution(1))
    journal.close()
    with run_dir.traces_journal.open("ab") as file:
        file.write(to_otlp_json(execution(2).spans, RESOURCE) + b"\n")

    with Journal(run_dir) as again:
        assert again.finished == {("tool", "t1", 1)}
        commit(again, execution(2))
    assert keys(run_dir) == ["t1", "t2"]
    assert len(list(Run(run_dir).traces())) == 2


def test_of_two_results_of_one_execution_the_last_counts(run_dir: RunDir, journal: Journal) -> None:
    commit(journal, execution(1, response="first"))
    commit(journal, execution(1, response="second"))

    assert [row["response"] for row in Run(run_dir).results()] == ["second"]


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that open a journal thousands of times and ask nothing of the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.mark.usefixtures("unsynced")
@pytest.mark.parametrize("file", ["results_journal", "traces_journal"])
def test_a_journal_torn_at_any_byte_opens_and_keeps_every_committed_record(run_dir: RunDir, file: str) -> None:
    path: Path = getattr(run_dir, file)
    with Journal(run_dir) as journal:
        commit(journal, execution(1, spans=trace_of(1)[:2]))
    whole = path.read_bytes()

    for length in range(1, len(whole)):
        with path.open("ab") as torn:
            torn.write(whole[:length])
        with Journal(run_dir) as journal:
            assert journal.finished == {("tool", "t1", 1)}
        assert path.stat().st_size == len(whole)
    assert path.read_bytes() == whole


def test_a_record_after_a_torn_one_is_not_lost(run_dir: RunDir) -> None:
    with Journal(run_dir) as journal:
        commit(journal, execution(1))
    for torn in (1, 17, 400, 1500):
        for path in (run_dir.traces_journal, run_dir.results_journal):
            with path.open("ab") as file:
                file.write(path.read_bytes()[:torn])
        with Journal(run_dir) as journal:
            commit(journal, execution(2))
        assert keys(run_dir) == ["t1", "t2"]
        assert [len(run_spans) for run_spans in (test.spans for test in Run(run_dir).tests())] == [8, 8]


def test_a_tail_of_zeros_as_a_power_cut_leaves_is_cut(run_dir: RunDir) -> None:
    with Journal(run_dir) as journal:
        commit(journal, execution(1))
    with run_dir.results_journal.open("ab") as file:
        file.write(bytes(4096))

    with Journal(run_dir) as journal:
        assert journal.finished == {("tool", "t1", 1)}


def test_reading_a_run_that_goes_on_changes_nothing(run_dir: RunDir, journal: Journal) -> None:
    commit(journal, execution(1))
    with run_dir.results_journal.open("ab") as file:
        file.write(b'{"half of a')
    before = run_dir.results_journal.read_bytes()

    assert keys(run_dir) == ["t1"]
    assert run_dir.results_journal.read_bytes() == before


def test_threads_that_commit_at_once_lose_nothing(run_dir: RunDir, journal: Journal) -> None:
    start = threading.Barrier(8)

    def work(thread: int) -> None:
        start.wait()
        for n in range(25):
            commit(journal, execution(thread * 100 + n + 1))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {f"t{thread * 100 + n + 1}" for thread in range(8) for n in range(25)}
    assert set(keys(run_dir)) == expected == {test_id for _, test_id, _ in journal.finished}
    assert len(index_traces(run_dir.traces_journal)) == 200
    assert run_dir.results_journal.read_bytes().count(b"\n") == 200


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import sys, threading
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from pathlib import Path
        from smoltrace.store.journal import Journal
        from smoltrace.store.layout import Store
        from support.runs import commit, execution, manifest
        journal = Journal(Store({str(tmp_path)!r}).create("killed", manifest()))
        lock = threading.Lock()
        def work(base):
            for n in range(10_000):
                commit(journal, execution(base + n))
                with lock:
                    print(base + n, flush=True)
        for base in (1, 100_001, 200_001, 300_001):
            threading.Thread(target=work, args=(base,)).start()
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(60)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [line.strip() for line in process.stdout.read().splitlines()]
    process.wait()

    run_dir = Store(tmp_path).run("killed")
    with Journal(run_dir) as journal:
        finished = {test_id for _, test_id, _ in journal.finished}

    assert {f"t{n}" for n in acknowledged} <= finished
    assert all(test.spans for test in Run(run_dir).tests())


def test_only_one_process_may_write_a_run(run_dir: RunDir, journal: Journal) -> None:
    with pytest.raises(UsageError, match=rf"Another process \(pid {os.getpid()}\) is writing the run made"):
        Journal(run_dir)
    journal.close()
    Journal(run_dir).close()


def test_who_is_refused_disturbs_nothing(run_dir: RunDir, journal: Journal) -> None:
    commit(journal, execution(1))
    with run_dir.results_journal.open("ab") as file:
        file.write(b'{"under way')
    before = {path.name: path.read_bytes() for path in run_dir.path.iterdir()}

    with pytest.raises(UsageError):
        Journal(run_dir)
    assert {path.name: path.read_bytes() for path in run_dir.path.iterdir()} == before


def test_cutting_a_torn_tail_does_not_count_as_writing(run_dir: RunDir) -> None:
    with Journal(run_dir) as journal:
        commit(journal, execution(1))
    with run_dir.results_journal.open("ab") as file:
        file.write(b'{"torn')
    os.utime(run_dir.results_journal, ns=(1_700_000_000_000_000_000, 1_700_000_000_000_000_000))

    for _ in range(2):
        with Journal(run_dir) as journal:
            assert journal.last_write_ns == 1_700_000_000_000_000_000


@pytest.mark.parametrize("name", ["results.jsonl", "traces.jsonl"])
def test_a_file_that_vanishes_is_told_and_not_written_to_in_vain(run_dir: RunDir, journal: Journal, name: str) -> None:
    commit(journal, execution(1))
    (run_dir.path / name).unlink()

    with pytest.raises(StoreError, match="is gone"):
        commit(journal, execution(2))
    assert journal.finished == {("tool", "t1", 1)}


def test_a_trace_of_several_lines_is_refused(run_dir: RunDir, journal: Journal) -> None:
    row = result_row(execution(1))

    for lines in (b"{}\n{}", b"", b"\n"):
        with pytest.raises(ValueError, match="exactly one line"):
            journal.commit(lines, row)
    with pytest.raises(ValueError, match="not columns of results"):
        journal.commit(b"{}", {**row, "shoe_size": 43})
    assert keys(run_dir) == []


def test_a_closed_journal_takes_nothing(journal: Journal) -> None:
    journal.close()

    with pytest.raises(StoreError, match="closed"):
        commit(journal, execution(1))


class Disk:
    """Lets the first `room` bytes be written, then is full; `after` ends that."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(descriptor, data[: self.room])
        self.room -= written
        return written


def test_a_full_disk_is_told_and_what_was_committed_stays_whole(
    run_dir: RunDir, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(journal, execution(1))
    line = len(to_otlp_json(execution(2).spans, RESOURCE)) + 1

    for room in (0, 10, line, line + 10):
        disk = Disk(room)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", disk.write)
            with pytest.raises(StoreError, match="The disk is full: free some space"):
                commit(journal, execution(2))
        assert keys(run_dir) == ["t1"]
        assert journal.finished == {("tool", "t1", 1)}

    commit(journal, execution(2))
    assert keys(run_dir) == ["t1", "t2"]
    assert [entry.test_id for entry in index_results(run_dir.results_journal)] == ["t1", "t2"]


def test_a_disk_that_writes_in_pieces_is_given_all_of_them(
    run_dir: RunDir, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:100]))

    commit(journal, execution(1))

    assert keys(run_dir) == ["t1"]


def test_after_a_failed_sync_nothing_more_is_taken(
    run_dir: RunDir, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(journal, execution(1))

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match="The disk reports a fault"):
            commit(journal, execution(2))

    with pytest.raises(StoreError, match="what it holds is not certain"):
        commit(journal, execution(3))
    assert journal.finished == {("tool", "t1", 1)}
