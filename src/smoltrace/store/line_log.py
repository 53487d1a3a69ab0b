"""A file of lines that grows while a run goes on: metrics.jsonl, spending.jsonl."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from smoltrace.store.atomic import disk_error
from smoltrace.store.lines import cut_torn_tail


class LineLog:
    """The file open for writing; opening cuts a torn tail. Any thread may write; a context manager.

    Each line is one write and is not synced: a killed process loses none, a power cut may lose the last ones. Raises
    StoreError when the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            cut_torn_tail(self._descriptor)
        except OSError as error:
            self.close()
            raise disk_error(f"open {self._path}", error) from error

    def __enter__(self) -> LineLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, line: bytes) -> None:
        """Append a line, given without its newline. After the end nothing is written: what outlives its run has been
        counted without. Raises ValueError for more than one line."""
        if b"\n" in line:
            raise ValueError("a line has no newline in it")
        data = line + b"\n"
        with self._lock:
            if self._descriptor is None:
                return
            end = os.fstat(self._descriptor).st_size
            try:
                written = os.write(self._descriptor, data)
                while written < len(data):
                    written += os.write(self._descriptor, data[written:])
            except OSError as error:
                self._take_back(self._descriptor, end)
                raise disk_error(f"write {self._path}", error) from error

    def _take_back(self, descriptor: int, end: int) -> None:
        """Leave no half line for the next one to be joined to."""
        try:
            os.ftruncate(descriptor, end)
        except OSError:
            os.close(descriptor)
            self._descriptor = None

    def close(self) -> None:
        """Let what is being written end, and close the file."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
