"""One evaluation from beginning to end: check everything, run the tests that are not finished yet, finish the books."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from smoltrace.errors import StoreError, UsageError
from smoltrace.evaluation.lives.closing import close, complete
from smoltrace.evaluation.lives.ending import (
    INTERRUPTED,
    INTERRUPTED_TWICE,
    Stop,
    Way,
    drifted,
    refuse_imported,
    refused,
    way_of,
)
from smoltrace.evaluation.lives.identity import Difference, differences, identity_of
from smoltrace.evaluation.lives.machine import hardware
from smoltrace.evaluation.lives.manifest import SERVICE_NAME, new_manifest, of_this_life
from smoltrace.evaluation.lives.session import Key, Session
from smoltrace.evaluation.meters.footprint import estimator_of
from smoltrace.evaluation.meters.meters import Meters
from smoltrace.evaluation.outlet import Nowhere, Outlet
from smoltrace.evaluation.plan import PlannedTest, plan_tests
from smoltrace.evaluation.progress import Reporter, Silent, Tally, Terminal, say, warn
from smoltrace.evaluation.secrecy import Secrecy
from smoltrace.evaluation.streams import masked_streams
from smoltrace.store.room import check_room

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.prices import PriceBook
    from smoltrace.evaluation.calls.governor import Ask, Governor, Outcome
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.engines.engine import Engine
    from smoltrace.evaluation.engines.scribe import Finished, Scribe
    from smoltrace.scoring.documented import Judge
    from smoltrace.store.layout import RunDir, Store
    from smoltrace.store.read import Run
    from smoltrace.store.spending import Spent
    from smoltrace.tasks.loaders import TaskSet

OWN_MODEL = "own"
"""Provider and system of a model object that the caller brought: who serves it is not known here."""


def run_evaluation(
    config: EvalConfig, *, reporter: Reporter | None = None, model: Any = None, outlet: Outlet | None = None
) -> Run:
    """Run an evaluation and return the finished run; one whose run id has begun already is gone on with.

    `model` is a smolagents model to use instead of building the one that the configuration names; `outlet` is given
    what the run keeps, while it goes on.
    Raises UsageError before anything is spent, also when the run began as something else; ModelRefusedError or
    RunIncompleteError when the run stopped early: what was finished is in the store then, and the message says how to
    go on.
    """
    return prepare(config, model).run(reporter or Silent(), outlet or Nowhere())


def prepare(
    config: EvalConfig, model: Any = None, *, accept_changes: bool = False, begun: RunDir | None = None
) -> Prepared:
    """Check all that can be checked without spending. Raises UsageError for the first thing that is wrong.

    `begun` is the run to go on with where its id alone does not say it; `accept_changes` goes on with a run that began
    as something else.
    """
    from smoltrace.agents.pricing import load_price_book
    from smoltrace.agents.providers import declared_prices, resolve
    from smoltrace.evaluation.calls.budget import check_priced
    from smoltrace.scoring.documented import Judge
    from smoltrace.scoring.load import load_scorers
    from smoltrace.store.layout import Store
    from smoltrace.tasks.loaders import load_tasks
    from smoltrace.tasks.select import select

    tasks = load_tasks(config.tasks, split=config.split)
    chosen = select(tasks.tasks, difficulty=config.difficulty, category=config.category, limit=config.limit)
    tests = plan_tests(chosen, config.agent_type, config.repeats)
    judge = Judge(load_scorers(config.scorers))
    if model is not None and config.engine == "processes":
        raise UsageError(
            "A model object cannot be sent to worker processes: name the model, or use the engine 'threads'."
        )
    spec = resolve(config.model) if model is None else config.model
    price_book = load_price_book(config.price_file, declared=declared_prices(spec) if model is None else None)
    check_priced(price_book, spec, config.limits, provider=None if model is None else OWN_MODEL)
    estimator_of(config.footprint, spec)
    secrecy = Secrecy.of(config, spec)
    secrecy.check(config.run_id, tests)
    store = Store(config.store)
    begun = begun or store.begun(config.run_id)
    if begun is not None:
        refuse_imported(begun)
    return Prepared(config, spec, model, tasks, tests, judge, price_book, secrecy, store, begun, accept_changes)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked evaluation that has spent nothing yet. `begun` is the run that it goes on with, None for a new one."""

    config: EvalConfig
    spec: ModelSpec
    model: Any
    tasks: TaskSet
    tests: list[PlannedTest]
    judge: Judge
    price_book: PriceBook
    secrecy: Secrecy
    store: Store
    begun: RunDir | None = None
    accept_changes: bool = False

    def run(self, reporter: Reporter, outlet: Outlet | None = None) -> Run:
        outlet = outlet or Nowhere()
        with ExitStack() as stack:
            if isinstance(reporter, Terminal):
                stack.enter_context(masked_streams(self.secrecy))
            stack.callback(lambda: warn(reporter, outlet.close()))  # last of all: it sends while the rest is closed
            session = None if self.begun is None else stack.enter_context(Session(self.begun))
            changed = [] if session is None else self._changed(session)
            left = self._left(session)
            if session is not None and not left:
                return complete(session, self._way(session.run_dir), reporter)
            check_room(self.store.path if self.begun is None else self.begun.path)
            run_id = self.store.new_run_id(self.config.run_id) if session is None else session.run_dir.run_id
            meters = stack.enter_context(Meters(self.config.footprint, self.spec, self._resource(run_id)))
            meters.read_idle()
            if meters.note is not None:
                say(reporter, meters.note)
            books = _Books()
            governor = self._governor(books, None if session is None else session.spent)
            engine = self._engine(stack, run_id, governor)
            if session is None:
                session = stack.enter_context(self._begin(run_id, meters))
            else:
                self._go_on(session, changed, len(left), meters)
            books.session = session
            warn(reporter, outlet.began(run_id))
            return self._go(session, engine, governor, left, reporter, meters, outlet)

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

    def _way(self, run_dir: RunDir) -> Way:
        return way_of(run_dir, self.config.store, own_model=self.model is not None)

    # What the run has done before

    def _left(self, session: Session | None) -> list[PlannedTest]:
        """The tests that are not finished yet."""
        earlier: frozenset[Key] = frozenset() if session is None else session.earlier
        return [test for test in self.tests if (test.agent_type, test.task.id, test.attempt) not in earlier]

    def _changed(self, session: Session) -> list[Difference]:
        """What is not as it was when the run began. Raises UsageError unless that was accepted."""
        then = session.manifest.get("identity") or {}
        changed = differences(then, self._identity(), self.config)
        if changed and not self.accept_changes:
            raise drifted(changed, self._way(session.run_dir))
        return changed

    def _begin(self, run_id: str, meters: Meters) -> Session:
        manifest = new_manifest(
            self.config, self.tasks, run_id=run_id, spec=self.spec, system=self.system, planned=len(self.tests)
        )
        told = {"identity": self._identity(), **_told_by(meters)}
        return Session.begin(self.store, self.secrecy.manifest(manifest | told))

    def _identity(self) -> dict[str, Any]:
        return self.secrecy.identity(identity_of(self.config, self.spec, self.tasks))

    def _go_on(self, session: Session, changed: list[Difference], left: int, meters: Meters) -> None:
        """Begin the next life of a run that began before."""
        before = session.manifest
        told = {
            **of_this_life(self.config, self.spec),
            **_told_by(meters, before),
            "num_tests": len(session.earlier) + left,
            "tags": {**(before.get("tags") or {}), **self.config.tags},
            "notes": self.config.notes or before.get("notes"),
        }
        if changed:
            accepted = {"at": datetime.now(UTC).isoformat(), "changes": [each.to_json() for each in changed]}
            told["accepted_changes"] = [*(before.get("accepted_changes") or []), accepted]
            told["identity"] = self._identity()
        session.go_on(self.secrecy.manifest(told), self.config.instrument)

    # What the tests need

    def _governor(self, books: _Books, spent: Spent | None) -> Governor:
        from smoltrace.evaluation.calls.governor import Governor
        from smoltrace.store.spending import Spent

        return Governor(
            self.config.limits,
            price_book=self.price_book,
            model=self.spec.model_id,
            provider=self.system,
            spent=spent or Spent(),
            record=books.settled,
            announce=books.begun,
        )

    def _engine(self, stack: ExitStack, run_id: str, governor: Governor) -> Engine:
        """Where the tests will run, with a model and agents that are known to work. Raises UsageError."""
        from smoltrace.evaluation.calls.retrying import Retrying
        from smoltrace.evaluation.engines.bench import open_bench
        from smoltrace.evaluation.engines.engine import threads
        from smoltrace.evaluation.engines.processes import processes

        scribe, limits = self._scribe(run_id), self.config.limits
        kinds = {test.agent_type for test in self.tests}
        if self.config.engine == "processes":
            return stack.enter_context(
                processes(scribe, self.config, self.spec, kinds, workers=self.workers, governor=governor)
            )
        policy = Retrying(governor, limits.retries)
        bench = stack.enter_context(
            open_bench(scribe, self.config, self.spec, kinds, call_policy=policy, model=self.model)
        )
        return threads(bench, workers=self.workers, governor=governor, limits=limits)

    def _scribe(self, run_id: str) -> Scribe:
        from smoltrace.evaluation.engines.scribe import Scribe

        return Scribe(
            run_id=run_id,
            model=self.config.model.model_id,
            provider=self.spec.provider,
            system=self.system,
            generation=self.spec.generation.to_json(),
            stream=self.spec.stream,
            resource=self._resource(run_id),
            judge=self.judge,
            price_book=self.price_book,
            secrecy=self.secrecy,
            estimator=estimator_of(self.config.footprint, self.spec),
        )

    @staticmethod
    def _resource(run_id: str) -> dict[str, str]:
        """What every span and every metric says of the run."""
        return {"service.name": SERVICE_NAME, "run.id": run_id, "run_id": run_id}

    def _go(
        self,
        session: Session,
        engine: Engine,
        governor: Governor,
        left: list[PlannedTest],
        reporter: Reporter,
        meters: Meters,
        outlet: Outlet,
    ) -> Run:
        """Run what is left, and end the run however it ended."""
        from smoltrace.evaluation.engines.engine import InterruptedAtOnce

        planned = len(session.earlier) + len(left)
        tally = Tally(planned, reporter, session.rows())
        session.when_spending_fails(governor.stop)

        keeping = _Keeping(session, meters, outlet, tally)
        reporter.started(session.run_dir.run_id, tally.progress)
        try:
            try:
                meters.begin(keeping.metrics)
                engine.at_boundaries(meters.boundary)
                engine.run(left, keeping.test)
            finally:
                meters.end()
                session.tell(_told_by(meters, session.manifest))
                reporter.closed(tally.progress)
            stop = _stop_of(session, governor, self.secrecy)
        except InterruptedAtOnce:
            stop = INTERRUPTED_TWICE
        except KeyboardInterrupt:
            stop = INTERRUPTED
        except StoreError as error:
            stop = _disk(error)
        except BaseException:
            session.end(completed=False, stopped_by="fault")
            session.finish_files()
            raise
        return close(session, self._way(session.run_dir), stop, planned=planned, limits=self.config.limits)


def _told_by(meters: Meters, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the manifest tells of the meters in all lives of the run: nothing where no device was ever to be read."""
    told = meters.manifest((before or {}).get("metering"))
    if told is None:
        return {}
    gpus = [device["name"] for device in told["devices"] if device["kind"] == "gpu"]
    return {"metering": told, "hardware": hardware(gpus)}


@dataclass(frozen=True, slots=True)
class _Keeping:
    """Keeps what the run finds, and passes on what is kept."""

    session: Session
    meters: Meters
    outlet: Outlet
    tally: Tally

    def test(self, finished: Finished) -> None:
        self.session.commit(finished)
        self.meters.finished(finished)
        self.outlet.test(finished.trace_line)
        self.tally.add(finished.row)

    def metrics(self, document: bytes) -> None:
        self.session.write_metrics(document)
        self.outlet.metrics(document)


class _Books:
    """Notes each call in the run's spending, which there is when the first is made."""

    session: Session | None = None

    def begun(self, ask: Ask, set_aside: Outcome) -> None:
        if self.session is not None:
            self.session.note_begun(ask.test, **_amounts(set_aside))

    def settled(self, ask: Ask, outcome: Outcome, reserved: bool) -> None:
        if self.session is not None:
            error_type = None if outcome.failure is None else outcome.failure.error_type
            self.session.note_spending(ask.test, **_amounts(outcome), error_type=error_type, reserved=reserved)


def _amounts(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in ("input_tokens", "output_tokens", "cost")}


def _stop_of(session: Session, governor: Governor, secrecy: Secrecy) -> Stop | None:
    """Why the engine came back, None when it was only done."""
    if session.fault is not None:
        return _disk(session.fault)
    if governor.failure is not None:
        return refused(secrecy.failure(governor.failure))
    if governor.stop_reason is not None:
        return Stop("limit", governor.stop_reason)
    return None


def _disk(error: StoreError) -> Stop:
    return Stop("disk", f"The run stopped: {error}")
