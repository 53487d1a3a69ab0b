"""One execution of one test, from a fresh agent to the two lines that the journal keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.evaluation.failures import Failure, classify, failure_in_steps
from smoltrace.records.execution import Execution, Status, Verdict, action_steps, final_answer_called, tool_uses
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import result_row
from smoltrace.scoring.documented import Attempt, Judge

if TYPE_CHECKING:
    from smoltrace.agents.build import AgentBuilder
    from smoltrace.books.prices import PriceBook
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.plan import PlannedTest
    from smoltrace.tracing.tracer import TestTrace, Tracing


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished test: its results row, and its spans as one line of OTLP JSON."""

    row: dict[str, Any]
    trace_line: bytes


@dataclass(frozen=True, slots=True)
class Bench:
    """All that the tests of a run share. Nothing in it changes while they run, so threads may use it at once."""

    run_id: str
    model: str
    provider: str
    system: str
    generation: Mapping[str, Any]
    stream: bool
    resource: Mapping[str, Any]
    builder: AgentBuilder
    tracing: Tracing
    judge: Judge
    price_book: PriceBook

    def execute(self, planned: PlannedTest) -> Finished:
        """Run one test. What goes wrong in it is data in the row; only what is no fault of the test is raised.

        Call it in a fresh `contextvars.Context`: what an earlier test left in the context would become the parent of
        this test's spans.
        """
        attributes = {
            names.SMOLTRACE_RUN_ID: self.run_id,
            names.TEST_ID: planned.task.id,
            names.TEST_INDEX: planned.index,
            names.TEST_ATTEMPT: planned.attempt,
            names.AGENT_TYPE: planned.agent_type,
        }
        with self.tracing.test(f"test {planned.task.id}", attributes) as trace:
            answer, failure = self._run_agent(planned, trace)
            ended = trace.ended()
            if failure is None and not final_answer_called(ended):
                failure = failure_in_steps(ended)
            verdict = self._judge(planned, answer, failure, ended)
            _record_verdict(trace, verdict, failure)
        spans = trace.spans()
        row = result_row(self._execution(planned, answer, failure, verdict, spans, trace))
        return Finished(row, to_otlp_json(spans, self.resource))

    def _run_agent(self, planned: PlannedTest, trace: TestTrace) -> tuple[str | None, Failure | None]:
        extra = {"additional_args": {"files": list(planned.task.files)}} if planned.task.files else {}
        try:
            agent = self.builder.build(planned.agent_type)
            try:
                answer = trace.run(agent, planned.task.prompt, **extra)
            finally:
                self.builder.release(agent)
        except Exception as error:  # noqa: BLE001 - an agent runs model-written code and anybody's tools
            return None, classify(error)
        return None if answer is None else str(answer), None

    def _judge(self, planned: PlannedTest, answer: str | None, failure: Failure | None, spans: list[Span]) -> Verdict:
        return self.judge.judge(
            Attempt(
                task=planned.task,
                agent_type=planned.agent_type,
                answer=answer,
                tools=tool_uses(spans),
                final_answer_called=final_answer_called(spans),
                steps=len(action_steps(spans)),
                error=None if failure is None else failure.message,
            )
        )

    def _execution(
        self,
        planned: PlannedTest,
        answer: str | None,
        failure: Failure | None,
        verdict: Verdict,
        spans: list[Span],
        trace: TestTrace,
    ) -> Execution:
        task = planned.task
        return Execution(
            run_id=self.run_id,
            test_index=planned.index,
            test_id=task.id,
            attempt=planned.attempt,
            agent_type=planned.agent_type,
            model=self.model,
            provider=self.provider,
            system=self.system,
            difficulty=task.difficulty,
            category=task.category,
            prompt=task.prompt,
            expected=task.expected or None,
            response=answer,
            status=_status(failure, verdict),
            error=None if failure is None else failure.message,
            error_type=None if failure is None else failure.error_type,
            verdict=verdict,
            spans=spans,
            price_book=self.price_book,
            generation=self.generation,
            stream=self.stream,
            monitor_tokens=trace.monitor_tokens,
        )


def _status(failure: Failure | None, verdict: Verdict) -> Status:
    if failure is not None:
        return failure.status
    return "completed" if verdict.success else "failed"


def _record_verdict(trace: TestTrace, verdict: Verdict, failure: Failure | None) -> None:
    """The verdict as standard evaluation events on the test's span, one for success and one a scorer."""
    trace.event(
        names.EVALUATION_EVENT,
        {names.EVALUATION_NAME: "success", names.EVALUATION_SCORE_LABEL: "pass" if verdict.success else "fail"},
    )
    for name, score in verdict.scores.items():
        if score is None or name.endswith(".error"):
            continue
        value = (
            {names.EVALUATION_SCORE_LABEL: score}
            if isinstance(score, str)
            else {names.EVALUATION_SCORE_VALUE: float(score)}
        )
        trace.event(names.EVALUATION_EVENT, {names.EVALUATION_NAME: name, **value})
    if failure is not None:
        trace.set({names.ERROR_TYPE: failure.error_type})
