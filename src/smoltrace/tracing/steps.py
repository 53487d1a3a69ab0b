"""The steps of an agent's run as spans.

smolagents tells when a step has ended and not when it begins, so a step's span is opened by the first model call of the
step and closed by the callback at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from opentelemetry.sdk.trace import Span as SdkSpan
from smolagents.memory import ActionStep, CallbackRegistry, MemoryStep, PlanningStep
from smolagents.utils import AgentMaxStepsError

from smoltrace.books import names
from smoltrace.tracing.content import Prompt
from smoltrace.tracing.scope import Scope, describe, end, fail_as, note

MAX_STEPS = "max_steps"
"""`error.type` of the answer that an agent was made to give when its steps had run out."""

_active: ContextVar[Invocation | None] = ContextVar("smoltrace_invocation", default=None)


class Invocation:
    """One run of one agent: the span of that run and, while one is open, the span of its current step."""

    def __init__(self, scope: Scope, span: SdkSpan, agent: Any) -> None:
        self.scope, self.span, self.agent = scope, span, agent
        self.step: SdkSpan | None = None
        self.failure: BaseException | None = None
        self.last_prompt: Prompt = []

    @property
    def parent(self) -> SdkSpan:
        """What a tool or a managed agent that is called now belongs to."""
        return self.step or self.span

    def open_step(self, at_ns: int | None = None) -> SdkSpan:
        """The span of the current step, started if there is none."""
        if self.step is None:
            number = getattr(self.agent, "step_number", None)
            known = {} if number is None else {names.STEP_NUMBER: number}
            attributes = {names.STEP_KIND: "action", **known}
            self.step = self.scope.start(f"step {number}", self.span, attributes, at_ns=at_ns)
        return self.step

    def close_step(self, memory_step: MemoryStep) -> None:
        """End the current step as smolagents remembers it. One without a model call begins when that says it did."""
        if not isinstance(memory_step, ActionStep | PlanningStep):
            return
        step = self.step
        if step is None:
            step = self.open_step(at_ns=int(memory_step.timing.start_time * 1e9))
        failure, self.step, self.failure = self.failure, None, None
        self.scope.counted.append(_counted(memory_step, failure))
        try:
            self._describe(step, memory_step, failure)
        finally:
            end(step)

    def _describe(self, step: SdkSpan, memory_step: MemoryStep, failure: BaseException | None) -> None:
        if isinstance(memory_step, PlanningStep):
            _rename(step, f"planning {getattr(self.agent, 'step_number', None)}")
            note(step, {names.STEP_KIND: "planning"})
        else:
            error = memory_step.error
            out_of_steps = isinstance(error, AgentMaxStepsError)
            _rename(step, f"step {memory_step.step_number}")
            note(
                step,
                {
                    names.STEP_NUMBER: memory_step.step_number,
                    names.STEP_KIND: "final_answer" if out_of_steps else "action",
                    names.STEP_FINAL_ANSWER: bool(memory_step.is_final_answer) and not out_of_steps,
                },
            )
            if error is not None:
                fail_as(step, MAX_STEPS if out_of_steps else type(error).__name__, describe(error))
                return
        if failure is not None and not _survived(memory_step, failure):
            fail_as(step, type(failure).__name__, describe(failure))

    def abandon_step(self) -> None:
        """End a step whose end smolagents did not tell, as happens when a plan cannot be made."""
        step, failure = self.step, self.failure
        self.step = self.failure = None
        if step is not None:
            if failure is not None:
                fail_as(step, type(failure).__name__, describe(failure))
            end(step)


class StepObserver(CallbackRegistry):
    """Stands in for an agent's callback registry: calls what is registered there, then tells the end of the step."""

    def __init__(self, inner: CallbackRegistry, observe: Callable[[MemoryStep], None]) -> None:
        self._inner, self._observe = inner, observe

    def register(self, step_cls: type[MemoryStep], callback: Callable[..., Any]) -> None:
        self._inner.register(step_cls, callback)

    def callback(self, memory_step: MemoryStep, **kwargs: Any) -> None:
        try:
            self._inner.callback(memory_step, **kwargs)
        finally:
            self._observe(memory_step)


def active_invocation() -> Invocation | None:
    """The agent run that this context belongs to, None where it was not carried over into a thread."""
    return _active.get()


@contextmanager
def active(invocation: Invocation | None) -> Iterator[None]:
    """Let what runs inside belong to this agent run."""
    token = _active.set(invocation)
    try:
        yield
    finally:
        _active.reset(token)


def _rename(span: SdkSpan, name: str) -> None:
    if span.is_recording():
        span.update_name(name)


def _survived(memory_step: ActionStep | PlanningStep, failure: BaseException) -> bool:
    """Whether the step went on after a failed call, as when a tool asks the model by itself and does without."""
    return isinstance(failure, Exception) and memory_step.model_output_message is not None


def _counted(memory_step: ActionStep | PlanningStep, failure: BaseException | None) -> tuple[int, int] | None:
    usage = memory_step.token_usage
    if usage is None:
        return (0, 0) if failure is not None else None
    return usage.input_tokens, usage.output_tokens
