"""The span of one model call: what was asked, what came back, what it cost, and how it failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import Span as SdkSpan
from smolagents.models import agglomerate_stream_deltas

from smoltrace.books import names
from smoltrace.books.usage import Usage
from smoltrace.tracing.capture import CallCapture, field
from smoltrace.tracing.content import output_messages, prompt_size
from smoltrace.tracing.interrupt import unstopped
from smoltrace.tracing.scope import Scope, current, end, error_name, fail, note
from smoltrace.tracing.steps import Invocation

if TYPE_CHECKING:
    from smoltrace.books.cost import Cost

T = TypeVar("T")

RETRY_EVENT = "smoltrace.retry"
"""The event of an attempt that failed without usage and was made again under the same span."""

MAX_TOKENS = ("max_tokens", "max_completion_tokens", "max_new_tokens")
"""The names under which a limit on the output is sent."""

_SAID_ONCE = (names.INPUT_FIRST, names.INPUT_MESSAGES)

PARAMETERS = {
    "temperature": names.REQUEST_TEMPERATURE,
    "top_p": names.REQUEST_TOP_P,
    "top_k": names.REQUEST_TOP_K,
    "max_tokens": names.REQUEST_MAX_TOKENS,
    "max_completion_tokens": names.REQUEST_MAX_TOKENS,
    "max_new_tokens": names.REQUEST_MAX_TOKENS,
    "frequency_penalty": names.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": names.REQUEST_PRESENCE_PENALTY,
    "seed": names.REQUEST_SEED,
}


class ModelCall:
    """One call of a model by an agent, from the request to its last token.

    The span covers all attempts that the run's call policy makes, and begins with the first: time spent waiting for
    permission is not the model's. An attempt that failed but was billed (its usage is known) gets a span of its own, so
    that its tokens are kept beside those of the attempt that replaced it. `usage` and `cost` are those of the latest
    attempt, for the policy.
    """

    def __init__(
        self,
        model: Any,
        scope: Scope,
        invocation: Invocation | None,
        messages: Iterable[Any],
        kwargs: Mapping[str, Any],
        stream: bool,
    ) -> None:
        self._model, self._scope, self._invocation = model, scope, invocation
        self._messages, self._kwargs, self._stream = messages, kwargs, stream
        self._model_id = str(getattr(model, "model_id", None) or type(model).__name__)
        self._parent = scope.root if invocation is None else invocation.open_step()
        self._attributes: dict[str, Any] | None = None
        self._span: SdkSpan | None = None
        self._capture = CallCapture()
        self._attempts = self._retries = 0
        self._asked_s = 0.0
        self._deltas: list[Any] = []
        self._arrivals = CallCapture()
        self._last_error: BaseException | None = None
        self._answered_model: str | None = None
        self.usage = Usage()
        self._price: Cost | None = None

    @property
    def test(self) -> str:
        return self._scope.name

    @property
    def cancelled(self) -> threading.Event:
        return self._scope.cancelled

    @property
    def prompt_bytes(self) -> int:
        return prompt_size(self._messages, self._kwargs.get("tools_to_call_from") or ())

    @property
    def max_tokens(self) -> int | None:
        limits = (self._given().get(name) for name in MAX_TOKENS)
        return next((limit for limit in limits if isinstance(limit, int)), None)

    @property
    def cost(self) -> Decimal | None:
        return None if self._price is None else self._price.total

    def run(self, request: Callable[[], T]) -> T:
        """Make the call as the run's policy has it; `request` makes it once. Raises what the last attempt raised."""
        self._request: Callable[[], Any] = request
        policy = self._scope.settings.call_policy
        try:
            with unstopped():  # the client may be every test's
                answer: T = self.attempt() if policy is None else policy(self)
        except BaseException as error:
            self._failed(error)
            raise
        if self._span is not None:  # else the policy answered by itself: no call was made
            message = None if self._stream else answer
            self._close(self._streamed_answer() if self._stream else self._told(message), None)
        return answer

    def attempt(self) -> Any:
        """Make the request once, under the span of this call. Raises what the request raises."""
        self._scope.check()
        span = self._open()
        if self._last_error is not None:
            span.add_event(RETRY_EVENT, {names.ERROR_TYPE: error_name(self._last_error)})
            self._last_error = None
        self._retries += self._attempts > 0
        self._attempts += 1
        self._begin()
        try:
            with self._current():
                answer = self._request()
            self._scope.check()
        except BaseException as error:
            self._settle(self._streamed_usage() if self._stream else self._captured_usage())
            if self.usage.is_known:
                self._close(self._streamed_answer() if self._deltas else {}, error)
            else:
                self._last_error = error
            raise
        self._settle(self._streamed_usage() if self._stream else self._usage_of(answer))
        return answer

    def _begin(self) -> None:
        self._capture.reset()
        self._arrivals.reset()
        self._deltas.clear()
        self.usage, self._price = Usage(), None
        self._asked_s = time.perf_counter()

    def _settle(self, usage: Usage) -> None:
        self.usage = usage
        price_book = self._scope.settings.price_book
        if price_book is None or not (usage.is_known or self._capture.reported_cost is not None):
            return
        self._price = price_book.cost(
            usage,
            response_model=self._capture.response_model or self._answered_model,
            request_model=self._model_id,
            provider=self._scope.settings.system,
            at=datetime.now(UTC),
            reported=self._capture.reported_cost,
        )

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Let what runs inside belong to this call."""
        with current(self._open(), inference=True), self._capture.active():
            yield

    def received(self, delta: Any) -> None:
        """Note one piece of a streamed answer."""
        self._scope.check()
        self._deltas.append(delta)
        if delta.content or delta.tool_calls:
            self._arrivals.content()

    def _usage_of(self, message: Any) -> Usage:
        if self._capture.seen:
            return self._captured_usage()
        raw = message.raw
        model = field(raw, "model")
        self._answered_model = None if model is None else str(model)
        usage = _usage(field(raw, "usage"))
        return usage if usage.is_known else _token_usage(message.token_usage)

    def _told(self, message: Any) -> dict[str, Any]:
        return self._answer(message.raw, message.content, message.tool_calls)

    def _failed(self, error: BaseException) -> None:
        if self._invocation is not None:
            self._invocation.failure = error
        if self._span is not None:
            self._close(self._streamed_answer() if self._deltas else {}, error)

    def _open(self) -> SdkSpan:
        if self._span is None:
            if self._attributes is None:
                self._attributes = self._request_attributes()
            self._span = self._scope.start(f"chat {self._model_id}", self._parent, self._attributes, client=True)
            self._attributes = {k: v for k, v in self._attributes.items() if k not in _SAID_ONCE}
        return self._span

    def _close(self, answer: Mapping[str, Any], error: BaseException | None) -> None:
        """Cost is set before the end: an ended span is frozen."""
        span, self._span = self._open(), None
        try:
            attributes = {**answer, **self._captured_attributes(), **usage_attributes(self.usage)}
            attributes[names.RETRIES], self._retries = self._retries, 0
            if self._price is not None:
                attributes.update(cost_attributes(self._price, self._capture.reported_cost))
            note(span, attributes)
            if error is not None:
                fail(span, error)
        finally:
            end(span)

    def _request_attributes(self) -> dict[str, Any]:
        settings = self._scope.settings
        attributes: dict[str, Any] = {
            names.OPERATION_NAME: names.CHAT,
            names.PROVIDER_NAME: settings.system,
            names.SYSTEM: settings.system,
            names.REQUEST_MODEL: self._model_id,
            names.USAGE_SOURCE: "call",
        }
        given = self._given()
        for parameter, name in PARAMETERS.items():
            value = given.get(parameter)
            if isinstance(value, int | float) and not isinstance(value, bool):
                attributes[name] = value
        if self._stream:
            attributes[names.REQUEST_STREAM] = True
        base_url = (getattr(self._model, "client_kwargs", None) or {}).get("base_url")
        if isinstance(base_url, str):
            attributes.update(_server(base_url))
        if settings.record_content:
            last = [] if self._invocation is None else self._invocation.last_prompt
            attributes.update(self._scope.messages.record(self._messages, last))
        return attributes

    def _given(self) -> dict[str, Any]:
        """The request's parameters, those that the model sends with every call included."""
        return {**self._scope.settings.generation, **self._kwargs, **(getattr(self._model, "kwargs", None) or {})}

    def _answer(self, raw: Any, content: Any, tool_calls: Any) -> dict[str, Any]:
        """What the message itself says; the capture, where it knows, says it better."""
        told = CallCapture()
        if raw is not None and not self._capture.seen:
            told.response(raw)
        answer = _facts(told)
        if self._scope.settings.record_content:
            reasons = self._capture.finish_reasons or told.finish_reasons
            answer[names.OUTPUT_MESSAGES] = output_messages(content, tool_calls, reasons)
        return answer

    def _streamed_answer(self) -> dict[str, Any]:
        if not self._scope.settings.record_content:
            return {}
        try:
            message = agglomerate_stream_deltas(self._deltas)
        except ValueError:  # a piece of a tool call that says not of which: the agent cannot use it either
            return self._answer(None, "".join(delta.content or "" for delta in self._deltas), None)
        return self._answer(None, message.content, message.tool_calls)

    def _captured_usage(self) -> Usage:
        return _usage(self._capture.usage)

    def _streamed_usage(self) -> Usage:
        if self._capture.seen:
            return self._captured_usage()
        total = Usage()
        for delta in self._deltas:
            total = _added(total, _token_usage(getattr(delta, "token_usage", None)))
        return total

    def _captured_attributes(self) -> dict[str, Any]:
        attributes = _facts(self._capture)
        if self._stream:
            arrivals = self._capture if self._capture.first_content_s is not None else self._arrivals
            attributes.update(_timing(arrivals, self._asked_s))
        return attributes


def usage_attributes(usage: Usage) -> dict[str, int]:
    """The known counts under their current and their older names."""
    counts = {
        names.USAGE_INPUT_TOKENS: usage.input_tokens,
        names.USAGE_OUTPUT_TOKENS: usage.output_tokens,
        names.USAGE_PROMPT_TOKENS: usage.input_tokens,
        names.USAGE_COMPLETION_TOKENS: usage.output_tokens,
        names.USAGE_TOTAL_TOKENS: usage.total_tokens,
        names.USAGE_CACHE_READ_TOKENS: usage.cache_read_tokens,
        names.USAGE_CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        names.USAGE_REASONING_TOKENS: usage.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count is not None}


def cost_attributes(cost: Cost, reported: Decimal | None) -> dict[str, Any]:
    """The known parts of a cost in USD, where its price came from and how good it is."""
    parts = {
        names.COST_TOTAL: cost.total,
        names.COST_PROMPT: cost.prompt,
        names.COST_COMPLETION: cost.completion,
        names.COST_REASONING: cost.reasoning,
        names.COST_CACHE_READ: cost.cache_read,
        names.COST_CACHE_WRITE: cost.cache_write,
    }
    attributes: dict[str, Any] = {name: float(amount) for name, amount in parts.items() if amount is not None}
    attributes[names.COST_QUALITY] = cost.quality
    if cost.source is not None:
        attributes[names.PRICING_SOURCE] = cost.source
    if reported is not None:
        attributes[names.COST_REPORTED] = str(reported)
    return attributes


def _facts(capture: CallCapture) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if capture.response_id is not None:
        facts[names.RESPONSE_ID] = str(capture.response_id)
    if capture.response_model is not None:
        facts[names.RESPONSE_MODEL] = str(capture.response_model)
    if capture.finish_reasons:
        facts[names.RESPONSE_FINISH_REASONS] = capture.finish_reasons
    return facts


def _timing(arrivals: CallCapture, asked_s: float) -> dict[str, float]:
    """Seconds to the first content, and the mean seconds between pieces of content."""
    first, last, count = arrivals.first_content_s, arrivals.last_content_s, arrivals.content_chunks
    if first is None or last is None:
        return {}
    ttft = first - asked_s
    timing = {names.SERVER_TTFT: ttft, names.RESPONSE_TIME_TO_FIRST_CHUNK: ttft}
    if count > 1:
        timing[names.SERVER_TBT] = (last - first) / (count - 1)
    return timing


def _usage(raw: Any) -> Usage:
    """A provider's usage. A pydantic object is read as a mapping: asking it for what it lacks is slow."""
    return Usage.from_provider(raw.model_dump() if hasattr(raw, "model_dump") else raw)


def _token_usage(token_usage: Any) -> Usage:
    """smolagents' own count. Two zeros stand for a server that sent none: no call has an empty prompt."""
    usage = Usage.from_provider(token_usage)
    return Usage() if usage.total_tokens == 0 else usage


def _added(left: Usage, right: Usage) -> Usage:
    if not right.is_known:
        return left
    return Usage(
        input_tokens=(left.input_tokens or 0) + (right.input_tokens or 0),
        output_tokens=(left.output_tokens or 0) + (right.output_tokens or 0),
    )


@lru_cache(maxsize=64)
def _server(base_url: str) -> dict[str, Any]:
    parts = urlsplit(base_url)
    address = {} if parts.hostname is None else {names.SERVER_ADDRESS: parts.hostname}
    return {**address, names.SERVER_PORT: parts.port} if parts.port is not None else address
