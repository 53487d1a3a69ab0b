"""Model calls as spans: a delegating model for the time of one run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from smolagents.models import ChatMessage, ChatMessageStreamDelta, Model

from smoltrace.tracing.call import ModelCall
from smoltrace.tracing.scope import Scope
from smoltrace.tracing.steps import Invocation


class TracedModel(Model):  # type: ignore[misc,unused-ignore]
    """A model that answers as `inner` does, every call under a span `chat {model}`.

    `invocation` finds the agent run that calls. `inner` may be shared by any number of traced models and threads. This
    has `generate_stream` if and only if the inner model has it.
    """

    def __init__(self, inner: Any, scope: Scope, invocation: Callable[[], Invocation | None]) -> None:
        # The base class is not initialised: its attributes are the inner model's.
        self._inner, self._scope, self._invocation = inner, scope, invocation

    def generate(self, messages: Iterable[Any], *args: Any, **kwargs: Any) -> ChatMessage:
        call = self._call(messages, kwargs, stream=False)
        return call.run(lambda: self._inner.generate(messages, *args, **kwargs))

    def _generate_stream(
        self, messages: Iterable[Any], *args: Any, **kwargs: Any
    ) -> Generator[ChatMessageStreamDelta, None, None]:
        """The pieces are handed on when all have come: an answer that breaks off can then be asked for again."""
        call = self._call(messages, kwargs, stream=True)

        def request() -> list[ChatMessageStreamDelta]:
            pieces = []
            for piece in self._inner.generate_stream(messages, *args, **kwargs):
                call.received(piece)
                pieces.append(piece)
            return pieces

        yield from call.run(request)

    def _call(self, messages: Iterable[Any], kwargs: dict[str, Any], *, stream: bool) -> ModelCall:
        return ModelCall(self._inner, self._scope, self._invocation(), messages, kwargs, stream)

    def parse_tool_calls(self, message: ChatMessage) -> ChatMessage:
        return self._inner.parse_tool_calls(message)

    @property
    def supports_stop_parameter(self) -> bool:
        return bool(self._inner.supports_stop_parameter)

    def to_dict(self) -> dict[str, Any]:
        described: dict[str, Any] = self._inner.to_dict()
        return described

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        value = getattr(self._inner, name)
        return self._generate_stream if name == "generate_stream" else value


def unwrapped(model: Any) -> Any:
    """The model itself, under whatever tracing it has."""
    while isinstance(model, TracedModel):
        model = model._inner
    return model
