"""Foreign instrumentations, switched on for one run at a user's request: their spans join our traces.

Of each only the part that makes spans is switched on, with tracers of ours: nothing is sent anywhere, nothing is
printed, no thread is started and nothing is waited for. The program's own tracer and meter providers are not replaced,
and no `OTEL_*` variable can switch the spans off. A foreign span is made inside the tests of a run that asked for it,
and nowhere else.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Tracer,
    TracerProvider,
    get_current_span,
    use_span,
)

from smoltrace.errors import MissingExtraError, UsageError

GENAI_OTEL_SCOPE: Final = "genai_otel.instrumentors.base"
"""The scope that its spans have everywhere else too."""
GENAI_OTEL_INSTRUMENTORS: Final = {
    "openai": "OpenAIInstrumentor",
    "anthropic": "AnthropicInstrumentor",
    "litellm": "LiteLLMLatencyInstrumentor",
    "huggingface_hub.inference._client": "HuggingFaceInstrumentor",
    "transformers.models.auto.modeling_auto": "HuggingFaceInstrumentor",
}
"""Whose calls genai-otel-instrument records here: a module of the client, and the instrumentor that patches it.

The others are for frameworks that no agent here runs on, or poll a server of their own accord (ollama's).
"""


@contextmanager
def instrumented(instrumentations: tuple[str, ...], tracer_provider: SdkTracerProvider) -> Iterator[None]:
    """Switch the named instrumentations on, for the traces of this tracer provider, and off again at the end.

    Runs may follow each other and overlap in one process: what several want is switched on once, and off after the
    last. OpenInference takes all its patches back. genai-otel-instrument cannot: its patches of the clients' classes
    stay for the life of the process, and from then on hand every call through without a span. What the program has
    switched on itself stays the way it is, and its spans go where the program sends them.

    Raises UsageError for an unknown name, and for an instrumentation that refuses the installed packages;
    MissingExtraError for one that is not installed.
    """
    check_names(instrumentations)
    with ExitStack() as stack:
        for name in dict.fromkeys(instrumentations):
            stack.enter_context(_INSTRUMENTATIONS[name].for_run(tracer_provider))
        yield


def check_names(instrumentations: tuple[str, ...]) -> None:
    """Raise UsageError for the first name that is no instrumentation."""
    for name in instrumentations:
        if name not in _INSTRUMENTATIONS:
            raise UsageError(f"--instrument '{name}' is unknown: choose of {', '.join(sorted(_INSTRUMENTATIONS))}.")


class _TestTracers(TracerProvider):
    """Gives an instrumentation tracers that write each span to the run whose test it belongs to.

    Instrumentations keep the first tracer that they are given for the life of the process; runs come and go.
    """

    def __init__(self) -> None:
        self._homes: dict[int, _Home] = {}

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Tracer:
        # The scope's attributes are left out: nothing of them is kept in a trace.
        return _TestTracer(self._homes, (instrumenting_module_name, instrumenting_library_version, schema_url))

    @contextmanager
    def joining(self, provider: SdkTracerProvider) -> Iterator[None]:
        home = _Home(provider, self._homes)
        provider.add_span_processor(home)
        try:
            yield
        finally:
            home.close()


Scope = tuple[str, str | None, str | None]


class _Home(SpanProcessor):
    """The tracer provider of a run. As its span processor it learns which traces are the run's."""

    def __init__(self, provider: SdkTracerProvider, homes: dict[int, _Home]) -> None:
        self._provider, self._homes = provider, homes
        self._tracers: dict[Scope, Tracer] = {}
        self._open = True

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        if span.parent is None and self._open:
            self._homes[span.get_span_context().trace_id] = self

    def on_end(self, span: ReadableSpan) -> None:
        if span.parent is None and (context := span.get_span_context()) is not None:
            self._homes.pop(context.trace_id, None)

    def tracer(self, scope: Scope) -> Tracer:
        tracer = self._tracers.get(scope)
        if tracer is None:
            tracer = self._tracers[scope] = self._provider.get_tracer(*scope)
        return tracer

    def close(self) -> None:
        """Take in no further trace, and let go of those that are still open."""
        self._open = False
        for trace_id in [trace_id for trace_id, home in list(self._homes.items()) if home is self]:
            self._homes.pop(trace_id, None)


class _TestTracer(Tracer):
    """Makes spans for the run that the span above belongs to, and none where there is no such run."""

    def __init__(self, homes: dict[int, _Home], scope: Scope) -> None:
        self._homes, self._scope = homes, scope

    def start_span(self, name: str, context: Context | None = None, *args: Any, **kwargs: Any) -> Span:
        above = get_current_span(context).get_span_context()
        home = self._homes.get(above.trace_id)
        if home is None:
            return _NoSpan(name, above)
        return home.tracer(self._scope).start_span(name, context, *args, **kwargs)

    def start_as_current_span(self, name: str, context: Context | None = None, *args: Any, **kwargs: Any) -> Any:
        above = get_current_span(context).get_span_context()
        home = self._homes.get(above.trace_id)
        if home is None:
            return use_span(_NoSpan(name, above), record_exception=False, set_status_on_exception=False)
        return home.tracer(self._scope).start_as_current_span(name, context, *args, **kwargs)


class _NoSpan(NonRecordingSpan):
    """Stands for the span above it, so that nothing is missing between that and what comes below.

    It has a name and attributes because genai-otel-instrument reads them from every span, and fails the call otherwise.
    """

    def __init__(self, name: str, context: SpanContext) -> None:
        super().__init__(context)
        self.name = name
        self.attributes: dict[str, Any] = {}


class _Instrumentation:
    """One foreign instrumentation, and how many runs want it at the moment.

    `switch_on` is given where its tracers come from, and returns what switches it off.
    """

    def __init__(self, switch_on: Callable[[TracerProvider], Callable[[], None]]) -> None:
        self._switch_on = switch_on
        self._switch_off: Callable[[], None] | None = None
        self._tracers = _TestTracers()
        self._runs = 0
        self._lock = threading.Lock()

    @contextmanager
    def for_run(self, provider: SdkTracerProvider) -> Iterator[None]:
        with self._lock:
            if self._runs == 0:
                self._switch_off = self._switch_on(self._tracers)
            self._runs += 1
        try:
            with self._tracers.joining(provider):
                yield
        finally:
            with self._lock:
                self._runs -= 1
                if self._runs == 0 and self._switch_off is not None:
                    self._switch_off()


def _openinference(tracers: TracerProvider) -> Callable[[], None]:
    try:
        from openinference.instrumentation.smolagents import SmolagentsInstrumentor
    except ModuleNotFoundError as error:
        raise MissingExtraError("openinference", "OpenInference's instrumentation") from error
    instrumentor = SmolagentsInstrumentor()  # one object in the whole process, whoever asks for it
    if instrumentor.is_instrumented_by_opentelemetry:
        return lambda: None
    instrumentor.instrument(tracer_provider=tracers)
    if not instrumentor.is_instrumented_by_opentelemetry:
        raise UsageError("OpenInference's instrumentation refuses the installed smolagents: update either.")
    off: Callable[[], None] = instrumentor.uninstrument
    return off


class _GenaiOtel:
    """genai-otel-instrument's instrumentors, each from the moment its client is imported.

    Its own `instrument()` is not called: that sets global providers up, with exporters and a reader of metrics which
    print or wait for a collector at exit, reads a `.env` file, and imports every library that it knows.
    """

    def __init__(self) -> None:
        self._active = False
        self._waiting: set[str] = set()
        self._patched: set[str] = set()

    def __call__(self, tracers: TracerProvider) -> Callable[[], None]:
        try:
            from genai_otel import OTelConfig, instrumentors
            from wrapt import register_post_import_hook
        except ModuleNotFoundError as error:
            raise MissingExtraError("genai-otel", "genai-otel-instrument's instrumentation") from error
        # What it computes and measures beside the spans is our books' affair.
        config = OTelConfig(
            service_name="smoltrace",
            endpoint="",
            enabled_instrumentors=[],
            enable_gpu_metrics=False,
            enable_co2_tracking=False,
            enable_cost_tracking=False,
            enable_mcp_instrumentation=False,
            enable_http_instrumentation=False,
            enable_concurrency_metrics=False,
        )
        self._active = True

        def patch(client: str, _module: Any = None) -> None:
            self._waiting.discard(client)
            name = GENAI_OTEL_INSTRUMENTORS[client]
            if not self._active or name in self._patched:
                return
            self._patched.add(name)
            instrumentor = getattr(instrumentors, name)()
            instrumentor.tracer = tracers.get_tracer(GENAI_OTEL_SCOPE)
            instrumentor.instrument(config=config)

        for client in GENAI_OTEL_INSTRUMENTORS:
            if client in sys.modules:
                patch(client)
            elif client not in self._waiting:
                self._waiting.add(client)
                # Importing a client only to patch it would cost seconds, and memory for clients that nobody calls.
                register_post_import_hook(partial(patch, client), client)
        return self._switch_off

    def _switch_off(self) -> None:
        self._active = False


_INSTRUMENTATIONS: Final = {
    "openinference": _Instrumentation(_openinference),
    "genai-otel": _Instrumentation(_GenaiOtel()),
}
