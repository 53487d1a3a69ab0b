"""Locks between processes, held on a file for as long as it is open. They end with the process, however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smoltrace.errors import UsageError
from smoltrace.store.atomic import disk_error

if sys.platform != "win32":
    import fcntl

_TRIES, _PAUSE_S = 4, 0.02
"""A reader that looks whether a lock is held has it for some microseconds: whoever wants it asks again."""


class WriterLock:
    """The right to write something, for one process alone. `file` is created, stays, and tells who holds it.

    Raises UsageError, with the process id, while another process has it; StoreError when the disk refuses. Windows,
    without such locks, always agrees.
    """

    def __init__(self, file: Path, what: str) -> None:
        try:
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise disk_error(f"lock {what}", error) from error
        try:
            self._take(what)
        except BaseException as error:
            os.close(self._descriptor)
            if isinstance(error, OSError):
                raise disk_error(f"lock {what}", error) from error
            raise

    def _take(self, what: str) -> None:
        for _ in range(_TRIES):
            if _try(self._descriptor, exclusive=True):
                break
            time.sleep(_PAUSE_S)
        else:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            raise UsageError(
                f"Another process (pid {owner or 'unknown'}) is writing {what}. Wait for it to end, or stop it."
            )
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)


def is_held(file: Path) -> bool:
    """Whether a process has the lock on this file at this moment. A file that cannot be opened is not locked."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try(descriptor, exclusive=False)
    except OSError:
        return False  # a file system without locks
    finally:
        os.close(descriptor)


def _try(descriptor: int, *, exclusive: bool) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until this process alone holds the lock file `path`, which is created and stays. Raises StoreError."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise disk_error(f"lock {path}", error) from error
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
