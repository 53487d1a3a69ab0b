"""The tests of a run: all of them light, page by page, or one of them whole with the steps of its agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import UsageError
from smoltrace.records.schema import RESULTS, Row
from smoltrace.viewer.data.figures import cost_of_test, energy_of_test
from smoltrace.viewer.data.kinds import trace_of
from smoltrace.viewer.data.listing import Listed, listing_of, t0_of
from smoltrace.viewer.data.rows import ADDED, LIGHT, TEXTS, energy_reason, light_rows, whole_row
from smoltrace.viewer.data.shape import columnar, shortened
from smoltrace.viewer.data.sources import Source, reads_a_run, relative_ms
from smoltrace.viewer.data.steps import steps_of
from smoltrace.viewer.data.texts import Texts

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.viewer.data.readings import Readings

MOST: Final = 10_000
"""Tests of one page."""
_IDS: Final = ("test_id", "test_case_uid")
_LONGEST_NAME: Final = 2_000
_NAMES: Final = frozenset(
    column.name for column in RESULTS.columns if column.type == "string" and column.name not in TEXTS
)
_LONG_IN_STEPS: Final = 2_000
"""Characters of a result or an output beside which others stand."""


@reads_a_run
def run_tests(run: Run, start: int = 0, count: int = 2_000, *, readings: Readings | None = None) -> dict[str, Any]:
    """A page of the finished tests, light, as columns, in the order in which they were finished.

    While a run goes on its tests only come to the end: who has `n` of them asks for `start=n`. `next` is where the next
    page starts, None behind the last test there is. Raises UsageError for a page that cannot be, StoreError.
    """
    if start < 0 or not 1 <= count <= MOST:
        raise UsageError(f"A page of tests starts at 0 or later and has 1 to {MOST} of them, not {count} from {start}.")
    source = Source(run, readings)
    listing = listing_of(source)
    page = listing.tests[start : start + count]
    after = start + len(page)
    return {
        "version": listing.version,
        "start": start,
        "next": after if after < len(listing.tests) else None,
        **columnar(light_rows(source, page, t0_of(source)), (*LIGHT, *ADDED)),
    }


@reads_a_run
def run_test(run: Run, uid: str, *, readings: Readings | None = None) -> dict[str, Any]:
    """One test: its whole row, and the steps of its agent; long texts are cut, `test_text` gives them whole.

    Raises UsageError when the run has no such finished test, StoreError.
    """
    return _whole(Source(run, readings), uid, None)[0]


@reads_a_run
def test_text(run: Run, uid: str, ref: str, *, readings: Readings | None = None) -> dict[str, str]:
    """`{"text"}`: the whole of a text that `run_test` cut, by its `ref`. Raises UsageError when there is none."""
    _, found = _whole(Source(run, readings), uid, ref)
    if found is None:
        raise UsageError(f"The test '{uid}' of the run {run.id} has no text '{ref}'.")
    return {"text": found}


test_text.__test__ = False  # type: ignore[attr-defined]  # no test, whatever its name makes pytest believe


def find_test(source: Source, uid: str) -> Listed:
    """Raises UsageError when the run has no such finished test."""
    listing = listing_of(source)
    place = listing.by_uid.get(uid)
    if place is None:
        raise UsageError(f"The run {source.run_dir.run_id} has no finished test '{uid}'.")
    return listing.tests[place]


def _whole(source: Source, uid: str, ref: str | None) -> tuple[dict[str, Any], str | None]:
    """The test and, where asked for, the text of this ref."""
    test, t0_ns = find_test(source, uid), t0_of(source)
    row = whole_row(source, test)
    texts, short = Texts(wanted=ref), Texts(_LONG_IN_STEPS, wanted=ref)
    found = {
        "row": _cut(row, texts),
        "_start_ms": relative_ms(test.start_ns, t0_ns),
        "_end_ms": relative_ms(test.end_ns, t0_ns),
        "_cost": cost_of_test(row),
        "_energy": energy_of_test(row, energy_reason(source)),
        "steps": steps_of(trace_of(source, test.trace_id), t0_ns, short),
    }
    return found, texts.found if texts.found is not None else short.found


def _cut(row: Row, texts: Texts) -> dict[str, Any]:
    """Texts that are read are cut, and can be had whole. Names stay texts, however long somebody made them."""
    return {name: _cut_cell(name, value, texts) for name, value in row.items()}


def _cut_cell(name: str, value: Any, texts: Texts) -> Any:
    if name in _IDS:
        return value
    return shortened(value, _LONGEST_NAME) if name in _NAMES and isinstance(value, str) else texts.plain(value)
