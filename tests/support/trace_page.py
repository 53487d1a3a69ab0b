"""Parts of the trace page, as its tests speak of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from support.made_traces import RUN, TRACE

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ADDRESS = f"trace.html?run={RUN}&trace={TRACE}"


def expect(found: Any) -> Any:
    """Playwright's own, imported late: these tests are skipped where it is missing."""
    from playwright.sync_api import expect as expect_of_playwright

    return expect_of_playwright(found)


def rows(page: Page) -> Locator:
    return page.locator(".tr-row:visible")


def names(page: Page) -> list[str]:
    """The names of the rows in the document, from top to bottom."""
    found = rows(page).evaluate_all(
        "rows => rows.map(row => [+row.getAttribute('aria-rowindex'), row.querySelector('.tr-name').textContent])"
    )
    return [name for _, name in sorted(found)]


def selected(page: Page) -> Locator:
    return page.locator(".tr-row[aria-selected=true]")


def row(page: Page, name: str, nth: int = 0) -> Locator:
    return rows(page).filter(has=page.locator(".tr-name", has_text=name)).nth(nth)


def settled(page: Page, name: str, value: str | re.Pattern[str]) -> None:
    """The address is written a moment after what it tells."""
    pattern = value if isinstance(value, re.Pattern) else re.compile(rf"[?&]{name}={re.escape(value)}(&|$)")
    expect(page).to_have_url(pattern)
