"""The trace screen at its limits: contents that nobody should trust, 10,000 spans, traces that are not there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from support.made_traces import MadeTrace, answer_with, call, message
from support.trace_page import ADDRESS, expect, names, selected

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

OpenPage = Callable[..., "Page"]


@pytest.fixture
def open_trace(open_page: OpenPage) -> OpenPage:
    """Opens the page of a made trace."""

    def open_one(query: str = "", *, of: MadeTrace, paths: list[str] | None = None, **more: Any) -> Page:
        return open_page(ADDRESS + query, prepare=lambda page: answer_with(page, of, paths), **more)

    return open_one


def hostile() -> MadeTrace:
    nasty = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    made = MadeTrace(header={"test_id": nasty, "row": {}, "model": nasty})
    odd = f"\u202eesrever {nasty} \0 \ud800 {'W' * 3000}"
    agent = made.span(odd, "agent", 0, 100, error="</td>\u202e" + "E" * 500)
    deep: Any = "end"
    for _ in range(700):
        deep = [deep]
    parts = [
        {"type": "image", "mime": "image/svg+xml", "data": "PHN2Zz4="},
        {"type": "image", "mime": "image/png", "data": "not base64!"},
        call(nasty, nasty),
        {"type": "unheard-of", "value": {"a": nasty}},
    ]
    answer = {
        "role": nasty,
        "parts": [{"type": "text", "text": f"{nasty}\n```html\n{nasty}\n```"}, *parts],
        "seen": False,
    }
    task = message("user", {"cut": "x" * 20_000, "chars": 5_000_000, "ref": "long"})
    detail = {
        "messages": {"system": None, "input": [task], "output": [answer], "tools": None},
        "attributes": {nasty: odd, "deep": json.dumps([[["end"]]]), "deeper": deep, "n": None},
        "status_description": odd,
    }
    made.span(f"chat {nasty}", "chat", 10, 20, agent, tokens_in=1, detail=detail)
    made.span("cycle", "tool", 1, 2, 3)
    made.span("cycle", "tool", 1, 0, 2, id=made.id(1))
    made.texts["long"] = "y" * 5_000_000
    return made


def test_nothing_in_a_trace_is_more_than_text(open_trace: OpenPage) -> None:
    made = hostile()
    page = open_trace(f"&span={made.id(1)}", of=made)
    panel = page.locator(".panel-body")
    expect(panel).to_contain_text("<script>")
    expect(panel.locator(".nothing").first).to_contain_text("image/svg+xml is not shown")
    assert page.locator("main img, main script").count() == 0
    panel.get_by_role("button", name="Expand").first.click()
    expect(panel).to_contain_text("60 000 of 5 000 000 characters")
    panel.get_by_role("button", name="Show 60 000 more").click()
    expect(panel).to_contain_text("120 000 of 5 000 000 characters")
    page.get_by_role("tab", name="Raw").click()
    expect(panel).to_contain_text("deeper than 80 levels")
    page.get_by_role("tab", name="Attributes").click()
    expect(panel.locator(".pairs th").first).to_have_text(re.compile("^<img"))
    page.locator(".tg").focus()
    for key in ("j", "j", "e", "c", "z", "n"):
        page.keyboard.press(key)
    assert page.title().startswith("<img")
    assert names(page)[2:] == ["Orphan spans", "cycle", "cycle"]


def crowd(count: int = 10_000) -> MadeTrace:
    made = MadeTrace(header={"test_id": "crowd", "row": {}})
    agent = made.span("invoke_agent CodeAgent", "agent", 0, count * 10.0)
    step = agent
    for k in range(1, count):
        if k % 50 == 1:
            step = made.span(f"step {k // 50}", "step", k * 10.0, k * 10.0 + 500, agent)
        else:
            wrong = "ValueError" if k % 97 == 0 else None
            made.span(f"execute_tool t{k}", "tool", k * 10.0, k * 10.0 + 9, step, tool=f"t{k}", error=wrong)
    return made


def test_ten_thousand_spans_are_few_elements(open_trace: OpenPage) -> None:
    paths: list[str] = []
    page = open_trace(of=crowd(), paths=paths)
    assert len(paths) <= 2  # the trace, and the span that the panel begins with
    tree = page.locator(".tg")
    expect(tree).to_have_attribute("aria-rowcount", "202")
    page.get_by_role("button", name="Unfold a level").click()
    expect(tree).to_have_attribute("aria-rowcount", "10001")
    tree.evaluate("tree => { tree.scrollTop = 130000; }")
    expect(page.locator(".tr-row[aria-rowindex='5010']")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < 2_000
    tree.focus()
    page.keyboard.press("e")
    expect(selected(page)).to_be_in_viewport()
    page.keyboard.press("End")
    expect(page.locator(".tr-row[aria-rowindex='10001']")).to_be_in_viewport()
    assert page.locator(".tr-row").count() < 60


def test_an_unknown_trace_is_told(open_page: OpenPage) -> None:
    page = open_page("trace.html?run=nobody&trace=" + "0" * 32, allow=("404",))
    expect(page.locator(".fail-panel")).to_be_visible()
    page = open_page("trace.html")
    expect(page.locator(".empty")).to_contain_text("names no trace")
