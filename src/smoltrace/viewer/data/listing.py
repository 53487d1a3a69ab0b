"""The tests of a run in the order in which they were finished: which there are, and where each one's row stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from smoltrace.errors import StoreError
from smoltrace.records.schema import RESULTS
from smoltrace.store.lines import Place, decoded
from smoltrace.viewer.data.journals import Mark, Tail
from smoltrace.viewer.data.readings import state_of
from smoltrace.viewer.data.sources import Source, read_columns, whole_number

_LISTED: Final = (
    "test_case_uid",
    "trace_id",
    "test_id",
    "status",
    "error_type",
    "start_time_unix_nano",
    "end_time_unix_nano",
)
_WEIGHT_OF_A_TEST: Final = 900


class Listed(NamedTuple):
    """One finished test. Its row stands at `row` of the finished file, or on a line of the journal."""

    uid: str
    trace_id: str | None
    test_id: str
    status: str
    error_type: str | None
    start_ns: int | None
    end_ns: int | None
    row: int = -1
    place: Place | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """The finished tests in the order in which the journal got them, which only grows while a run goes on.

    `version` is another one whenever any of it may be.
    """

    tests: list[Listed]
    version: str
    by_uid: dict[str, int] = field(default_factory=dict)
    by_trace: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, tests: list[Listed], version: str) -> Listing:
        by_trace = {test.trace_id: place for place, test in enumerate(tests) if test.trace_id is not None}
        return cls(tests, version, {test.uid: place for place, test in enumerate(tests)}, by_trace)


@dataclass(frozen=True, slots=True)
class _Journal:
    """What was read of a results journal so far."""

    tests: dict[str, Listed]
    mark: Mark


def listing_of(source: Source) -> Listing:
    """The tests of a run. Raises StoreError."""
    results, journal = source.run_dir.parquet(RESULTS.name), source.run_dir.results_journal
    if source.finished_files:
        return source.kept("finished listing", (results, journal), lambda: _of_file(source, results), _weight)
    return source.kept("listing", (journal,), lambda: _of_journal(source), _weight)


def t0_of(source: Source) -> int:
    """The moment that all times of the run are told from, unix nanoseconds: its start, else that of its first test."""
    if source.started_ns is not None:
        return source.started_ns
    return next((test.start_ns for test in listing_of(source).tests if test.start_ns is not None), 0)


def _of_journal(source: Source) -> Listing:
    read = _read(source)
    return Listing.of([*read.tests.values()], f"jsonl-{read.mark.end:x}")


def _of_file(source: Source, results: Path) -> Listing:
    """From the finished file, which has the order of the plan, in the order of the journal where there is one."""
    state = state_of(results)
    version = "" if state is None else f"parquet-{state[1]:x}-{state[2]:x}"
    table = read_columns(results, _LISTED).to_pydict()
    unknown = [None] * len(table["test_case_uid"])
    values = zip(*(table.get(name, unknown) for name in _LISTED), strict=True)
    tests = [_test(dict(zip(_LISTED, each, strict=True)), row=row) for row, each in enumerate(values)]
    if source.journal is not None:
        order = {uid: place for place, uid in enumerate(_read(source).tests)}
        tests.sort(key=lambda test: order.get(test.uid, len(order)))
    return Listing.of(tests, version)


def _read(source: Source) -> _Journal:
    journal = source.run_dir.results_journal
    return source.grown("journal", journal, lambda before: _read_on(journal, before), _weight)


def _read_on(path: Path, before: _Journal | None) -> _Journal:
    """The journal read on from where it ended. Of several lines of one test the last counts, in the first's place."""
    tail = Tail(path, None if before is None else before.mark)
    tests = dict(before.tests) if before is not None and tail.goes_on else {}
    for number, place, line in tail:
        found = _of_line(path, number, place, line)
        tests[found.uid] = found
    return _Journal(tests, tail.mark)


def _of_line(path: Path, number: int, place: Place, line: bytes) -> Listed:
    row = decoded(path, number, line)
    if not isinstance(row.get("test_case_uid"), str):
        raise StoreError(
            f"{path}, line {number}: no result of a test. Take the line out of the file; "
            "its test then counts as not run."
        )
    return _test(row, place=place, line=number)


def _test(told: Mapping[str, Any], **where: Any) -> Listed:
    return Listed(
        uid=str(told["test_case_uid"]),
        trace_id=_text(told.get("trace_id")),
        test_id=str(told.get("test_id")),
        status=str(told.get("status")),
        error_type=_text(told.get("error_type")),
        start_ns=whole_number(told.get("start_time_unix_nano")),
        end_ns=whole_number(told.get("end_time_unix_nano")),
        **where,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _weight(found: _Journal | Listing) -> int:
    return _WEIGHT_OF_A_TEST * len(found.tests)
