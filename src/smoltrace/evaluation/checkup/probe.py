"""One question to a model under the tracing of a run: the span that arrives, and what stood on it when it ended."""

from __future__ import annotations

import contextvars
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from smoltrace.books import names
from smoltrace.evaluation.lives.manifest import SERVICE_NAME
from smoltrace.tracing.tracer import Tracing

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.prices import PriceBook
    from smoltrace.books.spans import Span

QUESTION: Final = "Say: ok"


@dataclass(frozen=True, slots=True)
class Arrived:
    """The span of the call as the run keeps it, what it cost when the last span processor saw it end (USD, None where
    no cost stood on it), and the span processors of the run in their order."""

    span: Span
    cost_at_end: float | None
    processors: tuple[str, ...]


def ask(model: Any, spec: ModelSpec, price_book: PriceBook) -> Arrived:
    """Ask the model once. `spec` is resolved, and has the parameters that go with the call. Raises what that raises."""
    from smoltrace.agents.providers import system_of

    if spec.provider in ("openai", "ollama", "litellm"):
        # The client imports this, which takes longer than many an answer, when it is first asked for one.
        importlib.import_module("openai.resources.chat")
    tracing = Tracing(
        resource={names.SERVICE_NAME: SERVICE_NAME},
        price_book=price_book,
        system=system_of(spec),
        provider=spec.provider,
        generation=spec.generation.sent(),
    )
    try:
        processors = _processors(tracing)
        witness = _Witness()
        tracing.tracer_provider.add_span_processor(witness)
        # A fresh context, as every test has: a span of the caller's must not become the parent.
        span = contextvars.Context().run(_call, tracing, model)
    finally:
        tracing.shutdown()
    return Arrived(span, witness.costs.get(int(span.span_id, 16)), processors)


def _call(tracing: Tracing, model: Any) -> Span:
    with tracing.test("checkup") as trace:
        trace.model(model).generate([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}])
    chats = [span for span in trace.spans() if span.attributes.get(names.OPERATION_NAME) == names.CHAT]
    return chats[-1]


class _Witness(SpanProcessor):
    """Stands last in the chain, where an exporter would, and notes what each span cost when it ended."""

    def __init__(self) -> None:
        self.costs: dict[int, float] = {}

    def on_end(self, span: ReadableSpan) -> None:
        context, cost = span.get_span_context(), (span.attributes or {}).get(names.COST_TOTAL)
        if context is not None and isinstance(cost, float):
            self.costs[context.span_id] = cost


def _processors(tracing: Tracing) -> tuple[str, ...]:
    """Class names, in the order in which they are told of a span. The SDK has no public way to ask for them."""
    active = getattr(tracing.tracer_provider, "_active_span_processor", None)
    return tuple(type(each).__name__ for each in getattr(active, "_span_processors", ()))
