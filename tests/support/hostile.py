"""Runs full of what nobody should trust: markup, scripts, broken characters, texts of megabytes, bottomless documents.

`hostile_store` makes two of them: one by the real command line, with a model and tools that say such things, and one as
somebody else's program may leave it, with values that a run of ours refuses.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.command import smoltrace_here
from support.model_scripts import agent_kind, call, final_answer, markers
from support.model_server import ModelServer, Reply
from support.runs import chat, execution, make_run, span, trace_of

from smoltrace.books import names
from smoltrace.books.spans import Event
from smoltrace.store.layout import RunDir

MARKUP = (
    "<script>alert(1)</script></script></title></textarea></template></style>--><img src=x onerror=alert(2)>"
    '"\'><svg onload=alert(3)><b id=evil>{{7*7}}${7*7}</b><a href="javascript:alert(4)">a</a>'
    "<iframe srcdoc='<script>alert(5)</script>'></iframe><style>*{display:none}</style>&lt;&amp;&#60;\\u003c"
)
"""What is more than text wherever it is not only text."""
BIDI = "\u202eright to left\u202c \u2066isolated\u2069 \u200f\u061c\ufeff\u2028\u2029\u0085 a\u0300\u0301\u0302"
BROKEN = "\x00\x1b[31m\x08\x7f\ud800 \udfff\ud83d"
"""NUL, what a terminal obeys, and halves of characters."""
LONG_WORD = "W" * 3_000
MARKDOWN = (
    "# [heading](javascript:alert(6)) <b id=evil>\n"
    "[link](javascript:alert(7)) ![picture](javascript:alert(8)) [data](data:text/html,<script>alert(9)</script>)\n"
    "<https://evil.invalid/beacon> https://evil.invalid/beacon ![beacon](https://evil.invalid/beacon.png)\n"
    "| <script>alert(10)</script> | `<img src=x onerror=alert(11)>` |\n| --- | --- |\n"
    "```html\n<script>alert(12)</script>\n</code></pre><img src=x onerror=alert(13)>\n```\n"
    "```<script>alert(14)</script>\nx = '</script>' # <b id=evil>\n```\n**`<b id=evil>`** __proto__ *a* ~~`~~"
)
HUGE_CHARS = 5_000_000
HUGE = "".join(f"line {n} of a text that is long </script>\n" for n in range(HUGE_CHARS // 30))[:HUGE_CHARS]
LONG = HUGE[:150_000]
LONG_NAME = "N" * 25_000
DEEP = "[" * 5_000 + "]" * 5_000
PROTO = {"__proto__": {"polluted": "yes"}, "constructor": {"prototype": {"polluted": "yes"}}, "toString": "no function"}
MODEL = "org/<img src=x onerror=alert(15)>%2F..%3F?a=b&c#d\"'{{7*7}}"
FOREIGN_MODEL = f"{MARKUP}/{BIDI}/{LONG_WORD}"
NOTES = f"{MARKUP} {BIDI} {MARKDOWN}"
TAGS = (f"<b id=evil>={MARKUP}", "__proto__=polluted", "constructor=polluted")
RUN, FOREIGN = "hostile", "foreign"

SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(16)'><script>alert(17)</script></svg>"


def png(width: int = 2, height: int = 2) -> bytes:
    """A valid picture, all of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x20\x80\xc0" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def base64_of(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def picture_at(address: str) -> dict[str, Any]:
    """A part of a message, as a request's body has it."""
    return {"type": "image_url", "image_url": {"url": address}}


PNG_URL = f"data:image/png;base64,{base64_of(png())}"
SVG_URL = f"data:image/svg+xml;base64,{base64_of(SVG)}"
SAID: dict[str, str] = {
    "markup": MARKUP,
    "bidi": BIDI,
    "broken": f"before {BROKEN} after",
    "word": LONG_WORD,
    "markdown": f"{MARKDOWN}\n![png]({PNG_URL}) ![svg]({SVG_URL})",
    "huge": HUGE,
    "deep": DEEP,
    "proto": json.dumps(PROTO),
}
"""What tools return and answers say, by the name that a task asks for."""
IDS = {
    "markup": "<img src=x onerror=alert(18)><b id=evil>\"'&amp;{{7*7}}",
    "bidi": "אבג/ضض…🙂",
    "broken": "a/b%2F..%2F?x=1&y=2#z+ ~,;:\\",
    "word": "W" * 300,
    "markdown": "../../../etc/passwd",
    "huge": "__proto__",
    "deep": "constructor",
    "proto": "toString",
    "refused": "<script>alert(19)</script>",
}
"""The id of the task that asks for it; a task that a server refuses is there, too."""

TOOLS = '''
import json
from pathlib import Path

from smolagents import tool

SAID = json.loads(Path(__file__).with_name("said.json").read_text())


@tool
def say(what: str, beside: object) -> str:
    """Says something. <script>alert(20)</script>

    Args:
        what: the name of what to say <img src=x onerror=alert(21)>
        beside: anything
    """
    return SAID[what]


@tool
def refuse(what: str, beside: object) -> str:
    """Fails with it.

    Args:
        what: the name of what to fail with
        beside: anything
    """
    raise RuntimeError(SAID[what])
'''


def script(request: dict[str, Any], index: int) -> Reply:
    """A model that says what the test asks for: as a thought, to a tool, and in the end as its answer."""
    kind, what = agent_kind(request), markers(request).get("test", "markup")
    if what == "refused":
        return Reply(status=400, error=f"{MARKUP} {BIDI} {LONG_WORD}")
    said = SAID[what]
    if index >= 2 or what == "huge":
        reply = final_answer(kind, said)
        return replace(reply, content=f"{reply.content}\n{MARKDOWN}") if kind == "tool" else reply
    tool = "say" if index == 0 else "refuse"
    beside = PROTO | {MARKUP: [MARKUP, BIDI]}
    if what == "deep" and kind == "tool":
        return Reply(content=MARKUP, tool_calls=[(tool, f'{{"what": "deep", "beside": {DEEP}}}')])
    reply = call(kind, index, [(tool, {"what": what, "beside": beside})])
    return replace(reply, content=f"{MARKDOWN.partition('```')[0]}{reply.content}")


def write_tasks(folder: Path) -> Path:
    (folder / "hostile_tools.py").write_text(TOOLS)
    (folder / "said.json").write_text(json.dumps(SAID))
    tasks = [
        {
            "id": test_id,
            "prompt": f"[test:{what}] {MARKUP}\n{BIDI}\n{MARKDOWN}\n{LONG_WORD}",
            "category": f"{MARKUP[:60]} {what}",
            "difficulty": "<b id=evil>hard",
            "expected_answer": {"one": [MARKUP, PROTO], "__proto__": 1} if what == "proto" else MARKUP,
            "expected_keywords": [MARKUP, BIDI],
            "agent_type": "tool" if what == "huge" else "both",
        }
        for what, test_id in IDS.items()
    ]
    file = folder / "tasks.jsonl"
    file.write_text("\n".join(map(json.dumps, tasks)))
    return file


def hostile_store(folder: Path) -> Path:
    """A store with both runs, made in a folder of its own."""
    folder.mkdir(parents=True)
    store = folder / "store"
    prices = {"models": {MODEL: {"input": 2.5, "output": 10}}}
    (folder / "prices.json").write_text(json.dumps(prices))
    with ModelServer(script) as server:
        done = smoltrace_here(
            *("eval", write_tasks(folder), "--base-url", server.url, "--model", MODEL, "--run-id", RUN),
            *("--tools", "hostile_tools:say,hostile_tools:refuse", "--store", store, "--price-file", "prices.json"),
            *("--notes", NOTES, *(part for tag in TAGS for part in ("--tag", tag)), "--max-steps", "4"),
            *("--retries", "0", "--quiet"),
            cwd=folder,
        )
    assert done.returncode == 0, done.stderr
    foreign_run(store)
    return store


def foreign_run(store: Path) -> RunDir:
    """A run of another program: ids, names and messages as they come, through the store's own writers."""
    nasty = f"{MARKUP} {BIDI} \x00 {LONG_WORD}"
    tests = [
        execution(
            1,
            test_id=f"\u202e{MARKUP}\n\x00",
            model=FOREIGN_MODEL,
            system=MARKUP,
            provider=MARKUP,
            difficulty=nasty,
            category=LONG_NAME,
            prompt=f"{nasty} {LONG}",
            response=HUGE,
            error=nasty,
            error_type=LONG_NAME,
            expected={"__proto__": {"polluted": 1}, MARKUP: [nasty, None, 1e300]},
            spans=_spans(1),
        ),
        execution(2, test_id="__proto__", category="__proto__", error_type="constructor", model=FOREIGN_MODEL),
        execution(3, test_id="constructor", category="toString", response=DEEP, model=FOREIGN_MODEL, spans=_spans(3)),
    ]
    about: dict[str, Any] = {
        "model": FOREIGN_MODEL,
        "provider": MARKUP,
        "system": MARKUP,
        "tasks": {"name": nasty, "fingerprint": MARKUP, "source": nasty},
        "notes": nasty,
        "tags": PROTO | {MARKUP: nasty},
        "submitted_by": MARKUP,
        "hardware": nasty,
        "config": {"__proto__": {"polluted": 1}, MARKUP: {MARKUP: nasty}, "deep": json.loads("[" * 150 + "]" * 150)},
        "versions": {"smoltrace": MARKUP, "smolagents": nasty, "python": "{{7*7}}"},
    }
    return make_run(store, tests, run_id=FOREIGN, **about)


def _spans(trace: int) -> Sequence[Any]:
    """A trace with every kind of span, each with a name, messages, attributes and events that nobody should trust."""
    at = 1000 * (trace - 1)
    asked = [
        {"role": "system", "content": f"{MARKUP}\n{MARKDOWN}"},
        {"role": MARKUP, "content": [{"type": "text", "text": HUGE}, picture_at(PNG_URL)]},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": SVG_URL}}, {"type": MARKUP, MARKUP: 1}],
        },
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://evil.invalid/beacon.png"}}]},
        {"role": "user", "content": [{"type": "blob", "mime_type": "image/svg+xml", "data": base64_of(SVG)}]},
        {
            "role": "user",
            "content": [{"type": "blob", "mime_type": "image/png", "data": '"><img src=x onerror=alert(22)>'}],
        },
    ]
    told = {
        "role": "assistant",
        "content": f"{MARKDOWN}\n{BIDI} \x00 {LONG_WORD}",
        "tool_calls": [{"id": MARKUP, "function": {"name": MARKUP, "arguments": json.dumps(PROTO | {MARKUP: DEEP})}}],
    }
    said = {names.INPUT_MESSAGES: json.dumps(asked), names.OUTPUT_MESSAGES: json.dumps([told])}
    odd = {MARKUP: MARKUP, "__proto__": "polluted", "constructor": LONG_WORD, "deep": DEEP, "long": LONG, "nul": "\x00"}
    event = Event(name=MARKUP, time_ns=1, attributes={MARKUP: f"{BIDI} {LONG_WORD}", "exception.stacktrace": LONG})
    call_of = chat(trace, 71, 7, (at + 71, at + 78), (10, 5), status="ERROR", events=(event,))
    wide = (at + 70, at + 90)
    return [
        *trace_of(trace, at=at),
        span(trace, 7, 1, f"{MARKUP} {BIDI} {LONG_WORD}", wide, status="ERROR", **odd),
        replace(call_of, name=f"chat {MARKUP}", attributes={**call_of.attributes, **said, **odd}),
        span(
            trace,
            72,
            7,
            f"execute_tool {MARKUP}",
            (at + 79, at + 89),
            status="ERROR",
            gen_ai__operation__name=names.EXECUTE_TOOL,
            gen_ai__tool__name=MARKUP,
            gen_ai__tool__call__arguments=json.dumps(PROTO),
            gen_ai__tool__call__result=DEEP,
            error__type=MARKUP,
        ),
        span(trace, 99, 98, f"lost {MARKUP}", (at + 95, at + 99), scope=MARKUP, **odd),
    ]
