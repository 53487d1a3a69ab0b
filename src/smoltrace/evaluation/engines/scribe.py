"""Turns ended tests into what the journal keeps: a results row, and the spans as one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.records.execution import Execution, Status, Verdict, action_steps, final_answer_called, tool_uses
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import priced_spans, result_row
from smoltrace.scoring.documented import Attempt, Judge

if TYPE_CHECKING:
    from smoltrace.books.calls import Call
    from smoltrace.books.prices import PriceBook
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.calls.failures import Failure
    from smoltrace.evaluation.plan import PlannedTest
    from smoltrace.evaluation.secrecy import Secrecy
    from smoltrace.records.estimates import Estimator


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished test: its results row, its spans as one line of OTLP JSON, and its calls as the books count them."""

    row: dict[str, Any]
    trace_line: bytes
    calls: tuple[Call, ...] = ()


class RootSpan(Protocol):
    """The span of a test, where its verdict is noted."""

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None: ...
    def set(self, attributes: Mapping[str, Any]) -> None: ...


def attempt_of(planned: PlannedTest, answer: str | None, failure: Failure | None, spans: Sequence[Span]) -> Attempt:
    """What scorers are shown of a test with these spans."""
    return Attempt(
        task=planned.task,
        agent_type=planned.agent_type,
        answer=answer,
        tools=tool_uses(spans),
        final_answer_called=final_answer_called(spans),
        steps=len(action_steps(spans)),
        error=None if failure is None else failure.message,
    )


@dataclass(frozen=True, slots=True)
class Scribe:
    """What is known of every test of a run, and how it is judged and kept. Any thread may use it."""

    run_id: str
    model: str
    provider: str
    system: str
    generation: Mapping[str, Any]
    stream: bool
    resource: Mapping[str, Any]
    judge: Judge
    price_book: PriceBook
    secrecy: Secrecy
    estimator: Estimator | None = None

    def verdict(
        self,
        planned: PlannedTest,
        answer: str | None,
        failure: Failure | None,
        spans: list[Span],
        *,
        given_up: bool = False,
    ) -> Verdict:
        """What the scorers say of a test with these spans.

        Of one that was given up the user's own scorers are not asked: they are anybody's code, and whoever gives a test
        up must not hang too.
        """
        judge = replace(self.judge, extra=()) if given_up else self.judge
        return judge.judge(attempt_of(planned, answer, failure, spans))

    def finished(
        self,
        planned: PlannedTest,
        answer: str | None,
        failure: Failure | None,
        verdict: Verdict,
        spans: list[Span],
        monitor_tokens: tuple[int, int] | None = None,
    ) -> Finished:
        """The row and the line of a test that has ended so."""
        task, calls = planned.task, tuple(calls_in(spans))
        execution = Execution(
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
            monitor_tokens=monitor_tokens,
            estimator=self.estimator,
        )
        row = result_row(execution, calls)
        line = to_otlp_json(priced_spans(execution, calls), self.resource)
        return Finished(self.secrecy.row(row), line, calls)


def _status(failure: Failure | None, verdict: Verdict) -> Status:
    if failure is not None:
        return failure.status
    return "completed" if verdict.success else "failed"


def record_verdict(trace: RootSpan, verdict: Verdict, failure: Failure | None) -> None:
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
