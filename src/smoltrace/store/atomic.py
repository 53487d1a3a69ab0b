"""Files that are either the old one or the new one, never a half of either."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from smoltrace.errors import StoreError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; when the block ends, what was written there takes the place of `path`.

    The new content is on the disk before it gets the name, and the name before this returns: after a power cut there is
    the old file or the new one. That costs two fsyncs. When the block raises, `path` is as it was.
    Raises StoreError when the disk refuses.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{uuid4().hex[:8]}.tmp")
    try:
        yield beside
        sync(beside)
        beside.replace(path)
        sync(path.parent)
    except OSError as error:
        raise disk_error(f"write {path}", error) from error
    finally:
        # Mostly it has moved away; where it cannot be deleted, the error that matters has been raised above.
        with suppress(OSError):
            beside.unlink()


def write(path: Path, content: bytes) -> None:
    """Write a whole file, replacing what is there. Raises StoreError when the disk refuses."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def sync(path: Path) -> None:
    """fsync a file, or a directory so that the names in it are kept."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a directory; they keep names in their own way.
        if error.errno != errno.EINVAL or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def disk_error(action: str, error: OSError) -> StoreError:
    """A StoreError that says what the disk refused and what to do about it."""
    remedies = {
        errno.ENOSPC: "The disk is full: free some space, or choose another store with --store.",
        errno.EDQUOT: "Your disk quota is used up: free some space, or choose another store with --store.",
        errno.EFBIG: "No file may grow so large: raise the limit (ulimit -f), or choose another store with --store.",
        errno.ENOENT: "It is gone, or never was there: was a folder deleted or moved?",
        errno.ESTALE: "It is gone, or never was there: was a folder deleted or moved?",
        errno.EROFS: "The file system is read-only: choose another store with --store.",
        errno.EACCES: "You are not allowed to: change the permissions, or choose another store with --store.",
        errno.EPERM: "You are not allowed to: change the permissions, or choose another store with --store.",
        errno.ENOTDIR: "A file stands where a folder should be: choose another store with --store.",
        errno.EIO: "The disk reports a fault: check it, and choose another store with --store.",
    }
    remedy = remedies.get(error.errno or 0, "Check the disk, or choose another store with --store.")
    # Arrow puts its own words and the path into `strerror`.
    return StoreError(f"Cannot {action}: {os.strerror(error.errno) if error.errno else error}. {remedy}")
