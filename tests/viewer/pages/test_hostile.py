"""What nobody should trust is shown as text on every screen, wherever the pages come from, and breaks nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pyarrow.parquet as pq
import pytest
from support.hostile import (
    FOREIGN,
    FOREIGN_MODEL,
    HUGE_CHARS,
    IDS,
    LONG,
    LONG_WORD,
    MARKUP,
    MODEL,
    NOTES,
    PNG_URL,
    RUN,
    hostile_store,
)
from support.pages import query_of, settle, wait_for
from support.places import made_once, pages_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    OpenPage = Callable[..., Page]
    Address = Callable[[str], str]

WHERE = ("server", "site", "file")
"""Where the pages come from."""
pytestmark = pytest.mark.slow

WIDTHS = (1440, 390)
TABS = ("Messages", "Input / Output", "Attributes", "Raw")
# What a page has that is none of ours: elements that only markup makes, addresses that lead away, a changed world.
INJECTED = """(picture) => {
  const made = ['iframe', 'object', 'embed', 'base', 'form', 'frame', 'applet', 'math', 'textarea', 'marquee'];
  const inside = (to) => /^(https?|file):$/.test(to.protocol) && to.host === location.host;
  const wrong = [...document.querySelectorAll('*')].filter((element) => {
    const name = element.localName;
    if (made.includes(name) || element.id === 'evil') return true;
    if (element.getAttributeNames().some((attribute) => attribute.startsWith('on'))) return true;
    if (name === 'img') return element.getAttribute('src') !== picture;
    if (name === 'script') return element.textContent.includes('alert(');
    if (name === 'style') return element.textContent.includes('*{display:none}');
    if (name === 'a') return element.hasAttribute('href') && !inside(new URL(element.getAttribute('href'), location));
    return false;
  });
  const world = [...Object.keys(Object.prototype), ...('polluted' in {} ? ['polluted'] : [])];
  return [...wrong.map((element) => element.outerHTML.slice(0, 200)), ...world];
}"""


@pytest.fixture(scope="session")
def hostile(pages_folder: Path) -> Path:
    """The store with both runs."""
    return made_once(pages_folder / "hostile", hostile_store) / "store"


@pytest.fixture(scope="session")
def viewer(request: pytest.FixtureRequest, hostile: Path) -> Iterator[Address]:
    """Pages of this store, in the place of those of the sample runs."""
    with pages_of(request.param, hostile, hostile.parent / "pages") as address:
        yield address


@pytest.fixture
def where(viewer: Address, request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["viewer"])


def rows_of(store: Path, run: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(store / "runs" / run / "results.parquet").to_pylist()
    return rows


def only_text(page: Page) -> None:
    assert page.evaluate(INJECTED, PNG_URL) == []


def fits(page: Page) -> None:
    """On a phone and in a wide window the page is no wider than its window."""
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        wait_for(page, f"() => document.documentElement.scrollWidth <= {width}", seconds=3)


def harmless(page: Page, address: str) -> None:
    """Nothing was made of markup, the page is where it was, fits its window and answers a press."""
    only_text(page)
    assert urlsplit(page.url)[:3] == urlsplit(address)[:3], "the page went elsewhere"
    fits(page)
    only_text(page)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name="Dark").wait_for(timeout=3_000)
    page.keyboard.press("Escape")


def says(page: Page, place: str, *texts: str) -> None:
    """A place comes to hold all of these, each as it is, what is out of sight too. NUL may be shown as its sign."""
    holds = "([place, text]) => document.querySelector(place)?.textContent.replaceAll('\\0', '␀').includes(text)"
    for text in texts:
        until = time.monotonic() + 10
        while not page.evaluate(holds, [place, text.replace("\0", "␀")]):
            assert time.monotonic() < until, f"{text[:100]!r} is not in {place}"
            page.wait_for_timeout(20)


def test_lists(open_page: OpenPage, viewer: Address, where: str) -> None:
    pages = {
        f"traces.html?run={RUN}": IDS.values(),
        f"traces.html?run={FOREIGN}": ["__proto__", "constructor"],
        "runs.html": [MODEL],
        "index.html?tasks=all&cols=model,tags,notes,provider,dataset_used": [MODEL, FOREIGN_MODEL, NOTES, MARKUP],
        "compare.html": [FOREIGN_MODEL[:20]],
    }
    for address, texts in pages.items():
        if where == "file" and address.startswith(("index", "compare")):
            continue
        page = open_page(address)
        says(page, "main", *texts)
        harmless(page, viewer(address))


def opened(page: Page, row: dict[str, Any]) -> Locator:
    """The sheet, once it tells this test."""
    sheet = page.get_by_role("dialog")
    wait_for(page, "(id) => document.querySelector('.sheet h2')?.textContent === id", row["test_id"])
    wait_for(
        page, "() => document.querySelector('.sheet .test-panel') && !document.querySelector('.sheet [aria-busy]')"
    )
    return sheet


@pytest.mark.parametrize("run", [RUN, FOREIGN])
def test_a_run_and_each_of_its_tests(open_page: OpenPage, viewer: Address, hostile: Path, run: str) -> None:
    address = f"run.html?id={run}"
    page = open_page(address)
    page.get_by_role("button", name="Everything it ran with").click()
    told = [MODEL, NOTES, MARKUP, "__proto__"] if run == RUN else [FOREIGN_MODEL, LONG_WORD, "{{7*7}}", "__proto__"]
    says(page, "#run-facts", *told)
    page.locator("tr.vt-row").first.click()
    rows = {row["test_case_uid"]: row for row in rows_of(hostile, run)}
    for left in range(len(rows), 0, -1):
        assert len(rows) == left
        row = rows.pop(query_of(page)["test"])
        sheet = opened(page, row)
        for name in ("prompt", "response", "error"):
            says(page, ".sheet", (row[name] or "")[:1_900])
        only_text(page)
        if run == FOREIGN:
            fits(page)
        sheet.get_by_role("button", name="Next test").click()
    page.keyboard.press("Escape")
    harmless(page, viewer(address))


def test_what_is_cut_of_a_test_is_told_and_expands_to_the_whole(open_page: OpenPage, hostile: Path, where: str) -> None:
    row = rows_of(hostile, FOREIGN)[0]
    page = open_page(f"run.html?id={FOREIGN}&test={quote(row['test_case_uid'])}", **clipboard(where))
    sheet = opened(page, row)
    prompt, answer = (
        sheet.locator(".test-section", has=page.get_by_role("heading", name=name)) for name in ("Prompt", "Answer")
    )
    expect(prompt).to_contain_text(spaced(f"{len(row['prompt']):,} characters"))
    prompt.get_by_role("button", name="Expand").click()
    show_more(prompt)
    assert prompt.locator("pre").text_content() == row["prompt"]
    assert len(row["response"]) == HUGE_CHARS
    expect(answer).to_contain_text(spaced("5,000,000 characters"))
    answer.get_by_role("button", name="Expand").click()
    expect(answer).to_contain_text(spaced("60,000 of 5,000,000 characters"))
    if where != "file":
        answer.get_by_role("button", name="Copy").click()
        wait_for(page, "async () => (await navigator.clipboard.readText()).length === 5000000")
    answer.get_by_role("button", name="Fold").click(timeout=3_000)
    only_text(page)


def clipboard(where: str) -> dict[str, list[str]]:
    """A page from a file has no clipboard that a test may read."""
    return {} if where == "file" else {"permissions": ["clipboard-read", "clipboard-write"]}


def spaced(text: str) -> str:
    return text.replace(",", "\u2009")


def show_more(place: Locator) -> None:
    expect(place).to_contain_text(spaced("60,000 of "))
    while (more := place.get_by_role("button", name=re.compile(r"^Show .* more$"))).is_visible():
        more.click()


def expect(found: Any) -> Any:
    """Playwright's own, imported late: these tests are skipped where it is missing."""
    from playwright.sync_api import expect as expect_of_playwright

    return expect_of_playwright(found)


TOLD: dict[str, dict[str, list[str]]] = {
    f"{1:08x}{71:08x}": {
        "Messages": ["javascript:alert(7)", "https://evil.invalid/beacon", LONG_WORD[:500], "polluted", MARKUP],
        "Attributes": [MARKUP, "__proto__", LONG_WORD[:500], LONG[:999]],
        "Raw": ["<script>alert(1)</script></script></title>"],
    },
    f"{1:08x}{72:08x}": {
        "Messages": ["__proto__", "polluted", "[[[[[["],
        "Input / Output": ["__proto__", "polluted", "[\n  [\n"],
        "Attributes": [MARKUP],
    },
    f"{1:08x}{99:08x}": {"Attributes": [MARKUP, LONG_WORD[:500]], "Raw": [LONG_WORD[:500]]},
}
"""What the tabs of some spans say."""


def test_a_trace_with_every_tab_of_its_spans(open_page: OpenPage, viewer: Address) -> None:
    address = f"trace.html?run={FOREIGN}&trace={1:032x}"
    for span, tabs in TOLD.items():
        page = open_page(f"{address}&span={span}")
        panel = page.locator(".panel-body")
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            says(page, ".panel-body", *tabs.get(tab, ()))
            for fold in reversed(panel.get_by_role("button", name="Expand").all()):
                fold.click()
            only_text(page)
        harmless(page, viewer(address))


def test_pictures_are_shown_only_where_they_are_pictures(open_page: OpenPage) -> None:
    page = open_page(f"trace.html?run={FOREIGN}&trace={1:032x}&span={1:08x}{71:08x}&tab=messages")
    picture = page.locator(".panel-body img")
    expect(picture).to_have_attribute("src", PNG_URL)
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 2
    told = page.locator(".panel-body").text_content() or ""
    assert "image/svg+xml" in told and "evil.invalid/beacon.png" in told, "what is no picture is told in words"


def test_what_is_cut_of_a_span_is_told_and_expands_to_the_whole(open_page: OpenPage, where: str) -> None:
    trace = f"trace.html?run={FOREIGN}&trace={1:032x}"
    page = open_page(f"{trace}&span={1:08x}{7:08x}&tab=attributes")
    row = page.locator(".panel-body tr", has=page.get_by_role("rowheader", name="long", exact=True))
    expect(row).to_contain_text(spaced("of 150,000 characters"))
    row.get_by_role("button", name="Expand").click()
    show_more(row)
    expect(row).to_contain_text(spaced("150,000 of 150,000 characters"))
    assert "".join(row.locator("pre").all_text_contents()) == LONG
    page = open_page(f"{trace}&span={1:08x}{71:08x}&tab=messages", **clipboard(where))
    huge = page.locator(".long", has_text=spaced("of 5,000,000 characters"))
    expect(huge).to_be_visible()
    if where != "file":
        huge.get_by_role("button", name="Copy all").click()
        wait_for(page, "async () => (await navigator.clipboard.readText()).length === 5000000")
    huge.get_by_role("button", name="Expand").click()
    expect(huge).to_contain_text(spaced("60,000 of 5,000,000 characters"))
    harmless(page, page.url)


def test_traces_of_the_real_run(open_page: OpenPage, viewer: Address, hostile: Path, where: str) -> None:
    rows = rows_of(hostile, RUN)
    for row in rows[:2] if where == "server" else rows:
        address = f"trace.html?run={RUN}&trace={row['trace_id']}"
        page = open_page(address)
        says(page, ".title-row", row["test_id"])
        for _ in range(int(page.locator(".tg").get_attribute("aria-rowcount") or 0) - 1):
            page.keyboard.press("j")
            settle(page)
            only_text(page)
        harmless(page, viewer(address))


@pytest.mark.places("server", "site")
def test_a_comparison_and_an_opened_test(open_page: OpenPage, viewer: Address) -> None:
    address = f"compare.html?runs={RUN},{FOREIGN}&config=all"
    page = open_page(f"{address}&cell={quote('tool:__proto__~' + FOREIGN)}")
    panel = page.get_by_role("complementary", name="Test in two runs")
    panel.get_by_text("Steps, aligned").wait_for()
    says(page, ".cmp-panel", "line 0 of a text that is long </script>", "Sunny.")
    panel.get_by_role("button", name="Get the whole answer").click()
    panel.get_by_text(re.compile(r"the first .* are compared")).wait_for()
    for name in ("Steps", "Raw", "Output"):
        panel.get_by_role("button", name=name, exact=True).click()
        settle(page)
        only_text(page)
    fits(page)
    panel.get_by_role("button", name="Close").click()
    says(page, "main", MARKUP[:60], "__proto__")
    harmless(page, viewer(address))


def test_what_a_search_finds(open_page: OpenPage) -> None:
    page = open_page(f"runs.html?q={quote(MARKUP[:60])}")
    only_text(page)
    page.keyboard.press("/")
    page.keyboard.type("alert(1)")
    page.get_by_role("option").first.wait_for()
    says(page, "[role=listbox]", "<script>alert(1)</script>")
    only_text(page)
    unheard_of = f"{MARKUP[:180]} zzzqqq"
    page.get_by_role("combobox").fill(unheard_of)
    page.get_by_text(f"Nothing has “{unheard_of}” in it.").wait_for()
    only_text(page)
    wait_for(page, "() => document.documentElement.scrollWidth <= 1440")


ADDRESSES = [
    "index.html?sort=constructor&axis=__proto__&cols=__proto__,constructor&group=toString&pins=__proto__,<b id=evil>",
    "index.html?axis=constructor&q=<script>alert(1)</script>&tag=__proto__%3Dpolluted&model=<img src=x>",
    "runs.html?sort=-constructor&q=<b id=evil>",
    "traces.html?run=%3Cb%20id%3Devil%3E",
    f"traces.html?run={RUN}&sort=__proto__&q=((([",
    "run.html?id=__proto__",
    f"run.html?id={RUN}&status=constructor&error=__proto__&sort=-toString&lanes=constructor&from=-1e999&to=NaN",
    f"run.html?id={RUN}&test=<script>alert(1)</script>&cols=__proto__,constructor&gpu=constructor",
    f"compare.html?runs={RUN},{FOREIGN}&show=constructor&tab=__proto__&cell=constructor~__proto__&attempt=1e999",
    "compare.html?runs=__proto__,constructor",
    f"trace.html?run={FOREIGN}&trace=__proto__",
    f"trace.html?run={FOREIGN}&trace={1:032x}&span=__proto__&tab=constructor&mode=toString&from=9e99&to=-1&fold=,__proto__",
    f"trace.html?run={FOREIGN}&trace={1:032x}&span={1:08x}{71:08x}&tab=__proto__&q=(((<b id=evil>&gaps=x&critical=y",
]


def test_hostile_addresses_are_told_or_passed_over(open_page: OpenPage, viewer: Address, where: str) -> None:
    page: Page | None = None
    for address in ADDRESSES:
        if where == "file" and address.startswith(("index", "compare")):
            continue
        if page is None or where == "file":  # what follows the # loads nothing anew
            page = open_page(address, allow=(r"status 40[04]", r"40[04] \("))
        else:
            page.goto(viewer(address))
            page.wait_for_selector("body[data-ready]", state="attached")
        settle(page)
        text = page.locator("main").inner_text().strip()
        assert text and "fault of the viewer" not in text, f"{address}: {text}"
        only_text(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[0], address
