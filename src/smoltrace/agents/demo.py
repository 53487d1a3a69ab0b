"""The demonstration model: deterministic, offline and free of charge, so that a first evaluation needs no key.

It stands where a language model stands and drives smolagents' agents through their tools, step by step. Its rules are
in `demo_rules`. Its usage is counted by a rule: one token for every four characters begun, of all message texts and
the tool schemas in JSON for the input, and of the text and the tool calls for the output. Sampling parameters change
nothing, except `max_tokens`, which cuts the answer off.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import smolagents
from smolagents.models import (
    ChatMessage,
    ChatMessageStreamDelta,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    ChatMessageToolCallStreamDelta,
    MessageRole,
    get_tool_json_schema,
    remove_content_after_stop_sequences,
)
from smolagents.monitoring import TokenUsage

from smoltrace.agents.demo_rules import Answer, Babble, Call, Code, Move, Seen, Situation, decide
from smoltrace.tracing import capture

DEMO_MODEL_ID: Final = "demo"
_CHARACTERS_PER_TOKEN: Final = 4
_TASK: Final = "New task:\n"
_PLAN: Final = "1. Find out what the tools can tell.\n2. Answer from what they said.<end_plan>"
_STUCK: Final = "I did not reach an answer in the steps that I had."


class DemoModel(smolagents.Model):
    """`first_token_s` and `token_s` are the seconds it takes for the first token and for each further one."""

    def __init__(
        self,
        model_id: str = DEMO_MODEL_ID,
        *,
        first_token_s: float = 0.004,
        token_s: float = 0.0004,
        **parameters: Any,
    ) -> None:
        super().__init__(model_id=model_id, **parameters)
        self.first_token_s, self.token_s = first_token_s, token_s

    def generate(
        self,
        messages: list[ChatMessage | dict[str, Any]],
        stop_sequences: list[str] | None = None,
        response_format: dict[str, str] | None = None,
        tools_to_call_from: list[smolagents.Tool] | None = None,
        **parameters: Any,
    ) -> ChatMessage:
        raw = self._complete(messages, stop_sequences, tools_to_call_from, parameters)
        time.sleep(self.first_token_s + self.token_s * raw["usage"]["completion_tokens"])
        if (call := capture.current()) is not None:
            call.response(raw)
        message = raw["choices"][0]["message"]
        return ChatMessage(
            role=MessageRole.ASSISTANT,
            content=message["content"],
            tool_calls=[_tool_call(each) for each in message["tool_calls"]] or None,
            raw=raw,
            token_usage=_token_usage(raw),
        )

    def generate_stream(
        self,
        messages: list[ChatMessage | dict[str, Any]],
        stop_sequences: list[str] | None = None,
        response_format: dict[str, str] | None = None,
        tools_to_call_from: list[smolagents.Tool] | None = None,
        **parameters: Any,
    ) -> Iterator[ChatMessageStreamDelta]:
        raw = self._complete(messages, stop_sequences, tools_to_call_from, parameters)
        call = capture.current()
        time.sleep(self.first_token_s)
        for chunk in _chunks(raw):
            if call is not None:
                call.chunk(chunk)
            yield _delta(chunk, raw)
            time.sleep(self.token_s)

    def _complete(
        self,
        messages: Sequence[ChatMessage | dict[str, Any]],
        stop_sequences: list[str] | None,
        tools: list[smolagents.Tool] | None,
        parameters: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The whole answer in the shape of an OpenAI chat completion."""
        texts = [_text(message) for message in messages]
        schemas = [get_tool_json_schema(tool) for tool in tools or ()]
        content, calls = self._speak(texts, stop_sequences, tools)
        limit = {**parameters, **self.kwargs}.get("max_tokens")
        content, calls, finish = _cut_off(content, calls, limit)
        asked = "".join(texts) + (json.dumps(schemas) if schemas else "")
        said = content + "".join(call["function"]["name"] + call["function"]["arguments"] for call in calls)
        digest = hashlib.sha256(f"{asked}\x00{said}".encode("utf-8", "replace")).hexdigest()
        for number, each in enumerate(calls):
            each["id"] = f"call_{digest[:16]}_{number}"
        inputs, outputs = _tokens(asked), _tokens(said)
        return {
            "id": f"demo-{digest[:24]}",
            "object": "chat.completion",
            "model": self.model_id,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish,
                    "message": {"role": "assistant", "content": content, "tool_calls": calls},
                }
            ],
            "usage": {"prompt_tokens": inputs, "completion_tokens": outputs, "total_tokens": inputs + outputs},
        }

    def _speak(
        self, texts: list[str], stop_sequences: list[str] | None, tools: list[smolagents.Tool] | None
    ) -> tuple[str, list[dict[str, Any]]]:
        stops = stop_sequences or []
        if "<end_plan>" in stops:
            return remove_content_after_stop_sequences(_PLAN, stops) or "", []
        closing = next((stop for stop in stops if stop.startswith(("</", "```"))), None)
        if tools is None and closing is None:
            return _STUCK, []
        offered = frozenset(tool.name for tool in tools) if tools else _tools_in(texts[0] if texts else "")
        move = decide(_situation(texts, offered, writes_code=not tools))
        if tools:
            return _as_tool_calls(move)
        opening = "<code>" if closing is None or closing.startswith("</") else "```python"
        return _as_code(move, opening, closing or "</code>"), []


def _situation(texts: list[str], tools: frozenset[str], *, writes_code: bool) -> Situation:
    start = max((n for n, text in enumerate(texts) if text.startswith(_TASK)), default=None)
    if start is None:
        return Situation(texts[-1] if texts else "", tools, (), writes_code)
    seen = tuple(each for text in texts[start + 1 :] if (each := _seen(text)) is not None)
    return Situation(texts[start].removeprefix(_TASK), tools, seen, writes_code)


def _seen(text: str) -> Seen | None:
    if text.startswith("Observation:\n"):
        shown = text.removeprefix("Observation:\n").removeprefix("Execution logs:\n")
        return Seen(shown.partition("Last output from code snippet:")[0].strip(), "result")
    if "Error:\n" in text[:200] and "Now let's retry" in text:
        unreadable = "parsing" in text[:200]
        return Seen(text, "unreadable" if unreadable else "failed")
    return None


def _tools_in(system_prompt: str) -> frozenset[str]:
    """What a code agent offers: functions, described in its system prompt."""
    return frozenset(re.findall(r"^def (\w+)\(", system_prompt, re.MULTILINE))


def _as_tool_calls(move: Move) -> tuple[str, list[dict[str, Any]]]:
    match move:
        case Call(tool, argument, value):
            return f"I use {tool}.", [_call(tool, {argument: value})]
        case Answer(text):
            return "I can answer now.", [_call("final_answer", {"answer": text})]
        case Babble(text) | Code(text):
            return text, []


def _as_code(move: Move, opening: str, closing: str) -> str:
    match move:
        case Babble(text):
            return text
        case Call(tool, argument, value):
            thought, code = f"I use {tool}.", f"result = {tool}({argument}={value!r})\nprint(result)"
        case Code(text):
            thought, code = "I work it out.", text
        case Answer(text):
            thought, code = "I can answer now.", f"final_answer({text!r})"
    return f"Thought: {thought}\n{opening}\n{code}\n{closing}"


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": "", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def _cut_off(content: str, calls: list[dict[str, Any]], limit: int | None) -> tuple[str, list[dict[str, Any]], str]:
    said = content + "".join(call["function"]["name"] + call["function"]["arguments"] for call in calls)
    if limit is not None and _tokens(said) > limit:
        return said[: limit * _CHARACTERS_PER_TOKEN], [], "length"
    return content, calls, "tool_calls" if calls else "stop"


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def _text(message: ChatMessage | dict[str, Any]) -> str:
    content = message.get("content") if isinstance(message, dict) else message.content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return content or ""


def _tool_call(call: dict[str, Any]) -> ChatMessageToolCall:
    return ChatMessageToolCall(id=call["id"], type="function", function=ChatMessageToolCallFunction(**call["function"]))


def _token_usage(raw: dict[str, Any]) -> TokenUsage:
    return TokenUsage(input_tokens=raw["usage"]["prompt_tokens"], output_tokens=raw["usage"]["completion_tokens"])


def _chunks(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer in pieces of a token each, tool calls whole, the usage last, as OpenAI streams them."""
    base = {"id": raw["id"], "object": "chat.completion.chunk", "model": raw["model"]}
    choice = raw["choices"][0]
    content, calls = choice["message"]["content"], choice["message"]["tool_calls"]
    for start in range(0, len(content), _CHARACTERS_PER_TOKEN):
        piece = {"content": content[start : start + _CHARACTERS_PER_TOKEN]}
        yield {**base, "choices": [{"index": 0, "delta": piece, "finish_reason": None}]}
    for index, each in enumerate(calls):
        yield {**base, "choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, **each}]}}]}
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield {**base, "choices": [], "usage": raw["usage"]}


def _delta(chunk: dict[str, Any], raw: dict[str, Any]) -> ChatMessageStreamDelta:
    if not chunk["choices"]:
        return ChatMessageStreamDelta(content="", token_usage=_token_usage(raw))
    delta = chunk["choices"][0]["delta"]
    calls = [
        ChatMessageToolCallStreamDelta(
            index=each["index"],
            id=each["id"],
            type="function",
            function=ChatMessageToolCallFunction(**each["function"]),
        )
        for each in delta.get("tool_calls", ())
    ]
    return ChatMessageStreamDelta(content=delta.get("content"), tool_calls=calls or None)
