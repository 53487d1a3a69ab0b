"""Journals read on from where they ended, as they grow: no line is read twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smoltrace.store.lines import Place
from smoltrace.store.parquet import reading

_REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal was read: the end of its last whole line, the lines before it, and how that line ended."""

    end: int = 0
    lines: int = 0
    last: bytes = b""


class Tail:
    """The whole lines of a journal behind a mark; `mark` moves on with each of them.

    A line without its newline is left for the next time. Where the file is another one than it was, or there was no
    mark, `goes_on` is False and the lines are all of it. Raises StoreError when the disk refuses; a journal that is not
    there has no lines.
    """

    def __init__(self, path: Path, before: Mark | None) -> None:
        self._path = path
        self.goes_on = before is not None and _still_says(path, before)
        self.mark = before if before is not None and self.goes_on else Mark()

    def __iter__(self) -> Iterator[tuple[int, Place, bytes]]:
        """The number of each line from 1, its place, and its text without the newline."""
        with reading(self._path):
            try:
                file = self._path.open("rb")
            except FileNotFoundError:
                return
            with file:
                file.seek(self.mark.end)
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    place = Place(self.mark.end, len(line) - 1)
                    self.mark = Mark(self.mark.end + len(line), self.mark.lines + 1, line[-_REMEMBERED:])
                    if place.length:
                        yield self.mark.lines, place, line[:-1]


def _still_says(path: Path, mark: Mark) -> bool:
    """Whether the journal has, where we stopped, what we read there."""
    try:
        with path.open("rb") as file:
            file.seek(mark.end - len(mark.last))
            return file.read(len(mark.last)) == mark.last
    except OSError:
        return False
