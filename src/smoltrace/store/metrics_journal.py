"""metrics.jsonl: what the meters of a run say while it goes on, one OTLP JSON document a line."""

from __future__ import annotations

import os
import threading

from smoltrace.store.atomic import disk_error
from smoltrace.store.layout import RunDir
from smoltrace.store.lines import cut_torn_tail


class MetricsJournal:
    """The file open for writing. Any thread may write; a context manager.

    Each line is one write and is not synced: a killed process loses none, a power cut may lose the last ones. Raises
    StoreError when the disk refuses.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._path = run_dir.metrics_journal
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            cut_torn_tail(self._descriptor)
        except OSError as error:
            self.close()
            raise disk_error(f"open {self._path}", error) from error

    def __enter__(self) -> MetricsJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, document: bytes) -> None:
        """Append one JSON document. Raises ValueError for more than one line."""
        if b"\n" in document:
            raise ValueError("a document of metrics is exactly one line")
        with self._lock:
            if self._descriptor is None:
                return
            line = document + b"\n"
            try:
                end = os.fstat(self._descriptor).st_size
                if os.write(self._descriptor, line) < len(line):
                    os.ftruncate(self._descriptor, end)
                    raise OSError("the line was written in part")
            except OSError as error:
                raise disk_error(f"write {self._path}", error) from error

    def close(self) -> None:
        """Let what is being written end, and close the file."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
