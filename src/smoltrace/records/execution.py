"""What is known when one execution of a test has ended: everything that its rows are built from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from smoltrace.books import names, tools
from smoltrace.books.spans import Span

if TYPE_CHECKING:
    from smoltrace.books.cost import Cost
    from smoltrace.books.prices import PriceBook
    from smoltrace.records.estimates import Estimator

Status: TypeAlias = Literal["completed", "failed", "error", "timeout", "limit", "cancelled"]
"""How an execution ended. `completed` and `failed` ran to their end, and `failed` is one that did not succeed; the
other four were ended by an error, the time limit, a budget, or the user."""

FINAL_ANSWER = "final_answer"
"""The tool by which an agent ends its run. It is no use of a tool."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scorers say. None is "not judged" or "nothing to judge"; `scores` holds each scorer's own, by name.
    `success` is None of an imported test that nobody judged."""

    success: bool | None
    score: float | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    tool_called: bool | None = None
    correct_tool: bool | None = None
    final_answer_called: bool | None = None
    response_correct: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool. `arguments` is the decoded JSON, or the text where it is none; `duration_ms` is wall time."""

    name: str
    arguments: Any
    ok: bool
    duration_ms: float

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": self.arguments, "ok": self.ok, "duration_ms": self.duration_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution of one test, ended.

    `test_index` is its place in the run's plan from 0, `attempt` counts from 1. `spans` are those of its trace, those
    of other instrumentations included. `generation` holds the sampling parameters that were asked for (temperature,
    top_p, max_tokens, frequency_penalty, presence_penalty), None or absent where the server's default was left.
    `monitor_tokens` are input and output tokens as smolagents itself counted them, None where it did not. `estimator`
    estimates the energy of calls, None where none is to be estimated. `told_costs` are what calls cost by the run that
    an imported trace is from, by the ids of their spans; the price book is not asked for those.
    """

    run_id: str
    test_index: int
    test_id: str
    attempt: int
    agent_type: str
    model: str
    provider: str | None
    system: str | None
    prompt: str
    status: Status
    verdict: Verdict
    spans: Sequence[Span]
    price_book: PriceBook
    difficulty: str | None = None
    category: str | None = None
    expected: Mapping[str, Any] | None = None
    response: str | None = None
    error: str | None = None
    error_type: str | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    monitor_tokens: tuple[int, int] | None = None
    estimator: Estimator | None = None
    told_costs: Mapping[str, Cost] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        """`{agent_type}:{test_id}:{attempt}`, unique in a run."""
        return f"{self.agent_type}:{self.test_id}:{self.attempt}"


def tool_uses(spans: Iterable[Span]) -> list[ToolUse]:
    """The tool calls of a trace in order of their start, final_answer left out; see `tool_spans`."""
    return [_tool_use(span) for span in tool_spans(spans)]


def action_steps(spans: Iterable[Span]) -> list[Span]:
    """The steps in which an agent acted, managed agents too, in order of their start. Planning is no action."""
    found = {span.span_id: span for span in spans if span.attributes.get(names.STEP_KIND) == "action"}
    return sorted(found.values(), key=lambda span: (span.start_ns, span.span_id))


def step_count(spans: Iterable[Span]) -> int:
    """How many action steps a trace has."""
    return len(action_steps(spans))


def final_answer_called(spans: Iterable[Span]) -> bool:
    """Whether the test's own agent gave a final answer. That of an agent it manages is only a report to it."""
    by_id = {span.span_id: span for span in spans}
    return any(
        step.attributes.get(names.STEP_FINAL_ANSWER) is True and _agents_around(step, by_id) <= 1
        for step in action_steps(by_id.values())
    )


def _agents_around(span: Span, by_id: Mapping[str, Span]) -> int:
    """How many of our agent spans stand around a span. Ends also where parents form a circle."""
    seen, agents = {span.span_id}, 0
    while (above := by_id.get(span.parent_span_id or "")) is not None and above.span_id not in seen:
        seen.add(above.span_id)
        agents += above.scope == names.SCOPE and above.attributes.get(names.OPERATION_NAME) == names.INVOKE_AGENT
        span = above
    return agents


def tool_spans(spans: Iterable[Span]) -> list[Span]:
    """The spans of tool calls in order of their start, final_answer left out.

    Another instrumentation may have made spans of the same calls; where we recorded the trace only ours count, so each
    call counts once. Of a trace without a span of ours those of others count, one inside another of the same tool not.
    """
    by_id = {span.span_id: span for span in spans}
    ours = any(span.scope == names.SCOPE for span in by_id.values())
    found = [
        span
        for span in by_id.values()
        if (span.scope == names.SCOPE or not ours)
        and tools.is_tool(span)
        and _tool_name(span) != FINAL_ANSWER
        and (ours or not _is_repeated(span, by_id))
    ]
    return sorted(found, key=lambda span: (span.start_ns, span.span_id))


def _is_repeated(span: Span, by_id: Mapping[str, Span]) -> bool:
    """Whether a span above is of the same tool: then both are of one call."""
    seen, name = {span.span_id}, _tool_name(span)
    while (above := by_id.get(span.parent_span_id or "")) is not None and above.span_id not in seen:
        if tools.is_tool(above) and _tool_name(above) == name:
            return True
        seen.add(above.span_id)
        span = above
    return False


def _tool_name(span: Span) -> str:
    return tools.name_of(span.attributes) or span.name.removeprefix("execute_tool ")


def _tool_use(span: Span) -> ToolUse:
    return ToolUse(
        name=_tool_name(span),
        arguments=_decoded(tools.arguments_of(span.attributes)),
        ok=span.status != "ERROR",
        duration_ms=span.duration_ms,
    )


def _decoded(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    import orjson

    try:
        return orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments
