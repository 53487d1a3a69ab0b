"""One model call and its span: what is recorded of a success, a failure, a retry, a stream."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openai
import pytest
from opentelemetry import trace as otel
from smolagents import ChatMessage, CodeAgent, MessageRole, Model, ToolCallingAgent
from smolagents.models import ChatMessageStreamDelta, TokenUsage
from support.model_server import ModelServer, Reply
from support.traced import QUIET, RecordingModel, agent, named, openai_model, trace, tracing

from smoltrace.books import names
from smoltrace.books.calls import calls_in
from smoltrace.books.prices import MappingSource, Price, PriceBook
from smoltrace.books.spans import Span
from smoltrace.tracing import capture
from smoltrace.tracing.model import TracedModel, unwrapped

ANSWER = "<code>\nfinal_answer(1)\n</code>"


class Fake(Model):
    """A model in this process: `say` answers, with the messages it was given."""

    def __init__(self, say: Callable[[Any], ChatMessage], **kwargs: Any) -> None:
        super().__init__(model_id="fake-1", **kwargs)
        self.say = say

    def generate(self, messages: Any, **_: Any) -> ChatMessage:
        return self.say(messages)


class Streaming(Fake):
    def __init__(self, pieces: Callable[[], Generator[ChatMessageStreamDelta, None, None]]) -> None:
        super().__init__(lambda messages: said(""))
        self.pieces = pieces

    def generate_stream(self, messages: Any, **_: Any) -> Generator[ChatMessageStreamDelta, None, None]:
        yield from self.pieces()


def said(content: str, raw: Any = None, usage: TokenUsage | None = None) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=content, raw=raw, token_usage=usage)


def chats(model: Any, raises: type[BaseException] | None = None, **kwargs: Any) -> list[Span]:
    test = trace(CodeAgent(tools=[], model=model, verbosity_level=QUIET), "go", by=tracing(**kwargs), raises=raises)
    return named(test.spans(), "chat ")


def calls(span: Span, count: int = 1) -> Any:
    found = calls_in([span])
    assert len(found) == count
    return found[0]


def test_what_a_call_says(model_server: ModelServer) -> None:
    model = openai_model(model_server, temperature=0.2, max_tokens=500, top_p=0.9)
    (span, *_) = named(trace(agent(ToolCallingAgent, model), "weather").spans(), "chat")
    attributes = span.attributes
    assert (span.name, span.kind, span.status) == ("chat gpt-4o-mini", "CLIENT", "UNSET")
    assert attributes[names.OPERATION_NAME] == "chat"
    assert attributes[names.PROVIDER_NAME] == attributes[names.SYSTEM] == "openai"
    assert attributes[names.REQUEST_TEMPERATURE] == 0.2
    assert attributes[names.REQUEST_MAX_TOKENS] == 500
    assert attributes[names.REQUEST_TOP_P] == 0.9
    assert attributes[names.RESPONSE_ID] == model_server.ledger()[0].response_id
    assert attributes[names.RESPONSE_FINISH_REASONS] == ["tool_calls"]
    assert attributes[names.SERVER_PORT] == model_server.port
    for new, old in [
        (names.USAGE_INPUT_TOKENS, names.USAGE_PROMPT_TOKENS),
        (names.USAGE_OUTPUT_TOKENS, names.USAGE_COMPLETION_TOKENS),
    ]:
        assert attributes[new] == attributes[old] > 0
    assert names.SERVER_TTFT not in attributes


def test_parameters_may_come_from_the_run() -> None:
    (span,) = chats(Fake(lambda _: said(ANSWER)), generation={"temperature": 0.5, "seed": None})
    assert span.attributes[names.REQUEST_TEMPERATURE] == 0.5
    assert names.REQUEST_SEED not in span.attributes


def test_the_model_that_answered_may_have_another_name() -> None:
    with ModelServer(response_model="gpt-4o-mini-2024-07-18") as server:
        spans = trace(agent(CodeAgent, openai_model(server)), "weather").spans()
    assert named(spans, "chat")[0].attributes[names.RESPONSE_MODEL] == "gpt-4o-mini-2024-07-18"
    assert named(spans, "chat")[0].attributes[names.REQUEST_MODEL] == "gpt-4o-mini"


def test_cost_is_on_the_span() -> None:
    price = Price(
        input=Decimal("0.001"),
        output=Decimal("0.01"),
        cache_read=None,
        cache_write=None,
        reasoning=None,
        source="mine",
        source_version="1",
    )
    book = PriceBook([MappingSource({"fake-1": price}, name="mine", version="1")])
    (span,) = chats(Fake(lambda _: said(ANSWER, usage=TokenUsage(100, 10))), price_book=book)
    expected = book.cost(
        calls(span).usage, response_model=None, request_model="fake-1", provider="openai", at=datetime.now(UTC)
    )
    assert span.attributes[names.COST_TOTAL] == float(expected.total) == 0.2
    assert span.attributes[names.COST_QUALITY] == expected.quality
    assert span.attributes[names.PRICING_SOURCE] == expected.source


def test_an_unknown_price_leaves_no_cost() -> None:
    (span,) = chats(Fake(lambda _: said(ANSWER, usage=TokenUsage(100, 10))), price_book=PriceBook([]))
    assert not [name for name in span.attributes if name.startswith("gen_ai.usage.cost")]


def test_a_cost_that_the_provider_reports_is_kept_as_it_is() -> None:
    def say(_: Any) -> ChatMessage:
        capture.current().response({"usage": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.1}})
        return said(ANSWER)

    (span,) = chats(Fake(say), price_book=PriceBook([]))
    assert span.attributes[names.COST_REPORTED] == "0.1"
    assert span.attributes[names.COST_TOTAL] == 0.1


def test_a_message_without_raw_facts_is_counted_by_smolagents() -> None:
    (span,) = chats(Fake(lambda _: said(ANSWER, usage=TokenUsage(7, 5))))
    assert (calls(span).usage.input_tokens, calls(span).usage.output_tokens) == (7, 5)


def test_a_response_without_usage_is_unknown_and_not_zero() -> None:
    def say(_: Any) -> ChatMessage:
        capture.current().response({"id": "r", "usage": None})
        return said(ANSWER, usage=TokenUsage(0, 0))

    for model in (Fake(say), Fake(lambda _: said(ANSWER, usage=TokenUsage(0, 0)))):
        (span,) = chats(model)
        assert not [name for name in span.attributes if name.startswith("gen_ai.usage.")]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("bad"), TimeoutError()])
def test_every_exception_is_recorded_and_raised(error: BaseException) -> None:
    def say(_: Any) -> ChatMessage:
        raise error

    test = trace(CodeAgent(tools=[], model=Fake(say), verbosity_level=QUIET), "go", raises=BaseException)
    spans = test.spans()
    assert not any(names.UNFINISHED in span.attributes for span in spans)
    assert {span.status for span in spans} == {"ERROR"}
    (chat,) = named(spans, "chat")
    assert chat.attributes[names.ERROR_TYPE] == type(error).__name__
    (event,) = chat.events
    assert event.name == "exception"
    assert event.attributes["exception.type"] == type(error).__name__
    assert calls_in(spans)[0].usage.total_tokens is None


def test_a_failed_call_that_was_billed_keeps_its_tokens() -> None:
    def say(_: Any) -> ChatMessage:
        capture.current().response({"id": "r", "usage": {"prompt_tokens": 11, "completion_tokens": 1}})
        raise ValueError("no choices in the answer")

    (span,) = chats(Fake(say), raises=Exception)
    assert calls(span).usage.input_tokens == 11
    assert span.status == "ERROR"


class Flaky:
    """Fails `failures` times, as billed as `usage` says, then answers."""

    def __init__(self, failures: int, usage: Any = None) -> None:
        self.failures, self.usage = failures, usage

    def __call__(self, _: Any) -> ChatMessage:
        call = capture.current()
        if self.failures:
            self.failures -= 1
            if self.usage is not None:
                call.response({"id": f"failed{self.failures}", "usage": self.usage})
            raise ConnectionError("broken")
        call.response({"id": "good", "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
        return said(ANSWER)


def persistent(request: Any) -> Any:
    while True:
        try:
            return request.attempt()
        except ConnectionError:
            time.sleep(0)


def test_retries_that_cost_nothing_are_one_call() -> None:
    (span,) = chats(Fake(Flaky(2)), call_policy=persistent)
    assert (span.status, span.attributes[names.RETRIES]) == ("UNSET", 2)
    assert [event.attributes[names.ERROR_TYPE] for event in span.events] == ["ConnectionError"] * 2
    assert calls(span).usage.input_tokens == 5
    assert calls(span).retries == 2


def test_retries_that_were_billed_are_calls_of_their_own() -> None:
    spans = chats(Fake(Flaky(2, {"prompt_tokens": 3, "completion_tokens": 0})), call_policy=persistent)
    assert [span.status for span in spans] == ["ERROR", "ERROR", "UNSET"]
    found = calls_in(spans)
    assert sum(call.usage.input_tokens for call in found) == 3 + 3 + 5
    assert sum(call.retries for call in found) == 2
    assert sum(names.INPUT_MESSAGES in span.attributes for span in spans) == 1


def test_a_policy_that_lets_nothing_through_makes_no_call() -> None:
    class Stopped(BaseException):
        pass

    def closed(request: Any) -> Any:
        raise Stopped

    assert chats(Fake(lambda _: said(ANSWER)), raises=Stopped, call_policy=closed) == []


def test_waiting_for_permission_is_not_the_models_time() -> None:
    entered: list[int] = []

    def slow(request: Any) -> Any:
        time.sleep(0.02)
        entered.append(time.time_ns())
        return request.attempt()

    (span,) = chats(Fake(lambda _: said(ANSWER)), call_policy=slow)
    assert span.start_ns >= entered[0]


@pytest.mark.parametrize("model_class", [RecordingModel, None])
def test_a_stream_is_timed_and_counted(model_server: ModelServer, model_class: type | None) -> None:
    model_server.add_fault("drip", seconds=0.01)
    model = openai_model(model_server, **({"cls": model_class} if model_class else {}))
    spans = named(trace(agent(CodeAgent, model, stream_outputs=True), "weather [steps:0]").spans(), "chat")
    (span,) = spans
    (served,) = model_server.ledger()
    usage = calls(span).usage
    assert span.attributes[names.REQUEST_STREAM] is True
    assert (usage.input_tokens, usage.output_tokens) == (served.input, served.output)
    assert 0 < span.attributes[names.SERVER_TTFT] < span.duration_ms / 1000
    assert span.attributes[names.SERVER_TTFT] == span.attributes[names.RESPONSE_TIME_TO_FIRST_CHUNK]
    assert 0 < span.attributes[names.SERVER_TBT] < span.duration_ms / 1000
    if model_class:
        assert (usage.reasoning_tokens, usage.cache_read_tokens) == (served.reasoning, served.cached)
        assert span.attributes[names.RESPONSE_ID] == served.response_id
        assert span.attributes[names.RESPONSE_FINISH_REASONS] == ["stop"]


def test_a_stream_that_breaks_off_can_be_asked_for_again() -> None:
    broken = [True]

    def pieces() -> Generator[ChatMessageStreamDelta, None, None]:
        yield ChatMessageStreamDelta(content=ANSWER)
        if broken and broken.pop():
            raise ConnectionError("broken")

    built = CodeAgent(tools=[], model=Streaming(pieces), verbosity_level=QUIET, stream_outputs=True)
    (span,) = named(trace(built, "go", by=tracing(call_policy=persistent)).spans(), "chat")
    assert (span.status, span.attributes[names.RETRIES]) == ("UNSET", 1)
    assert span.attributes[names.OUTPUT_MESSAGES].count("final_answer") == ANSWER.count("final_answer")


def test_a_policy_is_told_what_a_call_sends_and_what_it_used() -> None:
    seen: list[Any] = []

    def look(request: Any) -> Any:
        answer = request.attempt()
        seen.append((request.prompt_bytes, request.max_tokens, request.usage, request.cost, request.cancelled.is_set()))
        return answer

    (span,) = chats(Fake(Flaky(0)), call_policy=look)
    ((size, max_tokens, usage, cost, cancelled),) = seen
    assert size > len("go")
    assert (max_tokens, usage, cost, cancelled) == (None, calls(span).usage, None, False)


def test_a_stream_that_breaks_keeps_what_came(model_server: ModelServer) -> None:
    model_server.add_fault("drop")
    model = openai_model(model_server, cls=RecordingModel)
    spans = trace(agent(CodeAgent, model, stream_outputs=True), "weather", raises=Exception).spans()
    (span,) = named(spans, "chat")
    assert span.status == "ERROR"
    assert calls(span).usage.total_tokens is None
    assert not any(names.UNFINISHED in each.attributes for each in spans)


def test_a_stream_without_usage_is_unknown() -> None:
    def pieces() -> Generator[ChatMessageStreamDelta, None, None]:
        yield ChatMessageStreamDelta(content=ANSWER)

    built = CodeAgent(tools=[], model=Streaming(pieces), verbosity_level=QUIET, stream_outputs=True)
    (span,) = named(trace(built, "go").spans(), "chat")
    assert names.USAGE_INPUT_TOKENS not in span.attributes


def test_the_context_is_the_callers_between_two_pieces() -> None:
    seen: list[Any] = []

    def pieces() -> Generator[ChatMessageStreamDelta, None, None]:
        for part in (ANSWER[:5], ANSWER[5:]):
            seen.append((otel.get_current_span().name, capture.current() is not None))
            yield ChatMessageStreamDelta(content=part)

    class Watching(CodeAgent):
        def _step_stream(self, memory_step: Any) -> Any:
            for piece in super()._step_stream(memory_step):
                seen.append((otel.get_current_span().name, capture.current() is not None))
                yield piece

    built = Watching(tools=[], model=Streaming(pieces), verbosity_level=QUIET, stream_outputs=True)
    trace(built, "go")
    assert set(seen) == {("chat fake-1", True), ("invoke_agent Watching", False)}


def test_the_delegate_is_the_model_in_all_else() -> None:
    inner = Fake(lambda _: said("x"), temperature=0.1)
    traced = TracedModel(inner, None, lambda: None)
    assert isinstance(traced, Model)
    assert traced.model_id == "fake-1"
    assert traced.kwargs is inner.kwargs
    assert traced.supports_stop_parameter == inner.supports_stop_parameter
    assert traced.to_dict() == inner.to_dict()
    assert traced.say is inner.say
    assert not hasattr(traced, "generate_stream")
    assert hasattr(TracedModel(Streaming(lambda: iter(())), None, lambda: None), "generate_stream")
    assert unwrapped(TracedModel(traced, None, lambda: None)) is inner
    with pytest.raises(AttributeError):
        _ = traced.nothing_of_the_kind


def test_foreign_spans_of_a_call_lie_under_it() -> None:
    ours = tracing()
    foreign = otel.get_tracer("someone.else", tracer_provider=ours.tracer_provider)

    def say(_: Any) -> ChatMessage:
        with foreign.start_as_current_span("theirs"):
            return said(ANSWER)

    test = trace(CodeAgent(tools=[], model=Fake(say), verbosity_level=QUIET), "go", by=ours)
    (theirs,), (chat,) = named(test.spans(), "theirs"), named(test.spans(), "chat")
    assert theirs.parent_span_id == chat.span_id


def test_official_instrumentations_are_told_that_the_call_has_its_span() -> None:
    genai = pytest.importorskip("opentelemetry.util.genai.invocation")
    handler = pytest.importorskip("opentelemetry.util.genai.handler")
    ours = tracing()
    telemetry = handler.TelemetryHandler(tracer_provider=ours.tracer_provider)

    def say(_: Any) -> ChatMessage:
        assert otel.context_api.get_value(genai.CLIENT_INFERENCE_CONTEXT_KEY) is not None
        with telemetry.inference("openai", request_model="fake-1"):
            return said(ANSWER)

    test = trace(CodeAgent(tools=[], model=Fake(say), verbosity_level=QUIET), "go", by=ours)
    assert {span.scope for span in test.spans()} == {"smoltrace"}


def test_a_call_outside_any_run_of_the_agent_is_the_tests_own() -> None:
    model = Fake(lambda _: said("aside", usage=TokenUsage(4, 2)))

    class Chatty(CodeAgent):
        def run(self, *args: Any, **kwargs: Any) -> Any:
            context = contextvars.Context()
            return context.run(self.model.generate, []).content

    spans = trace(Chatty(tools=[], model=model, verbosity_level=QUIET), "go").spans()
    assert calls_in(spans)[0].usage.input_tokens == 4
    assert not any(names.UNFINISHED in span.attributes for span in spans)


def test_an_error_of_the_server_is_told_by_its_class(model_server: ModelServer) -> None:
    model_server.script = lambda request, index: Reply(status=429, headers={"retry-after": "1"}, error="slow down")
    spans = trace(agent(CodeAgent, openai_model(model_server)), "x", raises=Exception).spans()
    (span,) = named(spans, "chat")
    assert span.attributes[names.ERROR_TYPE] == f"openai.{openai.RateLimitError.__name__}"
    assert "slow down" in span.status_description
