from __future__ import annotations

from pathlib import Path

import pytest
from support.runs import make_run

from smoltrace.records.schema import SPANS
from smoltrace.store.layout import RunDir
from smoltrace.store.parquet import read_rows, write_rows
from smoltrace.store.span_file import SpansInTurn, spans_of_file

TRACES = [f"{number:032x}" for number in (1, 2, 3)]


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return make_run(tmp_path)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1,), (0, 2), (0, 0, 1)])
def test_each_trace_has_its_spans_in_whatever_order_it_is_asked(run_dir: RunDir, order: tuple[int, ...]) -> None:
    spans = SpansInTurn(run_dir)

    for trace in (TRACES[number] for number in order):
        found = spans.of(trace)
        assert found == spans_of_file(run_dir, trace)
        assert len(found) == 8


def test_spans_that_do_not_stand_together_are_found(run_dir: RunDir) -> None:
    rows = list(read_rows(run_dir.parquet("spans"), SPANS))
    write_rows(run_dir.parquet("spans"), SPANS, sorted(rows, key=lambda row: str(row["span_id"])[8:]))

    spans = SpansInTurn(run_dir)

    assert [len(spans.of(trace)) for trace in TRACES] == [8, 8, 8]


def test_a_trace_that_there_is_not_has_no_spans(run_dir: RunDir) -> None:
    spans = SpansInTurn(run_dir)

    assert spans.of("f" * 32) == []
    assert len(spans.of(TRACES[0])) == 8


def test_without_files_there_are_none(run_dir: RunDir) -> None:
    for name in ("spans", "traces"):
        run_dir.parquet(name).unlink()

    assert SpansInTurn(run_dir).of(TRACES[0]) == []
