"""Waiting for pages. Playwright's own `wait_for_function` needs `eval`, which the viewer's policy forbids."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from playwright.sync_api import Page


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


def settle(page: Page) -> None:
    """Let two frames pass: what scrolling and typing set off has been painted."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
