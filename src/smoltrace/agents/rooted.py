"""A folder of which nothing outside can be reached: every path is opened part by part, and no link is ever followed.

Each part is opened relative to the folder before it, so a folder that is swapped for a link meanwhile leads nowhere.
Where the system cannot do that (Windows), each part is resolved and compared with the root before it is used: that
holds against every path and every link that is there, but not against one that is swapped in at that moment.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from uuid import uuid4

_COMMON: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _COMMON
_FILE: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _COMMON
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _COMMON
_LOOKED_AT: Final = 100_000
"""How many entries a search looks at before it gives up."""
_MOST_PARTS: Final = 100
_MOST_CHARACTERS: Final = 4_096
_BEGUN: Final = ".smoltrace-writing-"
"""How files are named while they are written: never shown, since tests that run side by side share a folder."""
_JUNCTION: Final = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)

SUPPORTED: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system can open files relative to a folder, without following links."""


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder below `root`: held open as `descriptor`, or only known by its `path` where none can be held."""

    root: Path
    path: Path
    descriptor: int | None

    def at(self, name: str) -> str:
        """What the system is asked for, together with `descriptor`, to get at this entry."""
        return name if self.descriptor is not None else _compared(self.root, self.path / name)

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)

    def status(self, name: str) -> os.stat_result:
        return os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)

    def open(self, name: str, flags: int, mode: int = 0o777) -> int:
        return os.open(self.at(name), flags, mode, dir_fd=self.descriptor)

    def step(self, name: str, make: bool) -> _Folder:
        """The folder of this name in it."""
        try:
            return self._inner(name)
        except FileNotFoundError:
            if not make:
                raise
        # Another test may make it at this moment, or put something else there, which the next line refuses.
        with suppress(FileExistsError):
            os.mkdir(self.at(name), 0o755, dir_fd=self.descriptor)
        return self._inner(name)

    def _inner(self, name: str) -> _Folder:
        if self.descriptor is not None:
            return _Folder(self.root, self.path / name, self.open(name, _FOLDER))
        if not stat.S_ISDIR(self.status(name).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return _Folder(self.root, self.path / name, None)

    def entries(self) -> list[tuple[str, str, int]]:
        """Name, kind and size in bytes of what is in it, sorted."""
        found = []
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as entries:
            for entry in entries:
                # What was removed since it was named is no entry any more.
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if not entry.name.startswith(_BEGUN):
                        found.append((entry.name, _kind(status), status.st_size))
        return sorted(found)

    def put(self, name: str, data: bytes, mode: int | None) -> None:
        """Write a file beside and move it there, which replaces a link and never writes through it."""
        beside = f"{_BEGUN}{uuid4().hex}"
        descriptor = self.open(beside, _NEW, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                if mode is not None and hasattr(os, "fchmod"):
                    os.fchmod(descriptor, mode)
            os.replace(self.at(beside), self.at(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except BaseException:
            # The reason why it was not written is what counts, not that its beginnings cannot be removed either.
            with suppress(OSError):
                os.unlink(self.at(beside), dir_fd=self.descriptor)
            raise


class Root:
    """The folder `path`, and what is in it. Paths are relative to it, with `/` between their parts.

    `held`: whether folders are held open on the way; by default where the system can.
    All methods raise ValueError, in words that say nothing of what lies outside.
    """

    def __init__(self, path: Path, *, held: bool = SUPPORTED) -> None:
        self._path, self._held = path.resolve(), held

    def read(self, path: str, most: int) -> tuple[bytes, int]:
        """The first `most` bytes of a regular file, and its size."""
        folders, name = _file_of(path)
        with _told(path), self._folder(folders) as folder:
            # Looked at first, since opening alone can have an effect on a device, and again once it cannot change.
            _must_be_file(path, folder.status(name))
            descriptor = folder.open(name, _FILE)
            try:
                status = os.fstat(descriptor)
                _must_be_file(path, status)
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    return file.read(most), status.st_size
            finally:
                os.close(descriptor)

    def entries(self, path: str) -> list[tuple[str, str, int]]:
        """The entries of a folder by name: name, kind (`folder`, `file`, `link` or `other`) and size in bytes."""
        parts = parts_of(path)
        with _told(path), self._folder(parts) as folder:
            return folder.entries()

    def search(self, pattern: str) -> tuple[list[str], bool]:
        """The files and folders that a glob pattern matches, sorted, and whether all were looked at.

        `*`, `?` and `[…]` match within a part, and `**` any number of folders. Links are not followed.
        """
        wanted = parts_of(pattern)
        found: list[str] = []
        looked = 0
        waiting: list[tuple[tuple[str, ...], frozenset[int]]] = [((), _places([0], wanted))]
        while waiting:
            here, places = waiting.pop()
            for name, kind, _ in self._searched(here):
                looked += 1
                path, after = (*here, name), _after(name, places, wanted)
                if len(wanted) in after:
                    found.append("/".join(path))
                if kind == "folder" and any(place < len(wanted) for place in after):
                    waiting.append((path, after))
            if looked > _LOOKED_AT:
                return sorted(found), False
        return sorted(found), True

    def write(self, path: str, data: bytes) -> None:
        """Put a file there, whole or not at all; folders on the way are made. What is no regular file stays."""
        folders, name = _file_of(path)
        with _told(path), self._folder(folders, make=True) as folder:
            mode = None
            with suppress(FileNotFoundError):
                status = folder.status(name)
                _must_be_file(path, status)
                mode = stat.S_IMODE(status.st_mode) & 0o777
            folder.put(name, data, mode)

    def _searched(self, parts: tuple[str, ...]) -> list[tuple[str, str, int]]:
        try:
            with self._folder(parts) as folder:
                return folder.entries()
        except OSError:
            if not parts:
                with _told("."):
                    raise
            # Removed, swapped for a link or closed to us since it was seen: the rest can still be searched.
            return []

    @contextmanager
    def _folder(self, parts: list[str] | tuple[str, ...], *, make: bool = False) -> Iterator[_Folder]:
        """The folder of these parts, open."""
        folder = _Folder(self._path, self._path, os.open(self._path, _FOLDER) if self._held else None)
        try:
            for part in parts:
                inner = folder.step(part, make)
                folder.close()
                folder = inner
            yield folder
        finally:
            folder.close()


def parts_of(path: str) -> list[str]:
    """The parts of a relative path. Raises ValueError for one that leads elsewhere."""
    if len(path) > _MOST_CHARACTERS or path.count("/") > _MOST_PARTS:
        raise ValueError(f"the path is too long: at most {_MOST_CHARACTERS} characters and {_MOST_PARTS} parts")
    if "\0" in path:
        raise ValueError("a path cannot hold a null character")
    if any("\ud800" <= character <= "\udfff" for character in path):
        raise ValueError(f"{path!r}: a path cannot hold half a character (a surrogate)")
    if path.startswith(("/", "~")) or "\\" in path or (len(path) > 1 and path[1] == ":"):
        raise ValueError(f"{path!r}: give a path inside the working directory, with '/' between its parts")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError(f"{path!r}: '..' leads out of the working directory; leave it out")
    return parts


def _file_of(path: str) -> tuple[list[str], str]:
    """The folders on the way to a file, and its name."""
    parts = parts_of(path)
    if not parts:
        raise ValueError("that is the working directory itself, not a file")
    if parts[-1].startswith(_BEGUN):
        raise ValueError(f"{path!r}: names that begin with {_BEGUN!r} are taken")
    return parts[:-1], parts[-1]


def _compared(root: Path, path: Path) -> str:
    """The path, if it leads by no link and stays below the root; else the error that opening a link gives."""
    try:
        link = _kind(path.lstat()) == "link"
    except FileNotFoundError:
        link = False
    # On Windows `a:b` is a stream of a file, and a device's name such as NUL resolves to a place outside.
    if link or (os.name == "nt" and ":" in path.name) or not path.resolve().is_relative_to(root):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return str(path)


def _kind(status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISLNK(mode) or (_JUNCTION is not None and getattr(status, "st_reparse_tag", 0) == _JUNCTION):
        return "link"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def _must_be_file(path: str, status: os.stat_result) -> None:
    kind = _kind(status)
    if kind != "file":
        said = {"folder": "is a folder", "link": "is a link, and links are not followed"}
        raise ValueError(f"{path!r} {said.get(kind, 'is no regular file')}")


def _places(begun: list[int], wanted: list[str]) -> frozenset[int]:
    """Where in the pattern one can be: the places given, and those past a `**`, which may stand for nothing."""
    places = set()
    for place in begun:
        places.add(place)
        while place < len(wanted) and wanted[place] == "**" and place + 1 not in places:
            place += 1
            places.add(place)
    return frozenset(places)


def _after(name: str, places: frozenset[int], wanted: list[str]) -> frozenset[int]:
    """Where in the pattern one can be after a part of this name: all at once, since trying in turn takes for ever."""
    begun = []
    for place in places:
        if place < len(wanted) and wanted[place] == "**":
            begun.append(place)
        elif place < len(wanted) and fnmatchcase(name, wanted[place]):
            begun.append(place + 1)
    return _places(begun, wanted)


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
