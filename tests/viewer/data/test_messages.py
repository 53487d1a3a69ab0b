"""Messages in one form, whoever wrote them down."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.viewer.data.messages import MOST, message_of, messages_of, part_of, text_of, tools_of
from smoltrace.viewer.data.shape import to_json
from smoltrace.viewer.data.texts import Texts

PNG = base64.b64encode(b"\x89PNG pixels").decode()


def read(value: Any, role: str = "user") -> list[dict[str, Any]]:
    return messages_of(value, Texts(), role)


def one(value: Any, role: str = "user") -> dict[str, Any]:
    (message,) = read(value, role)
    return message


def part(value: Any) -> dict[str, Any]:
    return part_of(value, Texts())


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def test_messages_of_the_conventions() -> None:
    sent = json.dumps(
        [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "I look."},
                    {"type": "tool_call", "id": "c1", "name": "weather", "arguments": '{"city": "Rome"}'},
                ],
                "finish_reason": "tool_calls",
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Sunny."}]},
        ]
    )
    assert read(sent) == [
        {"role": "system", "parts": [text("Be brief.")]},
        {
            "role": "assistant",
            "parts": [
                {**text("I look."), "reasoning": True},
                {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Rome"}},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_result", "id": "c1", "name": None, "result": "Sunny."}]},
    ]


def test_messages_of_a_chat_request() -> None:
    sent = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "input_text", "text": "here"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "name": "f", "content": "42"},
        ],
    }
    assert read(sent) == [
        {"role": "user", "parts": [text("Hello")]},
        {"role": "user", "parts": [text("Look:"), text("here")]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {}}]},
        {"role": "tool", "parts": [{"type": "tool_result", "id": "c", "name": "f", "result": "42"}]},
    ]


def test_messages_of_anthropic() -> None:
    sent = [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm."},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "yes"}]}],
        },
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}],
        },
    ]
    assert [message["parts"] for message in read(sent)] == [
        [{**text("Hm."), "reasoning": True}, {"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}}],
        [{"type": "tool_result", "id": "t", "name": None, "result": "yes"}],
        [{"type": "image", "mime": "image/png", "data": PNG}],
    ]


def test_the_answer_of_a_request_is_the_message_in_its_choice() -> None:
    answer = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Done."}}]
    assert one(answer, "assistant") == {"role": "assistant", "parts": [text("Done.")]}


def test_text_that_is_no_json_is_a_message() -> None:
    assert one("just words", "assistant") == {"role": "assistant", "parts": [text("just words")]}
    assert read("") == read(None) == []


def test_parts_without_a_message_around_them_are_one() -> None:
    assert one([{"type": "text", "content": "a"}, {"type": "text", "content": "b"}], "system") == {
        "role": "system",
        "parts": [text("a"), text("b")],
    }


def test_our_marker_of_an_image_has_no_data() -> None:
    marker = {"type": "image", "media_type": "image/png", "size": [2, 3], "bytes": 24, "sha256": "ab"}
    assert part(marker) == {
        "type": "image",
        "mime": "image/png",
        "data": None,
        "bytes": 24,
        "size": [2, 3],
        "sha256": "ab",
    }


@pytest.mark.parametrize(
    "value",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PNG},
    ],
)
def test_an_image_with_its_data_is_given_with_them(value: dict[str, Any]) -> None:
    assert part(value) == {"type": "image", "mime": "image/png", "data": PNG}


@pytest.mark.parametrize(
    "value",
    [
        {"type": "image_url", "image_url": {"url": "https://elsewhere.example/pixel.png"}},
        {"type": "image_url", "image_url": {"url": f"data:text/html;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": f"data:image/svg+xml;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": 'data:image/png;base64,"><script>'}},
        {"type": "blob", "mime_type": "audio/wav", "content": PNG},
        {"type": "uri", "modality": "image", "uri": "https://elsewhere.example"},
        {"type": "image", "media_type": 'image/png" onload=', "data": PNG},
    ],
)
def test_what_no_page_may_show_as_an_image_is_told_and_not_shown(value: dict[str, Any]) -> None:
    assert part(value) == {"type": "other", "value": value}


def test_an_image_of_more_than_a_megabyte_is_cut() -> None:
    data = "A" * (3 << 20)
    found = part({"type": "blob", "mime_type": "image/png", "content": data})
    assert (len(found["data"]["cut"]), found["data"]["chars"]) == (1 << 20, 3 << 20)


@pytest.mark.parametrize("value", [7, True, 1.5, ["nested", ["lists"]], {"type": "video", "url": "x"}, {"no": "idea"}])
def test_what_is_unknown_is_kept_as_it_is(value: Any) -> None:
    assert part(value) == {"type": "other", "value": value}


def test_a_message_without_any_content_says_what_it_has() -> None:
    assert message_of({"role": "user", "audio": "x"}, Texts(), "user") == {
        "role": "user",
        "parts": [{"type": "other", "value": {"audio": "x"}}],
    }
    assert message_of({"role": "assistant", "content": None}, Texts(), "user") == {"role": "assistant", "parts": []}


def test_a_long_text_is_cut() -> None:
    said = one([{"role": "user", "content": "x" * 30_000}])["parts"][0]["text"]
    assert (len(said["cut"]), said["chars"]) == (20_000, 30_000)


def test_very_many_messages_are_cut_and_that_is_told() -> None:
    found = read([{"role": "user", "content": "x"}] * (MOST + 7))
    assert len(found) == MOST + 1
    assert found[-1]["parts"] == [{"type": "other", "value": "… (7 more messages, not shown)"}]


def test_json_that_is_nested_too_deeply_is_shown_as_text() -> None:
    deep = "[" * 5_000 + "]" * 5_000
    assert one(deep) == {"role": "user", "parts": [text(deep)]}
    call = part({"type": "tool_call", "name": "f", "arguments": '{"a":' * 2_000 + "1" + "}" * 2_000})
    assert call["arguments"].startswith('{"a":{"a":')


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ('[{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}]', ["f"]),
        (
            [{"type": "function", "function": {"name": "g", "parameters": {}}}, '{"name": "h", "input_schema": {}}'],
            ["g", "h"],
        ),
        ({"name": "alone"}, ["alone"]),
        (["no tool"], [None]),
        (None, []),
        ("[]", []),
    ],
)
def test_tools_are_told_by_their_names(value: Any, names: list[Any]) -> None:
    assert [tool["name"] for tool in tools_of(value, Texts()) or []] == names


def test_the_text_of_one_message() -> None:
    assert text_of(read("only this")) == "only this"
    assert text_of(read([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])) is None


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", "\0", "[[[["]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "role",
                        "parts",
                        "content",
                        "type",
                        "text",
                        "message",
                        "messages",
                        "tool_calls",
                        "function",
                        "name",
                    ),
                    *(
                        "arguments",
                        "id",
                        "tool_call_id",
                        "source",
                        "data",
                        "image_url",
                        "url",
                        "mime_type",
                        "function_call",
                    ),
                ]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["text", "tool_call", "image", "blob", "tool_result", "reasoning", "tool"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(value=HOSTILE)
def test_nothing_that_a_message_holds_raises(value: Any) -> None:
    for found in (read(value), read(json.dumps(value))):
        to_json(found)
        for message in found:
            assert isinstance(message["role"], str)
            assert all(
                each["type"] in ("text", "tool_call", "tool_result", "image", "other") for each in message["parts"]
            )
    to_json(tools_of(value, Texts()))
