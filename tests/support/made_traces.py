"""Traces as the viewer's data API gives them, made for the page that shows them: what no sample run holds.

They answer for the server in the browser (`answer_with`), so that a test can bring spans without parents, spans without
an end, gaps, failures, and texts that nobody should trust.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

RUN = "made-run"
TRACE = "ab" * 16
COLUMNS = (
    "id",
    "parent",
    "name",
    "kind",
    "start_ms",
    "end_ms",
    "error",
    "tokens_in",
    "tokens_out",
    "cost",
    "unpriced",
    "energy_wh",
    "model",
    "tool",
    "step",
)
LATE_MS = 5_000.0
"""A trace does not begin with its run: its times are shifted by so much."""


@dataclass
class MadeTrace:
    """A trace in the making: spans by rows, what is in them by id, and texts that come only when asked for."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    gpu: Callable[[int], dict[str, Any]] | None = None
    """The GPU over the trace's time in so many buckets."""

    def span(self, name: str, kind: str, start: float, end: float | None, parent: int = -1, **more: Any) -> int:
        """Add a span, times in ms since the trace's start. Returns its index. `detail` is what the panel shows."""
        detail = more.pop("detail", {})
        index = len(self.rows)
        row = dict.fromkeys(COLUMNS) | {"id": f"{index + 1:08x}{7919 * index:08x}", "unpriced": False}
        row |= {"name": name, "kind": kind, "parent": parent, "start_ms": start + LATE_MS}
        row |= {"end_ms": None if end is None else end + LATE_MS} | more
        self.rows.append(row)
        plain = {"events": [], "attributes": {}, "messages": None, "input": None, "output": None}
        # of spans with one id the server tells the first
        self.details.setdefault(row["id"], plain | {"id": row["id"], "name": name, "kind": kind} | detail)
        return index

    def trace(self) -> dict[str, Any]:
        """As `/api/run/ID/trace/TRACE` answers."""
        columns = {name: [row.get(name) for row in self.rows] for name in COLUMNS}
        answer = {"run_id": RUN, "trace_id": TRACE, "header": self.header, "count": len(self.rows), "columns": columns}
        return answer | {"gpu": self.gpu(600) if self.gpu else None, "gpu_reason": None if self.gpu else "no GPU"}

    def id(self, index: int) -> str:
        return str(self.rows[index]["id"])


def answer_with(page: Page, made: MadeTrace, paths: list[str] | None = None) -> None:
    """Let the browser get this trace instead of asking the server. `paths` is told of all that is asked."""

    def answer(route: Route) -> None:
        path = unquote(urlsplit(route.request.url).path)
        if paths is not None:
            paths.append(path)
        parts = path.split(f"/trace/{TRACE}")[-1].strip("/").split("/")
        if parts == [""]:
            body: Any = made.trace()
        elif len(parts) == 2:
            body = made.details[parts[1]]
        else:
            body = {"text": made.texts[parts[3]]}
        # lone surrogates travel as escapes, as the server sends them
        route.fulfill(body=json.dumps(body), content_type="application/json")

    def answer_gpu(route: Route) -> None:
        assert made.gpu is not None
        width = int(parse_qs(urlsplit(route.request.url).query)["width"][0])
        route.fulfill(body=json.dumps(made.gpu(width)), content_type="application/json")

    page.route(f"**/api/run/{RUN}/trace/**", answer)
    page.route(re.compile(f"/api/run/{RUN}/gpu[?]"), answer_gpu)


def message(role: str, text: Any, *, seen: bool = False, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "text": text}], "seen": seen} | more


def call(name: str, arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": f"call_{name}", "name": name, "arguments": arguments}


SYSTEM = "You are an expert assistant who solves any task with tool calls.\n" + "Rule: look before you answer.\n" * 180
TASK = "New task:\nSum the open invoices in `invoices.csv` in EUR at today's rates. Answer with two decimals."
CODE = (
    "# convert each invoice before the sum\n"
    'rows = load_csv("invoices.csv")\n'
    'fx = get_rates(base="EUR")\n'
    'due = [r for r in rows if r["state"] == "open"]\n'
    "total = sum(\n"
    '    convert(r["amt"], fx[r["currency"]])\n'
    "    for r in due)\n"
    "print(len(due), round(total, 2))"
)
KEY_ERROR = "KeyError: 'ccy' in convert(), line 3"


def invoices() -> MadeTrace:
    """An agent that fails, waits, and then succeeds; with a GPU, an idle gap, lost spans and a span without an end."""
    made = MadeTrace(header=_header(), gpu=_gpu)
    agent = made.span("invoke_agent CodeAgent", "agent", 0, 104_000, detail={"messages": _agent_said()})
    begins = ((0, 5_800, 2_400), (8_500, 5_900, 4_400), (60_200, 5_900, 4_600), (71_000, 4_800, 4_500))
    for number, (start, thinks, works) in enumerate((*begins, (80_600, 5_100, 1_200), (89_000, 6_200, 8_700)), 1):
        _step(made, agent, number, start, thinks, works)
    for k, lost in enumerate(("flush_cache", "send_report")):
        made.span(lost, "other", 72_000 + 4_000 * k, None if k else 76_500, parent=-2)
    return made


def _step(made: MadeTrace, agent: int, number: int, start: float, thinks: float, works: float) -> None:
    used = {"tokens_in": 1_400 + 740 * number, "tokens_out": 214 + 40 * number, "cost": 0.000023 + 8e-6 * number}
    step = made.span(f"step {number}", "step", start, start + thinks + works + 200, agent, step=number)
    made.span(
        "chat Qwen2.5-Coder-7B",
        "chat",
        start + 60,
        start + thinks,
        step,
        model="Qwen2.5-Coder-7B",
        step=number,
        energy_wh=0.05 + 0.01 * number,
        detail=_chat_said(number),
        **used,
    )
    failed = number in (2, 4)
    begin, end = start + thinks + 20, start + thinks + works
    tool = made.span(
        "execute_tool python_interpreter",
        "tool",
        begin,
        end,
        step,
        tool="python_interpreter",
        step=number,
        error="InterpreterError" if number == 2 else None,
        detail={"input": json.dumps({"code": CODE}), "output": "9 11730.18", "error_type": None},
    )
    shares = (("load_csv", 0.0, 0.07), ("get_rates", 0.1, 0.4), ("convert", 0.45, 0.7), ("convert", 0.7, 0.99))
    for name, low, high in shares[: 2 + (number > 1) + (number == 2)]:
        wrong = "KeyError" if failed and name == "convert" else None
        told = {
            "input": '{"row": 3}',
            "output": None if wrong else "12.5",
            "status_description": KEY_ERROR if wrong else None,
        }
        span = (begin + low * works, begin + high * works)
        made.span(f"execute_tool {name}", "tool", *span, tool, tool=name, step=number, error=wrong, detail=told)


def _agent_said() -> dict[str, Any]:
    return {"input": [message("user", TASK)], "output": [message("assistant", "The sum is **11730.18 EUR**.")]}


def _chat_said(number: int) -> dict[str, Any]:
    observed = message("tool", f"Error:\n{KEY_ERROR}" if number == 3 else "Observation:\nrows: 9", seen=False)
    before = [message("user", "An earlier turn.", seen=True) for _ in range(2 * (number - 1))]
    answer = message("assistant", "The column is called `currency`. I convert each open invoice first and then sum.")
    answer["parts"].append(call("python_interpreter", {"code": CODE}))
    new = [message("user", TASK)] if number == 1 else [observed]
    system = message("system", SYSTEM, seen=number > 1)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "Qwen2.5-Coder-7B",
        "gen_ai.usage.input_tokens": 1_400 + 740 * number,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "…"}]}]),
        "smoltrace.retries": 0,
    }
    return {
        "messages": {"system": [system], "input": before + new, "output": [answer], "tools": None},
        "attributes": attributes,
        "input": None,
        "output": answer["parts"][0]["text"],
    }


def _header() -> dict[str, Any]:
    row = {"agent_type": "code", "gen_ai.usage.prompt_tokens": 27_300, "gen_ai.usage.completion_tokens": 2_100}
    return {
        "row": row | {"co2_emissions_g": 0.21},
        "_cost": {"value": 0.00025, "kind": "measured", "est": False, "reason": None},
        "_energy": {"value": 0.56, "est": False, "low": None, "high": None, "reason": None},
        "model": "Qwen/Qwen2.5-Coder-7B",
        "test_id": "invoice-total-19",
        "test_case_uid": "code:invoice-total-19:1",
        "success": True,
        "status": "completed",
        "previous": "11" * 16,
        "next": "22" * 16,
    }


def _gpu(buckets: int) -> dict[str, Any]:
    busy = ((0, 5.9), (8.5, 14.5), (60.2, 66.2), (71, 76), (80.6, 85.8), (89, 95.4))
    low: list[float] = []
    high: list[float] = []
    for bucket in range(buckets):
        second = bucket * 104 / buckets
        base = 62 if any(start <= second < end for start, end in busy) else 15
        wave = 3 * math.sin(bucket * 1.7) + 2 * math.sin(bucket * 0.37)
        low.append(round(base + wave - 2.5, 1))
        high.append(round(base + wave + 3, 1))
    lane: Mapping[str, Any] = {"unit": "W", "max": 72, "min": low, "max_values": high, "last": high}
    return {
        "gpus": [{"id": "0", "name": "NVIDIA L4", "lanes": {"power": lane}}],
        "from": 0,
        "to": 104_000,
        "width": buckets,
    }
