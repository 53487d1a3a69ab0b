"""Rows of a tasks file, each with the line it starts at. What a row means is decided in `fields`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn


class Fault(NamedTuple):
    """What is wrong and what to do; `line` is the 1-based line (or Parquet row), None for the whole file."""

    line: int | None
    problem: str


class Row(NamedTuple):
    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file in its order, and the faults that kept others from being read. `name`: the set's own."""

    rows: list[Row]
    faults: list[Fault]
    name: str | None = None


class _RefusedError(Exception):
    def __init__(self, line: int | None, problem: str) -> None:
        super().__init__(problem)
        self.fault = Fault(line, problem)


def read_rows(path: Path) -> Rows:
    """Read a .jsonl, .ndjson, .json, .csv or .parquet file; nothing is raised for what the file holds."""
    try:
        reader = _reader_for(path)
        return reader(path)
    except _RefusedError as refused:
        return Rows([], [refused.fault])


def is_tasks_file_name(name: str) -> bool:
    return Path(name).suffix.lower() in _READERS


def _reader_for(path: Path) -> Callable[[Path], Rows]:
    if path.is_dir():
        raise _RefusedError(None, "is a directory; name one tasks file in it")
    if not path.exists():
        raise _RefusedError(None, "there is no such file; check the path")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise _RefusedError(None, f'the extension "{path.suffix}" is not one that holds tasks; use one of {known}')
    return reader


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _RefusedError(None, f"cannot be read ({error.strerror}); check its permissions") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _RefusedError(line, "is not UTF-8; save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _RefusedError(line, "holds a NUL byte, as UTF-16 files do; save the file as UTF-8")
    return text


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is no JSON value")


_WHITESPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_constant=_constant)


def _json_problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not valid JSON: {error.msg} (column {error.colno})"
    if isinstance(error, RecursionError):
        return "is nested too deeply; flatten it"
    return f"is not valid JSON: {error}"


def _read_jsonl(path: Path) -> Rows:
    text = _text_of(path)
    rows: list[Row] = []
    faults: list[Fault] = []
    # Only \n ends a line: str.splitlines would also cut at U+2028, which JSON strings may hold.
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            rows.append(Row(line, _DECODER.decode(content)))
        except (ValueError, RecursionError) as error:
            faults.append(Fault(line, _json_problem(error) + "; each line holds one task as a JSON object"))
    if faults and text.lstrip().startswith(("[\n", "[\r\n", "{\n", "{\r\n")):
        raise _RefusedError(faults[0].line, "is a JSON document, not one task a line; name the file .json instead")
    return Rows(rows, faults)


class _Scanner:
    """A cursor over a JSON document that knows the line it is in; the json module tells positions for errors only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._counted = 0
        self._line = 1
        self.skip()

    @property
    def line(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def skip(self) -> None:
        found = _WHITESPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, *expected: str) -> str:
        found = self.peek()
        if found not in expected or not found:
            wanted = " or ".join(f'"{mark}"' for mark in expected)
            self.refuse(f"is not valid JSON: {wanted} is expected here" + (f', not "{found}"' if found else ""))
        self.at += 1
        self.skip()
        return found

    def value(self) -> Any:
        try:
            found, self.at = _DECODER.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            self.at = error.pos
            self.refuse(_json_problem(error))
        except (ValueError, RecursionError) as error:
            self.refuse(_json_problem(error))
        self.skip()
        return found

    def refuse(self, problem: str) -> NoReturn:
        raise _RefusedError(self.line, problem)


def _read_json(path: Path) -> Rows:
    scanner = _Scanner(_text_of(path))
    if not scanner.peek():
        return Rows([], [])
    rows: list[Row] | None = None
    name: str | None = None
    if scanner.peek() == "[":
        rows = _array(scanner)
    elif scanner.peek() == "{":
        rows, name = _object(scanner)
    if rows is None:
        raise _RefusedError(1, 'holds no list of tasks; write [task, …] or {"name": …, "tasks": [task, …]}')
    if scanner.peek():
        scanner.refuse("goes on after the end of the JSON document; one task a line belongs in a .jsonl file")
    return Rows(rows, [], name)


def _array(scanner: _Scanner) -> list[Row]:
    rows: list[Row] = []
    scanner.take("[")
    if scanner.peek() == "]":
        scanner.take("]")
        return rows
    while True:
        line = scanner.line
        rows.append(Row(line, scanner.value()))
        if scanner.take(",", "]") == "]":
            return rows


def _object(scanner: _Scanner) -> tuple[list[Row] | None, str | None]:
    rows: list[Row] | None = None
    name: str | None = None
    scanner.take("{")
    if scanner.peek() == "}":
        scanner.take("}")
        return rows, name
    while True:
        key = scanner.value() if scanner.peek() == '"' else scanner.take('"')
        scanner.take(":")
        if key == "tasks" and scanner.peek() == "[":
            rows = _array(scanner)
        else:
            value = scanner.value()
            name = value if key == "name" and isinstance(value, str) and value.strip() else name
        if scanner.take(",", "}") == "}":
            return rows, name


@contextmanager
def _unlimited_cells() -> Iterator[None]:
    """The csv module refuses cells above 128 KiB, a limit it keeps for the whole process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _read_csv(path: Path) -> Rows:
    reader = csv.reader(io.StringIO(_text_of(path), newline=""), strict=True)
    rows: list[Row] = []
    faults: list[Fault] = []
    header: list[str] | None = None
    start = 1
    try:
        with _unlimited_cells():
            for cells in reader:
                line, start = start, reader.line_num + 1
                if not any(cell.strip() for cell in cells):
                    continue
                if header is None:
                    header = _header(cells, line)
                elif len(cells) != len(header):
                    faults.append(Fault(line, _width_problem(len(cells), len(header))))
                else:
                    rows.append(Row(line, {name: cell for name, cell in zip(header, cells, strict=True) if name}))
    except csv.Error as error:
        faults.append(Fault(start, f"is not valid CSV: {error}; check the quotes from here on"))
    return Rows(rows, faults)


def _header(cells: list[str], line: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    for name in names:
        if name and names.count(name) > 1:
            raise _RefusedError(line, f'the header names the column "{name}" twice; rename one of them')
    return names


def _width_problem(found: int, wanted: int) -> str:
    return f"has {found} cells where the header has {wanted}; put a cell that holds a comma or a quote in double quotes"


def _read_parquet(path: Path) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.ParquetFile(path).read().to_pylist()
    except (pa.ArrowException, ValueError, OSError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _RefusedError(None, f"cannot be read as Parquet: {problem}; write the file again") from error
    return Rows([Row(number, value) for number, value in enumerate(found, start=1)], [])


_READERS: dict[str, Callable[[Path], Rows]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
