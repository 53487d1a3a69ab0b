"""The page of a run: its headlines, its tests, everything that filters them, and what can be taken away."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.pages import kind_of, query_of, settle, target_of, wait_for, wait_for_query
from support.run_page import BROKEN, GPU, ROWS, UNPRICED, OpenPage, headline, open_run, results, row_of, shown

import smoltrace

WHERE = ("server", "site", "file")
"""Where the pages come from."""
pytestmark = pytest.mark.slow


def test_the_headlines_are_the_numbers_of_the_leaderboard_row_and_what_it_ran_with_is_a_press_away(
    open_page: OpenPage, store: Path
) -> None:
    row = smoltrace.load_run(GPU, store).leaderboard_row()
    page = open_run(open_page, GPU)
    low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
    assert f"{row['success_rate']:.1f} %" in headline(page, "success")
    assert f"{low:.1f}–{high:.1f}, n {row['num_tests']}" in headline(page, "success")
    exact = page.locator("[data-headline=energy] .fig").get_attribute("title") or ""
    assert float(exact.removesuffix(" Wh")) == pytest.approx(row["total_gpu_energy_wh"], rel=1e-11)
    assert "est." in headline(page, "cost") and "electricity, $0.12/kWh" in headline(page, "cost")
    assert "measured" in headline(page, "energy")
    assert "56 g/kWh, FRA grid" in headline(page, "co2")
    assert f"{row['total_tokens'] / 1000:.1f}k" in headline(page, "tokens")
    assert headline(page, "failures").startswith(f"Failures {row['failed_tests']} ")
    assert page.locator("h1").inner_text() == "Llama-3.1-8B"
    assert "completed" in page.locator(".title-after").inner_text()
    facts = page.locator("#run-facts")
    assert facts.is_hidden()
    page.get_by_role("button", name="Everything it ran with").click()
    text = facts.inner_text()
    for told in ("FRA", "56 g CO₂e/kWh", "Ember via Our World in Data", "$0.12/kWh (default)", "NVIDIA L4", "0.1.0"):
        assert told in text, told
    page.keyboard.press("i")
    assert facts.is_hidden()


def test_what_is_unknown_has_a_reason_and_is_never_zero(open_page: OpenPage) -> None:
    page = open_run(open_page, UNPRICED)
    assert "≥" in headline(page, "cost") and "unpriced" in headline(page, "cost")
    for key in ("energy", "co2"):
        assert "—" in headline(page, key) and "no GPU" in headline(page, key)


def test_failures_are_counted_by_class_category_and_status_and_filter_the_table(
    open_page: OpenPage, store: Path
) -> None:
    rows = results(store, GPU)
    page = open_run(open_page, GPU)
    panel = page.get_by_role("region", name="Failures")
    counts = dict(text.split("\n")[:2] for text in panel.locator("li").all_inner_texts())
    assert counts == {"Wrong answer": "3", "Tool error": "2", "Timeout": "1", "Unreadable output": "1"}
    panel.get_by_role("button", name="Tool error").click()
    assert set(shown(page)) == {uid for uid, row in rows.items() if row["error_type"] == "tool_error"}
    assert query_of(page)["error"] == "tool_error"
    panel.get_by_role("button", name="Wrong answer").click()
    assert len(shown(page)) == 5
    page.get_by_role("button", name="Remove the filter Tool error").click()
    assert len(shown(page)) == 3
    panel.get_by_role("button", name="Show all again").click()
    panel.get_by_role("button", name="Category").click()
    panel.get_by_role("button", name="time").first.click()
    assert set(shown(page)) == {uid for uid, row in rows.items() if row["category"] == "time"}


def test_the_table_tells_what_came_and_why_it_failed_and_is_sorted_searched_and_split(
    open_page: OpenPage, store: Path
) -> None:
    rows = results(store, GPU)
    page = open_run(open_page, GPU)
    timeout = row_of(page, "code:time_utc:1").inner_text()
    assert "no answer" in timeout and "Timeout" in timeout
    wrong = row_of(page, "tool:weather_paris:1").inner_text()
    assert "It is 18 °C and sunny in Paris." in wrong and "Wrong answer" in wrong
    assert page.get_by_role("columnheader", name="$").inner_text().split() == ["$", "est."]
    table = page.get_by_role("table", name="Tests")
    assert shown(page) == list(rows)
    table.get_by_role("button", name="Tokens").click()
    table.get_by_role("button", name="Tokens").click()
    tokens = [rows[uid]["gen_ai.usage.total_tokens"] for uid in shown(page)]
    assert tokens == sorted(tokens, reverse=True)
    assert table.get_by_role("columnheader", name="Tokens").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Failed 7").click()
    assert all(not rows[uid]["success"] for uid in shown(page))
    page.keyboard.press("x")
    page.keyboard.press("f")
    page.keyboard.type("paris sunny")
    wait_for(page, f"() => {ROWS}.length === 2")
    wait_for_query(page, q="paris sunny")
    page.keyboard.type(" nowhere")
    page.get_by_role("button", name="Show all tests").click()
    assert len(shown(page)) == 9 and "q" not in query_of(page)


def test_a_row_opens_the_whole_test_beside_the_table(open_page: OpenPage, store: Path) -> None:
    row = results(store, GPU)["tool:weather_umbrella:1"]
    page = open_run(open_page, GPU)
    row_of(page, "tool:weather_umbrella:1").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("heading", name="Prompt").wait_for()
    text = sheet.inner_text()
    for told in (row["prompt"], row["response"], row["error"], "Tool error", "yes, light rain", "keywords"):
        assert told in text, told
    assert query_of(page)["test"] == "tool:weather_umbrella:1"
    link = sheet.get_by_role("link", name="Open the trace")
    assert target_of(link) == ("trace", {"run": GPU, "trace": row["trace_id"]})
    sheet.get_by_role("button", name="Next test").click()
    wait_for(page, "() => document.querySelector('.sheet h2').textContent === 'arithmetic_product'")
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0 and "test" not in query_of(page)


def test_keys_walk_the_tests_open_them_and_lead_to_the_trace(open_page: OpenPage, store: Path) -> None:
    rows = list(results(store, GPU).values())
    page = open_run(open_page, GPU, allow=(r".*",))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("heading", name="Verdicts").wait_for()
    assert query_of(page)["test"] == rows[1]["test_case_uid"]
    page.keyboard.press("j")
    wait_for_query(page, test=rows[2]["test_case_uid"])
    page.keyboard.press("?")
    assert "Open the trace of the test" in page.locator(".keys").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    wait_for_query(page, run=GPU, trace=rows[2]["trace_id"])


def test_an_interrupted_run_says_so_and_gives_the_command_that_goes_on_with_it(
    open_page: OpenPage, store: Path
) -> None:
    page = open_run(open_page, BROKEN)
    planned = smoltrace.load_run(BROKEN, store).manifest["num_tests"]
    assert f"incomplete, 5 of {planned}" in page.locator(".title-after").inner_text()
    note = page.locator(".resume").inner_text()
    assert f"{planned - 5} of {planned} tests have not run" in note
    assert f"smoltrace resume {BROKEN}" in note and str(store) in note
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".resume").get_by_role("button", name="Copy").click()
    wait_for(page, "() => document.querySelector('.resume .answer')?.textContent === 'Copied'")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("smoltrace resume")


def test_columns_are_chosen_and_the_table_is_taken_away_as_shown(open_page: OpenPage, store: Path) -> None:
    rows = results(store, GPU)
    page = open_run(open_page, GPU, "&success=failed")
    page.get_by_role("button", name=re.compile("Columns")).click()
    page.get_by_role("menuitemcheckbox", name="Difficulty").click()
    page.get_by_role("menuitemcheckbox", name="Task").click()
    page.keyboard.press("Escape")
    heads = page.get_by_role("columnheader").all_inner_texts()
    assert "Difficulty" in heads and "Task" not in heads and "difficulty" in query_of(page)["cols"]
    page.get_by_role("button", name="Download").click()
    menu = page.get_by_role("dialog", name="Download")
    with page.expect_download() as made:
        menu.get_by_role("button", name="the table as CSV").click()
    text = Path(made.value.path()).read_text()
    table = list(csv.DictReader(io.StringIO(text)))
    assert [line["test_case_uid"] for line in table] == [uid for uid, row in rows.items() if not row["success"]]
    assert [line["gen_ai.usage.total_tokens"] for line in table] == [
        str(rows[line["test_case_uid"]]["gen_ai.usage.total_tokens"]) for line in table
    ]


def test_runs_of_the_same_tasks_are_offered_for_comparison(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    page.get_by_role("button", name="Compare with…").click()
    menu = page.get_by_role("dialog", name="Compare with")
    if kind_of(page) == "inline":
        menu.get_by_text("No other run has the same tasks.").wait_for()
        return
    place, asked = target_of(menu.get_by_role("link", name=re.compile("Llama-3.3-70B")).first)
    assert place == "compare" and asked["runs"].startswith(f"{GPU},sample-")


def test_the_data_sets_that_there_are_can_be_downloaded(open_page: OpenPage, store: Path) -> None:
    page = open_run(open_page, GPU)
    page.get_by_role("button", name="Download").click()
    menu = page.get_by_role("dialog", name="Download")
    links, kind = menu.get_by_role("link"), kind_of(page)
    assert links.count() == {"live": 15, "static": 5, "inline": 0}[kind]
    if kind != "live":
        assert f"smoltrace export {GPU} --format csv -o " in menu.inner_text()
    if kind != "inline":
        with page.expect_download() as made:
            menu.get_by_role("link", name="results as Parquet").click()
        file = smoltrace.load_run(GPU, store).directory.parquet("results")
        assert Path(made.value.path()).read_bytes() == file.read_bytes()
        assert made.value.suggested_filename == f"{GPU}-results.parquet"
    if kind == "live":
        with page.expect_download() as made:
            menu.get_by_role("link", name="results as JSON").click()
        assert len(json.loads(Path(made.value.path()).read_text())) == 9


@pytest.mark.places("server")
def test_a_run_of_many_tests_is_read_page_by_page_and_only_rows_in_sight_are_made(open_page: OpenPage) -> None:
    asked: list[int] = []
    page = open_page(f"run.html?id={GPU}", prepare=lambda made: made.route("**/tests?**", many_tests(asked)))
    wait_for(page, "() => document.querySelector('.tests-told')?.textContent.includes('10')")
    wait_for(page, "() => document.querySelector('.tests-told').textContent.replace(/\\s/g, '').startsWith('10000')")
    assert asked == [0, 2000, 4000, 6000, 8000]
    assert page.evaluate("() => document.querySelectorAll('*').length") < 2000
    page.keyboard.press("j")
    page.keyboard.press("End")
    assert shown(page)[-1] == "tool:t9999:1"


def many_tests(asked: list[int]) -> Callable[[Any], None]:
    """Ten thousand made-up tests, in pages as the server makes them."""

    def answer(route: Any) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start, count = int(query["start"][0]), int(query["count"][0])
        asked.append(start)
        numbers = range(start, min(start + count, 10_000))
        names = ("category", "difficulty", "prompt", "expected", "response", "error", "error_type", "trace_id")
        columns: dict[str, list[Any]] = {name: [None for _ in numbers] for name in names}
        columns |= {
            "test_case_uid": [f"tool:t{n}:1" for n in numbers],
            "test_id": [f"t{n}" for n in numbers],
            "agent_type": ["tool" for _ in numbers],
            "attempt": [1 for _ in numbers],
            "status": ["failed" if n % 7 == 0 else "completed" for n in numbers],
            "success": [n % 7 != 0 for n in numbers],
            "steps": [n % 5 for n in numbers],
            "execution_time_ms": [50.0 for _ in numbers],
            "gen_ai.usage.total_tokens": list(numbers),
            "_start_ms": [n * 10.0 for n in numbers],
            "_end_ms": [n * 10.0 + 50 for n in numbers],
        }
        following = start + count if start + count < 10_000 else None
        body = {"version": "1", "start": start, "next": following, "count": len(numbers), "columns": columns}
        route.fulfill(json=body)

    return answer


def test_axe_finds_nothing_wrong_in_either_theme(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_run(open_page, GPU, "&error=tool_error&from=1000&to=60000")
    page.get_by_role("button", name="Everything it ran with").click()
    row_of(page, "tool:weather_umbrella:1").click()
    page.get_by_role("dialog").get_by_role("heading", name="Prompt").wait_for()
    axe(page)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemcheckbox", name="Dark").click()
    axe(page)


def test_a_phone_shows_everything_in_one_column(open_page: OpenPage, axe: Callable[..., None]) -> None:
    page = open_run(open_page, BROKEN, width=390, height=844)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert len(shown(page)) == 5
    sort = page.get_by_role("button", name="Sort")
    sort.scroll_into_view_if_needed()
    settle(page)
    sort.click()
    for _ in range(2):
        page.get_by_role("menuitemcheckbox", name="Duration").click()
    page.keyboard.press("Escape")
    assert query_of(page)["sort"] == "-duration"
    page.locator("tr.vt-row").first.click()
    page.get_by_role("dialog").get_by_role("heading", name="Prompt").wait_for()
    sheet = page.get_by_role("dialog").bounding_box()
    assert sheet is not None and sheet["width"] == 390 and sheet["y"] > 200
    axe(page)


def test_a_run_that_is_not_there_is_told_in_words(open_page: OpenPage) -> None:
    page = open_page("run.html?id=no-such-run", allow=(r"status 404", r"404"))
    assert "Not found" in page.get_by_role("alert").inner_text()
    nameless = open_page("run.html")
    assert "Choose one from Runs." in nameless.get_by_role("alert").inner_text()
