"""What the tests of tracing share: tools, agents on the scripted server, and a short way to a trace."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable
from typing import Any

from smolagents import CodeAgent, LogLevel, OpenAIModel, ToolCallingAgent, tool
from support.model_server import ModelServer

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.spans import Span
from smoltrace.tracing import capture
from smoltrace.tracing.tracer import TestTrace, Tracing

QUIET = LogLevel.OFF
KINDS = [ToolCallingAgent, CodeAgent]


@tool
def get_weather(location: str) -> str:
    """The weather of a place.

    Args:
        location: where
    """
    return f"It is 22 degrees in {location}"


@tool
def calculator(expression: str) -> str:
    """Works out an expression.

    Args:
        expression: such as 1 + 1
    """
    return str(eval(expression, {"__builtins__": {}}))


@tool
def broken(expression: str) -> str:
    """Always fails.

    Args:
        expression: anything
    """
    raise RuntimeError(f"no luck with {expression}")


class RecordingModel(OpenAIModel):
    """An OpenAI model whose client reports to the capture of the call, as smoltrace's own models do."""

    def create_client(self) -> Any:
        client = super().create_client()
        create = client.chat.completions.create

        def recorded(**request: Any) -> Any:
            answer = create(**request)
            if request.get("stream"):
                return _reported(answer)
            if (call := capture.current()) is not None:
                call.response(answer)
            return answer

        client.chat.completions.create = recorded
        return client


def _reported(chunks: Iterable[Any]) -> Iterable[Any]:
    for chunk in chunks:
        if (call := capture.current()) is not None:
            call.chunk(chunk)
        yield chunk


def openai_model(server: Any, model_id: str = "gpt-4o-mini", cls: type = OpenAIModel, **kwargs: Any) -> Any:
    client = {"max_retries": 0, "timeout": 20}
    return cls(model_id, api_base=server.url, api_key="key", client_kwargs=client, retry=False, **kwargs)


def agent(cls: type, model: Any, tools: Iterable[Any] = (get_weather, calculator), **kwargs: Any) -> Any:
    return cls(tools=list(tools), model=model, verbosity_level=QUIET, **kwargs)


def tracing(**kwargs: Any) -> Tracing:
    given = {"resource": {"service.name": "tests"}, "price_book": None, "system": "openai", "provider": "openai"}
    return Tracing(**{**given, **kwargs})


def trace(
    built: Any, prompt: str, *, by: Tracing | None = None, raises: type[BaseException] | None = None
) -> TestTrace:
    """Run the agent as one traced test in a fresh context, and return the finished trace; its answer is `.answer`."""
    run = contextvars.Context().run
    test: TestTrace = run(_trace, built, prompt, by or tracing(), raises)
    return test


def _trace(built: Any, prompt: str, by: Tracing, raises: type[BaseException] | None) -> TestTrace:
    test = by.test("test t", {names.TEST_ID: "t"})
    try:
        with test:
            test.answer = test.run(built, prompt)
    except BaseException as error:
        if raises is None or not isinstance(error, raises):
            raise
    return test


def tree(spans: Iterable[Span], keep: Callable[[Span], bool] = lambda span: True) -> list[str]:
    """The spans' names, indented by depth, in order of their start."""
    given = list(spans)
    known = {span.span_id for span in given}
    lines: list[str] = []

    def add(parent: str | None, depth: int) -> None:
        below = [s for s in given if (s.parent_span_id if s.parent_span_id in known else None) == parent]
        for span in sorted(below, key=lambda s: s.start_ns):
            if keep(span):
                lines.append("  " * depth + span.name)
            add(span.span_id, depth + 1)

    add(None, 0)
    return lines


def named(spans: Iterable[Span], prefix: str) -> list[Span]:
    """The spans whose name begins so, in order of their start."""
    return sorted((span for span in spans if span.name.startswith(prefix)), key=lambda span: span.start_ns)


def served_equals_counted(server: ModelServer, spans: list[Span], test: str | None = None) -> None:
    """Assert that the books count what the server's ledger says it served, of one test or of all."""
    calls, served = calls_in(spans), server.totals(test)
    assert len(calls) == served["calls"]
    assert sum(call.usage.input_tokens or 0 for call in calls) == served["input"]
    assert sum(call.usage.output_tokens or 0 for call in calls) == served["output"]
    assert sum(call.usage.cache_read_tokens or 0 for call in calls) == served["cached"]
    assert sum(call.usage.reasoning_tokens or 0 for call in calls) == served["reasoning"]
