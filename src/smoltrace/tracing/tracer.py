"""Traces tests: agents go in as they are, spans that nothing has dropped or cut short come out."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import set_span_in_context
from smolagents.agents import RunResult

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.errors import UsageError
from smoltrace.tracing.agents import AgentTrace
from smoltrace.tracing.collector import Collector, SpanListener
from smoltrace.tracing.model import TracedModel, unwrapped
from smoltrace.tracing.redaction import Redactor
from smoltrace.tracing.scope import CallPolicy, Scope, Settings, fail, fail_as, note
from smoltrace.version import __version__

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook

PROVIDER = "smoltrace.provider"


class Tracing:
    """The tracing of one run: an own tracer provider, which nothing global knows, and the spans of tests in progress.

    resource        attributes of every span's resource
    price_book      prices each call before its span ends; None leaves costs out
    system          whose models are asked (`gen_ai.system`, `gen_ai.provider.name`), and whose prices hold
    provider        by which client they are asked (`smoltrace.provider`), such as openai or litellm
    record_content  False keeps no prompt, answer, tool argument or tool result
    generation      request parameters to show for models that don't tell their own
    redactor        masks secrets in every span; None masks what is known by its shape or its name alone
    listener        hears of every span as it starts and ends
    call_policy     stands around every model call: it is given the request, and makes it
    """

    def __init__(
        self,
        *,
        resource: Mapping[str, Any],
        price_book: PriceBook | None,
        system: str,
        provider: str,
        record_content: bool = True,
        generation: Mapping[str, Any] | None = None,
        call_policy: CallPolicy | None = None,
        redactor: Redactor | None = None,
        listener: SpanListener | None = None,
    ) -> None:
        self._collector, self._provider = Collector(resource, redactor, record_content, listener), provider
        self.tracer_provider = _provider(resource, self._collector)
        self._settings = Settings(
            tracer=self.tracer_provider.get_tracer(names.SCOPE, __version__),
            price_book=price_book,
            system=system,
            record_content=record_content,
            generation=dict(generation or {}),
            call_policy=call_policy,
        )

    def test(self, name: str, attributes: Mapping[str, Any] | None = None, *, uid: str = "") -> TestTrace:
        """A test to be traced, a context manager for a fresh `contextvars.Context`.

        `name` is that of its root span; `uid` is what the call policy is told that a call is made for.
        """
        settings = {PROVIDER: self._provider, **(attributes or {})}
        return TestTrace(self._settings, self._collector, name, settings, uid or name)

    def shutdown(self) -> None:
        """Stop collecting. Nothing is written or sent, so nothing can be lost or waited for."""
        self.tracer_provider.shutdown()


class TestTrace:
    """The trace of one test. Its spans are to be had from `spans` after the end of the `with` block.

    Another thread may end a test that hangs: `cancel` keeps it from calling models and tools any more, `close` takes
    its spans as they stand. What the test's own thread does after that goes nowhere.
    """

    __test__ = False  # no test class, whatever its name makes pytest believe

    def __init__(
        self, settings: Settings, collector: Collector, name: str, attributes: dict[str, Any], uid: str
    ) -> None:
        self._settings, self._collector = settings, collector
        self._name, self._attributes, self._uid = name, attributes, uid
        self._scope: Scope | None = None
        self._token: Any = None
        self._spans: list[Span] | None = None

    def start(self) -> None:
        """Begin the root span, before the `with` block does and from any thread."""
        root = self._settings.tracer.start_span(self._name, context=Context(), attributes=self._attributes)
        assert isinstance(root, SdkSpan)  # our provider samples everything
        self._collector.adopt(root)
        self._scope = Scope(self._settings, root, name=self._uid)

    def __enter__(self) -> TestTrace:
        if self._scope is None:
            self.start()
        self._token = otel_context.attach(set_span_in_context(self._root))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        otel_context.detach(self._token)
        if self._opened.cancelled.is_set():
            return  # whoever cancelled the test closes it
        if error is not None:
            fail(self._root, error)
        self.close()

    def cancel(self) -> None:
        """The test is over: from now on its calls of models and tools raise Stopped. Any thread may say so."""
        self._opened.cancelled.set()

    def fail(self, error_type: str, description: str) -> None:
        """Mark the test's span as failed."""
        fail_as(self._root, error_type, description)

    def close(self) -> None:
        """End the test's span, with all that are still open, and keep what was recorded. Once is enough."""
        if self._spans is None:
            self._spans = self._collector.take(self._root)

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return f"{self._trace_number:032x}"

    def run(self, agent: Any, prompt: str, **kwargs: Any) -> Any:
        """Run the agent on the prompt and return its final answer. Raises what the agent raises.

        `kwargs` go to `agent.run`. The agent is given back as it was. Raises UsageError for an agent that runs in
        another test at this moment, and for `stream=True`.
        """
        if kwargs.get("stream"):
            raise UsageError(
                "A traced run cannot be streamed: leave out stream=True. The model may stream all the same."
            )
        scope = self._opened
        trace = AgentTrace(agent, scope)
        traces = {id(agent): trace}
        try:
            trace.instrument(traces)
            result = trace.invoke(scope.root, prompt, lambda: _whole(agent.run(prompt, **kwargs)))
        finally:
            for instrumented in traces.values():
                instrumented.restore()
        return result

    def model(self, model: Any) -> Any:
        """The model as this test calls it, for who asks it without an agent: every call under a span of the test."""
        return TracedModel(unwrapped(model), self._opened, lambda: None)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes on the test's span; those that are None are left out."""
        note(self._root, {key: value for key, value in attributes.items() if value is not None})

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Add an event to the test's span."""
        if self._root.is_recording():
            self._root.add_event(name, dict(attributes or {}))

    @property
    def monitor_tokens(self) -> tuple[int, int] | None:
        """Input and output tokens as smolagents itself counted them, step by step and in managed agents too.

        None where it did not count a step. For comparison only: it knows nothing of cached and reasoning tokens.
        """
        counted = [count for count in self._opened.counted if count is not None]
        if len(counted) != len(self._opened.counted):
            return None
        return sum(i for i, _ in counted), sum(o for _, o in counted)

    def ended(self) -> list[Span]:
        """The spans that have ended so far, in the order of their end; after the `with` block, all."""
        return list(self._spans) if self._spans is not None else self._collector.ended(self._trace_number)

    def spans(self) -> list[Span]:
        """All spans of the trace, foreign ones too, in the order of their end. Prompts are references until restored.

        Those that were still open are closed, failed and marked `smoltrace.unfinished`. Raises RuntimeError before the
        end of the `with` block.
        """
        if self._spans is None:
            raise RuntimeError("The spans of a test are complete when its `with` block has ended, or it was closed.")
        return list(self._spans)

    @property
    def _opened(self) -> Scope:
        if self._scope is None:
            raise RuntimeError("A test is traced inside its `with` block.")
        return self._scope

    @property
    def _root(self) -> SdkSpan:
        return self._opened.root

    @property
    def _trace_number(self) -> int:
        return self._root.get_span_context().trace_id


class _SystemIds(IdGenerator):
    """Ids from the system's randomness. The SDK takes them from `random`, which a tool or a model's code may seed: the
    same ids come again then, and spans, and calls with them, are lost."""

    def generate_span_id(self) -> int:
        return secrets.randbits(64) or 1

    def generate_trace_id(self) -> int:
        return secrets.randbits(128) or 1

    def is_trace_id_random(self) -> bool:
        return True


def _provider(resource: Mapping[str, Any], collector: Collector) -> TracerProvider:
    """A provider that the environment cannot switch off, sample or limit: the books need every span, and all of it."""
    unlimited = SpanLimits.UNSET
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource(dict(resource)),
        shutdown_on_exit=False,
        id_generator=_SystemIds(),
        span_limits=SpanLimits(**dict.fromkeys(inspect.signature(SpanLimits).parameters, unlimited)),
    )
    provider._disabled = False  # OTEL_SDK_DISABLED is about exporting, and nothing is exported here
    provider.add_span_processor(collector)
    return provider


def _whole(result: Any) -> Any:
    return result.output if isinstance(result, RunResult) else result
