"""What surrounds every screen: top bar, search, theme, keys, messages; and the two plain lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.pages import kind_of, settle, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

    OpenPage = Callable[..., Page]
    Axe = Callable[..., None]

WHERE = ("server", "site")
"""Where the pages come from."""
pytestmark = pytest.mark.slow


def focused(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
    return name.strip()


def test_a_page_has_landmarks_a_title_and_says_where_it_is(open_page: OpenPage) -> None:
    page = open_page("runs.html")
    assert page.title() == "Runs · smoltrace"
    assert (
        page.get_by_role("banner").count()
        == page.get_by_role("main").count()
        == page.get_by_role("search").count()
        == 1
    )
    assert page.get_by_role("heading", level=1).inner_text() == "Runs"
    assert page.get_by_role("navigation").locator("[aria-current=page]").inner_text() == "Runs"
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith("/runs.html")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_follows_the_system_until_one_is_chosen(open_page: OpenPage, system: str) -> None:
    page = open_page("runs.html", theme=system)
    theme = "document.documentElement.dataset.theme"
    other = {"light": "dark", "dark": "light"}[system]
    assert page.evaluate(theme) == system
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name=other.title()).click()
    assert page.evaluate(theme) == other
    page.reload()
    assert page.evaluate(theme) == other
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name="As the system").click()
    assert page.evaluate(theme) == system
    page.emulate_media(color_scheme=other)  # type: ignore[arg-type]
    wait_for(page, f"{theme} === '{other}'")


def test_a_page_has_its_colours_before_it_has_a_body(open_page: OpenPage) -> None:
    # Written down when the body comes: a page that is first light and then dark flashes.
    script = """new MutationObserver((changes, watcher) => {
      if (!document.body) return;
      window.themeAtBody = document.documentElement.dataset.theme;
      watcher.disconnect();
    }).observe(document, {childList: true, subtree: true});"""
    page = open_page("runs.html", theme="dark", prepare=lambda page: page.add_init_script(script))
    assert page.evaluate("themeAtBody") == "dark"


def test_where_the_browser_keeps_nothing_a_theme_can_still_be_chosen(open_page: OpenPage) -> None:
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }});"
    page = open_page("runs.html", prepare=lambda page: page.add_init_script(refuse))
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_keys_are_listed_and_the_focus_comes_back(open_page: OpenPage, axe: Axe) -> None:
    page = open_page("runs.html")
    page.get_by_role("link", name="Compare", exact=True).focus()
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keys")
    assert {"Search", "Next run", "Open the run"} <= set(listed.locator("dd").all_inner_texts())
    axe(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    assert listed.count() == 0
    assert focused(page) == "Compare"


def test_keys_do_nothing_while_somebody_types(open_page: OpenPage) -> None:
    page = open_page("runs.html")
    field = page.get_by_role("searchbox", name="Filter runs")
    field.click()
    page.keyboard.type("j/?f")
    assert field.input_value() == "j/?f"
    assert page.get_by_role("dialog").count() == 0


def test_a_run_that_is_not_there_is_a_panel_with_what_to_do(open_page: OpenPage, axe: Axe) -> None:
    page = open_page("traces.html?run=nobody", allow=(r"404",))
    panel = page.get_by_role("alert")
    assert "Not found" in panel.inner_text()
    assert "nobody" in panel.inner_text()
    assert page.get_by_role("navigation").is_visible()
    axe(page)


def test_a_server_that_is_gone_is_told(open_page: OpenPage) -> None:
    def prepare(page: Page) -> None:
        for data in ("api", "data"):
            page.route(re.compile(rf"^http://[^/]+/{data}/"), lambda route: route.abort())

    page = open_page("runs.html", allow=(r"ERR_FAILED",), prepare=prepare)
    hint = {"live": "smoltrace view", "static": "python -m http.server"}[kind_of(page)]
    assert hint in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("runs.html", 1440, "light"),
        ("runs.html", 390, "dark"),
        ("traces.html", 1440, "dark"),
        ("traces.html", 390, "light"),
    ],
)
def test_lists_are_for_everyone(open_page: OpenPage, axe: Axe, name: str, width: int, theme: str) -> None:
    page = open_page(name, width=width, height=844, theme=theme)
    page.locator("tr.vt-row").first.wait_for()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_what_is_touched_is_large_enough(open_page: OpenPage) -> None:
    page = open_page("runs.html", width=390, height=844)
    page.locator("tr.vt-row").first.wait_for()
    small = page.evaluate(
        """() => [...document.querySelectorAll('.top a, .top button, .nav a, tr.vt-row')]
          .map((one) => one.getBoundingClientRect())
          .filter((box) => box.width && (box.height < 44 || box.width < 44)).length"""
    )
    assert small == 0
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("a")
    assert page.get_by_role("combobox").bounding_box()["width"] > 300  # type: ignore[index]
    page.get_by_role("button", name="Close search").click()
    assert not page.get_by_role("combobox").is_visible()


def test_all_runs_are_listed_with_how_far_they_are(open_page: OpenPage, store: Path) -> None:
    page = open_page("runs.html")
    page.locator("tr.vt-row").first.wait_for()
    names = {folder.name for folder in (store / "runs").iterdir()}
    assert set(page.locator("tr.vt-row td:last-child").all_inner_texts()) == names
    halted = page.locator("tr.vt-row", has_text="incomplete")
    assert halted.count() == 1
    assert " of " in halted.locator("td").nth(3).inner_text()


def test_the_list_of_runs_is_filtered_and_sorted_by_its_address(open_page: OpenPage) -> None:
    page = open_page("runs.html?sort=run_id")
    page.locator("tr.vt-row").first.wait_for()
    ids = page.locator("tr.vt-row td:last-child").all_inner_texts()
    assert ids == sorted(ids)
    page.get_by_role("button", name="Run", exact=True).click()
    wait_for(page, f"document.querySelector('tr.vt-row td:last-child')?.innerText === '{ids[-1]}'")
    assert page.url.endswith("sort=-run_id")
    page.keyboard.press("f")
    page.keyboard.type("llama-70b")
    wait_for(page, "document.querySelectorAll('tr.vt-row').length === 2")
    page.reload()
    wait_for(page, "document.querySelectorAll('tr.vt-row').length === 2")
    assert page.get_by_role("searchbox", name="Filter runs").input_value() == "llama-70b"


def test_the_tests_of_a_run_lead_to_their_traces(open_page: OpenPage, store: Path) -> None:
    run = "sample-03-llama-8b"
    page = open_page(f"traces.html?run={run}&sort=-steps")
    page.locator("tr.vt-row").first.wait_for()
    steps = [int(text) for text in page.locator("tr.vt-row td:nth-child(5)").all_inner_texts()]
    assert steps == sorted(steps, reverse=True)
    link = page.locator("tr.vt-row a").first.get_attribute("href") or ""
    assert link.startswith(f"trace.html?run={run}&trace=")
    page.locator("tr.vt-row").first.focus()
    page.route("**/trace.html?*", lambda route: route.fulfill(body="<title>there</title>", content_type="text/html"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{link}")


def test_another_run_is_chosen_from_the_menu(open_page: OpenPage, axe: Axe) -> None:
    page = open_page("traces.html?run=sample-03-llama-8b")
    button = page.get_by_role("button", name="Run ")
    button.press("ArrowDown")
    entries = page.get_by_role("menuitem")
    assert entries.count() == 13
    axe(page)
    page.keyboard.press("End")
    assert focused(page).startswith("All runs")
    page.keyboard.press("Escape")
    assert (entries.count(), button.get_attribute("aria-expanded"), focused(page)) == (0, "false", focused(page))
    assert focused(page).startswith("Run")


OVERLAYS = """
import {dialog, sheet} from './static/js/paint/dialog.js';
import {menu} from './static/js/paint/menu.js';
import {h} from './static/js/paint/dom.js';
const shown = new Set(['a']);
const button = h('button', {type: 'button'}, 'Columns');
menu(button, () => ['a', 'b', 'c'].map((name) => ({label: name, checked: shown.has(name),
  run: () => (shown.has(name) ? shown.delete(name) : shown.add(name))})));
const side = {title: 'Side', body: h('p', null, 'inside'), onClose: () => (lab.closed += 1)};
const opener = h('button', {type: 'button', on: {click: () => sheet(side)}}, 'Open');
document.querySelector('#place').append(button, opener);
window.lab = {shown, closed: 0};
"""


def test_a_menu_of_switches_stays_open(open_lab: OpenPage, axe: Axe) -> None:
    page = open_lab(OVERLAYS)
    page.get_by_role("button", name="Columns").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("menuitemcheckbox", name="a").click()
    checked = [one.get_attribute("aria-checked") for one in page.get_by_role("menuitemcheckbox").all()]
    assert checked == ["false", "true", "false"]
    axe(page)
    page.mouse.click(700, 700)
    assert page.get_by_role("menu").count() == 0


def test_a_menu_stays_under_its_button_while_the_page_scrolls(open_lab: OpenPage) -> None:
    page = open_lab(OVERLAYS)
    page.evaluate("document.body.style.minHeight = '4000px'")
    button = page.get_by_role("button", name="Columns")
    button.click()
    apart = "([a, b]) => a.getBoundingClientRect().top - b.getBoundingClientRect().bottom"
    menu = page.get_by_role("menu")
    page.evaluate("scrollTo(0, 20)")
    page.wait_for_function("scrollY === 20")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert 0 <= page.evaluate(apart, [menu.element_handle(), button.element_handle()]) <= 8
    page.evaluate("scrollTo(0, 2000)")
    menu.wait_for(state="detached")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_sheet_leaves_the_page_in_use_and_gives_the_focus_back(open_lab: OpenPage, axe: Axe, width: int) -> None:
    page = open_lab(OVERLAYS, width=width, height=844)
    page.get_by_role("button", name="Open").click()
    side = page.get_by_role("dialog", name="Side")
    box = side.bounding_box()
    assert box is not None
    assert (box["y"] > 200, box["width"] == 390) if width == 390 else (box["x"] > 800, box["y"] == 44)
    axe(page)
    settle(page)
    page.get_by_role("button", name="Columns").click(position={"x": 4, "y": 4})
    page.keyboard.press("Escape")
    side.get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    assert (side.count(), page.evaluate("lab.closed"), focused(page)) == (0, 1, "Open")


FIGURES = """
import {fill, h} from './static/js/paint/dom.js';
import {co2Figure, costFigure, energyFigure, figure} from './static/js/paint/number.js';
import {statusChip} from './static/js/paint/chip.js';
import {successBar} from './static/js/paint/bar.js';
import {spark} from './static/js/paint/spark.js';
const all = {
  known: costFigure({value: 0.0038, kind: 'measured', est: false, reason: null}),
  estimated: costFigure({value: 0.00012, kind: 'electricity', est: true, reason: null}),
  part: costFigure({value: null, bound: 1.236, unpriced: 3, calls: 50, reason: null}),
  unknown: costFigure({value: null, bound: null, reason: 'price unknown'}, {showWhy: true}),
  energy: energyFigure({value: 0.31, est: true, low: 0.2, high: 0.5, reason: null}, {unit: true}),
  none: co2Figure({value: null, reason: 'no GPU'}),
  hostile: figure('<img src=x onerror=alert(1)>'),
  chip: statusChip('<script>'),
};
for (const [id, node] of Object.entries(all)) document.querySelector('#place').append(h('p', {id}, node));
document.querySelector('#place').append(successBar(93.3, 88.2, 96.3), spark([1, null, 3, 2], {title: 'GPU power'}));
"""


def test_figures_say_what_they_are(open_lab: OpenPage, axe: Axe) -> None:
    page = open_lab(FIGURES)
    told = {
        each.get_attribute("id"): each.inner_text().replace("\u00a0", " ").replace("\n", "")
        for each in page.locator("#place p").all()
    }
    assert told == {
        "known": "$0.0038",
        "estimated": "$0.00012 est.",
        "part": "≥ $1.24",
        "unknown": "— price unknown",
        "energy": "0.31 Wh est.",
        "none": "—no GPU",
        "hostile": "<img src=x onerror=alert(1)>",
        "chip": "<script>",
    }
    titles = {name: page.locator(f"#{name} .fig").get_attribute("title") for name in ("part", "none", "energy")}
    assert titles == {"part": "at least: 3 of 50 calls unpriced", "none": "no GPU", "energy": "0.31 Wh, 0.20–0.50 Wh"}
    assert page.get_by_role("img", name="93.3 %, interval 88.2–96.3").count() == 1
    axe(page)
