"""From a name to a set of tasks: a built-in suite, a file, or a dataset on the Hugging Face Hub."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smoltrace.errors import TaskFileError
from smoltrace.tasks.fields import task_of
from smoltrace.tasks.hub import HUB_PREFIX, HubName, hub_rows
from smoltrace.tasks.rows import Fault, Rows, is_tasks_file_name, read_rows
from smoltrace.tasks.suites import builtin_suites
from smoltrace.tasks.task import Task


@dataclass(frozen=True, slots=True)
class TaskSet:
    """Tasks in the order of their source.

    `name`: the suite's, the file's without its ending (or what a JSON file says under "name"), or the dataset's.
    `source`: what `load_tasks` was given. `fingerprint`: see `fingerprint_of`.
    """

    name: str
    tasks: tuple[Task, ...]
    fingerprint: str
    source: str

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)


def load_tasks(source: str | Path, *, split: str = "train") -> TaskSet:
    """Load a built-in suite by name, a .jsonl, .ndjson, .json, .csv or .parquet file, or `hf:owner/name[@revision]`.

    `hf:owner/name/config[@revision]` picks one configuration; `split` is the split of a Hub dataset, and a file has
    none. `smoltrace.tasks.fields` says what columns may be called and hold; `files` are relative to the tasks file.
    Every fault is looked for, and TaskFileError tells the first, where it is and how many more there are. A Hub dataset
    also raises MissingExtraError when the `datasets` package is absent.
    """
    found, faults = examine(source, split=split)
    if found is None:
        line, problem = faults[0]
        others = len(faults) - 1
        more = f" (and {others} more fault{'s' if others > 1 else ''})" if others else ""
        raise TaskFileError(_shown_source(source), line, problem + more)
    return found


def examine(source: str | Path, *, split: str = "train") -> tuple[TaskSet | None, list[Fault]]:
    """The tasks of a source, or None and everything that is wrong with it, in the order of the lines."""
    text = str(source)
    suite = builtin_suites().get(text) if isinstance(source, str) else None
    if suite is not None:
        return _set_of(read_rows(suite.path), name=suite.name, source=text, folder=suite.path.parent)
    if isinstance(source, str) and source.startswith(HUB_PREFIX):
        name = HubName.parse(source)
        return _set_of(hub_rows(name, split), name=name.dataset, source=source, folder=None)
    path = Path(source)
    if isinstance(source, str) and not _exists(path) and not is_tasks_file_name(source):
        return None, [Fault(None, _unknown_source(source))]
    rows = read_rows(path)
    from_text = path.suffix.lower() == ".csv"
    return _set_of(rows, name=rows.name or path.stem, source=text, folder=path.parent.resolve(), from_text=from_text)


def from_documented_name(name: str) -> str:
    """What `load_tasks` takes for a name given to the documented `--dataset-name`, where owner/name is on the Hub."""
    plain = name.startswith(HUB_PREFIX) or name in builtin_suites() or is_tasks_file_name(name) or _is_file(Path(name))
    return name if plain else HUB_PREFIX + name


def fingerprint_of(tasks: Sequence[Task]) -> str:
    """SHA-256, in hex, of what the tasks say, in their order: the same for the same tasks in any file format.

    Files count by name and content, wherever they lie.
    """
    digest = hashlib.sha256()
    for task in tasks:
        content: dict[str, Any] = task.to_json() | {"files": [_file_digest(Path(name)) for name in task.files]}
        digest.update(json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n")
    return digest.hexdigest()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a text too long for a file name
        return False


def _is_file(path: Path) -> bool:
    return _exists(path) and path.is_file()


def _file_digest(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [path.name, hashlib.file_digest(file, "sha256").hexdigest()]


def _set_of(
    read: Rows, *, name: str, source: str, folder: Path | None, from_text: bool = False
) -> tuple[TaskSet | None, list[Fault]]:
    faults = list(read.faults)
    tasks: list[Task] = []
    first_use: dict[str, int] = {}
    for line, value in read.rows:
        task, problems = task_of(value, folder=folder, from_text=from_text)
        faults += [Fault(line, problem) for problem in problems]
        if task is None:
            continue
        if task.id in first_use:
            where = f"line {first_use[task.id]}"
            faults.append(Fault(line, f'the id "{task.id}" is already used in {where}; give each task its own id'))
        first_use.setdefault(task.id, line)
        tasks.append(task)
    if not faults and not tasks:
        faults.append(Fault(None, "holds no tasks; give it at least one with an id and a prompt"))
    if faults:
        return None, sorted(faults, key=lambda fault: fault.line or 0)
    return TaskSet(name, tuple(tasks), fingerprint_of(tasks), source), []


def _unknown_source(source: str) -> str:
    suites = builtin_suites()
    near = difflib.get_close_matches(source, suites, n=1)
    hint = f'did you mean "{near[0]}"? ' if near else ""
    if source.count("/") == 1 and "" not in source.split("/"):
        hint = f"for a dataset on the Hub write {HUB_PREFIX}{source}; "
    known = ", ".join(suites)
    ways = f"give a suite, a tasks file or {HUB_PREFIX}owner/name"
    return f"is neither a built-in suite ({known}) nor a file; {hint}{ways}"


def _shown_source(source: str | Path) -> str:
    return str(source) or "tasks"
