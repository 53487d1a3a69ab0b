"""From a row, whatever its file, to a Task: names of columns, kinds of values, and what is said when they do not fit.

Each field may come under other names; the first that holds a value counts, the rest stay in `Task.metadata`:

    id                   task_id, test_id
    prompt               question, input, instruction
    agent_type           agent
    difficulty           level
    expected_tool        tool
    expected_keywords    expected_keyword, keywords
    expected_answer      answer, true_answer, expected_output

None, NaN, an empty text and an empty list mean that the value is absent. Numbers are taken for texts where a text
belongs (an id 7 is "7") and 2.0 for 2, but a boolean is never a number. Where a list belongs, a text that is a JSON
list is that list, and any other text its one item. In CSV, an expected answer that is a JSON list or object is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from smoltrace.tasks.task import AGENT_TYPES, KEYWORD_MATCHES, Task

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "task_id", "test_id"),
    "prompt": ("prompt", "question", "input", "instruction"),
    "agent_type": ("agent_type", "agent"),
    "difficulty": ("difficulty", "level"),
    "category": ("category",),
    "expected_tool": ("expected_tool", "tool"),
    "expected_tool_calls": ("expected_tool_calls",),
    "expected_keywords": ("expected_keywords", "expected_keyword", "keywords"),
    "keyword_match": ("keyword_match",),
    "expected_answer": ("expected_answer", "answer", "true_answer", "expected_output"),
    "files": ("files",),
}


class FieldError(Exception):
    """One field does not fit; the text says which, what it holds and what belongs there."""


def task_of(value: Any, *, folder: Path | None, from_text: bool = False) -> tuple[Task | None, list[str]]:
    """The task that a row holds, or the problems that keep it from being one.

    `folder` is where relative `files` are looked up, None when the source has no files of its own.
    `from_text` says that every cell was text (CSV).
    """
    if not isinstance(value, Mapping):
        return None, [f"{_shown(value)} is no task; a task is an object with at least an id and a prompt"]
    problems: list[str] = []
    taken: set[str] = set()
    fields: dict[str, Any] = {}
    cells, unreadable = _plain_cells(value)
    problems += unreadable
    for name, aliases in NAMES.items():
        column = next((alias for alias in aliases if not _is_absent(cells.get(alias))), None)
        if column is None:
            continue
        taken.add(column)
        try:
            fields[name] = _field(name, column, cells[column], folder, from_text)
        except FieldError as error:
            problems.append(str(error))
    problems += _missing(value, fields, problems)
    if problems:
        return None, problems
    metadata = {name: cell for name, cell in cells.items() if name not in taken and not _is_absent(cell)}
    return Task(**fields, metadata=metadata), []


def _missing(value: Mapping[Any, Any], fields: Mapping[str, Any], problems: list[str]) -> list[str]:
    found = []
    for name in ("id", "prompt"):
        if name not in fields and not any(problem.startswith(NAMES[name]) for problem in problems):
            columns = ", ".join(str(key) for key in value) or "none"
            found.append(f"has no {name} (its columns: {columns[:200]}); give the task one")
    return found


def _field(name: str, column: str, value: Any, folder: Path | None, from_text: bool) -> Any:
    if name == "id":
        return _identifier(column, value)
    if name in ("difficulty", "category", "expected_tool", "prompt"):
        return _text(column, value)
    if name == "agent_type":
        return _one_of(column, value, AGENT_TYPES)
    if name == "keyword_match":
        return _one_of(column, value, KEYWORD_MATCHES)
    if name == "expected_tool_calls":
        return _count(column, value)
    if name == "expected_keywords":
        return _texts(column, value)
    if name == "files":
        return _files(column, value, folder)
    return _answer(value) if from_text else value


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def _text(column: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, float) and value.is_integer()
        return str(int(value) if whole else value)
    raise FieldError(f"{column} is {_shown(value)}; it must be a text")


def _identifier(column: str, value: Any) -> str:
    text = _text(column, value)
    if not text.isprintable():
        raise FieldError(f"{column} is {_shown(text)}; it must not hold line breaks or control characters")
    return text


def _one_of(column: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise FieldError(f"{column} is {_shown(value)}; it must be one of {', '.join(choices)}")
    return str(value)


def _count(column: str, value: Any) -> int | None:
    wrong = FieldError(f"{column} is {_shown(value)}; it must be a whole number of 0 or more")
    if isinstance(value, str):
        if value.strip().lower() == "nan":
            return None
        try:
            value = float(value)
        except ValueError:
            raise wrong from None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong
    return value


def _texts(column: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and value.strip().startswith("[") and value.strip().endswith("]"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise FieldError(f'{column} is {_shown(value)}; write a list as JSON, such as ["one", "two"]') from None
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, list) for item in items):
        raise FieldError(f"{column} is {_shown(value)}; it must be a list of texts")
    return tuple(_text(column, item) for item in items if item is not None)


def _files(column: str, value: Any, folder: Path | None) -> tuple[str, ...]:
    names = _texts(column, value)
    if folder is None:
        raise FieldError(f"{column} names {_shown(names[0])}, but files belong to a tasks file; copy the tasks to one")
    paths = [(folder / name).resolve() for name in names]
    for name, path in zip(names, paths, strict=True):
        if not path.is_file():
            raise FieldError(f"{column} names {_shown(name)}, which is no file in {folder}; correct the path")
    return tuple(str(path) for path in paths)


def _answer(value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith(("[", "{")):
        return value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return value


def _plain_cells(row: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    cells: dict[str, Any] = {}
    problems = []
    for name, value in row.items():
        try:
            cells[plain(str(name))] = plain(value)
        except (FieldError, RecursionError) as error:
            problems.append(f"{_shown(str(name))}: {error}")
    return cells, problems


def plain(value: Any) -> Any:
    """The value in JSON kinds: NaN is None, dates are ISO texts, timedeltas seconds, bytes only their number."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise FieldError("holds half of a surrogate pair, which is no text; write the whole character")
        return value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return _plain_number(value)
    if isinstance(value, Mapping):
        return {plain(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _plain_other(value)


def _plain_number(value: float | Decimal) -> int | float | None:
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise FieldError("is infinite, which JSON cannot hold; leave it out")
    return int(value) if isinstance(value, Decimal) and value == int(value) else number


def _plain_other(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 60 else text[:57] + "…"
