"""One execution of one test, from a fresh agent to the two lines that the journal keeps."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.evaluation.failures import Failure, classify, failure_in_steps
from smoltrace.records.execution import Execution, Status, Verdict, action_steps, final_answer_called, tool_uses
from smoltrace.records.otlp import to_otlp_json
from smoltrace.records.results import result_row
from smoltrace.scoring.documented import Attempt, Judge
from smoltrace.tracing.scope import LimitReached

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

    def begin(self, planned: PlannedTest) -> RunningTest:
        """A test that begins now."""
        return RunningTest(self, planned)

    def verdict(
        self, planned: PlannedTest, answer: str | None, failure: Failure | None, spans: list[Span], judge: Judge
    ) -> Verdict:
        """What the scorers say of a test with these spans."""
        return judge.judge(
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
        task = planned.task
        row = result_row(
            Execution(
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
            )
        )
        return Finished(row, to_otlp_json(spans, self.resource))


class RunningTest:
    """A test under way. Its own thread ends it by `execute`, or another gives it up: what comes first counts."""

    def __init__(self, bench: Bench, planned: PlannedTest) -> None:
        self.planned, self._bench = planned, bench
        self._lock, self._over = threading.Lock(), False
        attributes = {
            names.SMOLTRACE_RUN_ID: bench.run_id,
            names.TEST_ID: planned.task.id,
            names.TEST_INDEX: planned.index,
            names.TEST_ATTEMPT: planned.attempt,
            names.AGENT_TYPE: planned.agent_type,
        }
        self._trace = bench.tracing.test(f"test {planned.task.id}", attributes, uid=planned.uid)
        self._trace.start()

    def execute(self) -> Finished | None:
        """Run the test. What goes wrong in it is data in the row; None when it was given up meanwhile.

        Call it in a fresh `contextvars.Context`: what an earlier test left in the context would become the parent of
        this test's spans. Raises Stopped when the run stops, and what is no fault of the test.
        """
        with self._trace as trace:
            answer, failure = self._run_agent()
            ended = trace.ended()
            if failure is None and not final_answer_called(ended):
                failure = failure_in_steps(ended)
            verdict = self._bench.verdict(self.planned, answer, failure, ended, self._bench.judge)
            if not self._claim():
                return None
            _record_verdict(trace, verdict, failure)
        return self._finished(answer, failure, verdict)

    def give_up(self, failure: Failure) -> Finished | None:
        """End the test from another thread with what it has so far; None when it has ended by itself.

        Scorers of the user's are not asked: they are anybody's code, and the thread that gives up must not hang too.
        """
        if not self._claim():
            return None
        self._trace.cancel()
        ended = self._trace.ended()
        judge = replace(self._bench.judge, extra=())
        verdict = self._bench.verdict(self.planned, None, failure, ended, judge)
        _record_verdict(self._trace, verdict, failure)
        self._trace.fail(failure.error_type, failure.message)
        self._trace.close()
        return self._finished(None, failure, verdict)

    def cancel(self) -> bool:
        """End the test without a result, as if it had not been run. False when it has one already."""
        if not self._claim():
            return False
        self._trace.cancel()
        self._trace.close()
        return True

    def _claim(self) -> bool:
        with self._lock:
            mine, self._over = not self._over, True
        return mine

    def _run_agent(self) -> tuple[str | None, Failure | None]:
        planned, builder = self.planned, self._bench.builder
        extra = {"additional_args": {"files": list(planned.task.files)}} if planned.task.files else {}
        try:
            agent = builder.build(planned.agent_type)
            try:
                answer = self._trace.run(agent, planned.task.prompt, **extra)
            finally:
                builder.release(agent)
        except LimitReached as limit:
            return None, Failure("budget", str(limit))
        except Exception as error:  # noqa: BLE001 - an agent runs model-written code and anybody's tools
            return None, classify(error)
        return None if answer is None else str(answer), None

    def _finished(self, answer: str | None, failure: Failure | None, verdict: Verdict) -> Finished:
        trace = self._trace
        return self._bench.finished(self.planned, answer, failure, verdict, trace.spans(), trace.monitor_tokens)


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
