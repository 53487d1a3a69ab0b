"""Tools that read and write files under one folder, the run's working directory, and see nothing outside of it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Final

import smolagents

from smoltrace.agents.rooted import Root
from smoltrace.errors import UsageError

MOST_BYTES: Final = 1 << 20
MOST_ENTRIES: Final = 1_000
_PATH: Final = "A path inside the working directory, with '/' between its parts, for example 'notes/today.txt'."


class FileTool(smolagents.Tool):  # type: ignore[misc,unused-ignore]
    """A tool with a root. It stays in this process: a folder cannot be sent to where code runs elsewhere."""

    output_type = "string"

    def __init__(self, root: Root) -> None:
        self.root = root
        super().__init__()


class ReadFile(FileTool):
    name = "read_file"
    description = "Returns the text of a file in the working directory."
    inputs: Final = {"path": {"type": "string", "description": _PATH}}

    def forward(self, path: str) -> str:
        """The text; of more than 1 MiB the beginning, and a line that says so. ValueError for what is no text."""
        data, size = self.root.read(path, MOST_BYTES)
        if b"\0" in data:
            raise ValueError(f"{path!r} is no text: {size} bytes of binary data")
        cut = size > len(data)
        try:
            # Where it is cut, half a character may be left over: only that may be dropped.
            text = codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
        except UnicodeDecodeError:
            raise ValueError(f"{path!r} is no UTF-8 text: {size} bytes") from None
        return f"{text}\n[truncated: {len(data)} of {size} bytes are shown]" if cut else text


class ListDirectory(FileTool):
    name = "list_directory"
    description = "Lists a folder of the working directory: one entry a line, folders with a '/' at the end."
    inputs: Final = {"path": {"type": "string", "description": "The folder; '.' is the working directory itself."}}

    def forward(self, path: str) -> str:
        """One line an entry, sorted by name, with the size of files."""
        entries = self.root.entries(path)
        shown = {
            "folder": "{0}/",
            "file": "{0} ({1} bytes)",
            "link": "{0} (a link, not followed)",
            "other": "{0} (no regular file)",
        }
        return (
            _lines([shown[kind].format(_printable(name), size) for name, kind, size in entries])
            or "The folder is empty."
        )


class SearchFiles(FileTool):
    name = "search_files"
    description = "Finds files and folders of the working directory by a pattern; '**' stands for any folders."
    inputs: Final = {"pattern": {"type": "string", "description": "A glob pattern, for example '**/*.txt'."}}

    def forward(self, pattern: str) -> str:
        """One path a line, sorted."""
        found, whole = self.root.search(pattern)
        lines = _lines([_printable(path) for path in found]) or f"Nothing matches {pattern!r}."
        return lines if whole else f"{lines}\n[the search was ended early: there are too many files]"


class WriteFile(FileTool):
    name = "write_file"
    description = "Writes a text file in the working directory; folders on the way are made."
    inputs: Final = {
        "path": {"type": "string", "description": _PATH},
        "content": {"type": "string", "description": "The whole text of the file."},
    }

    def forward(self, path: str, content: str) -> str:
        """Says what was written. ValueError for more than 1 MiB."""
        try:
            data = content.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("the content holds half a character (a surrogate), which no file can hold") from None
        if len(data) > MOST_BYTES:
            raise ValueError(f"{path!r}: {len(data)} bytes are more than the {MOST_BYTES} that may be written")
        self.root.write(path, data)
        return f"Wrote {len(data)} bytes to {_printable(path)}."


FILE_TOOLS: Final[dict[str, type[FileTool]]] = {
    tool.name: tool for tool in (ReadFile, ListDirectory, SearchFiles, WriteFile)
}


def file_tool_maker(name: str, working_directory: Path | None) -> Callable[[], smolagents.Tool]:
    """A function that makes the file tool of this name. Raises UsageError without a folder for it."""
    if working_directory is None:
        raise UsageError(f"--tools {name}: name the folder that it may see with --working-directory")
    if not working_directory.is_dir():
        raise UsageError(f"--working-directory {working_directory}: there is no such folder")
    root = Root(working_directory)
    return lambda: FILE_TOOLS[name](root)


def _printable(name: str) -> str:
    """A name in one line of text: a file's name may hold line breaks, and bytes that are no text."""
    return name if name.isprintable() else name.encode("unicode_escape").decode("ascii")


def _lines(lines: list[str]) -> str:
    shown = "\n".join(lines[:MOST_ENTRIES])
    return shown if len(lines) <= MOST_ENTRIES else f"{shown}\n[{len(lines) - MOST_ENTRIES} more are not shown]"
