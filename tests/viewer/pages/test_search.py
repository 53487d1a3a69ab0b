"""The search of the top bar: what is found is listed, chosen by keys and opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.pages import query_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    OpenPage = Callable[..., Page]
    Axe = Callable[..., None]

WHERE = ("server", "site")
"""Where the pages come from."""
pytestmark = pytest.mark.slow

FOUND = {
    "q": "convert",
    "runs": [{"run_id": "run-1", "model": "<b>bold</b>", "evaluation_date": 0}],
    "tests": [
        {
            "run_id": "r",
            "test_case_uid": f"u{i}",
            "trace_id": "t" if i else None,
            "where": "prompt",
            "snippet": "x",
            "model": "m",
        }
        for i in range(40)
    ],
    "truncated": True,
    "searched_runs": 1000,
    "of_runs": 4321,
}


def answers(pattern: str, body: dict[str, Any], status: int = 200) -> Callable[[Page], None]:
    """Lets a page get this answer to what it asks the API."""
    return lambda page: page.route(
        pattern, lambda route: route.fulfill(body=json.dumps(body), status=status, content_type="application/json")
    )


@pytest.mark.places("server")
def test_searching_with_the_keyboard(open_page: OpenPage, axe: Axe) -> None:
    page = open_page("runs.html", prepare=answers("**/api/search?*", FOUND))
    page.keyboard.press("/")
    page.keyboard.type("convert")
    page.get_by_role("listbox", name="Found").wait_for()
    assert page.get_by_role("option").count() == 41
    assert page.get_by_role("option").first.inner_text().startswith("<b>bold</b>")
    assert "The first 41 are shown" in page.locator(".found-note").inner_text()
    assert "1\u2009000 of 4\u2009321 runs were searched" in page.locator(".found-note").inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    assert chosen.count() == 1
    box = page.get_by_role("combobox")
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    assert chosen.inner_text().startswith("u1")
    axe(page)
    page.keyboard.press("Escape")
    assert not page.get_by_role("listbox").is_visible()
    page.keyboard.press("/")
    page.route("**/trace.html?*", lambda route: route.fulfill(body="<title>there</title>", content_type="text/html"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/trace.html?run=r&trace=t")


@pytest.mark.places("server")
def test_enter_opens_what_was_found_for_the_words_that_stand_there(open_page: OpenPage) -> None:
    def found(route: Route) -> None:
        q = parse_qs(urlsplit(route.request.url).query)["q"][0]
        run = {"run_id": f"run-{q}", "model": "m", "evaluation_date": 0}
        route.fulfill(json={"q": q, "runs": [run], "tests": [], "truncated": False, "searched_runs": 1, "of_runs": 1})

    page = open_page("runs.html", prepare=lambda page: page.route("**/api/search?*", found))
    page.route("**/run.html?*", lambda route: route.fulfill(body="<title>there</title>", content_type="text/html"))
    page.keyboard.press("/")
    page.keyboard.type("a")
    page.get_by_role("option").wait_for()
    page.keyboard.type("b")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run.html?id=run-ab")


def test_a_test_that_was_found_is_opened(open_page: OpenPage) -> None:
    page = open_page("runs.html")
    page.keyboard.press("/")
    page.keyboard.type("WEATHER umbrella llama-8b")
    page.get_by_text("Nothing has").wait_for()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("weather_UMBRELLA")
    page.get_by_role("option").first.wait_for()
    assert "weather_umbrella" in page.get_by_role("option").first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-screen=trace][data-ready]")
    assert set(query_of(page)) >= {"run", "trace"}


def test_a_search_that_finds_nothing_says_so(open_page: OpenPage) -> None:
    page = open_page("runs.html")
    page.keyboard.press("/")
    page.keyboard.type("zzzqqq")
    page.get_by_text("Nothing has “zzzqqq” in it.").wait_for()


def test_more_than_can_be_looked_for_is_told(open_page: OpenPage) -> None:
    page = open_page("runs.html", allow=(r"status 400", r"400 \("))
    page.keyboard.press("/")
    page.get_by_role("combobox").fill("word " * 50)
    page.get_by_text("q has 249 characters. Look for words, in no more than 200.").wait_for()
    assert page.get_by_role("option").count() == 0
