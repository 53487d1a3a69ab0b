"""From the spans of a trace to what a journal keeps of a test: its row of `results`, and its trace as one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.books.calls import calls_in
from smoltrace.importing.costs import told_costs
from smoltrace.importing.spill import Key
from smoltrace.importing.told import Told, told_by
from smoltrace.records.execution import Execution
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import priced_spans, result_row
from smoltrace.records.text import json_text

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.secrecy import Secrecy

_DECLARED: Final = frozenset({"demo", "ollama", "transformers"})
"""Providers whose prices no table has: smoltrace's own runs declare them."""
_BEGINNING, _END = b'{"resourceSpans":[', b"]}"
_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Test:
    """An imported test: its row, its trace as one line of OTLP JSON, and what its trace told."""

    __test__ = False  # no test class, whatever its name makes pytest believe

    row: dict[str, Any]
    line: bytes
    told: Told


class Tests:
    """Makes the tests of one run, one by one.

    `model` is the name to show for all of them, None for that of their calls. Memory grows by a key a test.
    """

    __test__ = False

    def __init__(self, run_id: str, secrecy: Secrecy, price_file: Path | None, model: str | None) -> None:
        self._run_id, self._secrecy, self._model = run_id, secrecy, model
        self._price_book = cache(lambda provider, model: _price_book(price_file, provider, model))
        self._price_book(None, None)
        self._used: set[Key] = set()
        self._next: dict[tuple[str, str], int] = {}

    def test(self, spans: Sequence[Span], index: int) -> Test:
        """The test of these spans, those of one trace in order of their start, at this place of the run."""
        calls = calls_in(spans)
        told = told_by(spans, calls)
        key = self._key(told, spans[0].trace_id)
        declares = told.ours and told.provider in _DECLARED
        execution = Execution(
            run_id=self._run_id,
            test_index=index,
            test_id=key.test_id,
            attempt=key.attempt,
            agent_type=key.agent_type,
            model=told.model or "",
            provider=told.provider,
            system=told.system,
            prompt=told.prompt or "",
            status=told.status,
            verdict=told.verdict,
            spans=spans,
            price_book=self._price_book(*((told.provider, told.model) if declares else (None, None))),
            response=told.response,
            error=told.error,
            error_type=told.error_type,
        )
        execution = replace(execution, told_costs=told_costs(execution, calls))
        row = result_row(execution, calls)
        row |= {"agent_type": told.agent_type, "model": self._model or told.model, "prompt": told.prompt}
        if not told.ours:  # steps and final answers are marked by smoltrace alone
            row |= {"steps": None, "final_answer_called": None}
        return Test(self._secrecy.row(row), line_of_trace(priced_spans(execution, calls)), told)

    def _key(self, told: Told, trace_id: str) -> Key:
        """A key that no other test of the run has. Executions of one named test are its attempts."""
        agent_type = told.agent_type or "unknown"
        if told.test_id is not None:
            attempt = told.attempt
            if Key(agent_type, told.test_id, attempt) in self._used:
                attempt = self._next.get((agent_type, told.test_id), 1)
            while (key := Key(agent_type, told.test_id, attempt)) in self._used:
                attempt += 1
            self._next[agent_type, told.test_id] = attempt + 1
        else:
            name = " ".join(told.name.split())[:_NAME] or "trace"
            named = (Key(agent_type, f"{name}-{trace_id[:digits]}", 1) for digits in (8, 16, len(trace_id)))
            key = next(each for each in named if each not in self._used)
        self._used.add(key)
        return key


def _price_book(price_file: Path | None, provider: str | None, model: str | None) -> PriceBook:
    from smoltrace.agents.pricing import load_price_book

    if provider is None or model is None:
        return load_price_book(price_file)
    from smoltrace.agents.providers import declared_prices
    from smoltrace.agents.spec import ModelSpec

    return load_price_book(price_file, declared=declared_prices(ModelSpec(model_id=model, provider=provider)))


def line_of_trace(spans: Sequence[Span]) -> bytes:
    """The spans as one export request, those of each resource together."""
    groups: dict[str, list[Span]] = {}
    texts: dict[int, tuple[Mapping[str, Any], str]] = {}
    for span in spans:
        if id(span.resource) not in texts:
            texts[id(span.resource)] = (span.resource, json_text(dict(span.resource)))
        groups.setdefault(texts[id(span.resource)][1], []).append(span)
    lines = [to_otlp_json(members) for members in groups.values()]
    return _BEGINNING + b",".join(line.removeprefix(_BEGINNING).removesuffix(_END) for line in lines) + _END
