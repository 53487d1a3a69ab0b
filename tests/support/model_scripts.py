"""What the scripted model server says: pure functions from a chat request to a reply.

Markers in a task's prompt steer the default script:

    [test:ID]      names the test in the server's ledger
    [tool:NAME]    the tool of the first step (else get_weather when the prompt says "weather", else calculator)
    [steps:N]      how many steps call a tool before the final answer (2)
    [answer:TEXT]  the final answer (else a summary of the observations)
    [manage:NAME]  the first step hands the task to the managed agent NAME
    [parallel]     the first step of a tool-calling agent calls two tools at once
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

AUTO: dict[str, Any] = {"auto": True}
PLAN_OPENINGS = ("Here are the facts I know and the plan", "I still need to solve the task")
ARGUMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "get_weather": ("location", ("Paris", "Tokyo", "London", "Berlin")),
    "calculator": ("expression", ("17 * 3", "144 / 12", "2 + 2", "9 * 9")),
    "get_current_time": ("timezone", ("UTC", "Europe/Paris", "Asia/Tokyo", "America/New_York")),
}
_MARKER = re.compile(r"\[(test|tool|steps|answer|manage|parallel)(?::([^\]]*))?\]")


@dataclass(frozen=True)
class Reply:
    """One answer of the model, or one way of failing to give it.

    `tool_calls` are (name, arguments) pairs. `usage` AUTO counts from the request, None leaves it out. `garbage` sends
    a body that is no JSON; `hang` never answers; `drop` closes the connection (halfway through a stream); `drip_s`
    waits that long before each piece of the answer, `delay_s` once before all of it.
    """

    content: str | None = None
    tool_calls: Sequence[tuple[str, Any]] = ()
    usage: Mapping[str, Any] | None = field(default_factory=lambda: AUTO)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0
    garbage: bool = False
    hang: bool = False
    drop: bool = False
    model: str | None = None
    error: str = ""


Script = Callable[[dict[str, Any], int], Reply]


def text_of(message: Mapping[str, Any]) -> str:
    """The text of one chat message, its images left out."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or () if isinstance(part, dict))


def agent_kind(request: Mapping[str, Any]) -> str:
    """Who asks: "tool" or "code" agent, its "planning" step, or "final_answer" after the last step."""
    if request.get("tools"):
        return "tool"
    if request.get("stop") == ["<end_plan>"]:
        return "planning"
    messages = request.get("messages") or [{}]
    return "final_answer" if text_of(messages[0]).startswith("An agent tried to answer") else "code"


def call_index(request: Mapping[str, Any]) -> int:
    """How many action steps of this conversation lie behind: 0 for its first action."""
    steps, told = 0, False
    for message in request.get("messages") or ():
        text = text_of(message)
        if message.get("role") == "assistant":
            if not text.startswith(PLAN_OPENINGS):
                steps, told = steps + 1, True
        elif message.get("role") == "user":
            for _ in range(text.count("\nNow let's retry:")):
                steps, told = steps if told else steps + 1, False
    return steps


def markers(request: Mapping[str, Any]) -> dict[str, str]:
    """The first value of each marker in the conversation's own task, wherever it was quoted."""
    found: dict[str, str] = {}
    for message in request.get("messages") or ():
        if message.get("role") != "system" and "[" in (text := text_of(message)):
            for name, value in _MARKER.findall(text):
                found.setdefault(name, value)
    return found


def first_user_text(request: Mapping[str, Any]) -> str:
    return next((text_of(m) for m in request.get("messages") or () if m.get("role") == "user"), "")


def default_script(request: dict[str, Any], index: int) -> Reply:
    """Two tools, one a step, then the final answer; see the markers at the top of this file."""
    kind, marks = agent_kind(request), markers(request)
    if kind == "planning":
        return Reply(content="1. Facts: as given.\n2. Plan: call the tools, then answer.<end_plan>")
    if kind == "final_answer":
        return Reply(content="The steps ran out; the best answer so far is 42.")
    if index >= int(marks.get("steps", "2")):
        return final_answer(kind, marks.get("answer") or summary(request))
    if "manage" in marks and index == 0 and _offers(request, kind, marks["manage"]):
        task = re.sub(r"\[(?:manage|steps)[^\]]*\]", "", first_user_text(request).removeprefix("New task:\n")).strip()
        return call(kind, index, [(marks["manage"], {"task": f"{task} [steps:1]"})])
    calls = [_tool_call(request, kind, marks, index)]
    if "parallel" in marks and index == 0 and kind == "tool":
        calls.append(_tool_call(request, kind, marks, index + 1))
    return call(kind, index, calls)


def call(kind: str, index: int, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Reply:
    """A step that calls tools, in the form that the asking agent understands."""
    thought = f"Thought: step {index + 1} needs {calls[0][0]}."
    if kind == "tool":
        return Reply(content=thought, tool_calls=calls)
    lines = "\n".join(f"print({name}({', '.join(f'{k}={v!r}' for k, v in args.items())}))" for name, args in calls)
    return Reply(content=f"{thought}\n<code>\n{lines}\n</code>")


def final_answer(kind: str, answer: Any) -> Reply:
    if kind == "tool":
        return Reply(content="Thought: I know the answer.", tool_calls=[("final_answer", {"answer": answer})])
    return Reply(content=f"Thought: I know the answer.\n<code>\nfinal_answer({answer!r})\n</code>")


def summary(request: Mapping[str, Any]) -> str:
    """What the observations of the conversation said, on one line of at most 300 characters."""
    seen = [
        part.partition("Last output from code snippet:")[0].replace("Execution logs:", "").strip()
        for message in request.get("messages") or ()
        if message.get("role") == "user"
        for part in text_of(message).split("Observation:\n")[1:]
    ]
    return ("The tools say: " + "; ".join(" ".join(s.split()) for s in seen))[:300]


def _tool_call(
    request: Mapping[str, Any], kind: str, marks: Mapping[str, str], index: int
) -> tuple[str, dict[str, Any]]:
    first = marks.get("tool") or ("get_weather" if "weather" in first_user_text(request).lower() else "calculator")
    order = [first, *(name for name in ARGUMENTS if name != first)]
    offered = [name for name in order if _offers(request, kind, name)] or [first]
    name = offered[index % len(offered)]
    argument, values = ARGUMENTS.get(name, ("task", ("help",)))
    return name, {argument: values[index % len(values)]}


def _offers(request: Mapping[str, Any], kind: str, tool: str) -> bool:
    if kind == "tool":
        return any(t["function"]["name"] == tool for t in request["tools"])
    return any(f"def {tool}(" in text_of(m) for m in request.get("messages") or () if m.get("role") == "system")


def count_usage(request: Mapping[str, Any], reply: Reply, index: int, details: bool) -> dict[str, Any]:
    """OpenAI usage that depends on nothing but the request and the reply: about four characters a token.

    With `details`, half of the input of every later step is cached, and the answer was reasoned about first.
    """
    said = sum(len(text_of(m)) for m in request.get("messages") or ())
    tools = len(orjson.dumps(request["tools"])) if request.get("tools") else 0
    spoken = len(reply.content or "") + sum(len(n) + len(json.dumps(a)) for n, a in reply.tool_calls)
    inputs, visible = said // 4 + tools // 4 + 3, spoken // 4 + 1
    reasoning = visible // 2 + 8 if details else 0
    usage: dict[str, Any] = {
        "prompt_tokens": inputs,
        "completion_tokens": visible + reasoning,
        "total_tokens": inputs + visible + reasoning,
    }
    if details:
        usage["prompt_tokens_details"] = {"cached_tokens": inputs // 2 if index else 0}
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage
