"""One traced question, without an agent."""

from __future__ import annotations

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from smolagents import ChatMessage, MessageRole, Model
from smolagents.monitoring import TokenUsage

from smoltrace.agents.spec import GenerationParams, ModelSpec
from smoltrace.books import names
from smoltrace.books.prices import MappingSource, Price, PriceBook, per_token
from smoltrace.evaluation.checkup.probe import ask

SPEC = ModelSpec(model_id="m", provider="openai", generation=GenerationParams(max_tokens=7))


class Fake(Model):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(model_id="m")
        self.error = error

    def generate(self, messages: object, **_: object) -> ChatMessage:
        if self.error is not None:
            raise self.error
        return ChatMessage(role=MessageRole.ASSISTANT, content="ok", token_usage=TokenUsage(10, 2))


def book() -> PriceBook:
    from decimal import Decimal

    price = Price(per_token(Decimal(1)), per_token(Decimal(10)))
    return PriceBook([MappingSource({"m": price}, name="mine")])


def test_the_span_arrives_with_tokens_and_cost_and_its_parameters() -> None:
    arrived = ask(Fake(), SPEC, book())
    given = arrived.span.attributes
    assert (given[names.USAGE_INPUT_TOKENS], given[names.USAGE_OUTPUT_TOKENS]) == (10, 2)
    assert given[names.COST_TOTAL] == arrived.cost_at_end == 3e-05
    assert given[names.REQUEST_MAX_TOKENS] == 7
    assert arrived.processors == ("Collector",)


def test_without_a_price_no_cost_stands_on_the_span() -> None:
    assert ask(Fake(), SPEC, PriceBook([])).cost_at_end is None


def test_a_span_of_the_caller_is_no_parent() -> None:
    with TracerProvider().get_tracer("mine").start_as_current_span("mine"):
        mine = otel.get_current_span().get_span_context()
        arrived = ask(Fake(), SPEC, book())
    assert int(arrived.span.trace_id, 16) != mine.trace_id


def test_what_the_call_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="no luck"):
        ask(Fake(ValueError("no luck")), SPEC, book())
