"""Whole traces of agents on the scripted server: their shape, and that their tokens are those that were served."""

from __future__ import annotations

import contextvars
import itertools
import json
import random
import threading
from typing import Any

import pytest
from opentelemetry import trace as otel
from smolagents import CodeAgent, ToolCallingAgent, tool
from support.model_server import ModelServer, Reply, default_script
from support.traced import (
    KINDS,
    RecordingModel,
    agent,
    calculator,
    named,
    openai_model,
    served_equals_counted,
    trace,
    tracing,
    tree,
)

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.errors import UsageError
from smoltrace.records.execution import final_answer_called, step_count, tool_uses
from smoltrace.records.messages import restore
from smoltrace.records.otlp import from_otlp_json, to_otlp_json
from smoltrace.tracing.scope import Stopped


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_three_steps(model_server: ModelServer, kind: type, stream: bool) -> None:
    model = openai_model(model_server, cls=RecordingModel)
    test = trace(agent(kind, model, stream_outputs=stream), "What is the weather?")
    name = kind.__name__
    assert tree(test.spans()) == [
        "test t",
        f"  invoke_agent {name}",
        "    step 1",
        "      chat gpt-4o-mini",
        "      execute_tool get_weather",
        "    step 2",
        "      chat gpt-4o-mini",
        "      execute_tool calculator",
        "    step 3",
        "      chat gpt-4o-mini",
        "      execute_tool final_answer",
    ]
    assert test.answer == "The tools say: It is 22 degrees in Paris; 12.0"
    assert {span.status for span in test.spans()} == {"UNSET"}
    assert [use.name for use in tool_uses(test.spans())] == ["get_weather", "calculator"]
    assert step_count(test.spans()) == 3
    assert final_answer_called(test.spans())
    served_equals_counted(model_server, test.spans())
    totals = model_server.totals()
    assert test.monitor_tokens == (totals["input"], totals["output"])


def test_children_lie_within_their_parents(model_server: ModelServer) -> None:
    spans = trace(agent(CodeAgent, openai_model(model_server)), "weather").spans()
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        if span.parent_span_id is not None:
            parent = by_id[span.parent_span_id]
            assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns


def test_spans_of_threads_that_share_a_model_never_mix(model_server: ModelServer) -> None:
    model, ours = openai_model(model_server), tracing()
    traces: dict[str, list[Span]] = {}

    def one(number: int) -> None:
        for kind in KINDS:
            test_id = f"{number}{kind.__name__}"
            with ours.test(f"test {test_id}") as test:
                test.run(agent(kind, model), f"What is the weather? [test:{test_id}]")
            traces[test_id] = test.spans()

    threads = [threading.Thread(target=contextvars.Context().run, args=(one, n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(traces) == 16
    for test_id, spans in traces.items():
        assert len({span.trace_id for span in spans}) == 1
        assert len(spans) == 11
        served_equals_counted(model_server, spans, test_id)
    assert ours._collector._traces == {}


@tool
def seeded(location: str) -> str:
    """The weather of a place, the same in every run.

    Args:
        location: where
    """
    random.seed(0)
    return "22 degrees"


def test_no_span_is_lost_to_a_tool_that_seeds_random(model_server: ModelServer) -> None:
    seeded.name = "get_weather"
    ours, model = tracing(), openai_model(model_server)
    tests = [trace(agent(ToolCallingAgent, model, [seeded, calculator]), "weather", by=ours) for _ in range(2)]
    assert [len({span.span_id for span in test.spans()}) for test in tests] == [11, 11]
    assert tests[0].trace_id != tests[1].trace_id
    served_equals_counted(model_server, [*tests[0].spans(), *tests[1].spans()])


def test_a_run_that_raises_ends_every_span(model_server: ModelServer) -> None:
    model_server.add_fault(500, after=1)
    test = trace(agent(ToolCallingAgent, openai_model(model_server)), "weather", raises=Exception)
    spans = test.spans()
    assert tree(spans)[-2:] == ["    step 2", "      chat gpt-4o-mini"]
    assert not any(names.UNFINISHED in span.attributes for span in spans)
    assert [s.name for s in spans if s.status == "ERROR"] == [
        "chat gpt-4o-mini",
        "step 2",
        "invoke_agent ToolCallingAgent",
        "test t",
    ]
    chat, step, invoke, root = (s for s in spans if s.status == "ERROR")
    assert chat.attributes[names.ERROR_TYPE] == "openai.InternalServerError"
    assert step.attributes[names.ERROR_TYPE] == "InternalServerError"
    assert invoke.attributes[names.ERROR_TYPE] == root.attributes[names.ERROR_TYPE]
    assert "AgentGenerationError" in root.attributes[names.ERROR_TYPE]
    served_equals_counted(model_server, [span for span in spans if span is not chat])


def test_nothing_stays_attached_after_a_run(model_server: ModelServer) -> None:
    model_server.add_fault(500, after=2)
    built = agent(CodeAgent, openai_model(model_server))

    def run() -> None:
        ours = tracing()
        with ours.test("test t") as test:
            inside = otel.get_current_span()
            with pytest.raises(Exception, match="500"):
                test.run(built, "weather")
            assert otel.get_current_span() is inside
        assert otel.get_current_span() is otel.INVALID_SPAN

    contextvars.Context().run(run)


def test_without_content_nothing_said_is_kept(model_server: ModelServer) -> None:
    ours = tracing(record_content=False)
    spans = trace(agent(CodeAgent, openai_model(model_server)), "the weather in secret", by=ours).spans()
    kept = json.dumps([dict(span.attributes) for span in spans])
    assert "secret" not in kept
    assert "Paris" not in kept
    assert "22 degrees" not in kept
    served_equals_counted(model_server, spans)


def test_only_whole_runs_are_traced(model_server: ModelServer) -> None:
    built = agent(ToolCallingAgent, openai_model(model_server), return_full_result=True)
    assert trace(built, "weather").answer.startswith("The tools say")
    ours = tracing()
    with ours.test("test t") as test, pytest.raises(UsageError, match="stream"):
        test.run(built, "weather", stream=True)


def test_a_trace_survives_half_a_surrogate_pair_and_the_journal(model_server: ModelServer) -> None:
    half = "half \ud83d"
    model_server.script = lambda request, index: Reply(content=f"<code>\nfinal_answer({half!r})\n</code>")
    spans = trace(agent(CodeAgent, openai_model(model_server)), "go").spans()
    again = from_otlp_json(to_otlp_json(spans))
    assert tree(again) == tree(spans)
    served_equals_counted(model_server, again)


def test_whole_prompts_come_back_from_the_journal(model_server: ModelServer) -> None:
    asked: list[int] = []

    def script(request: dict[str, Any], index: int) -> Reply:
        asked.append(len(request["messages"]))
        return default_script(request, index)

    model_server.script = script
    spans = trace(agent(ToolCallingAgent, openai_model(model_server)), "weather").spans()
    again = restore(from_otlp_json(to_otlp_json(spans)))
    prompts = [json.loads(span.attributes[names.INPUT_MESSAGES]) for span in named(again, "chat")]
    assert [len(prompt) for prompt in prompts] == [2, 5, 8]
    assert all(earlier == later[: len(earlier)] for earlier, later in itertools.pairwise(prompts))
    # On the wire, neighbours of one role are merged: the call of a tool and what was said before it.
    assert asked == [2, 4, 6]


def test_a_test_that_hangs_is_closed_by_another_thread(model_server: ModelServer) -> None:
    begun, release, ended = threading.Event(), threading.Event(), []

    @tool
    def slow(location: str) -> str:
        """Waits.

        Args:
            location: where
        """
        begun.set()
        release.wait(30)
        return "done"

    slow.name = "get_weather"
    test = tracing().test("test t", uid="tool:t:1")

    def work() -> None:
        try:
            with test:
                test.run(agent(ToolCallingAgent, openai_model(model_server), [slow]), "[tool:get_weather] weather?")
        except BaseException as error:
            ended.append(type(error))

    thread = threading.Thread(target=contextvars.Context().run, args=(work,))
    thread.start()
    assert begun.wait(10)
    test.cancel()
    test.close()
    spans = test.spans()
    release.set()
    thread.join(10)
    assert ended == [Stopped]
    assert next(s.name for s in spans if s.attributes.get(names.UNFINISHED)) == "execute_tool get_weather"
    assert test.spans() == spans
    assert model_server.totals()["calls"] == 1
