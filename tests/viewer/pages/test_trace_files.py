"""The page of a trace that is really there, wherever its data come from: every number, every text, every way on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.pages import query_of, target_of

import smoltrace
from smoltrace.viewer.data.tests import run_tests

if TYPE_CHECKING:
    from playwright.sync_api import Page

    OpenPage = Callable[..., Page]

WHERE = ("server", "site", "file")
pytestmark = pytest.mark.slow

GPU, API = "sample-03-llama-8b", "sample-01-large"


def traces_of(store: Path, run: str) -> list[dict[str, Any]]:
    """The rows of the tests that have a trace, in the order in which they were finished."""
    found = smoltrace.load_run(run, store)
    traces = run_tests(found)["columns"]["trace_id"]
    return sorted((row for row in found.results() if row["trace_id"]), key=lambda row: traces.index(row["trace_id"]))


def spans_of(store: Path, run: str, trace: str) -> list[str]:
    return [span["span_id"] for span in smoltrace.load_run(run, store).spans() if span["trace_id"] == trace]


def open_trace(open_page: OpenPage, run: str, trace: str, query: str = "", **options: Any) -> Page:
    page = open_page(f"trace.html?run={run}&trace={trace}{query}", **options)
    page.locator(".tr-row").first.wait_for()
    page.locator(".tg").focus()
    return page


def wait_for_panel(page: Page, span: str) -> None:
    """Until the panel shows this span raw."""
    page.locator(".panel-body").get_by_text(span).first.wait_for()


def walk(page: Page) -> str:
    """Goes one span on; its id."""
    before = query_of(page).get("span")
    page.keyboard.press("j")
    until = time.monotonic() + 15
    while (span := query_of(page).get("span")) == before:
        assert time.monotonic() < until, "no other span was chosen"
        page.wait_for_timeout(20)
    assert span is not None
    return span


def test_its_tree_has_every_span_and_its_title_tells_its_test(open_page: OpenPage, store: Path) -> None:
    row = traces_of(store, API)[0]
    page = open_trace(open_page, API, row["trace_id"])
    assert page.locator(".tg").get_attribute("aria-rowcount") == str(len(spans_of(store, API, row["trace_id"])) + 1)
    title = page.locator(".title-row").inner_text()
    assert row["test_id"] in title
    assert ("passed" if row["success"] else "failed") in title


def test_every_span_tells_what_it_holds(open_page: OpenPage, store: Path) -> None:
    trace = traces_of(store, API)[0]["trace_id"]
    page = open_trace(open_page, API, trace, "&tab=raw")
    page.keyboard.press("Home")
    seen = set()
    for _ in range(len(spans_of(store, API, trace)) - 1):
        span = walk(page)
        wait_for_panel(page, span)
        seen.add(span)
    assert len(seen) == len(spans_of(store, API, trace)) - 1
    page.get_by_role("tab", name="Attributes").click()
    page.locator(".panel-body").get_by_text("gen_ai.").first.wait_for()


def test_the_lanes_of_its_gpu_stand_above(open_page: OpenPage, store: Path) -> None:
    page = open_trace(open_page, GPU, traces_of(store, GPU)[0]["trace_id"])
    page.get_by_text(re.compile("GPU (0|power)")).first.wait_for()


def test_the_next_test_is_a_link_away(open_page: OpenPage, store: Path) -> None:
    first, second = traces_of(store, API)[:2]
    page = open_trace(open_page, API, first["trace_id"])
    link = page.get_by_role("link", name="Next test")
    assert target_of(link) == ("trace", {"run": API, "trace": second["trace_id"]})
    link.click()
    page.locator(".title-row", has_text=second["test_id"]).wait_for()
    assert query_of(page)["trace"] == second["trace_id"]


def test_a_copied_address_shows_the_same_span(open_page: OpenPage, store: Path) -> None:
    trace = traces_of(store, API)[0]["trace_id"]
    page = open_trace(open_page, API, trace)
    for _ in range(3):
        span = walk(page)
    again = open_trace(open_page, API, trace, f"&span={span}&tab=raw")
    wait_for_panel(again, span)


def failing_trace(store: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row and the spans of a test of which several spans failed."""
    run = smoltrace.load_run(API, store)
    for row in traces_of(store, API):
        spans = [span for span in run.spans() if span["trace_id"] == row["trace_id"]]
        if sum(span["status"] == "ERROR" for span in spans) >= 2 and any(span["output_tokens"] for span in spans):
            return row, spans
    raise AssertionError("no test of this run failed in several spans")


def wait_for(page: Page, holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < until, f"{what} at {page.url}"
        page.wait_for_timeout(20)


def test_spans_are_found_folded_and_gone_through_by_their_errors(open_page: OpenPage, store: Path) -> None:
    row, spans = failing_trace(store)
    page = open_trace(open_page, API, row["trace_id"])
    failed = {span["span_id"] for span in spans if span["status"] == "ERROR"}
    page.keyboard.press("e")
    wait_for(page, lambda: query_of(page).get("span") in failed, "no failed span was chosen")
    page.keyboard.press("/")
    page.keyboard.type("chat")
    calls = sum(span["name"].startswith("chat") for span in spans)
    count = page.locator(".find-count")
    wait_for(page, lambda: count.inner_text() == f"{calls} found", "the calls were not counted")
    page.keyboard.press("Enter")
    wait_for(page, lambda: count.inner_text().startswith("1 of "), "the first was not gone to")
    page.locator(".tg").focus()
    page.keyboard.press("n")
    wait_for(page, lambda: count.inner_text().startswith("2 of "), "the next was not gone to")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    wait_for(page, lambda: page.locator(".tr-row:visible").count() == 1, "the root was not folded")
    assert re.search(r"✕\s*\d+", page.locator(".tr-row:visible .tr-error").inner_text()), "errors are counted above"


def test_time_is_zoomed_and_figures_are_a_spans_own_or_those_of_all_below(open_page: OpenPage, store: Path) -> None:
    row, _ = failing_trace(store)
    page = open_trace(open_page, API, row["trace_id"], "&gaps=0")
    total = row["gen_ai.usage.prompt_tokens"]
    root = page.locator(".tr-row:visible").first
    assert f"{total / 1000:.1f}k" in root.locator(".tr-tokens").inner_text()
    page.get_by_role("button", name="Self").click()
    wait_for(page, lambda: root.locator(".tr-tokens").inner_text() == "—", "a test calls no model itself")
    box = page.locator(".zb").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    page.mouse.up()
    wait_for(page, lambda: {"from", "to", "mode"} <= query_of(page).keys(), "the zoom is not in the address")
    page.locator(".tg").focus()
    page.keyboard.press("z")
    wait_for(page, lambda: "from" not in query_of(page), "the zoom was not taken away")
    page.keyboard.press("c")
    page.keyboard.press("Shift+C")
    wait_for(page, lambda: query_of(page).get("critical") == "0", "the critical path was not hidden")


def test_a_call_tells_what_is_new_and_a_trace_is_copied(open_page: OpenPage, store: Path, viewer: Any) -> None:
    row, spans = failing_trace(store)
    last = max((span for span in spans if span["output_tokens"]), key=lambda span: span["start_time"])
    is_file = viewer("trace.html").startswith("file:")
    more = {} if is_file else {"permissions": ["clipboard-read", "clipboard-write"]}
    page = open_trace(open_page, API, row["trace_id"], f"&span={last['span_id']}&tab=messages", **more)
    panel = page.locator(".panel-body")
    panel.get_by_role("button", name="System").click()
    panel.locator(".fold-body").first.wait_for()
    before = panel.locator(".msg").count()
    panel.get_by_role("button", name="already seen").click()
    wait_for(page, lambda: panel.locator(".msg").count() > before, "earlier messages were not shown")
    for tab in ("Input / Output", "Attributes", "Raw"):
        page.get_by_role("tab", name=tab).click()
        wait_for(page, lambda: panel.inner_text() != "", "a tab is empty")
    page.get_by_role("button", name="Copy as Markdown").click()
    page.locator(".answer", has_text="Copied").wait_for()
    if not is_file:
        assert page.evaluate("navigator.clipboard.readText()").startswith(f"# {row['test_id']}\n")


CUT = """() => [...document.querySelectorAll('.fact, .tr-tokens, .tr-cost, .tr-energy')]
  .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth)
  .map((one) => one.textContent)"""


@pytest.mark.places("server")
@pytest.mark.parametrize("width", [1440, 1024, 390])
@pytest.mark.parametrize("run", [GPU, API])
def test_no_number_of_a_span_is_cut(open_page: OpenPage, store: Path, run: str, width: int) -> None:
    call = next(span for span in smoltrace.load_run(run, store).spans() if span["output_tokens"])
    page = open_trace(open_page, run, call["trace_id"], f"&span={call['span_id']}", width=width)
    page.locator(".panel-facts .fact").first.wait_for()
    assert page.evaluate(CUT) == []


def test_a_trace_that_is_not_there_is_told(open_page: OpenPage) -> None:
    page = open_page(f"trace.html?run={API}&trace={'f' * 32}", allow=(r"404",))
    assert "Not found" in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page: OpenPage, store: Path, axe: Callable[..., None], theme: str) -> None:
    page = open_trace(open_page, GPU, traces_of(store, GPU)[0]["trace_id"], "&tab=raw", theme=theme)
    wait_for_panel(page, walk(page))
    axe(page)
