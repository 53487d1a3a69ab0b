"""Writes a made-up run with the code that writes real ones: manifest, journals, finished files."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from smoltrace.books import names
from smoltrace.records.times import time_of
from smoltrace.samples.acting import Actor
from smoltrace.samples.metering import write_metrics
from smoltrace.samples.script import Ending, Scene, moves, possible, script
from smoltrace.samples.speaking import Speaker
from smoltrace.samples.trace import OpenSpan, Trace

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.calls.failures import Failure
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.plan import PlannedTest
    from smoltrace.records.execution import Verdict
    from smoltrace.records.schema import Row
    from smoltrace.samples.runs import SampleRun
    from smoltrace.store.layout import RunDir, Store
    from smoltrace.tasks.loaders import TaskSet

_EASE: Final = {"easy": 1.0, "medium": 0.88, "hard": 0.72}
_FAILING: Final[tuple[Ending, ...]] = ("wrong", "wrong", "wrong", "no_tool", "max_steps", "tool_error")
_SUCCEEDING: Final[tuple[Ending, ...]] = ("right",) * 8 + ("recovered", "retried")


FIRST_TEST_NS: Final = 400_000_000
"""After the start of the run."""


@dataclass(frozen=True, slots=True)
class Played:
    """A test that was played: what the journal is to keep of it."""

    planned: PlannedTest
    row: Row
    trace_line: bytes
    spans: Sequence[Span]
    start_ns: int
    end_ns: int


class Stage:
    """One run: its tests, one after the other on as many lanes as it has workers."""

    def __init__(self, run: SampleRun, config: EvalConfig, tasks: TaskSet, seed: int) -> None:
        from smoltrace.evaluation.plan import plan_tests
        from smoltrace.tasks.select import select

        self.run, self.config, self.tasks = run, config, tasks
        self.rng = random.Random(f"{seed} {run.run_id}")
        self.resource = {"service.name": "smoltrace", "run.id": run.run_id, "run_id": run.run_id}
        known = [task for task in tasks.tasks if task.id in script().solutions]
        self.tests = plan_tests(select(known, limit=config.limit), run.agent_type, run.repeats)
        self._endings = self._cast()
        self._price_book = run.model.price_book

    def _cast(self) -> dict[int, Ending]:
        """How each test goes, by its index: as the run asks for where that can be, else as skill and chance have it."""
        run, rng = self.run, self.rng
        endings: dict[int, Ending] = {}
        for wanted in run.endings:
            free = [
                test.index
                for test in self.tests
                if test.index not in endings and possible(wanted, test.task, test.agent_type) == wanted
            ]
            if free:
                endings[rng.choice(free)] = wanted
        for test in self.tests:
            chance = run.skill * _EASE.get(test.task.difficulty or "", 0.9)
            drawn = rng.choice(_SUCCEEDING if rng.random() < chance else _FAILING)
            endings.setdefault(test.index, possible(drawn, test.task, test.agent_type))
        return endings

    def play(self) -> list[Played]:
        """All tests, in the order in which they end."""
        lanes = [(self.run.start_ns + FIRST_TEST_NS, lane) for lane in range(self.run.model.workers)]
        played = []
        for test in self.tests:
            begin, lane = heapq.heappop(lanes)
            played.append(self._play(test, begin))
            heapq.heappush(lanes, (played[-1].end_ns + 3_000_000, lane))
        return sorted(played, key=lambda each: (each.end_ns, each.planned.index))

    def _play(self, planned: PlannedTest, start_ns: int) -> Played:
        run, config = self.run, self.config
        trace = Trace(self.rng, start_ns, self.resource)
        root = open_root(trace, run, planned)
        speaker = Speaker(trace, run.model, self._price_book, self.rng, config.limits.max_tokens_per_test)
        timeout = config.limits.test_timeout or 1800.0
        actor = Actor(trace, speaker, planned.agent_type, self.rng, test_timeout=timeout)
        scene = Scene(planned.task, planned.agent_type, run.max_steps, run.plans)
        plot = moves(scene, self._endings[planned.index], self.rng)
        answer, failure = actor.play(root, planned.task.prompt, plot)
        return self.close(planned, trace, root, speaker, answer, failure)

    def close(
        self,
        planned: PlannedTest,
        trace: Trace,
        root: OpenSpan,
        speaker: Speaker,
        answer: str | None,
        failure: Failure | None,
    ) -> Played:
        """End a test: judge it, note the verdict on its span, and make its row and its line."""
        from smoltrace.evaluation.calls.failures import failure_in_steps
        from smoltrace.evaluation.engines.scribe import record_verdict
        from smoltrace.records.execution import final_answer_called
        from smoltrace.records.otlp import to_otlp_json

        if failure is None and not final_answer_called(trace.spans):
            failure = failure_in_steps(trace.spans)
        verdict = _judged(planned, answer, failure, trace.spans)
        trace.wait(0.0003)
        record_verdict(root, verdict, failure)
        if failure is not None and failure.status == "timeout":
            root.fail(failure.error_type, failure.message)
        trace.end_all(root)
        row = self._row(planned, trace.spans, answer, failure, verdict, speaker)
        line = to_otlp_json(trace.spans, self.resource)
        return Played(planned, row, line, trace.spans, root.start_ns, trace.now_ns)

    def _row(
        self,
        planned: PlannedTest,
        spans: Sequence[Span],
        answer: str | None,
        failure: Failure | None,
        verdict: Verdict,
        speaker: Speaker,
    ) -> Row:
        from smoltrace.records.execution import Execution
        from smoltrace.records.results import result_row

        model, task, counted = self.run.model, planned.task, speaker.counted
        return result_row(
            Execution(
                run_id=self.run.run_id,
                test_index=planned.index,
                test_id=task.id,
                attempt=planned.attempt,
                agent_type=planned.agent_type,
                model=model.model_id,
                provider=model.provider,
                system=model.system,
                difficulty=task.difficulty,
                category=task.category,
                prompt=task.prompt,
                expected=task.expected or None,
                response=answer,
                status=failure.status if failure is not None else "completed" if verdict.success else "failed",
                error=None if failure is None else failure.message,
                error_type=None if failure is None else failure.error_type,
                verdict=verdict,
                spans=spans,
                price_book=self._price_book,
                generation=self.config.model.generation.to_json(),
                stream=model.stream,
                monitor_tokens=(sum(i for i, _ in counted), sum(o for _, o in counted)),
                estimator=model.estimator,
            )
        )

    def manifest(self) -> dict[str, Any]:
        """The manifest of the run as it begins; what differs from machine to machine is made up too."""
        from smoltrace.evaluation.lives.manifest import new_manifest

        model = self.run.model
        config, spec = self.config, self.config.model
        told = new_manifest(
            config, self.tasks, run_id=self.run.run_id, spec=spec, system=model.system, planned=len(self.tests)
        )
        started = time_of(self.run.start_ns).isoformat()
        gpus = "" if model.gpu is None else f", {model.gpus} × {model.gpu.name}"
        hardware = f"Linux x86_64, 16 CPUs{gpus}"
        life = {**told["lives"][-1], "started_at": started, "hardware": hardware}
        nowhere = {"hf_job_id": None, "job_type": None}
        return {**told, "started_at": started, "hardware": hardware, "job": nowhere, "lives": [life]}


def open_root(trace: Trace, run: SampleRun, planned: PlannedTest) -> OpenSpan:
    """The span of a test that begins now."""
    from smoltrace.tracing.tracer import PROVIDER

    return trace.start(
        f"test {planned.task.id}",
        None,
        {
            PROVIDER: run.model.provider,
            names.SMOLTRACE_RUN_ID: run.run_id,
            names.TEST_ID: planned.task.id,
            names.TEST_INDEX: planned.index,
            names.TEST_ATTEMPT: planned.attempt,
            names.AGENT_TYPE: planned.agent_type,
        },
    )


def _judged(planned: PlannedTest, answer: str | None, failure: Failure | None, spans: Sequence[Span]) -> Verdict:
    from smoltrace.evaluation.engines.scribe import attempt_of
    from smoltrace.scoring.documented import Judge

    return Judge().judge(attempt_of(planned, answer, failure, spans))


def write_run(store: Store, stage: Stage, played: Sequence[Played]) -> RunDir:
    """Write a run that was played into a store, and finish its files. Raises UsageError when its id is taken,
    StoreError when the disk refuses."""
    from smoltrace.store.finalise import finalise
    from smoltrace.store.journal import Journal

    finished = played[: max(1, round(stage.run.finished * len(played)))]
    whole = len(finished) == len(played)
    manifest = stage.manifest()
    run_dir = store.create(stage.run.run_id, manifest)
    with Journal(run_dir) as journal:
        for each in finished:
            journal.commit(each.trace_line, each.row)
    end_ns = finished[-1].end_ns + 20_000_000
    if stage.run.model.gpu is not None:
        manifest |= write_metrics(run_dir, stage.run, stage.config, [each.spans for each in finished], end_ns)
    if not whole:
        _write_spending(run_dir, finished, [each for each in played[len(finished) :] if each.start_ns < end_ns])
    run_dir.write_manifest(_ended(manifest, stage.run.start_ns, end_ns, whole=whole))
    finalise(run_dir)
    return run_dir


def _ended(manifest: dict[str, Any], start_ns: int, end_ns: int, *, whole: bool) -> dict[str, Any]:
    ended, milliseconds = time_of(end_ns).isoformat(), (end_ns - start_ns) / 1e6
    stopped_by = None if whole else "interrupt"
    life = {**manifest["lives"][-1], "ended_at": ended, "wall_time_ms": milliseconds, "stopped_by": stopped_by}
    return {
        **manifest,
        "status": "completed" if whole else "incomplete",
        "finished_at": ended,
        "wall_time_ms": milliseconds,
        "lives": [life],
    }


def _write_spending(run_dir: RunDir, finished: Iterable[Played], under_way: Iterable[Played]) -> None:
    """What each call used: of tests that are finished, and of those that the interruption ended, the first call."""
    from smoltrace.books.calls import calls_in
    from smoltrace.store.spending import Spending

    with Spending(run_dir) as spending:
        for tests, most in ((finished, None), (under_way, 1)):
            for each in tests:
                for call in calls_in(each.spans)[:most]:
                    used = call.usage
                    cost = next(
                        (span.attributes.get(names.COST_TOTAL) for span in each.spans if span.span_id == call.span_id),
                        None,
                    )
                    _note(spending, each.planned.uid, used.input_tokens, used.output_tokens, cost)


def _note(spending: Any, test: str, input_tokens: int | None, output_tokens: int | None, cost: Any) -> None:
    from smoltrace.records.money import amount_of

    amounts = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cost": amount_of(cost)}
    spending.begin(test, **amounts)
    spending.append(test, **amounts)
