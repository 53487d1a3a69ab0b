"""Waiting for pages. Playwright's own `wait_for_function` needs `eval`, which the viewer's policy forbids."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def wait_for(page: Page, expression: str, argument: Any = None, *, seconds: float = 15) -> Any:
    """The first value of a JavaScript expression, or of a function, that is true in the page."""
    until = time.monotonic() + seconds
    while not (value := page.evaluate(expression, argument)):
        assert time.monotonic() < until, f"never came true: {expression}"
        page.wait_for_timeout(20)
    return value


def query_of(page: Page) -> dict[str, str]:
    """The state in a page's address: of a name that stands there more than once the last value. A page that is one file
    has its state behind the #."""
    _, _, query = page.url.partition("?")
    return {name: values[-1] for name, values in parse_qs(query.partition("#")[0]).items()}


def wait_for_query(page: Page, *, seconds: float = 15, **wanted: str) -> None:
    """Waits until the address has these values."""
    until = time.monotonic() + seconds
    while wanted.items() - query_of(page).items():
        assert time.monotonic() < until, f"{page.url} never came to have {wanted}"
        page.wait_for_timeout(20)


def kind_of(page: Page) -> str:
    """Where the data of a page come from: live, static or inline."""
    return page.locator('meta[name="smoltrace-data"]').get_attribute("content") or ""


def target_of(link: Locator) -> tuple[str, dict[str, str]]:
    """The page that a link leads to, and the values in its address. In a page that is one file the page stands behind
    a #."""
    page, _, query = (link.get_attribute("href") or "").partition("?")
    values = {name: values[-1] for name, values in parse_qs(query).items()}
    return page.removeprefix("#").removesuffix(".html"), values


def settle(page: Page) -> None:
    """Let two frames pass: what scrolling and typing set off has been painted."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
