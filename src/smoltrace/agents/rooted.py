"""A folder of which nothing outside can be reached: every path is opened part by part, and no link is ever followed.

Each part is opened relative to the folder before it, so a folder that is swapped for a link meanwhile leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from uuid import uuid4

_FOLDER: Final = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
_FILE: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_LOOKED_AT: Final = 100_000
"""How many entries a search looks at before it gives up."""

SUPPORTED: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system can open files relative to a folder, without following links."""


class Root:
    """The folder `path`, and what is in it. Paths are relative to it, with `/` between their parts.

    All methods raise ValueError, in words that say nothing of what lies outside.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def read(self, path: str, most: int) -> tuple[bytes, int]:
        """The first `most` bytes of a regular file, and its size."""
        *folders, name = parts_of(path) or [""]
        if not name:
            raise ValueError("that is the working directory itself, not a file")
        with self._folder(folders) as folder, _told(path):
            descriptor = os.open(name, _FILE, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                _must_be_file(path, status)
                return file.read(most), status.st_size

    def entries(self, path: str) -> list[tuple[str, str, int]]:
        """The entries of a folder by name: name, kind (`folder`, `file`, `link` or `other`) and size in bytes."""
        with self._folder(parts_of(path)) as folder, _told(path):
            return _entries(folder)

    def search(self, pattern: str) -> tuple[list[str], bool]:
        """The files and folders that a glob pattern matches, sorted, and whether all were looked at.

        `*`, `?` and `[…]` match within a part, and `**` any number of folders. Links are not followed.
        """
        wanted = parts_of(pattern)
        found: list[str] = []
        looked = 0
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            here = waiting.pop()
            with self._folder(here) as folder:
                for name, kind, _ in _entries(folder):
                    looked += 1
                    path = (*here, name)
                    if _matches(path, wanted):
                        found.append("/".join(path))
                    if kind == "folder" and _may_match_below(path, wanted):
                        waiting.append(path)
            if looked > _LOOKED_AT:
                return sorted(found), False
        return sorted(found), True

    def write(self, path: str, data: bytes) -> None:
        """Put a file there, whole or not at all; folders on the way are made. What is no regular file stays."""
        *folders, name = parts_of(path) or [""]
        if not name:
            raise ValueError("that is the working directory itself, not a file")
        with self._folder(folders, make=True) as folder, _told(path):
            with suppress(FileNotFoundError):
                _must_be_file(path, os.stat(name, dir_fd=folder, follow_symlinks=False))
            beside = f".{uuid4().hex}.tmp"
            try:
                with os.fdopen(os.open(beside, _NEW, 0o644, dir_fd=folder), "wb") as file:
                    file.write(data)
                os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.unlink(beside, dir_fd=folder)
                raise

    @contextmanager
    def _folder(self, parts: list[str] | tuple[str, ...], *, make: bool = False) -> Iterator[int]:
        """The folder of these parts, open."""
        shown = "/".join(parts) or "."
        with _told(shown):
            folder = os.open(self._path, _FOLDER)
            try:
                for part in parts:
                    folder = _step(folder, part, make)
            except BaseException:
                os.close(folder)
                raise
        try:
            yield folder
        finally:
            os.close(folder)


def parts_of(path: str) -> list[str]:
    """The parts of a relative path. Raises ValueError for one that leads elsewhere."""
    if "\0" in path:
        raise ValueError("a path cannot hold a null character")
    if path.startswith(("/", "~")) or "\\" in path or (len(path) > 1 and path[1] == ":"):
        raise ValueError(f"{path!r}: give a path inside the working directory, with '/' between its parts")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError(f"{path!r}: '..' leads out of the working directory; leave it out")
    return parts


def _step(folder: int, part: str, make: bool) -> int:
    """From an open folder into the one of this name in it; the first is closed."""
    try:
        inner = os.open(part, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        os.mkdir(part, 0o755, dir_fd=folder)
        inner = os.open(part, _FOLDER, dir_fd=folder)
    os.close(folder)
    return inner


def _entries(folder: int) -> list[tuple[str, str, int]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            found.append((entry.name, _kind(status), status.st_size))
    return sorted(found)


def _kind(status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "file"
    return "link" if stat.S_ISLNK(mode) else "other"


def _must_be_file(path: str, status: os.stat_result) -> None:
    kind = _kind(status)
    if kind != "file":
        said = {"folder": "is a folder", "link": "is a link, and links are not followed"}
        raise ValueError(f"{path!r} {said.get(kind, 'is no regular file')}")


def _matches(path: tuple[str, ...], wanted: list[str] | tuple[str, ...]) -> bool:
    if not wanted:
        return not path
    if wanted[0] == "**":
        return _matches(path, wanted[1:]) or (bool(path) and _matches(path[1:], wanted))
    return bool(path) and fnmatchcase(path[0], wanted[0]) and _matches(path[1:], wanted[1:])


def _may_match_below(path: tuple[str, ...], wanted: list[str]) -> bool:
    """Whether something in this folder may match."""
    for part, pattern in zip(path, wanted, strict=False):
        if pattern == "**":
            return True
        if not fnmatchcase(part, pattern):
            return False
    return len(path) < len(wanted)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Errors of the system in words for a model, without a path of this machine."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOENT: "there is no such file or folder",
            errno.ELOOP: "is a link, and links are not followed",
            errno.ENOTDIR: "is no folder, or a link, and links are not followed",
            errno.ENXIO: "is no regular file",
            errno.EISDIR: "is a folder",
            errno.EACCES: "may not be opened",
            errno.ENAMETOOLONG: "is too long a name",
        }
        reason = reasons.get(error.errno or 0, os.strerror(error.errno or 0))
        raise ValueError(f"{path!r}: {reason}") from None
