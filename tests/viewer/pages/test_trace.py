"""The trace screen as a reader uses it: tree, waterfall, overview, panel, find, keys, address, phone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from support.made_traces import MadeTrace, answer_with, invoices
from support.trace_page import ADDRESS, expect, names, row, selected, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

OpenPage = Callable[..., "Page"]


@pytest.fixture
def made() -> MadeTrace:
    return invoices()


@pytest.fixture
def open_trace(open_page: OpenPage, made: MadeTrace) -> OpenPage:
    """Opens the page of `made`, or of another trace, with more in its address."""

    def open_one(
        query: str = "", *, of: MadeTrace | None = None, paths: list[str] | None = None, **options: Any
    ) -> Page:
        return open_page(ADDRESS + query, prepare=lambda page: answer_with(page, of or made, paths), **options)

    return open_one


def test_rows_have_names_figures_times_and_errors_of_what_is_in_them(open_trace: OpenPage) -> None:
    page = open_trace("&gaps=0")
    assert names(page)[:4] == ["CodeAgent", "Step 1", "Qwen2.5-Coder-7B", "python_interpreter"]
    agent, chat = row(page, "CodeAgent"), row(page, "Qwen2.5")
    expect(agent.locator(".tr-error")).to_have_text(re.compile("✕ 4"))
    expect(agent.locator(".tr-tokens")).to_have_text("23.9k / 2.1k")
    expect(chat.locator(".tr-tokens")).to_have_text("2.1k / 254")
    expect(chat.locator(".tr-cost")).to_have_text("$0.000031")
    expect(chat.locator(".tr-time")).to_have_attribute("aria-label", "chat, 5.7 s")
    expect(row(page, "load_csv").locator(".tr-cost")).to_have_attribute("aria-label", "no model call")
    expect(row(page, "convert").locator(".tr-error")).to_have_text(re.compile("KeyError"))
    page.get_by_role("button", name="Self").click()
    expect(agent.locator(".tr-tokens")).to_have_text("—")
    expect(agent.locator(".tr-time")).to_have_attribute("aria-label", re.compile(r"agent, 4\d\.\d s"))
    settled(page, "mode", "self")


def test_the_title_row_tells_what_the_test_used(open_trace: OpenPage) -> None:
    page = open_trace()
    title = page.locator(".title-row")
    for text in (
        "invoice-total-19",
        "passed",
        "1 m 44 s",
        "41.4 s idle",
        "27.3k / 2.1k",
        "$0.00025",
        "0.21",
        "✕ 4 errors",
    ):
        expect(title).to_contain_text(text)
    expect(page.get_by_role("link", name="Next test")).to_have_attribute("href", re.compile(f"trace={'22' * 16}"))


def test_folding_by_key_and_by_hand_keeps_errors_in_sight(open_trace: OpenPage) -> None:
    page = open_trace()
    row(page, "Step 2").click()
    page.keyboard.press("ArrowLeft")
    expect(row(page, "Step 2")).to_have_attribute("aria-expanded", "false")
    expect(row(page, "Step 2").locator(".tr-note")).to_have_text(re.compile("6 spans"))
    expect(row(page, "Step 2").locator(".tr-error")).to_have_text(re.compile("✕ 3"))
    assert "get_rates" not in names(page)[7:9]
    settled(page, "fold", re.compile(r"fold=,[0-9a-f]{8}"))
    page.reload()
    expect(row(page, "Step 2")).to_have_attribute("aria-expanded", "false")
    row(page, "Step 2").locator(".tr-twist").click()
    expect(row(page, "Step 2")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Fold a level", exact=True).click()
    page.get_by_role("button", name="Fold a level", exact=True).click()
    page.get_by_role("button", name="Fold a level", exact=True).click()
    assert names(page) == ["CodeAgent", "Orphan spans"]


def test_keys_walk_through_spans_errors_and_the_critical_path(open_trace: OpenPage, made: MadeTrace) -> None:
    page = open_trace()
    page.keyboard.press("j")
    expect(selected(page).locator(".tr-name")).to_have_text("CodeAgent")
    for key in "jjk":
        page.keyboard.press(key)
    expect(selected(page).locator(".tr-name")).to_have_text("Step 1")
    page.keyboard.press("e")
    expect(selected(page)).to_have_class(re.compile("tr-failed"))
    failed = [made.id(i) for i, each in enumerate(made.rows) if each["error"]]
    settled(page, "span", failed[0])
    page.keyboard.press("Shift+E")
    settled(page, "span", failed[-1])
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="critical path")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+C")
    settled(page, "critical", "0")
    page.keyboard.press("End")
    expect(selected(page)).to_be_in_viewport()
    page.locator(".tg").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator(".panel-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".tg")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next span of the critical path")


def test_an_address_brings_everything_back(open_trace: OpenPage, made: MadeTrace) -> None:
    convert = next(i for i, each in enumerate(made.rows) if each["tool"] == "convert")
    page = open_trace(f"&span={made.id(convert)}&tab=attributes&from=10000&to=20000&mode=self&q=convert&fold=1")
    expect(selected(page).locator("mark")).to_have_text("convert")
    expect(selected(page)).to_be_in_viewport()
    expect(page.get_by_role("tab", name="Attributes")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Self")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".find-count")).to_have_text("1 of 6")
    expect(page.get_by_role("slider", name="Begin of the zoom")).to_have_attribute("aria-valuetext", "10.0 s")
    expect(row(page, "Step 1")).to_have_attribute("aria-expanded", "false")


def test_find_counts_marks_goes_on_and_looks_into_what_was_opened(open_trace: OpenPage, made: MadeTrace) -> None:
    page = open_trace()
    page.keyboard.press("/")
    page.keyboard.type("convert")
    expect(page.locator(".find-count")).to_have_text("6 found")
    expect(page.locator(".tr-name mark").first).to_have_text("convert")
    page.keyboard.press("Enter")
    expect(page.locator(".find-count")).to_have_text(re.compile("1 of [67]"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".find-input").fill("finish_reasons")
    expect(page.locator(".find-count")).to_have_text("none")
    page.get_by_role("tab", name="Attributes").click()
    row(page, "Qwen2.5").click()
    expect(page.locator(".find-count")).to_have_text("1 of 1")
    expect(page.locator(".pairs mark")).to_have_text("finish_reasons")
    page.locator(".tg").focus()
    page.keyboard.press("n")
    settled(page, "q", "finish_reasons")


def test_the_zoom_is_drawn_moved_by_keys_and_taken_away(open_trace: OpenPage) -> None:
    page = open_trace("&gaps=0")
    box = page.locator(".zb").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.up()
    settled(page, "from", re.compile(r"from=20[78]\d\d.*to=5[12]\d\d\d"))
    begin = page.get_by_role("slider", name="Begin of the zoom")
    begin.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(begin).to_have_attribute("aria-valuetext", "31.2 s")
    page.locator(".tg").focus()
    page.keyboard.press("z")
    expect(begin).to_have_attribute("aria-valuetext", "0 ms")
    row(page, "Step 1").dblclick()
    expect(page.get_by_role("slider", name="End of the zoom")).to_have_attribute("aria-valuetext", "8.4 s")
    page.get_by_role("button", name="Fit").click()
    expect(page.get_by_role("button", name="Fit")).to_be_hidden()


def test_idle_gaps_are_drawn_short_with_their_length_or_in_true_time(open_trace: OpenPage) -> None:
    page = open_trace()
    expect(page.locator(".th-gap")).to_have_text("41.2 sidle")
    expect(page.locator(".tg-gap")).to_have_css("width", "34px")
    expect(page.locator(".mm-idle")).to_have_text("idle 41.2 s")
    page.keyboard.press("g")
    expect(page.locator(".th-gap")).to_have_count(0)
    settled(page, "gaps", "0")


def test_messages_show_what_is_new_and_calls_beside_their_results(open_trace: OpenPage, made: MadeTrace) -> None:
    chats = [i for i, each in enumerate(made.rows) if each["kind"] == "chat"]
    page = open_trace(f"&span={made.id(chats[2])}")
    panel = page.locator(".panel-body")
    expect(panel).to_contain_text("4 messages, already seen")
    expect(panel.locator(".msg")).to_have_count(2)
    expect(panel.locator(".call .code")).to_contain_text("rows = load_csv")
    expect(panel.locator(".code-keyword").first).to_have_text("for")
    expect(panel.locator(".result")).to_contain_text("9 11730.18")
    expect(panel.locator(".result .chip")).to_have_text("ok")
    panel.get_by_role("button", name="already seen").click()
    expect(panel.locator(".msg")).to_have_count(6)
    system = panel.get_by_role("button", name="System")
    expect(system).to_contain_text("5 465 characters")
    system.click()
    expect(panel.locator(".fold-body").first).to_contain_text("You are an expert assistant")
    panel.locator(".result .call-name").click()
    expect(selected(page).locator(".tr-name")).to_have_text("python_interpreter")
    expect(page.locator(".panel-title")).to_contain_text("tool python_interpreter")


def test_the_other_views_and_a_failed_span(open_trace: OpenPage, made: MadeTrace) -> None:
    convert = next(i for i, each in enumerate(made.rows) if each["error"] == "KeyError")
    page = open_trace(f"&span={made.id(convert)}")
    expect(page.locator(".error-banner")).to_contain_text("✕ KeyErrorKeyError: 'ccy'")
    page.get_by_role("tab", name="Input / Output").click()
    expect(page.locator(".panel-body .code-name")).to_have_text('"row"')
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Attributes")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".panel-body")).to_contain_text('"status_description"')
    settled(page, "tab", "raw")


def test_lost_and_unfinished_spans_are_told(open_trace: OpenPage) -> None:
    page = open_trace()
    page.locator(".tg").focus()
    page.keyboard.press("End")
    expect(selected(page).locator(".tr-time")).to_have_attribute("aria-label", "other, no end recorded")
    page.keyboard.press("ArrowLeft")
    expect(selected(page).locator(".tr-name")).to_have_text("Orphan spans")
    expect(page.locator(".panel-body")).to_contain_text("2 spans name a parent that is not in the trace")


def test_on_a_phone_the_panel_comes_from_below(open_trace: OpenPage, axe: Callable[..., None]) -> None:
    page = open_trace(width=390, height=844)
    expect(page.locator(".panel")).to_be_hidden()
    expect(row(page, "Qwen2.5").locator(".tr-words")).to_have_text("5.7 s")
    row(page, "Qwen2.5").click()
    expect(page.locator(".panel")).to_contain_text("chat Qwen2.5-Coder-7B")
    expect(page.locator(".panel .msg").last).to_contain_text("Assistant")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    axe(page)
    page.get_by_role("button", name="View").click()
    expect(page.get_by_role("menuitem", name="Copy as Markdown")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".panel")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_trace: OpenPage, made: MadeTrace, axe: Callable[..., None], theme: str) -> None:
    convert = next(i for i, each in enumerate(made.rows) if each["error"] == "KeyError")
    page = open_trace(f"&span={made.id(convert)}&q=convert&to=80000", theme=theme)
    expect(page.locator(".error-banner")).to_be_visible()
    axe(page)
    if theme == "light":
        return
    for tab in ("Attributes", "Raw", "Input / Output"):
        page.get_by_role("tab", name=tab).click()
    axe(page)


def test_a_trace_is_copied_as_markdown_and_as_json(open_trace: OpenPage, made: MadeTrace) -> None:
    page = open_trace(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.locator(".answer")).to_have_text("Copied")
    markdown = page.evaluate("navigator.clipboard.readText()")
    assert markdown.startswith("# invoice-total-19\n")
    assert "    - chat Qwen2.5-Coder-7B (5.7 s, 2.1k / 254 tok, $0.000031)" in markdown
    assert "```python\n# convert each invoice" in markdown
    page.locator(".title-tools .button", has_text="JSON").click()
    expect(page.locator(".title-tools .button", has_text="JSON").locator(".answer")).to_have_text("Copied")
    spans = json.loads(page.evaluate("navigator.clipboard.readText()"))["spans"]
    assert [span["id"] for span in spans] == [each["id"] for each in made.rows]
    assert (spans[1]["parent"], spans[1]["start_ms"], spans[-1]["end_ms"]) == (made.id(0), 0, None)


def test_the_panel_takes_the_width_that_it_is_given(open_trace: OpenPage) -> None:
    page = open_trace()
    line = page.get_by_role("separator", name="Width of the panel")
    before = int(line.get_attribute("aria-valuenow") or 0)
    line.focus()
    page.keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuenow", str(before + 24))
    box = page.locator(".panel").bounding_box()
    assert box is not None and round(box["width"]) == before + 24


def test_a_sample_trace_shows_the_numbers_of_the_data(open_page: OpenPage, live_url: str) -> None:
    page = open_page("traces.html")
    store = page.evaluate("fetch('api/leaderboard').then(answer => answer.json())")
    run = store["rows"][0]["run_id"]
    tests = page.evaluate(f"fetch('api/run/{run}/tests').then(answer => answer.json())")["columns"]
    trace = tests["trace_id"][0]
    page = open_page(f"trace.html?run={run}&trace={trace}")
    data = page.evaluate(f"fetch('api/run/{run}/trace/{trace}').then(answer => answer.json())")
    assert page.locator(".tg").get_attribute("aria-rowcount") == str(data["count"] + 1)
    total = sum(value or 0 for value in data["columns"]["tokens_out"])
    assert total == tests["gen_ai.usage.completion_tokens"][0]
    expect(page.locator(".panel-body .msg").first).to_contain_text("User")


def test_the_span_of_a_test_tells_what_was_asked_and_what_came(open_trace: OpenPage) -> None:
    made = MadeTrace(header={"test_id": "t", "test_case_uid": "u", "row": {"prompt": "Add 1 and 2.", "expected": "3"}})
    made.span("test t", "other", 0, 10)
    page = open_trace(f"&span={made.id(0)}", of=made, allow=("404",))
    expect(page.locator(".panel-body .msg")).to_have_text(["TaskAdd 1 and 2.", "Expected3"])
