from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from smoltrace.books.usage import Usage
from smoltrace.tracing import capture
from smoltrace.tracing.capture import CallCapture

ANSWER: dict[str, Any] = {
    "id": "r1",
    "model": "m-2024",
    "choices": [{"finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}


def chunk(content: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "r1", "model": "m", "choices": [{"delta": {"content": content}, "finish_reason": None}], **more}


def test_there_is_a_current_capture_only_inside_a_call() -> None:
    call = CallCapture()
    assert capture.current() is None
    with call.active():
        assert capture.current() is call
    assert capture.current() is None


@pytest.mark.parametrize("as_object", [False, True])
def test_a_response_is_read_as_mapping_or_object(as_object: bool) -> None:
    raw: Any = ANSWER
    if as_object:
        raw = SimpleNamespace(**{**ANSWER, "choices": [SimpleNamespace(finish_reason="stop")]})
    call = CallCapture()
    call.response(raw)
    assert (call.response_id, call.response_model, call.finish_reasons) == ("r1", "m-2024", ("stop",))
    assert call.usage == ANSWER["usage"]


def test_an_answer_of_huggingface_hub_keeps_its_token_details() -> None:
    from huggingface_hub import ChatCompletionOutput

    details = {"prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 2}}
    raw = ChatCompletionOutput.parse_obj_as_instance(
        {**ANSWER, "created": 1, "system_fingerprint": "f", "choices": [], "usage": {**ANSWER["usage"], **details}}
    )
    call = CallCapture()
    call.response(raw)
    usage = Usage.from_provider(call.usage)
    assert (usage.cache_read_tokens, usage.reasoning_tokens) == (1, 2)


def test_facts_are_read_before_the_client_fills_gaps() -> None:
    raw = SimpleNamespace(id="r1", usage=None)
    call = CallCapture()
    call.response(raw)
    raw.usage = {"prompt_tokens": 0, "completion_tokens": 0}
    assert call.seen
    assert call.usage is None


def test_a_stream_is_known_by_its_last_usage_and_its_content() -> None:
    call = CallCapture()
    for piece in (chunk(""), chunk("a"), chunk("b", usage={"prompt_tokens": 1}), {"usage": {"prompt_tokens": 9}}):
        call.chunk(piece)
    assert call.usage == {"prompt_tokens": 9}
    assert call.content_chunks == 2
    assert call.first_content_s is not None
    assert call.first_content_s <= call.last_content_s


def test_a_second_response_replaces_the_first() -> None:
    call = CallCapture()
    call.response(ANSWER)
    call.response({"id": "r2"})
    assert (call.response_id, call.usage, call.finish_reasons) == ("r2", None, ())


def test_anthropics_stop_reason_is_a_finish_reason() -> None:
    call = CallCapture()
    call.response({"id": "msg", "stop_reason": "end_turn", "usage": {"input_tokens": 1}})
    assert call.finish_reasons == ("end_turn",)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (0.00125, Decimal("0.00125")),
        ("0.5", Decimal("0.5")),
        (0, Decimal(0)),
        *[(unknown, None) for unknown in (None, True, -1, "free", float("nan"), {"usd": 1})],
    ],
)
def test_a_reported_cost_is_an_amount_or_nothing(cost: Any, expected: Decimal | None) -> None:
    call = CallCapture()
    call.response({"usage": {"prompt_tokens": 1, "cost": cost}})
    assert call.reported_cost == expected
