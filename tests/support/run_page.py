"""Parts of a run's page, as its tests speak of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.pages import settle, wait_for

import smoltrace

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

OpenPage = Callable[..., "Page"]

GPU, FOUR_GPUS, API, UNPRICED, BROKEN = (
    "sample-03-llama-8b",
    "sample-04-llama-70b",
    "sample-01-large",
    "sample-05-preview",
    "sample-06-demo-interrupted",
)
ROWS = "[...document.querySelectorAll('.tests tr.vt-row')]"


def open_run(open_page: OpenPage, run: str, query: str = "", **options: Any) -> Page:
    page = open_page(f"run.html?id={run}{query}", **options)
    wait_for(page, "() => document.querySelector('.tests-told')?.textContent")
    wait_for(page, "() => !document.querySelector('.strip-note').textContent.includes('reading')")
    settle(page)
    return page


def headline(page: Page, key: str) -> str:
    """A headline's number with all that belongs to it, and the line below."""
    text = page.locator(f"[data-headline={key}]").inner_text()
    return re.sub(r"[\s\u2009]+", " ", text)


def shown(page: Page) -> list[str]:
    """The tests in the table, from the top."""
    settle(page)
    names: list[str] = page.evaluate(
        f"() => {ROWS}.sort((a, b) => a.dataset.index - b.dataset.index).map("
        "(row) => row.querySelector('.rt-id').title)"
    )
    return names


def results(store: Path, run: str) -> dict[str, dict[str, Any]]:
    return {row["test_case_uid"]: row for row in smoltrace.load_run(run, store).results()}


def row_of(page: Page, uid: str) -> Locator:
    return page.locator("tr.vt-row").filter(has=page.locator(f'[title="{uid}"]'))


def strip_point(page: Page, share: float, down: float = 30) -> tuple[float, float]:
    """A point of the strip: so far from the left end of its axis to the right one, so many px from its top."""
    box = page.locator(".brush").bounding_box()
    left, right = (page.locator(f".brush-{end}").bounding_box() for end in ("start", "end"))
    assert box is not None and left is not None and right is not None
    ends = [edge["x"] + 5 for edge in (left, right)]
    return ends[0] + share * (ends[1] - ends[0]), box["y"] + down


def times_of_axis(page: Page) -> list[str]:
    return page.locator(".strip-axis span").all_inner_texts()


def drag(page: Page, start: float, end: float) -> None:
    page.mouse.move(*strip_point(page, start))
    page.mouse.down()
    page.mouse.move(*strip_point(page, (start + end) / 2))
    page.mouse.move(*strip_point(page, end))
    page.mouse.up()
    settle(page)
