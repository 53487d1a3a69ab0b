"""A run as documents that need no server: what the API answers about it, made once and laid into files.

Small ones stand alone. What there is of every test and every span goes into shards, so that a page loads a file of
about a megabyte to show a trace and not one file a span.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import UsageError
from smoltrace.version import __version__
from smoltrace.viewer.data.packing import Weight
from smoltrace.viewer.data.shape import columnar
from smoltrace.viewer.data.sources import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from smoltrace.store.read import Run
    from smoltrace.viewer.data.readings import Readings

SHARD_BYTES: Final = 1 << 20
"""About the size of a shard before it is compressed; one test or span that is larger has one of its own."""
TESTS_TOGETHER: Final = 5_000

Document = tuple[str, Any]
"""A name, `run`, `tests-000`, `texts/REF`, and what the document says."""


HEADER: Final = "run"
"""The name of the document that the page of a run begins with."""


def store_document(headers: Sequence[Mapping[str, Any]], left_out: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What `/api/store` answers, of runs by their headers; `left_out`: those that could not be read, and why."""
    rows = [header["row"] for header in headers]
    refused = [{"path": f"runs/{run_id}", "error": why} for run_id, why in (left_out or {}).items()]
    return {
        "name": headers[0]["store_name"],
        "version": "files",
        "runs": len(rows),
        "live": sum(row["_status"] == RUNNING for row in rows),
        "smoltrace_version": __version__,
        "sample": all(_is_sample(row["tags"]) for row in rows),
        "task_sets": _task_sets(rows),
        "hint": None,
        "refused": refused,
    }


def board_document(headers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of the leaderboard of these runs, as columns."""
    rows = [header["row"] for header in headers]
    return columnar(rows, list(rows[0]))


def _is_sample(tags: Any) -> bool:
    return isinstance(tags, Mapping) and tags.get("sample") == "yes"


def _task_sets(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those that most runs are of first, then the newest; each is called what its newest run calls it."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        mark, date = row["dataset_fingerprint"], row["evaluation_date"]
        if mark is None:
            continue
        known = found.setdefault(
            mark, {"fingerprint": mark, "name": row["dataset_used"], "runs": 0, "newest_unix_ms": None}
        )
        known["runs"] += 1
        if date is not None and (known["newest_unix_ms"] is None or date > known["newest_unix_ms"]):
            known |= {"name": row["dataset_used"], "newest_unix_ms": date}
    return sorted(found.values(), key=_by_runs)


def _by_runs(task_set: Mapping[str, Any]) -> tuple[int, float, str]:
    newest = task_set["newest_unix_ms"]
    return -task_set["runs"], math.inf if newest is None else -newest, task_set["fingerprint"]


def run_documents(run: Run, readings: Readings, *, together: int = TESTS_TOGETHER) -> Iterator[Document]:
    """All documents of a run, whose tests are read so many together:

    - `run`, `compare`, `gpu`: what the API answers, `gpu` with every sample,
    - `spans-NNN`: `{"TRACE/SPAN": detail}`,
    - `tests-NNN`: `{"tests": {uid: test}, "traces": {trace id: trace}}`; `_spans` of a trace are pairs: a number of a
      shard of spans, and the place in the trace of the first span there,
    - `texts/REF`: `{"text"}`, the whole of a text that was cut,
    - `tests`, the last one: the light columns of all tests, with `_shard`, the number of their `tests-NNN`.

    Raises StoreError, UsageError when the run vanishes meanwhile.
    """
    from smoltrace.viewer.data.compare import comparison
    from smoltrace.viewer.data.runs import run_header
    from smoltrace.viewer.data.samples import gpu_samples

    yield HEADER, run_header(run, readings=readings)
    yield "compare", comparison([run])
    yield "gpu", gpu_samples(run, readings=readings)
    yield from _Tests(run, readings).documents(together)


class _Shards:
    """Documents of one kind, put together until they are as large as a shard."""

    def __init__(self, name: str) -> None:
        self._name, self._number = name, 0
        self._content: dict[str, Any] = {}
        self._weight = Weight()

    @property
    def number(self) -> int:
        """Of the shard that the next document goes into, once `room_for` was asked."""
        return self._number

    def room_for(self, document: Any) -> Iterator[Document]:
        """Gives the shard that is full when this document does not fit in any more."""
        found = self._weight.of(document)
        if self._content and self._weight.bytes + found[0] > SHARD_BYTES:
            yield from self.end()
            found = self._weight.of(document)
        self._weight.add(found)

    def put(self, document: Any, *path: str) -> None:
        content = self._content
        for name in path[:-1]:
            content = content.setdefault(name, {})
        content[path[-1]] = document

    def end(self) -> Iterator[Document]:
        if self._content:
            yield shard_name(self._name, self._number), self._content
            self._number += 1
            self._content, self._weight = {}, Weight()


def shard_name(kind: str, number: int) -> str:
    return f"{kind}-{number:03d}"


class _Tests:
    """The tests of a run, their traces and the details of the spans."""

    def __init__(self, run: Run, readings: Readings) -> None:
        self._run, self._readings = run, readings
        self._spans, self._tests = _Shards("spans"), _Shards("tests")
        self._texts: set[str] = set()

    def documents(self, together: int) -> Iterator[Document]:
        from smoltrace.viewer.data.tests import run_tests

        light: dict[str, Any] = {}
        start: int | None = 0
        while start is not None:
            page = run_tests(self._run, start, together, readings=self._readings)
            columns = page["columns"]
            columns["_shard"] = shards = []
            for uid, trace_id in zip(columns["test_case_uid"], columns["trace_id"], strict=True):
                yield from self._test(uid, trace_id)
                shards.append(self._tests.number)
            light = page if not light else _joined(light, page)
            start = page["next"]
        yield from self._spans.end()
        yield from self._tests.end()
        yield "tests", light

    def _test(self, uid: str, trace_id: str | None) -> Iterator[Document]:
        from smoltrace.viewer.data.tests import run_test, test_text
        from smoltrace.viewer.data.traces import trace_spans

        run, readings = self._run, self._readings
        test = run_test(run, uid, readings=readings)
        yield from self._whole_texts(test, lambda ref: test_text(run, uid, ref, readings=readings))
        trace = None if trace_id is None else trace_spans(run, trace_id, readings=readings)
        if trace is not None and trace_id is not None:
            places: list[tuple[int, int]] = []
            trace = {**trace, "_spans": places}
            for at, span_id in enumerate(trace["columns"]["id"]):
                yield from self._span(trace_id, span_id)
                if not places or places[-1][0] != self._spans.number:
                    places.append((self._spans.number, at))
        yield from self._tests.room_for([test, trace])
        self._tests.put(test, "tests", uid)
        if trace is not None and trace_id is not None:
            self._tests.put(trace, "traces", trace_id)

    def _span(self, trace_id: str, span_id: str) -> Iterator[Document]:
        from smoltrace.viewer.data.spans import span_detail, text

        run, readings = self._run, self._readings
        detail = span_detail(run, trace_id, span_id, readings=readings)
        yield from self._whole_texts(detail, lambda ref: text(run, trace_id, span_id, ref, readings=readings))
        yield from self._spans.room_for(detail)
        self._spans.put(detail, f"{trace_id}/{span_id}")

    def _whole_texts(self, document: Any, read: Callable[[str], Any]) -> Iterator[Document]:
        """The texts that were cut in a document, whole, each once a run: a ref stands for its text."""
        for ref in sorted(_refs_in(document) - self._texts):
            self._texts.add(ref)
            try:
                yield f"texts/{ref}", read(ref)
            except UsageError:
                # Something in the data looks like a cut text of ours and is none: it is shown as it stands.
                continue


def _refs_in(value: Any) -> set[str]:
    found: set[str] = set()
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            ref = each.get("ref")
            if isinstance(ref, str) and len(each) == 3 and "cut" in each and "chars" in each:
                found.add(ref)
            left.extend(each.values())
        elif isinstance(each, list | tuple):
            left.extend(each)
    return found


def _joined(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    columns = {name: [*values, *then["columns"][name]] for name, values in first["columns"].items()}
    return {**first, "next": None, "count": first["count"] + then["count"], "columns": columns}
