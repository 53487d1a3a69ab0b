"""The Compare screen where the server's answers matter: what is changed on the way, what grows, what is too long."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.slow

OpenPage = Callable[..., "Page"]

SMALL, LARGE = "sample-02-small", "sample-01-large"
TWO = f"compare.html?runs={SMALL},{LARGE}"


def metric(page: Page, key: str, column: int) -> str:
    return page.locator(f"tr[data-metric={key}] td").nth(column).inner_text()


def with_changed(pattern: str, change: Callable[[Any], None]) -> Callable[[Page], None]:
    """Answers of this address are changed on their way to the page."""

    def on_route(route: Route) -> None:
        response = route.fetch()
        answer = response.json()
        change(answer)
        route.fulfill(response=response, body=json.dumps(answer))

    return lambda page: page.route(re.compile(pattern), on_route)


def test_values_are_those_of_the_leaderboard_where_all_tests_are_compared(open_page: OpenPage) -> None:
    page = open_page(TWO)
    rows = page.evaluate(f"fetch('api/compare?runs={SMALL},{LARGE}').then((answer) => answer.json())")["runs"]
    for column, run in enumerate(rows):
        assert f"{run['row']['success_rate']:.1f}" in metric(page, "success", column)
        assert f"{run['row']['avg_steps']:.1f}" in metric(page, "steps", column)


def test_other_tasks_and_scorers_are_told_and_only_tests_in_common_are_compared(open_page: OpenPage) -> None:
    def change(answer: Any) -> None:
        answer.update(same_tasks=False, same_scorers=False, scorers=[["documented"], ["judge"]])
        answer["runs"][1]["row"]["dataset_used"] = "hard"

    page = open_page(TWO, prepare=with_changed(r"/api/compare\?", change))
    notes = page.locator(".cmp-note").all_inner_texts()
    assert notes[0].startswith("The task sets differ (basics, hard)")
    assert "different scorers" in notes[1]


HOSTILE = (
    "A" * 300
    + "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>\u202e\u0000 `| ```"
)


def test_hostile_texts_are_only_texts(open_page: OpenPage) -> None:
    def change(answer: Any) -> None:
        answer["row"].update(response=f"{HOSTILE}\n{HOSTILE}", error=HOSTILE, error_type=HOSTILE)
        answer["steps"].append(
            {
                "number": 99,
                "kind": "action",
                "title": HOSTILE,
                "tool_calls": [{"name": HOSTILE, "arguments": {HOSTILE: [HOSTILE]}, "ok": False, "result": HOSTILE}],
                "output": HOSTILE,
                "error": HOSTILE,
            }
        )

    def names(answer: Any) -> None:
        for run in answer["runs"]:
            run["row"]["model"] = HOSTILE + run["run_id"]
            run["config"][HOSTILE] = HOSTILE

    def prepare(page: Page) -> None:
        with_changed(r"/test/", change)(page)
        with_changed(r"/api/compare\?", names)(page)

    page = open_page(f"{TWO}&config=all&cell=tool:weather_tokyo~{LARGE}&tab=steps", prepare=prepare)
    page.get_by_text("Steps, aligned").wait_for()
    assert "hacked" not in page.title().split("·")[0].replace("document.title='hacked'", "")
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_the_address_of_a_cell_opens_it_and_an_answer_of_megabytes_is_compared_in_part(open_page: OpenPage) -> None:
    begin = "line of an answer\n" * 1000

    def change(answer: Any) -> None:
        answer["row"]["response"] = {"cut": begin + answer["row"]["model"], "chars": 5_000_000, "ref": "whole"}

    def prepare(page: Page) -> None:
        with_changed(r"/test/", change)(page)
        whole = json.dumps({"text": "another line of it\n" * 260_000})
        page.route(re.compile(r"/text/whole"), lambda route: route.fulfill(content_type="application/json", body=whole))

    page = open_page(f"{TWO}&cell=tool:weather_tokyo~{LARGE}", prepare=prepare)
    page.get_by_text("Steps, aligned").wait_for()
    assert "weather_tokyo" in page.locator(".cmp-panel").inner_text()
    assert page.locator(".mx-open").count() == 1
    assert page.get_by_text(re.compile(r"the first .* of 5.000.000 characters")).count() == 2
    page.get_by_role("button", name="Get the whole answer").first.click()
    page.get_by_text(re.compile(r"the first .* are compared")).wait_for()
    assert page.evaluate("document.querySelectorAll('.cmp-panel *').length") < 4000


def test_new_tests_of_a_live_run_wait_for_the_reader(open_page: OpenPage) -> None:
    def live(answer: Any) -> None:
        answer["runs"][1].update(_status="running")
        answer["runs"][1]["row"].update(_planned=50)

    def prepare(page: Page) -> None:
        with_changed(r"/api/compare\?", live)(page)
        told = 'event: change\ndata: {"version": "2", "status": "running", "finished": 30, "planned": 50}\n\n'
        page.route(re.compile(r"/api/events"), lambda route: route.fulfill(content_type="text/event-stream", body=told))

    page = open_page(TWO, prepare=prepare)
    assert page.get_by_text(re.compile(r"live, \d+ of 50")).is_visible()
    with page.expect_response(re.compile(r"/api/compare\?")) as answer:
        page.get_by_role("button", name=re.compile(r"\d+ new")).click()
    answer.value.finished()
    page.get_by_role("button", name=re.compile(r"\d+ new")).wait_for()
