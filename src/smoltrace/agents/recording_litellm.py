"""LiteLLM's module behind a recording client: what LiteLLM itself made up is taken out before the books see it."""

from __future__ import annotations

import copy
from typing import Any

from smoltrace.agents.recording import RecordingClient
from smoltrace.tracing.capture import field


class LiteLLMClient(RecordingClient):
    """Undoes three things that would pass for what the provider said.

    Where a server sends no usage, LiteLLM puts zeros, or in a stream a count by a tokenizer of its own choice; and it
    adds to a stream's usage a cost of its own reckoning.
    """

    def completion(self, **request: Any) -> Any:
        return self._recorded(self._client.completion, request)

    def undo_inventions(self, answer: Any, source: Any) -> None:
        usage = field(answer, "usage")
        if usage is None:
            return
        # LiteLLM's stream keeps the chunks as the server sent them; where it has none, its word has to do.
        chunks = field(source, "chunks")
        sent = usage if chunks is None else next((u for c in reversed(chunks) if (u := field(c, "usage"))), None)
        if sent is None or not (field(sent, "prompt_tokens") or field(sent, "completion_tokens")):
            answer.usage = None
        elif sent is not usage and field(sent, "cost") is None and field(usage, "cost") is not None:
            answer.usage = copy.copy(usage)
            answer.usage.cost = None
