"""One evaluation from beginning to end: check everything, run the tests, finish the books."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from smoltrace.errors import ModelRefusedError, RunIncompleteError
from smoltrace.evaluation.engine import Gate, Threads
from smoltrace.evaluation.manifest import SERVICE_NAME, new_manifest
from smoltrace.evaluation.plan import PlannedTest, plan_tests
from smoltrace.evaluation.progress import Reporter, Silent, Tally

if TYPE_CHECKING:
    from smoltrace.agents.build import AgentBuilder
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.prices import PriceBook
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.execute import Bench, Finished
    from smoltrace.scoring.documented import Judge
    from smoltrace.store.layout import RunDir, Store
    from smoltrace.store.read import Run
    from smoltrace.tasks.loaders import TaskSet
    from smoltrace.tracing.tracer import Tracing

OWN_MODEL = "own"
"""Provider and system of a model object that the caller brought: who serves it is not known here."""


def run_evaluation(config: EvalConfig, *, reporter: Reporter | None = None, model: Any = None) -> Run:
    """Run an evaluation and return the finished run.

    `model` is a smolagents model to use instead of building the one that the configuration names.
    Raises UsageError before anything is spent; ModelRefusedError or RunIncompleteError when the run stopped early: what
    was finished is in the store then, under the run id that the message names.
    """
    return prepare(config, model).run(reporter or Silent())


def prepare(config: EvalConfig, model: Any = None) -> Prepared:
    """Check all that can be checked without spending. Raises UsageError for the first thing that is wrong."""
    from smoltrace.agents.pricing import load_price_book
    from smoltrace.agents.providers import declared_prices, resolve
    from smoltrace.scoring.documented import Judge
    from smoltrace.scoring.load import load_scorers
    from smoltrace.store.layout import Store
    from smoltrace.tasks.loaders import load_tasks
    from smoltrace.tasks.select import select

    tasks = load_tasks(config.tasks, split=config.split)
    chosen = select(tasks.tasks, difficulty=config.difficulty, category=config.category, limit=config.limit)
    tests = plan_tests(chosen, config.agent_type, config.repeats)
    judge = Judge(load_scorers(config.scorers))
    spec = resolve(config.model) if model is None else config.model
    price_book = load_price_book(config.price_file, declared=declared_prices(spec) if model is None else None)
    return Prepared(config, spec, model, tasks, tests, judge, price_book, Store(config.store))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked evaluation that has spent nothing yet."""

    config: EvalConfig
    spec: ModelSpec
    model: Any
    tasks: TaskSet
    tests: list[PlannedTest]
    judge: Judge
    price_book: PriceBook
    store: Store

    def run(self, reporter: Reporter) -> Run:
        from smoltrace.agents.build import AgentBuilder
        from smoltrace.agents.providers import build_model
        from smoltrace.evaluation.instrument import instrumented

        run_id = self.store.new_run_id(self.config.run_id)
        resource = {"service.name": SERVICE_NAME, "run.id": run_id, "run_id": run_id}
        gate = Gate()
        with ExitStack() as stack:
            tracing = self._tracing(resource, gate)
            stack.callback(tracing.shutdown)
            # Before the model is built: an instrumentation may see only the clients that are made after it.
            stack.enter_context(instrumented(self.config.instrument, tracing.tracer_provider))
            model = self.model or build_model(self.spec)
            builder = stack.enter_context(AgentBuilder(self.config.agent, model, stream=self.spec.stream))
            builder.check({test.agent_type for test in self.tests})
            manifest = new_manifest(
                self.config,
                self.tasks,
                run_id=run_id,
                provider=self.spec.provider,
                system=self.system,
                planned=len(self.tests),
            )
            run_dir = self.store.create(run_id, manifest)
            bench = self._bench(builder, tracing, resource)
            return self._go(run_dir, bench, gate, Tally(len(self.tests), reporter), reporter)

    @property
    def workers(self) -> int:
        """Tests at once. One for a model in this process: its calls come one after the other anyway, and the wait for
        another test's call would count as this test's model time."""
        return 1 if self.spec.provider == "transformers" else self.config.workers

    @property
    def system(self) -> str:
        """Whose models are asked, as in `gen_ai.system`."""
        from smoltrace.agents.providers import system_of

        return system_of(self.spec) if self.model is None else OWN_MODEL

    def _tracing(self, resource: Mapping[str, str], gate: Gate) -> Tracing:
        from smoltrace.tracing.tracer import Tracing

        return Tracing(
            resource=resource,
            price_book=self.price_book,
            system=self.system,
            provider=self.spec.provider,
            call_policy=gate.call,
        )

    def _bench(self, builder: AgentBuilder, tracing: Tracing, resource: Mapping[str, str]) -> Bench:
        from smoltrace.evaluation.execute import Bench

        return Bench(
            run_id=resource["run_id"],
            model=self.config.model.model_id,
            provider=self.spec.provider,
            system=self.system,
            generation=self.spec.generation.to_json(),
            stream=self.spec.stream,
            resource=resource,
            builder=builder,
            tracing=tracing,
            judge=self.judge,
            price_book=self.price_book,
        )

    def _go(self, run_dir: RunDir, bench: Bench, gate: Gate, tally: Tally, reporter: Reporter) -> Run:
        from smoltrace.store.journal import Journal

        began = time.monotonic()
        reporter.started(bench.run_id, tally.progress)
        interrupted = False
        try:
            with Journal(run_dir) as journal:

                def commit(finished: Finished) -> None:
                    journal.commit(finished.trace_line, finished.row)
                    tally.add(finished.row)

                Threads(self.workers, gate).run(self.tests, bench.execute, commit)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            reporter.closed(tally.progress)
            run = _close(run_dir, tally, len(self.tests), time.monotonic() - began)
        _raise_if_incomplete(run, gate, interrupted, tally.progress.done, len(self.tests))
        return run


def _close(run_dir: RunDir, tally: Tally, planned: int, seconds: float) -> Run:
    """Write what is known into the manifest and finish the datasets, whole or not."""
    from smoltrace.store.finalise import finalise
    from smoltrace.store.read import load_run

    manifest = run_dir.manifest()
    manifest["status"] = "completed" if tally.progress.done == planned else "incomplete"
    manifest["finished_at"] = datetime.now(UTC).isoformat()
    manifest["wall_time_ms"] = seconds * 1000
    run_dir.write_manifest(manifest)
    finalise(run_dir)
    return load_run(run_dir.path)


def _raise_if_incomplete(run: Run, gate: Gate, interrupted: bool, done: int, planned: int) -> None:
    kept = f"{done} of {planned} tests are finished and kept in {run.path}"
    if gate.failure is not None:
        advice = (
            "Check the key and what it may do."
            if gate.failure.error_type == "auth"
            else "Check the name of the model and the address of its server."
        )
        raise ModelRefusedError(f"The model's server refuses every call: {gate.failure.message}\n{advice} {kept}.", run)
    if interrupted or done < planned:
        raise RunIncompleteError(f"The run was interrupted: {kept}.", run)
