from __future__ import annotations

import json
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smolagents import ChatMessage, MessageRole
from smolagents.agent_types import AgentImage
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.tracing.content import MessageLog, arguments_text, output_messages, restore, result_text


def text(role: MessageRole, said: str) -> ChatMessage:
    return ChatMessage(role=role, content=[{"type": "text", "text": said}])


def spans_of(attributes: list[dict[str, Any]]) -> list[Span]:
    return [
        Span("t" * 32, f"{i:016x}", None, "chat m", "CLIENT", i, i + 1, attributes=each)
        for i, each in enumerate(attributes)
    ]


def whole(span: Span) -> list[Any]:
    return json.loads(span.attributes[names.INPUT_MESSAGES])


def test_a_growing_conversation_is_kept_once() -> None:
    log, last = MessageLog(), []
    talk = [text(MessageRole.SYSTEM, "be good"), text(MessageRole.USER, "hello")]
    first = log.record(talk, last)
    talk = [*talk, text(MessageRole.TOOL_CALL, "Calling tools: …"), text(MessageRole.TOOL_RESPONSE, "Observation: 1")]
    second = log.record(talk, last)
    assert json.loads(first[names.INPUT_REFS]) == [[0, 1]]
    assert (second[names.INPUT_FIRST], json.loads(second[names.INPUT_REFS])) == (2, [[0, 3]])
    assert [m["role"] for m in json.loads(second[names.INPUT_MESSAGES])] == ["assistant", "tool"]
    restored = restore(spans_of([first, second]))
    assert [m["parts"][0]["content"] for m in whole(restored[1])] == [m.content[0]["text"] for m in talk]


def test_a_prompt_with_nothing_new_says_so() -> None:
    log, last = MessageLog(), []
    talk = [text(MessageRole.USER, "again")]
    log.record(talk, last)
    assert log.record(talk, last) == {names.INPUT_REFS: "[0]"}


words = st.sampled_from(["", "a", "b", "[1]", '"', "\ud800", "…"])
messages = st.builds(text, st.sampled_from(list(MessageRole)), words) | st.builds(
    lambda said: ChatMessage(role=MessageRole.USER, content=said), words
)


@given(st.lists(st.tuples(st.booleans(), st.lists(messages, max_size=6)), max_size=8))
def test_restoring_gives_every_prompt_back(prompts: list[tuple[bool, list[ChatMessage]]]) -> None:
    log, lasts = MessageLog(), {True: [], False: []}
    recorded = [log.record(prompt, lasts[agent]) for agent, prompt in prompts]
    alone = [MessageLog().record(prompt, []) for _, prompt in prompts]
    expected = [[m for span in restore(spans_of([each])) for m in whole(span)] for each in alone]
    restored = restore(reversed(spans_of(recorded)))
    assert [whole(span) for span in reversed(restored)] == expected
    assert restore(restored) == restored


def test_size_grows_with_the_steps_and_not_with_their_square() -> None:
    def size(steps: int) -> int:
        log, last, talk, total = MessageLog(), [], [], 0
        for step in range(steps):
            talk.append(text(MessageRole.USER, f"step {step} " + "x" * 100))
            total += len(json.dumps(log.record(talk, last)))
        return total

    assert size(400) < 4.2 * size(100)


def test_an_image_is_kept_as_a_marker() -> None:
    image = PIL.Image.new("RGB", (300, 200), "red")
    log = MessageLog()
    message = ChatMessage(
        role=MessageRole.USER, content=[{"type": "text", "text": "see"}, {"type": "image", "image": image}]
    )
    first, second = log.record([message], []), log.record([message], [])
    kept = json.loads(first[names.INPUT_MESSAGES])[0]["parts"][1]
    assert kept["size"] == [300, 200]
    assert kept["bytes"] == 300 * 200 * 3
    assert len(kept["sha256"]) == 64
    assert second == {names.INPUT_REFS: "[0]"}
    assert len(first[names.INPUT_MESSAGES]) < 400


def test_an_image_as_a_data_url_is_kept_as_a_marker() -> None:
    url = "data:image/png;base64," + "QUJD" * 1000
    part = {"type": "image_url", "image_url": {"url": url}}
    recorded = MessageLog().record([{"role": "user", "content": [part]}], [])
    kept = json.loads(recorded[names.INPUT_MESSAGES])[0]["parts"][0]
    assert (kept["media_type"], kept["bytes"]) == ("image/png", 3000)
    assert "QUJD" not in recorded[names.INPUT_MESSAGES]


def test_output_has_text_tool_calls_and_the_reason_of_its_end() -> None:
    function = ChatMessageToolCallFunction(name="get_weather", arguments={"location": "Paris"})
    said = output_messages(
        "I look", [ChatMessageToolCall(function=function, id="c1", type="function")], ("tool_calls",)
    )
    assert json.loads(said) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "I look"},
                {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"location": "Paris"}},
            ],
            "finish_reason": "tool_calls",
        }
    ]


class Odd:
    def __str__(self) -> str:
        raise ValueError("not showable")


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        (("Paris",), {}, {"location": "Paris"}),
        ((), {"location": "Paris"}, {"location": "Paris"}),
        (({"location": "Paris"},), {}, {"location": "Paris"}),
        (("Paris", 3), {"x": [1, (2,)]}, {"location": "Paris", "1": 3, "x": [1, [2]]}),
        ((2**70,), {}, {"location": 2**70}),
    ],
)
def test_arguments_are_a_json_object(args: tuple[Any, ...], kwargs: dict[str, Any], expected: Any) -> None:
    assert json.loads(arguments_text({"location": {}}, args, kwargs)) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("as it is", "as it is"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (None, "null"),
        (12.5, "12.5"),
        (np.arange(3), '"[0 1 2]"'),
        (Odd(), '"<Odd that cannot be shown: not showable>"'),
    ],
)
def test_a_result_is_text(result: Any, expected: str) -> None:
    assert result_text(result) == expected


def test_a_result_that_is_an_image_is_a_marker() -> None:
    marker = json.loads(result_text(AgentImage(PIL.Image.new("RGB", (2, 2)))))
    assert (marker["type"], marker["bytes"]) == ("image", 12)


def test_restoring_gives_tool_definitions_both_names() -> None:
    (span,) = restore(spans_of([{names.LLM_TOOLS: "[]"}]))
    assert span.attributes[names.TOOL_DEFINITIONS] == span.attributes[names.LLM_TOOLS] == "[]"


def test_a_lost_message_leaves_its_place() -> None:
    (span,) = restore(spans_of([{names.INPUT_REFS: "[7]"}]))
    assert whole(span) == [{"role": "unknown", "parts": []}]
