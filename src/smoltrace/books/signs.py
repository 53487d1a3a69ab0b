"""What a span says, whichever instrumentation wrote it: is it a call to a model, and with which facts.

Known are the OpenTelemetry GenAI conventions and their older names, OpenInference (`openinference.span.kind`, `llm.*`)
and genai-otel-instrument.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.books.usage import Usage

INFERENCE_OPERATIONS: Final = frozenset(
    {
        names.CHAT, names.TEXT_COMPLETION, names.GENERATE_CONTENT, names.EMBEDDINGS,
        "completion", "generate", "text_generation", "responses", "embedding",
    }
)  # fmt: skip
_OTHER_OPERATIONS: Final = frozenset(
    {
        names.INVOKE_AGENT, names.CREATE_AGENT, names.EXECUTE_TOOL, "invoke_workflow", "run", "plan", "planning",
        "retrieval", "retrieve", "rerank", "batch",
    }
)  # fmt: skip
_INFERENCE_KINDS: Final = frozenset({"LLM", "EMBEDDING"})
_AGENT_KINDS: Final = frozenset({"AGENT", "CHAIN"})

_REQUEST_MODEL: Final = (names.REQUEST_MODEL, "llm.request.model_name", "llm.model_name", "embedding.model_name")
_RESPONSE_MODEL: Final = (names.RESPONSE_MODEL, "llm.response.model_name")
_PROVIDER: Final = (names.PROVIDER_NAME, names.SYSTEM, "llm.provider", "llm.system")
_FINISH: Final = (names.RESPONSE_FINISH_REASONS, "gen_ai.response.finish_reason", "llm.finish_reason")
TEST_ID: Final = (names.TEST_ID, "test.id", "test_id")
AGENT_TYPE: Final = (names.AGENT_TYPE, "agent.type")
NAMING: Final = frozenset({*_REQUEST_MODEL, *_RESPONSE_MODEL, *_PROVIDER, *_FINISH, *TEST_ID, *AGENT_TYPE, "tool.name"})
"""Attributes that say which model, provider, tool, test and agent, by every convention: the books rest on them."""
_TTFT: Final = (
    names.RESPONSE_TIME_TO_FIRST_CHUNK, names.SERVER_TTFT, "gen_ai.server.time_to_first_token",
    "gen_ai.latency.time_to_first_token",
)  # fmt: skip
_GENERATE: Final = "huggingface.model.generate"
_TBT: Final = (names.SERVER_TBT, "gen_ai.server.time_per_output_token")


def is_inference(span: Span) -> bool:
    """Whether the span is a call to a model, embeddings included, and not an agent, a step, a chain or a tool."""
    kind = span.attributes.get(names.OPENINFERENCE_SPAN_KIND)
    if kind is not None:
        return str(kind).upper() in _INFERENCE_KINDS
    operation = span.attributes.get(names.OPERATION_NAME)
    if operation is not None and (known := str(operation).lower()) in INFERENCE_OPERATIONS | _OTHER_OPERATIONS:
        return known in INFERENCE_OPERATIONS
    # An unfamiliar operation, or none, as older instrumentations have it: a model and tokens, but no agent.
    return (
        span.scope != names.SCOPE
        and text(span.attributes, (*_REQUEST_MODEL, *_RESPONSE_MODEL)) is not None
        and names.AGENT_NAME not in span.attributes
        and usage_of(span).is_known
    )


def is_agent(span: Span) -> bool:
    """Whether the span is an agent's run or a chain, which may repeat the sum of its calls."""
    kind = span.attributes.get(names.OPENINFERENCE_SPAN_KIND)
    if kind is not None:
        return str(kind).upper() in _AGENT_KINDS
    return str(span.attributes.get(names.OPERATION_NAME)).lower() in (names.INVOKE_AGENT, "invoke_workflow")


def usage_of(span: Span) -> Usage:
    """The tokens that the span carries, normalised.

    Zero in and zero out from a foreign instrumentation is no usage: no call reads nothing, and smolagents puts zeros
    where a server reported none. Neither is what genai-otel-instrument says of a generation by transformers whose
    prompt it did not see, as smolagents hands it over: it takes the prompt for output.
    """
    usage = Usage.from_attributes(span.attributes)
    if span.scope == names.SCOPE:
        return usage
    if not usage.input_tokens and not usage.output_tokens:
        return Usage()
    if span.scope.startswith("genai_otel") and span.name == _GENERATE and not usage.input_tokens:
        return Usage()
    if span.scope.startswith("genai_otel") and provider_of(span.attributes) == "anthropic":
        return _with_cache_in_input(usage)
    return usage


def _with_cache_in_input(usage: Usage) -> Usage:
    """genai-otel-instrument hands Anthropic's raw input on, which excludes both cache counts."""
    if usage.input_tokens is None:
        return usage
    return Usage(
        input_tokens=usage.input_tokens + usage.cached_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def operation_of(span: Span) -> str:
    """`chat`, `embeddings`, ..., also where only an OpenInference kind says it."""
    kind = str(span.attributes.get(names.OPENINFERENCE_SPAN_KIND, "")).upper()
    by_kind = {"EMBEDDING": names.EMBEDDINGS, "AGENT": names.INVOKE_AGENT, "CHAIN": names.INVOKE_AGENT}
    return str(span.attributes.get(names.OPERATION_NAME) or by_kind.get(kind, names.CHAT))


def provider_of(attributes: Mapping[str, Any]) -> str | None:
    """The provider's name as the span spells it."""
    return text(attributes, _PROVIDER)


def request_model_of(attributes: Mapping[str, Any]) -> str | None:
    """The model that was asked for."""
    return text(attributes, _REQUEST_MODEL)


def response_model_of(attributes: Mapping[str, Any]) -> str | None:
    """The model that says it answered."""
    return text(attributes, _RESPONSE_MODEL)


def finish_reasons_of(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Why the model stopped, one per choice."""
    for name in _FINISH:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return (value,)
        if isinstance(value, (list, tuple)) and value:
            return tuple(str(reason) for reason in value)
    return ()


def ttft_of(attributes: Mapping[str, Any]) -> float | None:
    """Seconds to the first token."""
    return next((seconds for name in _TTFT if (seconds := number(attributes.get(name))) is not None), None)


def tbt_of(attributes: Mapping[str, Any]) -> float | None:
    """Mean seconds between tokens."""
    return next((seconds for name in _TBT if (seconds := number(attributes.get(name))) is not None), None)


def parameters_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request's sampling parameters by their bare names; OpenInference keeps them in one JSON text."""
    raw = attributes.get("llm.invocation_parameters")
    parameters: dict[str, Any] = {}
    if isinstance(raw, str):
        try:
            parsed = json.loads(raw)
        except ValueError:
            parsed = None
        parameters = dict(parsed) if isinstance(parsed, dict) else {}
    prefix = "gen_ai.request."
    for name in ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty"):
        if (value := attributes.get(prefix + name)) is not None:
            parameters[name] = value
    return parameters


def error_of(span: Span) -> str | None:
    """What kind of error ended the span, None where it did not fail."""
    if (error := text(span.attributes, (names.ERROR_TYPE,))) is not None:
        return error
    if span.status != "ERROR":
        return None
    for event in reversed(span.events):
        if event.name == names.EXCEPTION_EVENT and (kind := text(event.attributes, (names.EXCEPTION_TYPE,))):
            return kind
    return span.status_description or "error"


def reported_cost_of(span: Span) -> Decimal | None:
    """USD that the provider itself reported, as smoltrace recorded it.

    Other instrumentations compute the cost that they put on a span, so theirs is not read.
    """
    if span.scope != names.SCOPE:
        return None
    reported = span.attributes.get(names.COST_REPORTED)
    if reported is None and span.attributes.get(names.COST_QUALITY) == "provider_reported":
        reported = span.attributes.get(names.COST_TOTAL)
    if reported is None or isinstance(reported, bool):
        return None
    try:
        amount = Decimal(str(reported))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def text(attributes: Mapping[str, Any], candidates: tuple[str, ...]) -> str | None:
    """The first of these attributes that is a text and says something."""
    for name in candidates:
        value = attributes.get(name)
        if isinstance(value, str) and value and value != "unknown":
            return value
    return None


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return None
    return float(value)


def whole(value: Any) -> int | None:
    """A whole number that a double holds exactly, or None."""
    finite = number(value)
    return int(finite) if finite is not None and finite.is_integer() and abs(finite) <= 2**53 else None
