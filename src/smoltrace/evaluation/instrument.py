"""Foreign instrumentations, switched on for one run at a user's request: their spans join our traces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from smoltrace.errors import MissingExtraError, UsageError


@contextmanager
def instrumented(instrumentations: tuple[str, ...], tracer_provider: Any) -> Iterator[None]:
    """Switch the named instrumentations on, with our tracer provider, and off again at the end.

    Raises UsageError for an unknown name and MissingExtraError for one that is not installed.
    """
    for name in instrumentations:
        if name not in _SWITCHES:
            raise UsageError(f"--instrument '{name}' is unknown: choose of {', '.join(sorted(_SWITCHES))}.")
    with ExitStack() as stack:
        for name in instrumentations:
            stack.callback(_SWITCHES[name](tracer_provider))
        yield


def _openinference(tracer_provider: Any) -> Callable[[], None]:
    try:
        from openinference.instrumentation.smolagents import SmolagentsInstrumentor
    except ModuleNotFoundError as error:
        raise MissingExtraError("openinference", "OpenInference's instrumentation") from error
    instrumentor = SmolagentsInstrumentor()
    instrumentor.instrument(tracer_provider=tracer_provider)
    off: Callable[[], None] = instrumentor.uninstrument
    return off


def _genai_otel(tracer_provider: Any) -> Callable[[], None]:
    # It looks for a collector at start and at exit, and waits for one, unless told not to.
    os.environ.setdefault("GENAI_SKIP_COLLECTOR_CHECK", "true")
    try:
        import genai_otel
    except ModuleNotFoundError as error:
        raise MissingExtraError("genai-otel", "genai-otel-instrument's instrumentation") from error
    from opentelemetry import trace

    # It takes its tracers from the global provider only, so ours has to be that one.
    trace.set_tracer_provider(tracer_provider)
    genai_otel.instrument(service_name="smoltrace", enable_gpu_metrics=False, enable_co2_tracking=False)
    return lambda: None


_SWITCHES: dict[str, Callable[[Any], Callable[[], None]]] = {"openinference": _openinference, "genai-otel": _genai_otel}
