"""Runs made from hand-written spans, so that every number in them is known."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.prices import MappingSource, Price, PriceBook
from smoltrace.books.spans import Span
from smoltrace.records.execution import Execution, Verdict
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import priced_spans, result_row
from smoltrace.store.journal import Journal
from smoltrace.store.layout import RunDir, Store

START = 1_750_000_000_000_000_000
"""Unix nanoseconds at which the first test of a made run starts."""
MS = 1_000_000
RESOURCE = {"service.name": "smoltrace", "run.id": "made", "run_id": "made"}
PRICES = PriceBook(
    [
        MappingSource(
            {"m": Price(Decimal("0.000003"), Decimal("0.000015"), source="test", source_version="1")}, name="test"
        )
    ]
)
NO_PRICES = PriceBook([])


def span_id(trace: int, number: int) -> str:
    return f"{trace:08x}{number:08x}"


def span(trace: int, number: int, parent: int | None, name: str, at: tuple[int, int], **attributes: Any) -> Span:
    """A span of ours. `at` is its start and end in milliseconds; `__` in a keyword is the dot of an attribute."""
    fields = {key: attributes.pop(key) for key in ("kind", "status", "scope", "events") if key in attributes}
    return Span(
        trace_id=f"{trace:032x}",
        span_id=span_id(trace, number),
        parent_span_id=None if parent is None else span_id(trace, parent),
        name=name,
        kind=fields.pop("kind", "INTERNAL"),
        start_ns=START + at[0] * MS,
        end_ns=START + at[1] * MS,
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
        resource=RESOURCE,
        **fields,
    )


def chat(
    trace: int, number: int, parent: int, at: tuple[int, int], tokens: tuple[int, int] | None, **more: Any
) -> Span:
    """A call to model `m`, with these input and output tokens, at the prices of `PRICES`."""
    attributes: dict[str, Any] = {
        names.OPERATION_NAME: names.CHAT,
        names.PROVIDER_NAME: "maker",
        names.REQUEST_MODEL: "m",
        names.RESPONSE_MODEL: "m-2025",
        names.RESPONSE_ID: f"response-{trace}-{number}",
        names.RESPONSE_FINISH_REASONS: ["stop"],
    }
    if tokens is not None:
        cost = Decimal("0.000003") * tokens[0] + Decimal("0.000015") * tokens[1]
        attributes |= {
            names.USAGE_INPUT_TOKENS: tokens[0],
            names.USAGE_OUTPUT_TOKENS: tokens[1],
            names.COST_TOTAL: float(cost),
        }
    made = span(trace, number, parent, "chat m", at, kind="CLIENT", **more)
    return Span(**{f: getattr(made, f) for f in made.__slots__} | {"attributes": attributes | dict(made.attributes)})


def trace_of(trace: int, *, tokens: Sequence[tuple[int, int]] = ((100, 10), (200, 20)), at: int = 0) -> list[Span]:
    """A test with an agent, one step a call, and a tool call in each step but the last, which gives the final answer.

    A call takes 40 ms, a tool call 5 ms, a step 50 ms.
    """
    whole = (at, at + 50 * len(tokens) + 20)
    spans = [
        span(trace, 1, None, f"test t{trace}", whole),
        span(trace, 2, 1, "invoke_agent main", (at + 5, whole[1] - 5), gen_ai__operation__name=names.INVOKE_AGENT),
    ]
    for n, used in enumerate(tokens):
        begin, last = at + 10 + 50 * n, n == len(tokens) - 1
        step = 10 * (n + 1)
        about = {names.STEP_NUMBER: n + 1, names.STEP_KIND: "action", names.STEP_FINAL_ANSWER: last}
        spans += [
            span(trace, step, 2, f"step {n + 1}", (begin, begin + 50), **about),
            chat(trace, step + 1, step, (begin, begin + 40), used),
            span(
                trace,
                step + 2,
                step,
                "execute_tool final_answer" if last else "execute_tool get_weather",
                (begin + 41, begin + 46),
                gen_ai__operation__name=names.EXECUTE_TOOL,
                gen_ai__tool__name="final_answer" if last else "get_weather",
                gen_ai__tool__call__arguments='{"location":"Rome"}',
            ),
        ]
    return spans


def execution(trace: int = 1, *, index: int | None = None, **changes: Any) -> Execution:
    """A tool agent's test `t{trace}` that succeeded, unless changed."""
    given: dict[str, Any] = {
        "run_id": "made",
        "test_index": trace - 1 if index is None else index,
        "test_id": f"t{trace}",
        "attempt": 1,
        "agent_type": "tool",
        "model": "m",
        "provider": "openai",
        "system": "maker",
        "difficulty": "easy",
        "category": "weather",
        "prompt": "What is the weather in Rome?",
        "expected": {"tool": "get_weather"},
        "response": "Sunny.",
        "status": "completed",
        "verdict": Verdict(True, 1.0, {"documented": True}, True, True, True, None),
        "spans": trace_of(trace, at=1000 * (trace - 1)),
        "price_book": PRICES,
        "generation": {"temperature": 0.5, "top_p": None, "max_tokens": 512},
    }
    return Execution(**{**given, **changes})


def failed(trace: int, error_type: str | None = None, **changes: Any) -> Execution:
    """A test that did not succeed: by a wrong answer, or by an error of that type."""
    status = "failed" if error_type is None else "timeout" if error_type == "timeout" else "error"
    error = None if error_type is None else f"it went wrong: {error_type}"
    verdict = Verdict(False, 0.0, {}, True, True, error_type is None, False)
    told: dict[str, Any] = {"status": status, "error": error, "error_type": error_type, "verdict": verdict}
    return execution(trace, **{**told, **changes})


def manifest(**changes: Any) -> dict[str, Any]:
    return {
        "run_id": "made",
        "status": "completed",
        "service_name": "smoltrace",
        "model": "m",
        "provider": "openai",
        "system": "maker",
        "agent_type": "tool",
        "tasks": {"name": "basics", "fingerprint": "f" * 64, "source": "basics"},
        "num_tests": 3,
        "generation": {"temperature": 0.5},
        "started_at": "2025-06-15T15:06:40+00:00",
        "wall_time_ms": 1234.5,
        "versions": {"smoltrace": "1.2.3", "smolagents": "1.26.0", "genai_otel": None, "python": "3.11.9"},
        "hardware": "Linux x86_64, 2 CPUs",
        "job": {"hf_job_id": "job-1", "job_type": "cpu-basic"},
        "submitted_by": "ada",
        "notes": "a note",
        "tags": {"branch": "main"},
        "references": {"results": None, "traces": None, "metrics": None},
        **changes,
    }


def commit(journal: Journal, done: Execution) -> None:
    calls = tuple(calls_in(done.spans))
    journal.commit(to_otlp_json(priced_spans(done, calls), RESOURCE), result_row(done, calls))


def make_run(
    folder: Path,
    executions: Sequence[Execution] | None = None,
    *,
    run_id: str = "made",
    finish: bool = True,
    **about: Any,
) -> RunDir:
    """A run in the store at `folder`: three tests by default, of which the third fails by a wrong answer."""
    from smoltrace.store.finalise import finalise

    tests = [execution(1), execution(2), failed(3)] if executions is None else executions
    run_dir = Store(folder).create(run_id, manifest(run_id=run_id, **{"num_tests": len(tests), **about}))
    with Journal(run_dir) as journal:
        for done in tests:
            commit(journal, done)
    if finish:
        finalise(run_dir)
    return run_dir
