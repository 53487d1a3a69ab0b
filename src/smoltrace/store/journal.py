"""The journal of a run that goes on: what `commit` has returned for is on the disk, whatever happens next."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smoltrace.errors import StoreError
from smoltrace.records.schema import RESULTS, line_of
from smoltrace.store.atomic import disk_error, sync
from smoltrace.store.layout import RunDir
from smoltrace.store.lines import cut_torn_tail, index_results
from smoltrace.store.lock import WriterLock


@dataclass(slots=True)
class _Pending:
    trace: bytes
    result: bytes
    done: bool = False
    error: OSError | None = None


class Appender:
    """One journal file. `append` is one write and one fsync; a write that fails leaves no torn line behind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.broken = False

    def cut(self) -> int:
        """Cut a torn tail and return when the file was last written to, in ns: cutting does not count as writing."""
        before = os.fstat(self.descriptor)
        if cut_torn_tail(self.descriptor) != before.st_size:
            os.utime(self.descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))
        return before.st_mtime_ns

    def append(self, lines: bytes) -> None:
        self._check_place()
        end = os.fstat(self.descriptor).st_size
        try:
            written = os.write(self.descriptor, lines)
            while written < len(lines):
                written += os.write(self.descriptor, lines[written:])
        except BaseException:
            self._take_back(end)
            raise
        try:
            os.fsync(self.descriptor)
        except OSError:
            # After a failed fsync nobody knows what the disk holds, and a second one would say that all is well.
            self.broken = True
            raise

    def _check_place(self) -> None:
        """A file that was deleted takes what is written, and loses it. Raises OSError."""
        there, here = self.path.stat(), os.fstat(self.descriptor)
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _take_back(self, end: int) -> None:
        try:
            os.ftruncate(self.descriptor, end)
        except OSError:
            self.broken = True


class Journal:
    """The two files that a run writes while it goes on. A context manager; one process at a time may have it open.

    Opening cuts torn tails. A trace without a result counts as not run: the result's line is the commit mark.
    `last_write_ns` is when a result was last written before this opening, unix nanoseconds.
    Raises UsageError while another process writes this run, StoreError when the disk refuses.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._condition = threading.Condition()
        self._waiting: list[_Pending] = []
        self._writing = False
        self._closed = False
        self._lock = WriterLock(run_dir.lock_file, f"the run {run_dir.run_id}")
        opened: list[Appender] = []
        try:
            for path in (run_dir.results_journal, run_dir.traces_journal):
                opened.append(Appender(path))
            self._results, self._traces = opened
            self._traces.cut()
            self.last_write_ns = self._results.cut()
            sync(run_dir.path)
            self._finished = {entry.key for entry in index_results(run_dir.results_journal)}
        except BaseException as error:
            for file in opened:
                os.close(file.descriptor)
            self._lock.release()
            if isinstance(error, OSError):
                raise disk_error(f"open the journal in {run_dir.path}", error) from error
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def finished(self) -> set[tuple[str, str, int]]:
        """(agent_type, test_id, attempt) of every test that is committed, those of earlier openings included."""
        with self._condition:
            return set(self._finished)

    def commit(self, trace_line: bytes, row: Mapping[str, Any]) -> None:
        """Keep a finished test: its trace as one line of OTLP JSON, and its results row. Any thread may call it.

        When it returns, both are on the disk: the trace first, then the result. Threads that commit at once share the
        fsyncs. Raises StoreError when the disk refuses, and then the test counts as not run; ValueError for a trace of
        more than one line or a row with a key that is no column.
        """
        trace = trace_line.rstrip(b"\n")
        if not trace or b"\n" in trace:
            raise ValueError("a trace is exactly one line")
        pending = _Pending(trace + b"\n", line_of(RESULTS, row))
        self._settle(pending)
        if pending.error is not None:
            raise disk_error(f"write the journal {self._results.path.parent}", pending.error) from pending.error
        with self._condition:
            self._finished.add((str(row["agent_type"]), str(row["test_id"]), int(row["attempt"])))

    def _settle(self, pending: _Pending) -> None:
        """Wait until the record is written, or write it together with all that wait."""
        with self._condition:
            self._check()
            self._waiting.append(pending)
            self._condition.wait_for(lambda: pending.done or not self._writing)
            if pending.done:
                return
            batch, self._waiting, self._writing = self._waiting, [], True
        error: OSError | None = OSError("the write was interrupted")
        try:
            error = self._write(batch)
        finally:
            with self._condition:
                self._writing = False
                for each in batch:
                    each.done, each.error = True, error
                self._condition.notify_all()

    def _write(self, batch: list[_Pending]) -> OSError | None:
        try:
            self._check()
            self._traces.append(b"".join(each.trace for each in batch))
            self._results.append(b"".join(each.result for each in batch))
        except OSError as error:
            return error
        return None

    def _check(self) -> None:
        if self._closed:
            raise StoreError("The journal is closed.")
        if self._traces.broken or self._results.broken:
            raise StoreError(
                f"The disk failed while writing {self._results.path.parent}, and what it holds is not certain. "
                "Check the disk; the tests that are finished there count, the others do not."
            )

    def close(self) -> None:
        """Let what is being written end, and close the files."""
        with self._condition:
            self._condition.wait_for(lambda: not self._writing)
            if self._closed:
                return
            self._closed = True
        for file in (self._traces, self._results):
            os.close(file.descriptor)
        self._lock.release()
