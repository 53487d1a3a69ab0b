"""Words in runs and their tests: bounded in time, and it says how far it got."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from smoltrace.errors import UsageError
from smoltrace.records.schema import RESULTS
from smoltrace.store.layout import RunDir, Store
from smoltrace.store.lines import whole_lines
from smoltrace.viewer.data.board import Board
from smoltrace.viewer.data.loading import BROKEN
from smoltrace.viewer.data.query import ALL, NEWEST, Query, short_enough, words_of
from smoltrace.viewer.data.readings import is_up_to_date

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 2.0
"""How long tests are looked through, the newest runs first."""
MOST_FOUND: Final = 200
MOST_RUNS: Final = 10_000
_BESIDE: Final = 60
"""Characters of a snippet before and after what was found."""
_TOGETHER: Final = 32
_FIELDS: Final = {
    "id": ("test_case_uid", "trace_id"),
    "prompt": ("prompt",),
    "answer": ("response",),
    "error": ("error", "error_type"),
}
_COLUMNS: Final = ("test_case_uid", "trace_id", "prompt", "response", "error", "error_type")
_Found: TypeAlias = "tuple[list[Mapping[str, Any]], bool]"
"""Rows of tests, and whether all tests of the run were looked at."""


def search(where: Board | Store, q: str, limit: int = 50) -> dict[str, Any]:
    """Runs and tests in which all words of `q` are found, the newest runs first, at most `limit` of each.

    Of a run, what it tells of itself is looked through; of a test its ids, its prompt, its answer and its error, each
    alone, capitals or not. `truncated` says that there may be more, `searched_runs` of `of_runs` that their tests were
    looked through. A store is looked at anew each time; a board knows it already. Raises UsageError for no word at all,
    and for more than is looked for.
    """
    words = words_of(short_enough(q))
    if not words:
        raise UsageError("There is nothing to search for. Write q= and some words.")
    limit = max(1, min(limit, MOST_FOUND))
    board = where if isinstance(where, Board) else Board(where)
    of_runs = board.brief(Query(tasks=ALL, q=" ".join(words), sort=NEWEST, limit=limit + 1))
    every = board.brief(Query(tasks=ALL, sort=NEWEST, limit=MOST_RUNS))
    there = board.store_info()["runs"]
    looking = _Looking(board, words, limit, time.monotonic() + SECONDS)
    tests = list(looking.through([str(run["run_id"]) for run in every]))
    models = {run["run_id"]: run["model"] for run in every}
    return {
        "q": q,
        "runs": of_runs[:limit],
        "tests": [test | {"model": models[test["run_id"]]} for test in tests[:limit]],
        "truncated": max(len(of_runs), len(tests)) > limit or looking.searched < there,
        "searched_runs": looking.searched,
        "of_runs": there,
    }


@dataclass(slots=True)
class _Looking:
    """One search through tests, which ends at the moment `until`. `searched` counts the runs that were looked through
    whole."""

    board: Board
    words: Sequence[str]
    limit: int
    until: float
    searched: int = 0

    def through(self, run_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """What is found, one more than the limit at most."""
        left = self.limit + 1
        for start in range(0, len(run_ids), _TOGETHER):
            some = [RunDir(self.board.store.runs_path / run_id) for run_id in run_ids[start : start + _TOGETHER]]
            found = self._in_runs(some, left)
            yield from found
            left -= len(found)
            if left <= 0 or time.monotonic() > self.until:
                return

    def _in_runs(self, runs: Sequence[RunDir], most: int) -> list[dict[str, Any]]:
        """What is found in these runs, in their order."""
        files = [str(run.parquet(RESULTS.name)) for run in runs if _has_file(run)]
        in_files = self._in_files(files, most)
        found: list[dict[str, Any]] = []
        for run in runs:
            file = str(run.parquet(RESULTS.name))
            rows, is_whole = in_files[file] if file in in_files else self._in_journal(run, most)
            found += [self._told(run.run_id, row) for row in rows]
            if len(found) >= most:
                return found[:most]
            self.searched += is_whole
        return found

    def _in_files(self, files: Sequence[str], most: int) -> dict[str, _Found]:
        """By file."""
        import duckdb

        if not files:
            return {}
        fields = [f"coalesce(lower({column}), '')" for columns in _FIELDS.values() for column in columns]
        matches = " OR ".join("(" + " AND ".join(f"contains({field}, ?)" for _ in self.words) + ")" for field in fields)
        sql = f"""SELECT filename, {", ".join(_COLUMNS)} FROM read_parquet(?, filename = true, union_by_name = true)
                  WHERE {matches} LIMIT {most}"""
        try:
            with self.board.database.asking() as asking:
                found = asking.all(sql, (list(files), *(word for _ in fields for word in self.words)))
        except (duckdb.Error, OSError):
            if len(files) == 1:
                return {files[0]: ([], False)}
            # One of them is broken: which, they are asked one by one.
            return {file: rows for each in files for file, rows in self._in_files([each], most).items()}
        by_file: dict[str, _Found] = {file: ([], True) for file in files}
        for file, *values in found:
            by_file[file][0].append(dict(zip(_COLUMNS, values, strict=True)))
        return by_file

    def _in_journal(self, run: RunDir, most: int) -> _Found:
        import orjson

        found: list[Mapping[str, Any]] = []
        try:
            for _, line in whole_lines(run.results_journal):
                row = orjson.loads(line)
                if self._where(row) is not None:
                    found.append({name: row.get(name) for name in _COLUMNS})
                if len(found) >= most or time.monotonic() > self.until:
                    return found, False
        except BROKEN:
            return found, False
        return found, True

    def _where(self, row: Mapping[str, Any]) -> tuple[str, str] | None:
        """The first field in which all words are, and its text."""
        for name, columns in _FIELDS.items():
            for column in columns:
                text = row.get(column)
                if isinstance(text, str) and all(word in text.lower() for word in self.words):
                    return name, text
        return None

    def _told(self, run_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
        name, text = self._where(row) or ("id", str(row["test_case_uid"]))
        return {
            "run_id": run_id,
            "test_case_uid": row["test_case_uid"],
            "trace_id": row["trace_id"],
            "where": name,
            "snippet": snippet(text, self.words),
        }


def snippet(text: str, words: Sequence[str]) -> str:
    """The text around the words where they stand one after the other, else around the first of them."""
    together = r"\s+".join(map(re.escape, words))
    found = re.search(together, text, re.IGNORECASE) or re.search(re.escape(words[0]), text, re.IGNORECASE)
    start, end = (0, 0) if found is None else found.span()
    first, last = max(0, start - _BESIDE), min(len(text), end + _BESIDE)
    around = " ".join(text[first:last].split())
    return ("…" if first else "") + around + ("…" if last < len(text) else "")


def _has_file(run: RunDir) -> bool:
    return is_up_to_date(run.parquet(RESULTS.name), run.results_journal)
