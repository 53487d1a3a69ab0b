"""What came over the wire reaches the capture; what is no answer is refused; smolagents always finds numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from smoltrace.agents.recording import MalformedResponse, RecordingClient
from smoltrace.tracing.capture import CallCapture


def zero() -> CompletionUsage:
    return CompletionUsage(prompt_tokens=0, completion_tokens=0, total_tokens=0)


def client_that_gives(answer: Any) -> RecordingClient:
    """A recording client in front of one whose every call gives `answer`, or raises it."""

    def create(**_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    real = SimpleNamespace(
        chat=SimpleNamespace(completions=SimpleNamespace(create=create)), chat_completion=create, base_url="here"
    )
    return RecordingClient(real, zero)


def completion(
    message: dict[str, Any] | None = None, usage: dict[str, Any] | None = None, **more: Any
) -> ChatCompletion:
    said = {"role": "assistant", "content": "hello"} if message is None else {"role": "assistant", **message}
    choices = [{"index": 0, "finish_reason": "stop", "message": said}]
    return ChatCompletion.construct(
        **ChatCompletion.construct(id="id-1", model="m", choices=choices, usage=usage, **more).model_dump(
            warnings=False
        )
    )


def test_an_answer_is_captured_and_handed_on() -> None:
    usage = CompletionUsage(prompt_tokens=5, completion_tokens=2, total_tokens=7)
    answer = SimpleNamespace(
        id="id-1",
        model="m",
        usage=usage,
        choices=[SimpleNamespace(finish_reason="stop", message=SimpleNamespace(content="hello", tool_calls=None))],
    )
    client = client_that_gives(answer)
    with CallCapture().active() as capture:
        assert client.chat.completions.create(model="m") is answer
        assert client.chat_completion(model="m") is answer
    assert (capture.response_id, capture.response_model, capture.usage) == ("id-1", "m", usage)


def test_without_a_capture_in_progress_answers_pass_through() -> None:
    assert client_that_gives(
        completion({"content": "x"}, {"prompt_tokens": 1, "completion_tokens": 1})
    ).chat_completion()


def test_everything_else_is_the_real_clients() -> None:
    assert client_that_gives(None).base_url == "here"


def test_a_method_that_is_patched_later_is_met() -> None:
    client = client_that_gives(None)
    client._client.chat.completions.create = lambda **_: completion({"content": "patched"})
    with CallCapture().active() as capture:
        client.chat.completions.create()
    assert capture.response_id == "id-1"


def test_an_unknown_usage_stays_unknown_to_the_books_and_is_zero_to_smolagents() -> None:
    with CallCapture().active() as capture:
        answer = client_that_gives(completion()).chat.completions.create()
    assert (capture.seen, capture.usage) == (True, None)
    assert answer.usage == zero()


def test_a_usage_that_is_known_in_part_stays_so_in_the_capture() -> None:
    given = SimpleNamespace(prompt_tokens=None, completion_tokens=4)
    answer = completion()
    answer.usage = given  # type: ignore[assignment]
    with CallCapture().active() as capture:
        client_that_gives(answer).chat.completions.create()
    assert (capture.usage.prompt_tokens, capture.usage.completion_tokens) == (None, 4)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (0, 4)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("<html>busy</html>", "not JSON: '<html>busy</html>'"),
        (b"", "not JSON: it is empty"),
        (json.JSONDecodeError("Expecting value", "<html>no", 0), "not JSON: '<html>no'"),
        (ChatCompletion.construct(choices=None), "holds no choices"),
        (ChatCompletion.construct(choices=[]), "holds no choices"),
        (ChatCompletion.construct(choices=None, error={"message": "overloaded"}), "overloaded"),
        (SimpleNamespace(choices=[SimpleNamespace(message=None)]), "holds no message"),
        (completion({"content": None}), "neither text nor tool calls \\(finish reason: stop\\)"),
        (completion({"content": None, "refusal": "I won't."}), "the model refused: I won't."),
    ],
)
def test_what_is_no_answer_is_refused_and_said_so(answer: Any, complaint: str) -> None:
    with pytest.raises(MalformedResponse, match=complaint):
        client_that_gives(answer).chat.completions.create()


def test_a_refused_answer_was_captured_first_because_it_was_paid_for() -> None:
    answer = completion({"content": None}, {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})
    with CallCapture().active() as capture, pytest.raises(MalformedResponse):
        client_that_gives(answer).chat.completions.create()
    assert capture.usage is not None


def chunk(content: str | None = None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "id-1", "choices": [{"delta": {"content": content}, "finish_reason": reason}], **more}


def test_every_chunk_of_a_stream_is_captured_as_it_comes() -> None:
    chunks = [chunk("a"), chunk("b"), chunk(reason="stop")]
    usage = {"id": "id-1", "model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    client = client_that_gives(iter([*chunks, usage]))
    with CallCapture().active() as capture:
        stream = client.chat.completions.create(stream=True)
        assert next(stream) == chunks[0]
        assert capture.content_chunks == 1
        assert list(stream) == [*chunks[1:], usage]
    assert (capture.content_chunks, capture.finish_reasons, capture.usage) == (2, ("stop",), usage["usage"])


@pytest.mark.parametrize(
    ("chunks", "complaint"),
    [
        ([], "ended without text and without tool calls"),
        ([chunk(reason="length")], "without tool calls \\(finish reason: length\\)"),
        ([chunk("a"), {"error": {"message": "lost"}}], "broke the stream off with an error: .*lost"),
    ],
)
def test_a_stream_that_is_no_answer_is_refused(chunks: list[Any], complaint: str) -> None:
    with pytest.raises(MalformedResponse, match=complaint):
        list(client_that_gives(iter(chunks)).chat.completions.create(stream=True))


def test_a_broken_piece_of_a_stream_is_refused() -> None:
    def broken() -> Iterator[Any]:
        yield chunk("a")
        raise json.JSONDecodeError("Expecting value", "{half", 0)

    with pytest.raises(MalformedResponse, match="a piece of the stream is not JSON"):
        list(client_that_gives(broken()).chat.completions.create(stream=True))


def test_a_stream_that_is_left_early_is_closed() -> None:
    closed = []

    def pieces() -> Iterator[Any]:
        try:
            yield chunk("a")
            yield chunk("b")
        finally:
            closed.append(True)

    stream = client_that_gives(pieces()).chat.completions.create(stream=True)
    next(stream)
    stream.close()
    assert closed == [True]
