"""Messages as other instrumentations put them on their spans."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.spans import Event
from smoltrace.viewer.data.foreign import INPUT, OUTPUT, Side, raw_messages, raw_tools
from smoltrace.viewer.data.messages import messages_of, tools_of
from smoltrace.viewer.data.shape import to_json
from smoltrace.viewer.data.texts import Texts


def read(attributes: dict[str, Any], *events: Event, side: Side = INPUT) -> list[tuple[str, Any]]:
    """Role and first part of each message."""
    found = messages_of(raw_messages(attributes, events, side), Texts(), "user" if side is INPUT else "assistant")
    return [(m["role"], [tuple(part.values())[1:] for part in m["parts"]]) for m in found]


def event(name: str, **attributes: Any) -> Event:
    return Event(name, 0, {key.replace("__", "."): value for key, value in attributes.items()})


def test_messages_of_openinference() -> None:
    attributes = {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.10.message.role": "tool",
        "llm.input_messages.10.message.tool_call_id": "c1",
        "llm.input_messages.10.message.content": "Sunny.",
        "llm.input_messages.2.message.role": "user",
        "llm.input_messages.2.message.contents.0.message_content.type": "text",
        "llm.input_messages.2.message.contents.0.message_content.text": "What is this?",
        "llm.input_messages.2.message.contents.1.message_content.type": "image",
        "llm.input_messages.2.message.contents.1.message_content.image.image.url": "data:image/png;base64,QUJD",
        "llm.input_messages.3.message.role": "assistant",
        "llm.input_messages.3.message.tool_calls.0.tool_call.id": "c1",
        "llm.input_messages.3.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.input_messages.3.message.tool_calls.0.tool_call.function.arguments": '{"city": "Rome"}',
        "llm.input_messages.4.message.role": "assistant",
        "llm.input_messages.4.message.function_call_name": "old",
        "llm.input_messages.4.message.function_call_arguments_json": "{}",
        "input.value": "not this",
    }
    assert read(attributes) == [
        ("system", [("Be brief.",)]),
        ("user", [("What is this?",), ("image/png", "QUJD")]),
        ("assistant", [("c1", "weather", {"city": "Rome"})]),
        ("assistant", [(None, "old", {})]),
        ("tool", [("c1", None, "Sunny.")]),
    ]


def test_messages_of_openinference_in_one_attribute() -> None:
    listed = [{"message.role": "user", "message.content": "Hello"}, {"message": {"role": "assistant", "content": "Hi"}}]
    assert read({"llm.input_messages": json.dumps(listed)}) == [("user", [("Hello",)]), ("assistant", [("Hi",)])]


def test_numbered_attributes_of_older_conventions() -> None:
    attributes = {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Hello",
        "gen_ai.prompt.1.role": "assistant",
        "gen_ai.prompt.1.tool_calls.0.id": "c",
        "gen_ai.prompt.1.tool_calls.0.name": "f",
        "gen_ai.prompt.1.tool_calls.0.arguments": "{}",
        "gen_ai.prompt.2.role": "user",
        "gen_ai.prompt.2.content": '[{"type": "text", "text": "in parts"}]',
        "gen_ai.completion.0.content": "Hi",
    }
    assert read(attributes) == [
        ("user", [("Hello",)]),
        ("assistant", [("c", "f", {})]),
        ("user", [("in parts",)]),
    ]
    assert read(attributes, side=OUTPUT) == [("assistant", [("Hi",)])]


def test_events_of_the_first_conventions() -> None:
    events = (
        event("gen_ai.system.message", content="Be brief."),
        event("gen_ai.user.message", content="Hello", role="user"),
        event(
            "gen_ai.assistant.message",
            tool_calls=json.dumps([{"id": "c", "function": {"name": "f", "arguments": "1"}}]),
        ),
        event("gen_ai.tool.message", id="c", content="42"),
        event("gen_ai.choice", index=0, finish_reason="stop", message='{"role": "assistant", "content": "Hi"}'),
        event("exception", content="no message"),
    )
    assert read({}, *events) == [
        ("system", [("Be brief.",)]),
        ("user", [("Hello",)]),
        ("assistant", [("c", "f", 1)]),
        ("tool", [("c", None, "42")]),
    ]
    assert read({}, *events, side=OUTPUT) == [("assistant", [("Hi",)])]


def test_numbered_events_of_genai_otel() -> None:
    events = (
        event("gen_ai.prompt.system", gen_ai__prompt__role="system", gen_ai__prompt__content="Be brief."),
        event("gen_ai.prompt.0", gen_ai__prompt__role="user", gen_ai__prompt__content="Hello"),
        event("gen_ai.completion.0", gen_ai__completion__role="assistant", gen_ai__completion__content="Hi"),
    )
    attributes = {"gen_ai.request.first_message": "not this", "gen_ai.response": "nor this"}
    assert read(attributes, *events) == [("system", [("Be brief.",)]), ("user", [("Hello",)])]
    assert read(attributes, *events, side=OUTPUT) == [("assistant", [("Hi",)])]


def test_events_that_hold_all_messages() -> None:
    content = event("gen_ai.content.prompt", gen_ai__prompt='[{"role": "user", "content": "Hello"}]')
    assert read({}, content) == [("user", [("Hello",)])]
    details = event(
        "gen_ai.client.inference.operation.details",
        gen_ai__input__messages='[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]',
    )
    assert read({}, details) == [("user", [("Hello",)])]


def test_the_conventions_come_first_and_bare_values_last() -> None:
    attributes = {
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "this"}]}]',
        "llm.input_messages.0.message.content": "not this",
        "input.value": "nor this",
    }
    assert read(attributes) == [("user", [("this",)])]
    assert read({"input.value": "this then"}) == [("user", [("this then",)])]
    assert read({"output.value": '{"messages": 1}'}, side=OUTPUT)[0][0] == "assistant"
    assert read({}) == []


def test_tools_of_openinference() -> None:
    attributes = {
        "llm.tools.1.tool.json_schema": '{"type": "function", "function": {"name": "b"}}',
        "llm.tools.0.tool.json_schema": '{"name": "a", "description": "first", "input_schema": {}}',
    }
    assert [tool["name"] for tool in tools_of(raw_tools(attributes), Texts()) or []] == ["a", "b"]
    older = {"llm.request.functions.0.name": "f", "llm.request.functions.0.parameters": '{"type": "object"}'}
    assert tools_of(raw_tools(older), Texts()) == [{"name": "f", "description": None, "parameters": {"type": "object"}}]


NAMES = st.lists(
    st.sampled_from(["0", "1", "99999999999", "message", "role", "content", "contents", "tool_calls", "tool_call", ""]),
    max_size=6,
).map(".".join)
PREFIXES = st.sampled_from(["llm.input_messages", "gen_ai.prompt", "llm.tools", "llm.output_messages"])
VALUES = st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text(max_size=3), max_size=2) | st.just("{}")


@given(flat=st.dictionaries(st.tuples(PREFIXES, NAMES).map(".".join), VALUES, max_size=12), value=VALUES)
def test_no_attribute_raises(flat: dict[str, Any], value: Any) -> None:
    events = tuple(
        event(name, content=value, message=value, gen_ai__prompt=value)
        for name in ("gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt", "gen_ai.prompt.0")
    )
    for side in (INPUT, OUTPUT):
        to_json(read(flat, side=side))
        to_json(read({}, *events, side=side))
    to_json(tools_of(raw_tools(flat), Texts()))
