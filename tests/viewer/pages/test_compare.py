"""The Compare screen as readers meet it: choosing runs, reading the metrics, going through the tests."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from support.pages import query_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

WHERE = ("server", "site")
"""Where the pages come from."""
pytestmark = pytest.mark.slow

OpenPage = Callable[..., "Page"]

SMALL, LARGE, LLAMA = "sample-02-small", "sample-01-large", "sample-04-llama-70b"
THREE = f"compare.html?runs={SMALL},{LARGE},{LLAMA}"
TWO = f"compare.html?runs={SMALL},{LARGE}"
MATRIX = ".matrix tbody tr"


def metric(page: Page, key: str, column: int) -> str:
    return page.locator(f"tr[data-metric={key}] td").nth(column).inner_text()


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Waits for what the page does on its own time. Its policy forbids to wait inside the page."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, f"this did not come true at {page.url}"
        page.wait_for_timeout(20)


def heads(page: Page) -> list[str]:
    return page.locator(".cmp-metrics thead th .cmp-model").all_inner_texts()


def first_cell(page: Page, run: int = 1) -> Any:
    return page.locator(f'{MATRIX} [data-run="{run}"]').first


def test_without_runs_the_newest_are_offered_and_any_can_be_chosen(open_page: OpenPage) -> None:
    page = open_page("compare.html")
    page.get_by_label(re.compile(SMALL)).check()
    assert page.get_by_text("One more, at least.").is_visible()
    page.get_by_text(LARGE, exact=True).click()
    page.get_by_role("button", name="Compare 2 runs").click()
    page.wait_for_selector("tr[data-metric=success]")
    assert query_of(page)["runs"] == f"{SMALL},{LARGE}"
    page.go_back()
    page.get_by_role("button", name="Compare these 3").click()
    page.wait_for_selector("tr[data-metric=success]")
    assert len(query_of(page)["runs"].split(",")) == 3


def test_metrics_of_three_runs_stand_beside_the_baseline(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_page(THREE)
    assert heads(page) == ["piccolo-2", "grande-2", "Llama-3.3-70B"]
    assert page.locator(".cmp-metrics thead th").nth(1).get_by_text("baseline").is_visible()
    assert page.locator(".cmp-metrics tbody tr").count() == 9
    success = metric(page, "success", 1)
    assert re.search(r"[+−]?\d+\.\d pp", success)
    assert re.search(r"\d+ improved · \d+ regressed", success)
    assert re.search(r"n \d+", success)
    assert "no verdict" in metric(page, "energy", 2), "an estimate against a measurement"
    axe(page)


def test_every_number_of_a_metric_and_how_it_is_made_can_be_read(open_page: OpenPage) -> None:
    page = open_page(THREE)
    page.get_by_role("button", name="Success").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("row").count() == 4
    assert "Newcombe" in dialog.inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("95.% intervals")).click()
    assert "sign-flip" in page.get_by_role("dialog").inner_text()


def test_columns_are_moved_removed_and_added(open_page: OpenPage) -> None:
    page = open_page(THREE)
    page.get_by_role("button", name="Column of grande-2").click()
    page.get_by_role("menuitem", name="Make it the baseline").click()
    until(page, lambda: heads(page)[0] == "grande-2")
    assert query_of(page)["runs"] == f"{LARGE},{SMALL},{LLAMA}"
    page.get_by_role("button", name="Remove Llama-3.3-70B").click()
    until(page, lambda: len(heads(page)) == 2)
    page.get_by_role("button", name="Add run").click()
    page.get_by_role("dialog").get_by_label(re.compile("sample-03-llama-8b")).check()
    page.get_by_role("dialog").get_by_role("button", name="Compare 3 runs").click()
    until(page, lambda: len(heads(page)) == 3)
    assert query_of(page)["runs"] == f"{LARGE},{SMALL},sample-03-llama-8b"
    page.go_back()
    until(page, lambda: len(heads(page)) == 2)


def test_disagreements_come_first_and_tests_are_filtered(open_page: OpenPage) -> None:
    page = open_page(THREE)
    states = page.evaluate(
        """() => [...document.querySelectorAll('.matrix tbody tr')].map((row) =>
             new Set([...row.querySelectorAll('.mx-cell')].map((cell) => cell.className)).size)"""
    )
    assert states == sorted(states, reverse=True)
    assert states[0] == 2
    filters = page.get_by_role("group", name="Tests shown")
    wanted = int(filters.get_by_role("button", name="Disagree").locator(".segment-count").inner_text())
    filters.get_by_role("button", name="Disagree").click()
    assert query_of(page)["show"] == "disagree"
    assert page.locator(MATRIX).count() == wanted
    page.get_by_role("button", name=re.compile("^All \\d")).click()
    page.get_by_label("Find tests by id, task or category").fill("tokyo")
    until(page, lambda: query_of(page).get("q") == "tokyo")
    assert set(page.locator(f"{MATRIX} .mx-test").all_inner_texts()) == {"weather_tokyo"}
    page.get_by_label("Find tests by id, task or category").fill("no such test")
    page.get_by_role("button", name="Show all tests").click()
    assert page.locator(MATRIX).count() > wanted


def test_a_cell_opens_both_outputs_and_the_aligned_steps(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_page(THREE, theme="dark")
    first_cell(page, 2).click()
    panel = page.get_by_role("complementary", name="Test in two runs")
    panel.get_by_text("Steps, aligned").wait_for()
    assert query_of(page)["cell"].endswith(f"~{LLAMA}")
    assert panel.locator(".cell-side").count() == 2
    assert panel.locator(".diff tbody tr").count() >= 1
    assert panel.get_by_role("link", name=re.compile("Trace of")).count() == 2
    axe(page)
    panel.locator(".step-row").first.click()
    assert panel.locator(".step-body:visible").count() >= 1
    panel.get_by_role("button", name="Raw").click()
    panel.get_by_text("Rows of results", exact=True).wait_for()
    assert query_of(page)["tab"] == "raw"
    panel.get_by_role("button", name="Close").click()
    assert "cell" not in query_of(page)
    assert panel.is_hidden()


def test_everything_is_done_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(THREE)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell-id")
    first = query_of(page)["cell"]
    page.keyboard.press("j")
    until(page, lambda: query_of(page)["cell"] != first)
    until(page, lambda: page.locator(".cell-id").inner_text() != first.split("~")[0].split(":")[1])
    page.keyboard.press("k")
    until(page, lambda: query_of(page)["cell"] == first)
    page.keyboard.press("]")
    until(page, lambda: query_of(page)["cell"].endswith(f"~{LLAMA}"))
    page.keyboard.press("[")
    until(page, lambda: query_of(page)["cell"].endswith(f"~{LARGE}"))
    page.keyboard.press("Escape")
    until(page, lambda: "cell" not in query_of(page))
    assert page.evaluate("document.activeElement.matches('tr.vt-row')")
    page.keyboard.press("c")
    page.get_by_role("table", name="Settings by run").wait_for()


def test_only_settings_that_differ_are_shown_until_all_are_wanted(open_page: OpenPage) -> None:
    page = open_page(f"{TWO}&config=1")
    table = page.get_by_role("table", name="Settings by run")
    few = table.get_by_role("row").count()
    assert table.get_by_role("rowheader", name="model.model_id").is_visible()
    page.get_by_role("button", name=re.compile("Show all")).click()
    assert query_of(page)["config"] == "all"
    assert table.get_by_role("row").count() > few
    page.get_by_label("Config differences").uncheck()
    assert table.count() == 0


def test_the_comparison_is_taken_away_as_files_and_as_markdown(open_page: OpenPage) -> None:
    page = open_page(TWO, permissions=["clipboard-read", "clipboard-write"])

    def taken(label: str) -> str:
        page.get_by_role("button", name="Download").click()
        with page.expect_download() as waiting:
            page.get_by_role("menuitem", name=label).click()
        return waiting.value.path().read_text(encoding="utf-8")

    metrics = taken("Metrics, CSV").splitlines()
    assert metrics[0].startswith("metric,run_id,model")
    assert len(metrics) == 1 + 9 * 2
    assert taken("Tests as shown, CSV").splitlines()[0].endswith(f"{SMALL},{LARGE}")
    whole = json.loads(taken("Both, JSON"))
    assert whole["runs"] == [SMALL, LARGE]
    assert len(whole["metrics"]) == 18
    page.keyboard.press("m")
    page.get_by_text("in the clipboard").wait_for()
    assert "| Success, % |" in page.evaluate("navigator.clipboard.readText()")


def test_runs_of_other_agents_and_unfinished_ones_are_told(open_page: OpenPage) -> None:
    page = open_page("compare.html?runs=sample-07-small-tool,sample-09-large-code,sample-06-demo-interrupted")
    notes = " ".join(page.locator(".cmp-note").all_inner_texts())
    assert "share no kind of agent" in notes
    assert "was interrupted" in notes
    assert page.get_by_text(re.compile("incomplete, \\d+ of \\d+")).is_visible()


def test_a_run_that_is_not_there_is_told_and_others_are_offered(open_page: OpenPage) -> None:
    page = open_page(f"compare.html?runs={SMALL},no-such-run", allow=("404",))
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_role("button", name="Compare these 3").is_visible()


def test_on_a_phone_runs_stand_one_above_the_other(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_page(THREE, width=390, height=844)
    assert page.locator(".cmp-run").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    first_cell(page).tap()
    sheet = page.get_by_role("dialog")
    sheet.get_by_text("Steps, aligned").wait_for()
    assert sheet.locator(".diff-unified").count() >= 1
    axe(page)
    sheet.get_by_role("button", name="Close").click()
    assert "cell" not in query_of(page)


def test_ten_runs_scroll_in_their_box(open_page: OpenPage, store: Path) -> None:
    runs = sorted(run.name for run in (store / "runs").iterdir())[:10]
    page = open_page(f"compare.html?runs={','.join(runs)}")
    assert len(heads(page)) == 10
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
