"""A model that runs in this process, through transformers.

One torch model cannot answer two threads at once, so calls wait for each other: the parallelism of a run with such a
model lies in its tools only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import smolagents
from smolagents.models import ChatMessage, ChatMessageStreamDelta
from smolagents.monitoring import TokenUsage

from smoltrace.agents.spec import GenerationParams
from smoltrace.errors import UsageError
from smoltrace.tracing import capture
from smoltrace.tracing.interrupt import stoppable


class InProcessModel(smolagents.TransformersModel):
    """`model_id` is a folder or a name on the Hub. The tokens are those of the model's own tokenizer, counted exactly.

    `generation`: a temperature of 0 means greedy decoding, any other sampling; a seed is set anew before every call.
    Raises UsageError when the model cannot be loaded or the parameters are none that transformers has.
    """

    def __init__(self, model_id: str, generation: GenerationParams) -> None:
        settings = _settings(generation)
        _quieten()
        try:
            super().__init__(model_id=model_id, **settings)
        # transformers reports a folder without a model, a gated one and a broken file in as many ways.
        except Exception as error:
            raise UsageError(f"--model {model_id}: transformers cannot load it: {error}") from error
        self.seed = generation.seed
        self._turn = threading.Lock()

    def generate(self, messages: list[Any], stop_sequences: list[str] | None = None, **options: Any) -> ChatMessage:
        # No connections are shared here, and a generation for nobody would keep the model from the others.
        with self._turn, stoppable():
            self._set_seed()
            message = super().generate(messages, stop_sequences, **options)
        if (call := capture.current()) is not None:
            usage = message.token_usage
            call.response(self._answer(usage.input_tokens, usage.output_tokens, message.content))
        return message

    def generate_stream(
        self, messages: list[Any], stop_sequences: list[str] | None = None, **options: Any
    ) -> Iterator[ChatMessageStreamDelta]:
        """Piece by piece. smolagents' own counts a piece of text as a token; here the tokens are counted."""
        # Asked for in one go, so that nobody waits for a consumer that has gone away while the model is taken.
        pieces = _Pieces(self.processor.tokenizer if self._is_vlm else self.tokenizer)
        worker = threading.Thread(
            target=self._fill, args=(pieces, messages, stop_sequences, options), daemon=True, name="smoltrace-model"
        )
        worker.start()
        text = ""
        for piece in pieces:
            text += piece
            if (call := capture.current()) is not None:
                call.chunk({"choices": [{"delta": {"content": piece}}]})
            yield ChatMessageStreamDelta(content=piece)
        worker.join()
        if pieces.error is not None:
            raise pieces.error
        if (call := capture.current()) is not None:
            call.chunk(self._answer(pieces.read, pieces.written, text))
        yield ChatMessageStreamDelta(
            content="", token_usage=TokenUsage(input_tokens=pieces.read, output_tokens=pieces.written)
        )

    def _fill(self, pieces: _Pieces, messages: list[Any], stops: list[str] | None, options: dict[str, Any]) -> None:
        try:
            with self._turn:
                self._set_seed()
                arguments = self._prepare_completion_args(messages=messages, stop_sequences=stops, **options)
                self.model.generate(streamer=pieces, **arguments)
        # This is a thread of its own: what goes wrong in it is raised where the answer is waited for.
        except Exception as error:  # noqa: BLE001
            pieces.error = error
            pieces.end()

    def _answer(self, inputs: int, outputs: int, text: str | None) -> dict[str, Any]:
        """What a server would have sent, for the capture."""
        limit = self.kwargs.get("max_new_tokens")
        reason = "length" if limit is not None and outputs >= limit else "stop"
        return {
            "model": self.model_id,
            "choices": [{"message": {"content": text}, "finish_reason": reason}],
            "usage": {"prompt_tokens": inputs, "completion_tokens": outputs, "total_tokens": inputs + outputs},
        }

    def _set_seed(self) -> None:
        if self.seed is not None:
            import torch

            torch.manual_seed(self.seed)


class _Pieces:
    """A streamer in transformers' sense: `put` is given token ids, first those of the prompt; iterating gives text."""

    def __init__(self, tokenizer: Any) -> None:
        from transformers import TextIteratorStreamer

        self.read = self.written = 0
        self.error: Exception | None = None
        self._text = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._prompt_seen = False

    def put(self, tokens: Any) -> None:
        if self._prompt_seen:
            self.written += tokens.numel()
        else:
            self._prompt_seen, self.read = True, tokens.numel()
        self._text.put(tokens)

    def end(self) -> None:
        if self.error is not None:
            # Its own end() would decode what is left, which may be what failed.
            self._text.text_queue.put(self._text.stop_signal)
            return
        self._text.end()

    def __iter__(self) -> Iterator[str]:
        return iter(self._text)


def _quieten() -> None:
    """transformers tells of weights it loads and of defaults it takes, on standard error, where progress is shown."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _settings(generation: GenerationParams) -> dict[str, Any]:
    """OpenAI's names in transformers' words."""
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(generation, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} is unknown to transformers; leave it out for this model")
    settings: dict[str, Any] = {}
    if generation.max_tokens is not None:
        settings["max_new_tokens"] = generation.max_tokens
    if generation.top_p is not None:
        settings |= {"top_p": generation.top_p, "do_sample": True}
    if generation.temperature is not None and generation.temperature > 0:
        settings |= {"temperature": generation.temperature, "do_sample": True}
    elif generation.temperature == 0:
        settings["do_sample"] = False
    return settings
