"""The time line of a run's page: the lanes of its GPUs, its tests as bands, and the window that filters them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.pages import query_of, settle
from support.run_page import API, FOUR_GPUS, GPU, OpenPage, drag, open_run, row_of, shown, strip_point, times_of_axis

import smoltrace

WHERE = ("server", "site", "file")
"""Where the pages come from."""
pytestmark = pytest.mark.slow


def test_the_crosshair_tells_the_values_of_all_lanes_and_lanes_are_chosen(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    assert page.locator(".timeline h2").inner_text() == "GPU 0"
    titles = page.locator(".lane-label b").all_inner_texts()
    assert titles == ["Utilisation", "Memory", "Power", "CO₂e, total"]
    page.mouse.move(*strip_point(page, 0.3))
    page.mouse.move(*strip_point(page, 0.5))
    tags = page.locator(".cross-tag").all_inner_texts()
    assert [tag.split()[-1] for tag in tags[:-1]] == ["%", "GiB", "W", "g"]
    assert re.search(r"\d s · \w+", tags[-1])
    page.mouse.move(10, 10)
    assert page.locator(".cross").is_hidden()
    page.get_by_role("button", name="4 of 7 lanes").click()
    page.get_by_role("menuitemcheckbox", name="Temperature").click()
    page.get_by_role("menuitemcheckbox", name="Memory").click()
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator(".lane-label b").all_inner_texts() == ["Utilisation", "Temperature", "Power", "CO₂e, total"]
    assert query_of(page)["lanes"] == "utilisation,temperature,power,co2"


def test_several_gpus_are_seen_together_alone_or_beside_each_other(open_page: OpenPage) -> None:
    page = open_run(open_page, FOUR_GPUS)
    assert page.locator(".timeline h2").inner_text() == "4 GPUs"
    assert "sum" in page.locator("[data-lane=power]").inner_text()
    page.mouse.move(*strip_point(page, 0.4))
    assert re.match(r"\d+ % \(\d+–\d+\)", page.locator(".cross-tag").first.inner_text())
    page.get_by_role("button", name="All together").click()
    page.get_by_role("menuitemcheckbox", name="Power of each").click()
    settle(page)
    assert page.locator(".lane-label b").all_inner_texts() == ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]
    page.get_by_role("button", name="Power of each").click()
    page.get_by_role("menuitemcheckbox", name="GPU 2").first.click()
    settle(page)
    assert page.locator(".timeline h2").inner_text() == "GPU 2" and query_of(page)["gpu"] == "2"


def test_without_a_gpu_one_line_says_why_and_the_tests_keep_their_time_line(open_page: OpenPage) -> None:
    page = open_run(open_page, API)
    assert "no GPU" in page.locator(".strip-note").inner_text()
    assert page.locator(".lane-end").count() == 0
    box = page.locator(".strip-plot").bounding_box()
    assert box is not None and box["height"] < 160
    assert "side by side" in page.locator(".strip-labels").inner_text()


def test_dragging_over_the_strip_filters_the_tests_and_zooming_shows_the_window_alone(
    open_page: OpenPage, store: Path
) -> None:
    page = open_run(open_page, GPU)
    drag(page, 0.02, 0.2)
    window = [int(query_of(page)[name]) for name in ("from", "to")]
    expected = running_in(store, GPU, *window)
    assert 0 < len(expected) < 9 and set(shown(page)) == expected
    assert f"{len(expected)} test" in page.locator(".strip-window").inner_text()
    whole = times_of_axis(page)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom out").wait_for()
    settle(page)
    assert times_of_axis(page) != whole
    page.get_by_role("button", name="Zoom out").click()
    settle(page)
    assert times_of_axis(page) == whole
    page.get_by_role("button", name="Clear", exact=True).click()
    assert len(shown(page)) == 9 and "from" not in query_of(page)


@pytest.mark.places("server")
def test_zooming_asks_the_server_for_finer_lanes(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    drag(page, 0.02, 0.2)
    window = [int(query_of(page)[name]) for name in ("from", "to")]
    with page.expect_response("**/gpu?**") as answer:
        page.get_by_role("button", name="Zoom in").click()
    asked = parse_qs(urlsplit(answer.value.url).query)
    assert [float(asked[name][0]) for name in ("from", "to")] == window
    with page.expect_response("**/gpu?**"):
        page.get_by_role("button", name="Zoom out").click()


def running_in(store: Path, run: str, start: float, end: float) -> set[str]:
    """The tests that ran at any time of a window, ms from the run's beginning."""
    found = smoltrace.load_run(run, store)
    origin = datetime.fromisoformat(found.manifest["started_at"])
    times = {
        row["test_case_uid"]: [(row[name] - origin).total_seconds() * 1000 for name in ("start_time", "end_time")]
        for row in found.results()
    }
    return {uid for uid, (began, ended) in times.items() if began < end and ended > start}


def test_the_window_moves_by_keys_and_a_copied_address_shows_the_same(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    end = page.get_by_role("slider", name="End of the time window")
    end.focus()
    for _ in range(8):
        end.press("Shift+ArrowLeft")
    settle(page)
    few = shown(page)
    assert 0 < len(few) < 9 and end.get_attribute("aria-valuetext")
    again = open_run(open_page, GPU, f"&{page.url.partition('?')[2].partition('&')[2]}")
    assert shown(again) == few
    end.press("Escape")
    assert len(shown(page)) == 9


def test_pointing_at_a_row_marks_its_band_and_pressing_a_band_opens_its_test(open_page: OpenPage) -> None:
    page = open_run(open_page, GPU)
    row_of(page, "code:time_utc:1").hover()
    settle(page)
    marked = "() => [...document.querySelectorAll('.strip-canvas')][1].getContext('2d').getImageData(0, 0, 1440, 300)"
    assert page.evaluate(f"() => ({marked})().data.some((value) => value > 0)")
    bottom = page.locator(".lane-text", has_text="Tests").bounding_box()
    top = page.locator(".brush").bounding_box()
    assert bottom is not None and top is not None
    x, y = strip_point(page, 0.8, bottom["y"] - top["y"] + 8)
    page.mouse.click(x, y)
    page.get_by_role("dialog").wait_for()
    assert query_of(page)["test"] == "code:time_utc:1"
