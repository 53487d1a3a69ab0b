"""A run of any size, made cheaply: one test is written by hand, and all others are its lines with their own ids."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from support.runs import PRICES, RESOURCE, execution, manifest, trace_of
from support.runs import span as made_span

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.spans import Span
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import priced_spans, result_row
from smoltrace.store.finalise import finalise
from smoltrace.store.journal import Journal
from smoltrace.store.layout import Store

FRAME, PER_STEP = 2, 3
"""Spans of a test that are no step's, and spans of a step: itself, its call, its tool."""
TOKENS = (100, 10)
"""Input and output tokens of each call."""
COST_OF_CALL = Decimal("0.000003") * TOKENS[0] + Decimal("0.000015") * TOKENS[1]
_SEED = 0x5EED5EED
"""Number of the trace that is written by hand: its digits stand nowhere else in its line."""
_WRITERS = 16


def make_large_run(store: Path, run_id: str, tests: int, spans_per_test: int, *, finish: bool = True) -> Path:
    """A run of so many tests, with exactly so many spans each (5 or more), in the store; gives its directory.

    10,000 tests of 50 spans take under a minute. Every call has `TOKENS` and costs `COST_OF_CALL`; a test makes
    `steps_of(spans_per_test)` calls, each of which sends its whole conversation, kept by reference.
    """
    run_dir = Store(store).create(run_id, manifest(run_id=run_id, num_tests=tests))
    with Journal(run_dir) as journal, ThreadPoolExecutor(_WRITERS) as writers:
        for _ in writers.map(lambda made: journal.commit(*made), _tests(run_id, tests, spans_per_test)):
            pass
    if finish:
        finalise(run_dir)
    return run_dir.path


def steps_of(spans_per_test: int) -> int:
    """The steps, and so the calls, of a test with so many spans."""
    return (spans_per_test - FRAME) // PER_STEP


def _tests(run_id: str, tests: int, spans_per_test: int) -> Iterator[tuple[bytes, dict[str, Any]]]:
    done = execution(_SEED, index=0, run_id=run_id, spans=_spans(spans_per_test), price_book=PRICES)
    calls = tuple(calls_in(done.spans))
    line = to_otlp_json(priced_spans(done, calls), {**RESOURCE, "run.id": run_id, "run_id": run_id})
    row = orjson.dumps({name: value for name, value in result_row(done, calls).items() if isinstance(value, str)})
    whole = result_row(done, calls)
    for number in range(1, tests + 1):
        texts = orjson.loads(_renumbered(row, number))
        yield _renumbered(line, number), {**whole, **texts, "test_index": number - 1}


def _renumbered(text: bytes, number: int) -> bytes:
    return text.replace(b"%08x" % _SEED, b"%08x" % number).replace(b"%d" % _SEED, b"%d" % number)


def _spans(count: int) -> list[Span]:
    steps = steps_of(count)
    spans = trace_of(_SEED, tokens=[TOKENS] * steps)
    chats = [place for place, span in enumerate(spans) if span.attributes.get(names.OPERATION_NAME) == names.CHAT]
    for step, place in enumerate(chats):
        spans[place] = replace(spans[place], attributes=spans[place].attributes | _said(step))
    more = count - len(spans)
    return spans + [made_span(_SEED, 90_000 + n, 10, "look around", (12, 13)) for n in range(more)]


def _said(step: int) -> dict[str, Any]:
    """What a call sends and gets: the conversation so far and one message more."""
    question = {"role": "user", "parts": [{"type": "text", "content": f"Step {step}: " + "what is there to see? " * 8}]}
    answer = {"role": "assistant", "parts": [{"type": "text", "content": f"Step {step}: " + "nothing much. " * 8}]}
    return {
        names.INPUT_MESSAGES: orjson.dumps([question]).decode(),
        names.INPUT_FIRST: step,
        names.INPUT_REFS: orjson.dumps([[0, step] if step else 0]).decode(),
        names.OUTPUT_MESSAGES: orjson.dumps([{**answer, "finish_reason": "stop"}]).decode(),
    }
