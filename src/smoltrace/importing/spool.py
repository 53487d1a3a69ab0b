"""What a receiver has acknowledged: a file of OTLP JSON lines that outlives the receiver until a run is made of it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from smoltrace.errors import StoreError
from smoltrace.store.atomic import disk_error, sync
from smoltrace.store.journal import Appender
from smoltrace.store.lock import WriterLock, is_held

FOLDER: Final = "received"
_SUFFIX: Final = ".otlp.jsonl"


class Spool:
    """A new file below the store, in which what `append` has returned for is on the disk. Any thread may append.

    Raises StoreError when the disk refuses.
    """

    def __init__(self, store: Path) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
        self.path = store / FOLDER / (name + _SUFFIX)
        self._mutex = threading.Lock()
        self._closed = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = WriterLock(_lock_of(self.path), f"the received traces {self.path}")
            self._file = Appender(self.path)
            sync(self.path.parent)
        except OSError as error:
            raise disk_error(f"make a file in {self.path.parent}", error) from error

    def append(self, lines: bytes) -> None:
        """Keep whole lines."""
        with self._mutex:
            if self._closed or self._file.broken:
                raise StoreError("The receiver has ended.")
            try:
                self._file.append(lines)
            except OSError as error:
                raise disk_error(f"write {self.path}", error) from error

    def close(self) -> None:
        """Take nothing more; what is being appended is finished first."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
        os.close(self._file.descriptor)
        self._lock.release()
        with suppress(OSError):
            _lock_of(self.path).unlink()

    def remove(self) -> None:
        """Forget what was kept: a run was made of it."""
        self.close()
        with suppress(OSError):
            self.path.unlink()
            self.path.parent.rmdir()


def left_behind(store: Path) -> list[Path]:
    """The files of receivers that were killed, the oldest first."""
    found = sorted((store / FOLDER).glob("*" + _SUFFIX))
    return [path for path in found if path.stat().st_size and not is_held(_lock_of(path))]


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
