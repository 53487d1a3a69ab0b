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


def test_a_trace_that_is_not_there_is_told(open_page: OpenPage) -> None:
    page = open_page(f"trace.html?run={API}&trace={'f' * 32}", allow=(r"404",))
    assert "Not found" in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page: OpenPage, store: Path, axe: Callable[..., None], theme: str) -> None:
    page = open_trace(open_page, GPU, traces_of(store, GPU)[0]["trace_id"], "&tab=raw", theme=theme)
    wait_for_panel(page, walk(page))
    axe(page)
