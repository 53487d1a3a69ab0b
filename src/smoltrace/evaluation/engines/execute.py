"""One execution of one test, from a fresh agent to the two lines that the journal keeps."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smoltrace.books import names
from smoltrace.evaluation.calls.failures import Failure, classify, failure_in_steps
from smoltrace.evaluation.engines.scribe import Finished, Scribe, record_verdict
from smoltrace.records.execution import Verdict, final_answer_called
from smoltrace.tracing.scope import LimitReached

if TYPE_CHECKING:
    from smoltrace.agents.build import AgentBuilder
    from smoltrace.evaluation.plan import PlannedTest
    from smoltrace.tracing.tracer import Tracing


@dataclass(frozen=True, slots=True)
class Bench:
    """All that the tests of a run share. Nothing in it changes while they run, so threads may use it at once."""

    scribe: Scribe
    builder: AgentBuilder
    tracing: Tracing

    def begin(self, planned: PlannedTest) -> RunningTest:
        """A test that begins now."""
        return RunningTest(self, planned)


class RunningTest:
    """A test under way. Its own thread ends it by `execute`, or another gives it up: what comes first counts."""

    def __init__(self, bench: Bench, planned: PlannedTest) -> None:
        self.planned, self._bench = planned, bench
        self._lock, self._over = threading.Lock(), False
        attributes = {
            names.SMOLTRACE_RUN_ID: bench.scribe.run_id,
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
            verdict = self._bench.scribe.verdict(self.planned, answer, failure, ended)
            if not self._claim():
                return None
            record_verdict(trace, verdict, failure)
        return self._finished(answer, failure, verdict)

    def give_up(self, failure: Failure) -> Finished | None:
        """End the test from another thread with what it has so far; None when it has ended by itself."""
        if not self._claim():
            return None
        self._trace.cancel()
        ended = self._trace.ended()
        verdict = self._bench.scribe.verdict(self.planned, None, failure, ended, given_up=True)
        record_verdict(self._trace, verdict, failure)
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
        return self._bench.scribe.finished(self.planned, answer, failure, verdict, trace.spans(), trace.monitor_tokens)
