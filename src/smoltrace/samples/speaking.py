"""Model calls as spans: what was asked and said, the tokens that it took, and what they cost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from smoltrace.books import names
from smoltrace.books.usage import Usage
from smoltrace.records.text import json_text
from smoltrace.records.times import time_of
from smoltrace.tracing.call import RETRY_EVENT, cost_attributes, usage_attributes
from smoltrace.tracing.content import MessageLog, Prompt, output_messages

if TYPE_CHECKING:
    from smoltrace.books.prices import PriceBook
    from smoltrace.samples.models import SampleModel
    from smoltrace.samples.script import Refused, ToolCall
    from smoltrace.samples.trace import OpenSpan, Trace

_CHARACTERS_PER_TOKEN: Final = 4


class Spent(Exception):
    """The test's budget has not enough left for the next call."""


@dataclass(slots=True)
class Conversation:
    """What one agent has said and heard. `beside` counts the tokens of a prompt that are in no message (the tools), and
    `known` those that the last prompt had."""

    messages: list[dict[str, Any]]
    beside: int = 0
    last: Prompt = field(default_factory=list)
    known: int = 0

    def add(self, role: str, content: str) -> None:
        self.messages.append({"role": role, "content": content})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model call brought."""

    content: str
    calls: Sequence[ToolCall] = ()

    @property
    def text(self) -> str:
        return self.content + "".join(call.tool + json_text(dict(call.arguments)) for call in self.calls)


class Speaker:
    """A model in one trace. `token_limit` is the budget of the test in tokens."""

    def __init__(
        self,
        trace: Trace,
        model: SampleModel,
        price_book: PriceBook,
        rng: random.Random,
        token_limit: int | None = None,
    ) -> None:
        self._trace, self.model, self._price_book, self._rng = trace, model, price_book, rng
        self._token_limit = token_limit
        self._log = MessageLog()
        self._used = 0
        self.counted: list[tuple[int, int]] = []
        """Input and output tokens of each call, 0 for one that failed, as smolagents itself counts."""

    def chat(self, step: OpenSpan, conversation: Conversation, said: Answer, *, retries: int = 0) -> None:
        """A model call that is answered, after so many attempts that were refused."""
        usage = self._usage(conversation, said)
        self._afford(usage)
        span = self.begin(step, conversation)
        self._refuse_attempts(span, retries)
        model, out = self.model, usage.output_tokens or 0
        ttft = model.first_token_s * self._rng.uniform(0.7, 1.6) + (usage.input_tokens or 0) * model.prompt_token_s
        between = model.token_s * self._rng.uniform(0.85, 1.25)
        self._trace.wait(ttft + between * max(0, out - 1))
        if model.stream:
            span.set({names.SERVER_TTFT: ttft, names.RESPONSE_TIME_TO_FIRST_CHUNK: ttft, names.SERVER_TBT: between})
        self._answered(span, usage, said, retries)
        span.end()
        self.counted.append((usage.input_tokens or 0, out))
        self._used += usage.total_tokens or 0
        conversation.known = usage.input_tokens or 0

    def begin(self, step: OpenSpan, conversation: Conversation) -> OpenSpan:
        """The span of a model call that begins now."""
        self._trace.wait(self._rng.uniform(0.0004, 0.002))
        model = self.model
        attributes: dict[str, Any] = {
            names.OPERATION_NAME: names.CHAT,
            names.PROVIDER_NAME: model.system,
            names.SYSTEM: model.system,
            names.REQUEST_MODEL: model.model_id,
            names.USAGE_SOURCE: "call",
        }
        if model.temperature is not None:
            attributes[names.REQUEST_TEMPERATURE] = model.temperature
        if model.stream:
            attributes[names.REQUEST_STREAM] = True
        attributes |= self._log.record(conversation.messages, conversation.last)
        return self._trace.start(f"chat {model.model_id}", step, attributes, kind="CLIENT")

    def _answered(self, span: OpenSpan, usage: Usage, said: Answer, retries: int) -> None:
        model = self.model
        reason = "tool_calls" if said.calls else "stop"
        calls = [
            {"id": self._id("call_", 64), "function": {"name": call.tool, "arguments": json_text(dict(call.arguments))}}
            for call in said.calls
        ]
        reported = self._reported(usage)
        cost = self._price_book.cost(
            usage,
            response_model=model.response_model,
            request_model=model.model_id,
            provider=model.system,
            at=time_of(span.start_ns),
            reported=reported,
        )
        span.set(
            {
                names.OUTPUT_MESSAGES: output_messages(said.content, calls, [reason]),
                names.RESPONSE_ID: self._id("chatcmpl-", 96),
                names.RESPONSE_MODEL: model.response_model,
                names.RESPONSE_FINISH_REASONS: [reason],
                **usage_attributes(usage),
                names.RETRIES: retries,
                **cost_attributes(cost, reported),
            }
        )

    def _reported(self, usage: Usage) -> Decimal | None:
        """What the server says that the call cost; one that reports costs leaves some out."""
        rate = self.model.reported_usd_per_token
        if rate is None or self._rng.random() < 0.15:
            return None
        return rate * (usage.total_tokens or 0)

    def _usage(self, conversation: Conversation, said: Answer) -> Usage:
        """Four characters are a token. What the last prompt had is read from a cache, and what is new is written."""
        model = self.model
        asked = sum(len(message["content"]) for message in conversation.messages)
        tokens = conversation.beside + -(-asked // _CHARACTERS_PER_TOKEN)
        reasoning = round(model.reasoning_tokens * self._rng.uniform(0.4, 1.9)) if model.reasoning_tokens else None
        out = round(-(-len(said.text) // _CHARACTERS_PER_TOKEN) * model.verbosity) + (reasoning or 0)
        read = conversation.known if model.caches else None
        return Usage(
            input_tokens=tokens,
            output_tokens=out,
            cache_read_tokens=read,
            cache_write_tokens=None if read is None else max(0, tokens - read - 3),
            reasoning_tokens=reasoning,
        )

    def _afford(self, usage: Usage) -> None:
        limit, more = self._token_limit, (usage.input_tokens or 0) + 512
        if limit is not None and self._used + more > limit:
            raise Spent(
                f"The test's budget of {limit} tokens (--max-tokens-per-test) is used up: {self._used} is spent, and "
                f"the next call may take {more}. Give it more with a higher --max-tokens-per-test."
            )

    def refused(self, step: OpenSpan, conversation: Conversation, move: Refused) -> tuple[str, str]:
        """A model call that fails for good: the class and the text of its error."""
        error_type = "RateLimitError" if move.http_status == 429 else "InternalServerError"
        message = f"Error code: {move.http_status} - {{'error': {{'message': '{move.message}'}}}}"
        span = self.begin(step, conversation)
        self._refuse_attempts(span, move.retries)
        self._trace.wait(0.1)
        span.set({names.RETRIES: move.retries})
        span.fail(f"openai.{error_type}", message, raised=True)
        span.end()
        self.counted.append((0, 0))
        return error_type, message

    def _refuse_attempts(self, span: OpenSpan, retries: int) -> None:
        for attempt in range(retries):
            self._trace.wait(0.08 + 2**attempt * self._rng.uniform(0.5, 1.0))
            span.event(RETRY_EVENT, {names.ERROR_TYPE: "openai.RateLimitError"})

    def _id(self, prefix: str, bits: int) -> str:
        return prefix + self._trace.new_id(bits)
