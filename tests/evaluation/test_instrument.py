"""Foreign instrumentations in this process: what they record joins our traces, and changes no number in the books."""

from __future__ import annotations

import contextvars
import importlib.util
import sys
import threading
from collections.abc import Iterable
from typing import Any

import pytest
import smolagents
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from smolagents import CodeAgent, MultiStepAgent, Tool, ToolCallingAgent
from support.model_server import ModelServer
from support.traced import (
    KINDS,
    RecordingModel,
    agent,
    calculator,
    get_weather,
    openai_model,
    served_equals_counted,
    trace,
    tracing,
)

from smoltrace.books.spans import Span
from smoltrace.errors import MissingExtraError, UsageError
from smoltrace.evaluation.instrument import check_names, instrumented

PACKAGES = {"openinference": "openinference.instrumentation.smolagents", "genai-otel": "genai_otel"}
SCOPES = {"openinference": "openinference.instrumentation.smolagents", "genai-otel": "genai_otel.instrumentors.base"}


def installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(PACKAGES[name]) is not None
    except ModuleNotFoundError:
        return False


BOTH = tuple(PACKAGES)
needs_both = pytest.mark.skipif(
    not all(map(installed, BOTH)), reason="needs pip install 'smoltrace[openinference,genai-otel]'"
)


def foreign(spans: Iterable[Span]) -> set[str]:
    return {span.scope for span in spans} - {"smoltrace"}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'langsmith' is unknown: choose of genai-otel, openinference"):
        check_names(("openinference", "langsmith"))
    provider = TracerProvider(shutdown_on_exit=False)
    before = MultiStepAgent.run
    with pytest.raises(UsageError, match="langsmith"), instrumented(("openinference", "langsmith"), provider):
        pytest.fail("it was entered")
    assert MultiStepAgent.run is before


@pytest.mark.parametrize("name", BOTH)
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with (
        pytest.raises(MissingExtraError, match=rf"pip install 'smoltrace\[{name}\]'"),
        instrumented((name,), TracerProvider(shutdown_on_exit=False)),
    ):
        pytest.fail("it was entered")


@needs_both
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_planning_and_managed_agents_balance_beside_both(model_server: ModelServer, kind: type, stream: bool) -> None:
    ours = tracing()
    with instrumented(BOTH, ours.tracer_provider):
        model = openai_model(model_server, cls=RecordingModel)
        worker = agent(ToolCallingAgent, model, [get_weather], name="worker", description="knows the weather")
        options = {"managed_agents": [worker], "planning_interval": 1, "stream_outputs": stream}
        test = trace(agent(kind, model, [calculator], **options), "the weather [manage:worker]", by=ours)
    # The tests' own model class is none that OpenInference knows, so there its spans are those of agents and tools.
    assert foreign(test.spans()) == set(SCOPES.values())
    assert model_server.totals()["calls"] > 4
    served_equals_counted(model_server, test.spans())


@needs_both
def test_threads_that_share_a_model_never_mix_beside_both(model_server: ModelServer) -> None:
    ours = tracing()
    spans: dict[str, list[Span]] = {}

    def one(number: int) -> None:
        for kind in KINDS:
            test_id = f"{number}{kind.__name__}"
            with ours.test(f"test {test_id}") as test:
                test.run(agent(kind, model), f"What is the weather? [test:{test_id}]")
            spans[test_id] = test.spans()

    with instrumented(BOTH, ours.tracer_provider):
        model = openai_model(model_server)
        threads = [threading.Thread(target=contextvars.Context().run, args=(one, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(spans) == 16
    for test_id, made in spans.items():
        assert foreign(made) == set(SCOPES.values())
        served_equals_counted(model_server, made, test_id)


@needs_both
def test_a_failed_run_leaves_the_next_one_alone(model_server: ModelServer) -> None:
    ours = tracing()
    with instrumented(BOTH, ours.tracer_provider):
        model = openai_model(model_server)
        model_server.add_fault(500, times=1)
        trace(agent(CodeAgent, model), "weather [test:a]", by=ours, raises=Exception)
        test = trace(agent(CodeAgent, model), "weather [test:b]", by=ours)
    served_equals_counted(model_server, test.spans(), "b")
    ids = {span.span_id for span in test.spans()}
    assert [span.name for span in test.spans() if span.parent_span_id not in ids] == ["test t"]


@needs_both
def test_runs_of_one_process_may_overlap_and_follow_each_other(model_server: ModelServer) -> None:
    one, two, none, later = tracing(), tracing(), tracing(), tracing()
    tests: list[tuple[Any, set[str]]] = []

    def run(by: Any, expected: Iterable[str]) -> None:
        prompt = f"weather [test:{len(tests)}]"
        tests.append((trace(agent(CodeAgent, model), prompt, by=by), {SCOPES[name] for name in expected}))

    with instrumented(BOTH, one.tracer_provider):
        model = openai_model(model_server)
        with instrumented(("genai-otel", "genai-otel"), two.tracer_provider):
            run(one, BOTH)
            run(two, ["genai-otel"])
            run(none, [])
        run(one, BOTH)
        run(two, [])
    run(one, [])
    with instrumented(BOTH, later.tracer_provider):
        run(later, BOTH)
        run(one, [])
    for number, (test, expected) in enumerate(tests):
        assert foreign(test.spans()) == expected
        served_equals_counted(model_server, test.spans(), str(number))


@needs_both
def test_the_process_is_left_as_it_was(model_server: ModelServer) -> None:
    classes = [c for c in vars(smolagents).values() if isinstance(c, type) and issubclass(c, smolagents.models.Model)]
    looked_up = [(MultiStepAgent, "run"), (CodeAgent, "_step_stream"), (Tool, "__call__")]
    looked_up += [(cls, "generate") for cls in classes]
    before = [getattr(cls, name) for cls, name in looked_up]
    provider, running = otel.get_tracer_provider(), set(threading.enumerate())
    ours = tracing()
    with instrumented(BOTH, ours.tracer_provider):
        model = openai_model(model_server)
        trace(agent(CodeAgent, model), "weather", by=ours)
    left = [thread.name.lower() for thread in set(threading.enumerate()) - running]
    assert [getattr(cls, name) for cls, name in looked_up] == before
    assert not [name for name in left if "otel" in name or "genai" in name]
    assert otel.get_tracer_provider() is provider


@needs_both
def test_calls_outside_the_tests_pass_through_unrecorded(model_server: ModelServer) -> None:
    ours, mine = tracing(), TracerProvider(shutdown_on_exit=False).get_tracer("mine")
    with instrumented(BOTH, ours.tracer_provider):
        model = openai_model(model_server)
        with mine.start_as_current_span("mine") as above:
            assert model.generate([{"role": "user", "content": [{"type": "text", "text": "hello"}]}]).content
            assert otel.get_current_span() is above
    assert model.generate([{"role": "user", "content": [{"type": "text", "text": "hello"}]}]).content
    assert len(model_server.ledger()) == 2


@needs_both
def test_what_the_program_has_switched_on_itself_stays_on() -> None:
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor

    own = SmolagentsInstrumentor()
    own.instrument(tracer_provider=TracerProvider(shutdown_on_exit=False))
    try:
        with instrumented(("openinference",), tracing().tracer_provider):
            assert own.is_instrumented_by_opentelemetry
        assert own.is_instrumented_by_opentelemetry
    finally:
        own.uninstrument()
