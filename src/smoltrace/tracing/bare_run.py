"""A run as it is given away without its content: the same rows, and nothing in them that was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from smoltrace.books.spans import Event, Span
from smoltrace.records.schema import Row
from smoltrace.records.text import json_text
from smoltrace.records.traces import span_of
from smoltrace.store.contents import FinishedTest
from smoltrace.store.read import Run
from smoltrace.tracing.no_content import resource_without_content, row_without_content, span_without_content


class BareRun(Run):
    """The rows and spans of a run without prompts, answers, arguments, results and texts of errors. It reads the run's
    own files, and changes nothing in them."""

    @classmethod
    def of(cls, run: Run) -> BareRun:
        return cls(run.directory)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What run.json says, without the instructions that the agents were given."""
        bare: dict[str, Any] = _without_instructions(super().manifest)
        return bare

    def results(self) -> Iterator[Row]:
        return map(row_without_content, super().results())

    def traces(self) -> Iterator[Row]:
        return map(trace_without_content, super().traces())

    def spans(self) -> Iterator[Row]:
        return map(span_row_without_content, super().spans())

    def tests(self) -> Iterator[FinishedTest]:
        for test in super().tests():
            yield FinishedTest(row_without_content(test.result), [bare_span(span) for span in test.spans])


def _without_instructions(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("what") == "instructions":
            return {**value, "then": None, "now": None}
        return {name: None if name == "instructions" else _without_instructions(of) for name, of in value.items()}
    return [_without_instructions(item) for item in value] if isinstance(value, list) else value


def bare_span(span: Span) -> Span:
    """A span, and the resource that made it, without anything that was said."""
    return replace(span_without_content(span), resource=resource_without_content(span.resource))


def span_row_without_content(row: Mapping[str, Any]) -> Row:
    """The same of a row of `spans`."""
    return {**row, **_bare_columns(span_of(row))}


def trace_without_content(row: Mapping[str, Any]) -> Row:
    """The same of a row of `traces`, the definitions of its tools included."""
    return {
        **row,
        "llm.tools": None,
        "spans": [_bare_nested(str(row["trace_id"]), span) for span in row["spans"] or ()],
    }


def _bare_nested(trace_id: str, span: Mapping[str, Any]) -> Row:
    """A span as a row of `traces` nests it."""
    status = span["status"]
    bare = _bare_columns(
        span_of(
            {
                **span,
                "trace_id": trace_id,
                "status": status["code"],
                "status_description": status["description"],
                "scope": None,
            }
        )
    )
    description = bare.pop("status_description")
    return {**span, **bare, "status": {"code": status["code"], "description": description}}


def _bare_columns(span: Span) -> Row:
    bare = bare_span(span)
    return {
        "status_description": bare.status_description,
        "attributes": json_text(dict(bare.attributes)),
        "events": json_text([_event(event) for event in bare.events]),
        "resource": json_text(dict(bare.resource)),
    }


def _event(event: Event) -> dict[str, Any]:
    return {"name": event.name, "time": event.time_ns, "attributes": dict(event.attributes)}
