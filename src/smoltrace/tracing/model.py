"""Model calls as spans: a delegating model for the time of one run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from smolagents.models import ChatMessage, ChatMessageStreamDelta, Model

from smoltrace.tracing.call import ModelCall
from smoltrace.tracing.scope import Scope
from smoltrace.tracing.steps import Invocation

_END = object()


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
        try:
            message = self._policy(lambda: call.attempt(lambda: self._inner.generate(messages, *args, **kwargs)))
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(message)
        return message

    def _generate_stream(
        self, messages: Iterable[Any], *args: Any, **kwargs: Any
    ) -> Generator[ChatMessageStreamDelta, None, None]:
        """The policy covers the request until its first piece; what follows cannot be asked for again."""
        call = self._call(messages, kwargs, stream=True)
        pieces: Any = None

        def begin() -> tuple[Any, Any]:
            opened = iter(self._inner.generate_stream(messages, *args, **kwargs))
            return opened, next(opened, _END)

        try:
            pieces, piece = self._policy(lambda: call.attempt(begin))
            while piece is not _END:
                call.received(piece)
                yield piece
                with call.current():
                    piece = next(pieces, _END)
        except BaseException as error:
            call.failed(error)
            raise
        else:
            call.streamed()
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def _call(self, messages: Iterable[Any], kwargs: dict[str, Any], *, stream: bool) -> ModelCall:
        return ModelCall(self._inner, self._scope, self._invocation(), messages, kwargs, stream)

    def _policy(self, attempt: Callable[[], Any]) -> Any:
        policy = self._scope.settings.call_policy
        return attempt() if policy is None else policy(attempt)

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
