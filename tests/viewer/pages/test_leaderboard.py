"""The leaderboard: the chart, the cards and the table of all runs, and everything that filters, sorts and pins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.pages import kind_of, query_of, settle, wait_for

from smoltrace.store import leaderboard
from smoltrace.store.layout import Store

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    OpenPage = Callable[..., Page]

WHERE = ("server", "site")
"""Where the pages come from."""
pytestmark = pytest.mark.slow

ROW = "tr.vt-row[data-run]"
MARK = ".chart-svg a[data-run]"
BROKEN, GPU, API = "sample-06-demo-interrupted", "sample-12-llama-8b", "sample-09-large-code"


def shown(page: Page) -> list[str]:
    """The runs in the table, from the top."""
    runs: list[str] = page.evaluate(
        f"() => [...document.querySelectorAll('{ROW}')].sort((a, b) => a.dataset.index - b.dataset.index)"
        ".map((row) => row.dataset.run)"
    )
    return runs


def cell(page: Page, run: str, kind: str) -> str:
    return re.sub(r"[\s\u2009]+", " ", page.locator(f"tr[data-run='{run}'] td.cell-{kind}").inner_text()).strip()


def facet(page: Page, name: str) -> Locator:
    return page.locator(".facets .facet").filter(has=page.locator(f".facet-name:text-is('{name}')"))


def settled(page: Page, condition: str, argument: Any = None) -> None:
    wait_for(page, condition, argument)
    wait_for(page, "() => document.querySelector('.vt').getAttribute('aria-busy') !== 'true'")
    settle(page)


def rows_are(page: Page, count: int) -> None:
    settled(page, f"(n) => document.querySelectorAll('{ROW}').length === n", count)


def test_chart_table_and_cards_tell_of_the_same_runs(
    open_page: OpenPage, store: Path, axe: Callable[..., None]
) -> None:
    page = open_page("index.html")
    rows = {row["run_id"]: row for row in leaderboard.rows(Store(store))}
    assert set(shown(page)) == {*rows, BROKEN}
    rates = [rows[run]["success_rate"] for run in shown(page) if run != BROKEN]
    assert rates == sorted(rates, reverse=True)
    marks = page.locator(MARK).evaluate_all("(marks) => marks.map((mark) => mark.dataset.run)")
    assert set(marks) == set(shown(page)), "what has no price stands in a strip, and is not left out"
    for run, row in rows.items():
        assert cell(page, run, "success") == f"{row['success_rate']:.1f}"
        assert cell(page, run, "count") == str(row["num_tests"])
        low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
        assert cell(page, run, "interval") == f"{low:.1f}–{high:.1f}"
    assert "incomplete" in cell(page, BROKEN, "model")
    assert "no GPU" in cell(page, API, "spark")
    assert cell(page, GPU, "cost").endswith("est.")
    best = page.locator(".card").first
    assert best.locator("strong").inner_text() == f"{max(rates):.1f}"
    assert page.locator(".card").count() == 3
    assert "12 runs" in page.locator(".title").inner_text()
    axe(page)


def test_the_keyboard_reaches_every_mark_tells_its_facts_and_pins_it(open_page: OpenPage) -> None:
    page = open_page("index.html")
    compare = page.locator(".title-tools .compare")
    assert (compare.get_attribute("aria-disabled"), compare.get_attribute("href")) == ("true", None)
    assert "Pin 2 to 10 runs" in (compare.get_attribute("title") or "")
    page.keyboard.press("c")
    page.get_by_text("Pin 2 to 10 runs").wait_for()
    page.locator(f"{MARK}[tabindex='0']").focus()
    tip = page.get_by_role("tooltip")
    seen: list[str | None] = []
    for _ in range(14):
        page.keyboard.press("ArrowLeft")
    for _ in range(14):
        run = page.evaluate("() => document.activeElement.dataset.run")
        if run not in seen:
            seen.append(run)
            assert f"{page.evaluate('() => document.activeElement.dataset.run')}" in tip.inner_text()
        page.keyboard.press("ArrowRight")
    assert len(seen) == 12
    assert all(word in tip.inner_text() for word in ("Cost per test", "Tokens per test", "Energy per test", "Started"))
    page.keyboard.press("p")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("p")
    pins = [seen[-1], seen[-2]]
    assert query_of(page)["pins"].split(",") == pins
    assert page.locator(".mark-ring").count() == 3, "two in the chart, one in the legend"
    assert page.locator(f"tr[data-run='{pins[0]}'] .pin").get_attribute("aria-pressed") == "true"
    assert compare.inner_text().startswith("Compare 2")
    page.keyboard.press("c")
    page.wait_for_url("**/compare.html?*")
    assert query_of(page)["runs"].split(",") == pins


def test_the_pointer_gets_what_the_keyboard_gets(open_page: OpenPage) -> None:
    page = open_page("index.html?axis=tokens")
    mark = page.locator(f"{MARK}[data-run='{API}'] .mark-shape").bounding_box()
    assert mark is not None
    middle = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    page.mouse.move(middle[0] + 8, middle[1] + 3)
    page.get_by_role("tooltip").filter(has_text=API).wait_for()
    page.keyboard.down("Shift")
    page.mouse.click(*middle)
    page.keyboard.up("Shift")
    settled(page, f"() => document.querySelector(\"tr[data-run='{API}'].pinned\")")
    page.locator(f"tr[data-run='{GPU}'] .pin").click()
    assert query_of(page)["pins"] == f"{API},{GPU}"
    page.locator(f"tr[data-run='{GPU}']").focus()
    page.keyboard.press("p")
    assert query_of(page)["pins"] == API
    page.locator(f"tr[data-run='{GPU}'] .cell-date").click()
    page.wait_for_url(f"**/run.html?id={GPU}")


def test_every_choice_is_in_the_address_and_comes_back_from_it(open_page: OpenPage) -> None:
    page = open_page("index.html")
    page.get_by_role("button", name="Energy").click()
    wait_for(page, "() => document.querySelector('.legend-axis').textContent.includes('Wh per test')")
    page.get_by_role("button", name="$ / test").click()
    settled(page, "() => document.querySelector('th.sorted').textContent.includes('$ / test')")
    by_cost = shown(page)
    page.locator(".facet-group").click()
    settled(page, "() => document.querySelector('.grouped .group-first')")
    facet(page, "Agent").click()
    page.get_by_role("checkbox", name="both").check()
    rows_are(page, 10)
    page.keyboard.press("Escape")
    page.locator(".facet-columns").click()
    page.get_by_placeholder("Find a column").fill("country")
    page.get_by_role("checkbox", name="Country").check()
    page.keyboard.press("Escape")
    page.get_by_role("columnheader", name="Country").wait_for()
    asked = query_of(page)
    assert (asked["axis"], asked["sort"], asked["group"], asked["agent"]) == ("energy", "_cost", "model", "both")
    assert "country" in asked["cols"].split(",")
    before = shown(page), page.locator("thead").inner_text(), page.locator(MARK).count()
    page.reload()
    rows_are(page, 10)
    assert (shown(page), page.locator("thead").inner_text(), page.locator(MARK).count()) == before
    assert page.locator(".segment [aria-pressed='true']").inner_text() == "Energy"
    facet(page, "Agent").filter(has_text="both").wait_for()
    page.locator(".facet-group").click()
    page.get_by_role("button", name="Clear filters").click()
    rows_are(page, 12)
    assert shown(page) == by_cost
    assert "agent" not in query_of(page)


def test_filters_count_search_and_say_when_nothing_is_left(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_page("index.html", theme="dark")
    facet(page, "Model").click()
    axe(page)
    row = page.locator(".check").filter(has_text="piccolo")
    counted = int(row.locator(".check-note").inner_text())
    row.click()
    rows_are(page, counted)
    page.keyboard.press("Escape")
    assert "1 of" in facet(page, "Model").inner_text() or "piccolo" in facet(page, "Model").inner_text()
    page.locator(".facet-more").click()
    page.get_by_role("checkbox", name="sample=yes").check()
    page.keyboard.press("Escape")
    facet(page, "Date").click()
    page.get_by_label("From", exact=True).fill("2026-01-06")
    rows_are(page, counted - 1)
    page.keyboard.press("Escape")
    page.get_by_label("Find runs").fill("no such words")
    page.get_by_text("No run matches these filters.").wait_for()
    assert not page.locator(".board-top").is_visible()
    assert query_of(page)["q"] == "no such words"
    page.locator(".no-match button").click()
    rows_are(page, 12)
    assert not query_of(page).keys() & {"q", "model", "tag", "since"}
    page.get_by_label("Find runs").fill("llama 70b")
    rows_are(page, 2)


def test_what_is_shown_can_be_downloaded(open_page: OpenPage) -> None:
    page = open_page("index.html?provider=litellm&sort=-_cost")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as found:
        page.get_by_role("menuitem", name="JSON").click()
    rows = json.loads(Path(found.value.path()).read_text())
    rows = rows["rows"] if isinstance(rows, dict) else rows
    assert [row["run_id"] for row in rows] == shown(page)
    page.get_by_role("button", name="Download").click()
    kinds = [label.split("\n")[0] for label in page.get_by_role("menuitem").all_inner_texts()]
    # No page can write Parquet: only a server offers it.
    assert kinds == ["CSV", "JSON", "Parquet"][: 3 if kind_of(page) == "live" else 2]


def test_a_phone_has_all_of_it_in_one_column(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_page("index.html", width=390, height=844)
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide == 390, "nothing is wider than the screen"
    assert page.locator(".chart-svg").is_visible()
    assert page.get_by_label("Not on the axis").inner_text().count("price unknown") == 2
    axe(page)
    page.locator(".phone-bar").get_by_role("button", name="Filter").click()
    page.locator(".filter-sheet").get_by_role("checkbox", name="unknown", exact=False).first.check()
    page.keyboard.press("Escape")
    rows_are(page, 2)
    assert page.locator(".phone-bar").get_by_role("button", name="Filter").inner_text().split() == ["Filter", "1"]
    page.locator(".phone-bar").get_by_role("button", name="Sort by").click()
    page.get_by_role("menuitemcheckbox", name="Started").click()
    settled(page, "() => document.querySelector('.phone-bar').textContent.includes('Started')")
    assert query_of(page)["sort"] == "-evaluation_date"
    page.locator(f"{ROW} .pin").first.click()
    assert query_of(page)["pins"] == shown(page)[0]


class FakeBoard:
    """The server's answers for a store that no test could make: many runs, or runs that come while one looks."""

    def __init__(self, page: Page, runs: int) -> None:
        self.page, self.runs, self.version = page, runs, "1"
        self.asked: list[dict[str, str]] = []
        self.slow: str | None = None
        self.template: dict[str, Any] = {}
        for name in ("leaderboard", "store", "events"):
            page.route(f"**/api/{name}*", getattr(self, name))

    def leaderboard(self, route: Route) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        answer = route.fetch().json() if not self.template else json.loads(json.dumps(self.template))
        self.template = self.template or answer
        self.asked.append(asked)
        start, limit = int(asked.get("offset", 0)), int(asked.get("limit", 100))
        row = answer["rows"][0]
        numbers = range(start, min(start + limit, self.runs))
        prefix = asked.get("q", "run")
        answer["rows"] = [row | {"run_id": f"{prefix}-{number:06}", "model": f"m-{number}"} for number in numbers]
        if asked.get("q") == self.slow:
            self.page.wait_for_timeout(400)
        route.fulfill(json=answer | {"total": self.runs, "version": self.version, "offset": start})

    def store(self, route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"runs": self.runs})

    def events(self, route: Route) -> None:
        body = "retry: 300\n\n" + f'event: change\ndata: {{"version":"{self.version}"}}\n\n'
        route.fulfill(body=body, content_type="text/event-stream")


@pytest.mark.places("server")
def test_a_hundred_thousand_runs_scroll_and_old_answers_are_dropped(open_page: OpenPage) -> None:
    fakes: list[FakeBoard] = []
    page = open_page("index.html", prepare=lambda page: fakes.append(FakeBoard(page, 100_000)))
    fake = fakes[0]
    assert shown(page)[0] == "run-000000"
    assert page.get_by_role("table", name="Runs").get_attribute("aria-rowcount") == "100001"
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    settled(page, "() => document.querySelector(\"tr[data-run='run-099999']\")")
    assert page.locator("tr.vt-row").count() < 60
    assert len(fake.asked) < 10, "pages on the way are not asked for"
    fake.slow = "slow"
    page.evaluate("() => scrollTo(0, 0)")
    page.get_by_label("Find runs").fill("slow")
    wait_for(page, "() => location.search.includes('slow')")
    page.get_by_label("Find runs").fill("fast")
    settled(page, "() => document.querySelector(\"tr[data-run='fast-000000']\")")
    page.wait_for_timeout(500)
    assert all(run.startswith("fast") for run in shown(page))


@pytest.mark.places("server")
def test_new_runs_wait_behind_a_pill_and_move_nothing(open_page: OpenPage) -> None:
    fakes: list[FakeBoard] = []
    page = open_page("index.html", prepare=lambda page: fakes.append(FakeBoard(page, 12)))
    before = shown(page)
    fakes[0].runs, fakes[0].version = 15, "2"
    pill = page.get_by_role("button", name="3 new")
    pill.wait_for()
    assert shown(page) == before
    pill.click()
    rows_are(page, 15)
    assert "15 runs" in page.locator(".title").inner_text()
    assert not pill.is_visible()


@pytest.mark.places("server")
def test_of_several_task_sets_one_is_chosen(open_page: OpenPage) -> None:
    sets = [{"fingerprint": letter * 64, "name": "mine", "runs": 6, "newest_unix_ms": 1.0} for letter in "ab"]
    asked: list[str] = []

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        asked.append(query.get("tasks", [""])[0])
        real = route.fetch(url=route.request.url.replace(f"tasks={asked[-1]}", "tasks=all")).json()
        route.fulfill(json=real | {"task_sets": sets, "tasks": asked[-1] or "a" * 64})

    page = open_page("index.html", prepare=lambda page: page.route("**/api/*?*sort=*", answer))
    page.get_by_role("button", name="mine aaaaaaaa").click()
    page.get_by_role("menuitemcheckbox", name="mine bbbbbbbb").click()
    page.get_by_role("button", name="mine bbbbbbbb").wait_for()
    assert query_of(page)["tasks"] == "b" * 64
    assert asked[-1] == "b" * 64


@pytest.mark.places("server")
@pytest.mark.parametrize("width", [1440, 390])
def test_an_empty_store_shows_the_command_that_fills_it(open_page: OpenPage, width: int) -> None:
    empty = {"name": "none", "runs": 0, "live": 0, "task_sets": [], "refused": [], "hint": "smoltrace eval --store /x"}

    def prepare(page: Page) -> None:
        page.route("**/api/store", lambda route: (asked.append(1), route.fulfill(json=empty)))
        # As the server does, a stream begins by telling how it stands.
        change = 'event: change\ndata: {"version": "0"}\n\n'
        page.route("**/api/events*", lambda route: route.fulfill(body=change, content_type="text/event-stream"))

    asked: list[int] = []
    page = open_page("index.html", width=width, prepare=prepare)
    page.wait_for_timeout(500)
    assert len(asked) <= 4, "what a stream begins with brings no board, and no other stream"
    assert page.locator(".command code").inner_text() == "smoltrace eval --store /x"
    assert page.get_by_role("button", name="Copy the command").is_visible()


def test_an_address_that_asks_for_what_is_not_there_says_so(open_page: OpenPage) -> None:
    page = open_page("index.html?tasks=0123456789", allow=("status 400", "400 \\(Bad Request\\)"))
    assert "no run has these tasks" in page.get_by_role("alert").inner_text()
