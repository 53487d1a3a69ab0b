"""Journals as files of lines: finding them, indexing them, and cutting off what a crash left torn.

A record is on the disk when its newline is. What stands after the last newline was never acknowledged.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smoltrace.errors import StoreError
from smoltrace.store.atomic import disk_error

_BLOCK = 1 << 16
_TRACE_ID = re.compile(rb'"traceId"\s*:\s*"([0-9a-fA-F]{32})"')


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: the offset of its first byte, and its length without the newline."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished test as its journal line tells it, and where the line stands; `line` counts from 1."""

    test_index: int
    agent_type: str
    test_id: str
    attempt: int
    trace_id: str | None
    line: int
    place: Place

    @property
    def key(self) -> tuple[str, str, int]:
        """(agent_type, test_id, attempt), unique in a run."""
        return (self.agent_type, self.test_id, self.attempt)


def cut_torn_tail(descriptor: int) -> int:
    """Cut a file back to its last newline and return its length.

    Appending after a torn tail would lose the new record too.
    """
    end = os.fstat(descriptor).st_size
    at = end
    while at > 0:
        start = max(0, at - _BLOCK)
        newline = os.pread(descriptor, at - start, start).rfind(b"\n")
        if newline >= 0:
            at = start + newline + 1
            break
        at = start
    if at != end:
        os.ftruncate(descriptor, at)
        os.fsync(descriptor)
    return at


def whole_lines(path: Path) -> Iterator[tuple[Place, bytes]]:
    """Every whole line of a file, without its newline; a torn tail and an absent file give none. Raises StoreError."""
    try:
        with path.open("rb") as file:
            offset = 0
            for line in file:
                if not line.endswith(b"\n"):
                    return
                if len(line) > 1:
                    yield Place(offset, len(line) - 1), line[:-1]
                offset += len(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(f"read {path}", error) from error


def decoded(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """The JSON object on a line. Raises StoreError, with the line's 1-based number, when it is none."""
    import orjson

    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        found = error
    if isinstance(found, dict):
        return found
    raise StoreError(
        f"{path}, line {number}: damaged, it is no JSON object. Take the line out of the file; "
        "its test then counts as not run."
    )


def index_results(path: Path) -> list[Entry]:
    """The finished tests of a results journal in the order of the plan, each once: of duplicates the last counts."""
    found: dict[tuple[str, str, int], Entry] = {}
    for number, (place, line) in enumerate(whole_lines(path), start=1):
        entry = _entry(path, number, place, line)
        found[entry.key] = entry
    return sorted(found.values(), key=lambda entry: (entry.test_index, *entry.key))


def _entry(path: Path, number: int, place: Place, line: bytes) -> Entry:
    row = decoded(path, number, line)
    try:
        return Entry(
            test_index=int(row["test_index"]),
            agent_type=str(row["agent_type"]),
            test_id=str(row["test_id"]),
            attempt=int(row["attempt"]),
            trace_id=row["trace_id"],
            line=number,
            place=place,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{path}, line {number}: no result of a test ({error}). Take the line out of the file; "
            "its test then counts as not run."
        ) from error


def index_traces(path: Path) -> dict[str, Place]:
    """Where the line of each trace stands, by trace id; of duplicates the last. Lines are not decoded."""
    found: dict[str, Place] = {}
    for place, line in whole_lines(path):
        if (trace_id := trace_id_in(line)) is not None:
            found[trace_id] = place
    return found


def trace_id_in(line: bytes) -> str | None:
    """The trace of a line of a traces journal, which is not decoded for that; None where it names none."""
    match = _TRACE_ID.search(line)
    return None if match is None else match.group(1).decode().lower()


class LineFile:
    """Reads lines of a file by their place. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor: int | None = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._descriptor = None
        except OSError as error:
            raise disk_error(f"read {path}", error) from error

    def __enter__(self) -> LineFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read(self, place: Place) -> bytes:
        """The line at a place, without its newline. Raises StoreError."""
        if self._descriptor is None:
            raise StoreError(f"{self._path} is gone. Restore it from a copy.")
        try:
            return os.pread(self._descriptor, place.length, place.offset)
        except OSError as error:
            raise disk_error(f"read {self._path}", error) from error
