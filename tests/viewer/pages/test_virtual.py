"""The virtual table: any number of rows, and yet a real table to the keyboard and to readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.pages import settle, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    OpenLab = Callable[..., Page]

pytestmark = pytest.mark.slow

TABLE = """
import {virtualTable} from './static/js/paint/virtual.js';
import {h} from './static/js/paint/dom.js';
const opened = [];
const sorted = [];
const asked = [];
const rows = new Map();
const options = {
  label: 'Numbers', count: COUNT, rowHeight: 36, keyOf: (row) => row.id, sort: '-size', selected: '3',
  rowAt: (i) => (LATE && !rows.has(i) ? undefined : {id: String(i), name: `row ${i}`, size: i * i}),
  need: (from, to) => asked.push([from, to]),
  columns: [
    {key: 'id', label: '', title: 'Number', width: 80, cell: (row) => h('a', {href: '#' + row.id}, row.id)},
    {key: 'name', label: 'Name', width: 'minmax(120px, 1fr)', sortable: true, cell: (row) => row.name},
    {key: 'size', label: 'Size', width: WIDE, align: 'right', sortable: true, cell: (row) => String(row.size)},
  ],
  onOpen: (row, i) => opened.push(i), onSort: (key) => sorted.push(key),
  empty: h('p', null, 'nothing here'),
  MORE
};
const table = virtualTable(options);
document.querySelector('#place').append(table.el);
window.lab = {table, opened, sorted, asked, rows};
"""


def table(count: int = 100_000, *, wide: int = 200, late: bool = False, more: str = "") -> str:
    values = {"COUNT": str(count), "WIDE": str(wide), "LATE": str(late).lower(), "MORE": more}
    script = TABLE
    for name, value in values.items():
        script = script.replace(name, value)
    return script


def shown(page: Page) -> list[int]:
    """The rows that a reader sees: wholly below the head and above the window's lower edge."""
    rows: list[int] = page.evaluate(
        """() => [...document.querySelectorAll('tr.vt-row')].filter((row) => {
          const box = row.getBoundingClientRect();
          const head = document.querySelector('.vt thead').getBoundingClientRect();
          return box.top >= head.bottom - 1 && box.bottom <= innerHeight + 1;
        }).map((row) => Number(row.dataset.index))"""
    )
    return rows


def active(page: Page) -> Any:
    return page.evaluate("() => document.activeElement.dataset.index ?? document.activeElement.tagName")


def test_a_hundred_thousand_rows_are_few_nodes_and_all_can_be_reached(open_lab: OpenLab) -> None:
    page = open_lab(table())
    for place in (0.0, 0.31, 0.77, 1.0):
        page.evaluate("(place) => scrollTo(0, document.documentElement.scrollHeight * place)", place)
        settle(page)
        assert page.locator("tr.vt-row").count() < 60
        rows = shown(page)
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert len(rows) >= 20
    assert rows[-1] == 99_999
    assert page.locator("tr.vt-row").last.inner_text().split() == ["99999", "row", "99999", str(99_999**2)]


def test_readers_are_told_how_many_rows_there_are_and_which_they_are_at(
    open_lab: OpenLab, axe: Callable[..., None]
) -> None:
    page = open_lab(table())
    grid = page.get_by_role("table", name="Numbers")
    assert (grid.get_attribute("aria-rowcount"), grid.get_attribute("aria-colcount")) == ("100001", "3")
    row = page.get_by_role("row").filter(has_text="row 3 ").or_(page.locator("[data-index='3']")).first
    assert (row.get_attribute("aria-rowindex"), row.get_attribute("aria-current")) == ("5", "true")
    assert page.get_by_role("columnheader", name="Number").count() == 1
    assert page.get_by_role("columnheader", name="Size").get_attribute("aria-sort") == "descending"
    assert page.get_by_role("columnheader", name="Name").get_attribute("aria-sort") == "none"
    axe(page)


def test_the_keyboard_goes_everywhere_and_opens(open_lab: OpenLab) -> None:
    page = open_lab(table())
    page.evaluate("lab.table.focus(0)")
    seen = []
    for key in ("j", "ArrowDown", "k", "End", "ArrowDown", "PageUp", "Home", "ArrowUp"):
        page.keyboard.press(key)
        settle(page)
        index = int(active(page))
        seen.append(index)
        assert index in shown(page), f"after {key} row {index} has the focus and is out of sight"
    assert seen[:5] == [1, 2, 1, 99_999, 99_999]
    assert 99_950 < seen[5] < 99_990
    assert seen[6:] == [0, 0]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.evaluate("lab.opened") == [1]


def test_one_row_is_the_tab_stop_and_keeps_the_focus_out_of_sight(open_lab: OpenLab) -> None:
    page = open_lab(table())
    page.evaluate("lab.table.focus(5)")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 200_000)
    wait_for(page, "lab.table.range().first > 1000")
    assert active(page) == "5"
    assert page.locator("tr.vt-row[tabindex='0']").count() == 1
    page.keyboard.press("j")
    settle(page)
    assert active(page) == "6"
    assert 6 in shown(page)


def test_painting_anew_keeps_the_focus_and_the_page_where_they_are(open_lab: OpenLab) -> None:
    page = open_lab(table())
    page.evaluate("lab.table.focus(5)")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 20_000)
    wait_for(page, "lab.table.range().first > 100")
    for paint in ("lab.table.refresh()", "lab.table.update({sort: 'name'})"):
        before = page.evaluate("scrollY")
        page.evaluate(paint)
        settle(page)
        assert (page.evaluate("scrollY"), active(page)) == (before, "5")
    page.evaluate("lab.table.focus(2)")
    page.locator("tr[data-index='2'] a").focus()
    page.evaluate("lab.table.refresh()")
    assert page.evaluate("document.activeElement.textContent") == "2"
    assert page.evaluate("document.activeElement.tagName") == "A"


def test_a_press_opens_a_row_but_not_what_answers_for_itself_in_it(open_lab: OpenLab) -> None:
    page = open_lab(table())
    page.locator("[data-index='2']").click()
    page.locator("[data-index='4'] a").click()
    assert page.evaluate("[lab.opened, location.hash]") == [[2], "#4"]


def test_heads_that_sort_are_buttons(open_lab: OpenLab) -> None:
    page = open_lab(table())
    page.get_by_role("button", name="Name").press("Enter")
    page.get_by_role("button", name="Size").click()
    assert page.evaluate("lab.sorted") == ["name", "size"]
    page.evaluate("lab.table.update({sort: 'name'})")
    assert page.get_by_role("columnheader", name="Name").get_attribute("aria-sort") == "ascending"
    assert active(page) == "BUTTON", "sorting takes the focus from nobody"


def test_rows_that_are_not_here_are_asked_for_and_fill_in(open_lab: OpenLab) -> None:
    page = open_lab(table(late=True))
    wait_for(page, "lab.asked.length > 0")
    start, end = page.evaluate("lab.asked.at(-1)")
    assert start == 0
    assert 20 <= end <= 60
    assert page.locator("tr.vt-row [aria-busy]").count() > 0
    page.evaluate("() => { for (let i = 0; i < 100; i += 1) lab.rows.set(i, true); lab.table.refresh(); }")
    assert page.locator("tr.vt-row [aria-busy]").count() == 0
    page.evaluate("lab.table.scrollTo(5000)")
    wait_for(page, "lab.asked.at(-1)[0] > 4000")


def test_the_head_stays_under_the_top_bar_and_the_body_of_the_page_never_scrolls_sideways(open_lab: OpenLab) -> None:
    page = open_lab(table(wide=2000))
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 3000)
    wait_for(page, "document.querySelector('.vt').scrollTop > 0")
    wide, box = page.evaluate(
        "() => [document.documentElement.scrollWidth, document.querySelector('.vt').scrollWidth]",
    )
    assert (wide <= 1440, box > 2000) == (True, True)
    page.evaluate("lab.table.focus(99999)")
    settle(page)
    assert shown(page)[-1] == 99_999
    page.evaluate("scrollTo(0, 1e9)")
    settle(page)
    tops = page.evaluate("['.vt', '.vt thead'].map((name) => document.querySelector(name).getBoundingClientRect().top)")
    assert tops[0] == tops[1]


def test_a_table_in_a_box_of_its_own_fills_the_window(open_lab: OpenLab) -> None:
    script = (
        table(more="fill: true,")
        + "document.body.classList.add('fills'); const place = document.querySelector('#place');"
    )
    script += "place.style.cssText = 'flex: 1; min-height: 0; display: flex; flex-direction: column';"
    page = open_lab(script)
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 5000)
    wait_for(page, "document.querySelector('.vt').scrollTop === 5000")
    assert page.evaluate("[scrollY, document.documentElement.scrollHeight - innerHeight]") == [0, 0]
    page.evaluate("lab.table.focus(99999)")
    settle(page)
    assert 99_999 in shown(page)


def test_more_rows_than_a_browser_can_be_high(open_lab: OpenLab) -> None:
    page = open_lab(table(count=2_000_000))
    assert page.evaluate("document.documentElement.scrollHeight") < 9_000_000
    page.evaluate("lab.table.focus(1234567)")
    settle(page)
    assert 1_234_567 in shown(page)
    page.keyboard.press("End")
    settle(page)
    assert shown(page)[-1] == 1_999_999


def test_on_a_phone_a_row_is_two_lines(open_lab: OpenLab, axe: Callable[..., None]) -> None:
    phone = "phone: (row) => h('div', {class: 'two-lines'}, h('div', null, row.name), h('div', null, row.id)),"
    page = open_lab(table(more=phone), width=390, height=844)
    assert page.locator("[data-index='1']").bounding_box()["height"] == 50  # type: ignore[index]
    assert page.locator("[data-index='1'] [role=cell]").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    axe(page)
    page.set_viewport_size({"width": 1200, "height": 800})
    wait_for(page, "document.querySelectorAll(\"[data-index='1'] [role=cell]\").length === 3")


def test_nothing_to_show_is_said(open_lab: OpenLab) -> None:
    page = open_lab(table(count=0))
    assert page.get_by_text("nothing here").is_visible()
    page.evaluate("lab.table.update({count: 2})")
    assert not page.get_by_text("nothing here").is_visible()
    assert page.locator("tr.vt-row").count() == 2


@pytest.mark.parametrize("role", ["grid", "treegrid"])
def test_a_grid_tells_what_is_selected(open_lab: OpenLab, axe: Callable[..., None], role: str) -> None:
    more = (
        f"role: '{role}', rowProps: (row) => ({{class: 'mine', 'aria-level': '1'}}),"
        if role == "treegrid"
        else f"role: '{role}',"
    )
    page = open_lab(table(count=50, more=more))
    chosen = page.locator("[aria-selected=true]")
    assert chosen.get_attribute("data-index") == "3"
    if role == "treegrid":
        assert {"selected", "mine"} <= set((chosen.get_attribute("class") or "").split())
    axe(page)
