"""Where tests are run: the model, the agents and the tracing of a run, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from smoltrace.evaluation.engines.execute import Bench

if TYPE_CHECKING:
    from smoltrace.agents.prompts import AgentType
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.engines.scribe import Scribe
    from smoltrace.tracing.collector import SpanListener
    from smoltrace.tracing.scope import CallPolicy


@contextmanager
def open_bench(
    scribe: Scribe,
    config: EvalConfig,
    spec: ModelSpec,
    agent_types: Iterable[AgentType],
    *,
    call_policy: CallPolicy,
    model: Any = None,
    listener: SpanListener | None = None,
) -> Iterator[Bench]:
    """The bench of a run, with agents of each kind tried out; closed at the end of the block.

    `model` is used instead of building that of `spec`; `listener` hears of every span as it starts and ends.
    Raises UsageError for a model or an agent that cannot be made: nothing is spent by then.
    """
    from smoltrace.agents.build import AgentBuilder
    from smoltrace.agents.providers import build_model
    from smoltrace.evaluation.instrument import instrumented
    from smoltrace.tracing.tracer import Tracing

    tracing = Tracing(
        resource=scribe.resource,
        price_book=scribe.price_book,
        system=scribe.system,
        provider=scribe.provider,
        record_content=scribe.secrecy.record_content,
        redactor=scribe.secrecy.redactor,
        call_policy=call_policy,
        listener=listener,
    )
    try:
        # Before the model is built: an instrumentation may see only the clients that are made after it.
        with instrumented(config.instrument, tracing.tracer_provider):
            built = model or build_model(spec)
            with AgentBuilder(config.agent, built, stream=spec.stream) as builder:
                builder.check(set(agent_types))
                yield Bench(scribe, builder, tracing)
    finally:
        tracing.shutdown()
