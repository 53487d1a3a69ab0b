"""What a page costs in headless Chromium: time until its rows are painted, nodes, bytes, and the work of each frame."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OPTIONS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1440, "height": 900}
PAGE = "html"
"""What scrolls where the page itself does."""
STEP_PX = 120
LEAST_FRAMES = 300
SETTLE_MS = 2000
"""A new window of Chromium loads parts of its own, hundreds of files, beside which no page can be measured."""
PATIENCE_S = 300

# Frames end with a message: it is handled after the frame's style, layout and paint. Times count from the navigation.
WATCH = """
(() => {
  const told = (window.measured = {rows: null, contentful: null});
  const afterPaint = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(0);
  });
  const watcher = new MutationObserver(() => {
    if (!document.querySelector('SELECTOR')) return;
    watcher.disconnect();
    afterPaint((now) => { told.rows = now; });
  });
  watcher.observe(document, {childList: true, subtree: true});
  new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName('first-contentful-paint')) told.contentful = entry.startTime;
  }).observe({type: 'paint', buffered: true});
})();
"""

COUNT = """
() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let nodes = 1;
  while (walker.nextNode()) nodes += 1;
  return nodes;
}
"""

LOADED = """
() => {
  const [navigation] = performance.getEntriesByType('navigation');
  const {rows, contentful} = window.measured;
  const load = navigation.loadEventEnd;
  return rows !== null && contentful !== null && load > 0 ? {rows, contentful, load} : null;
}
"""

SCROLL = """
([selector, step, least]) => new Promise((done) => {
  const scroller = document.querySelector(selector);
  const times = [];
  const channel = new MessageChannel();
  let by = step;
  let wasThrough = false;
  let started = 0;
  channel.port1.onmessage = () => {
    times.push(performance.now() - started);
    if (wasThrough && times.length >= least) done(times);
    else requestAnimationFrame(frame);
  };
  function frame(now) {
    started = now;
    const before = scroller.scrollTop;
    scroller.scrollTop = before + by;
    if (scroller.scrollTop === before) {
      wasThrough = true;
      by = -by;
    }
    channel.port2.postMessage(0);
  }
  requestAnimationFrame(frame);
})
"""


@dataclass(frozen=True)
class Load:
    """One visit with an empty cache. Times in ms since the navigation began; `rows`: the first rows are painted;
    `contentful`: anything is. Nodes are elements, texts and comments. Bytes are what came over the wire."""

    rows: float
    contentful: float
    load: float
    nodes: int
    size: int
    requests: int


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium of this system. Ends the program, saying what to install, where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit(f"There is no Chromium on this machine (looked for {', '.join(NAMES)}): install the package chromium.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("Playwright is not installed: pip install playwright (or pip install -e '.[test]').")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        try:
            yield found
        finally:
            found.close()


@contextmanager
def visit(chromium: Browser, url: str, rows: str) -> Iterator[tuple[Page, Load]]:
    """Open a page in a profile of its own and wait until it is loaded and has rows: what the selector `rows` finds."""
    context = chromium.new_context(viewport=SIZE, reduced_motion="reduce")
    try:
        context.set_default_timeout(PATIENCE_S * 1000)
        context.add_init_script(WATCH.replace("SELECTOR", rows))
        page = context.new_page()
        sizes: list[float] = []
        session = context.new_cdp_session(page)
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        session.send("Network.enable")
        page.wait_for_timeout(SETTLE_MS)
        page.goto(url)
        times = wait_for(page, LOADED)
        page.wait_for_timeout(200)  # what a page asks for after its first rows belongs to it
        load = Load(**times, nodes=nodes(page), size=int(sum(sizes)), requests=len(sizes))
        yield page, load
    finally:
        context.close()


def wait_for(page: Page, expression: str) -> Any:
    """The first value of a JavaScript function that is not null. Playwright's own way needs `eval`, which the viewer's
    policy forbids."""
    until = time.monotonic() + PATIENCE_S
    while (value := page.evaluate(expression)) is None:
        if time.monotonic() > until:
            raise SystemExit(f"{page.url} has painted no rows in {PATIENCE_S} s: {page.inner_text('body')[:500]}")
        page.wait_for_timeout(50)
    return value


def nodes(page: Page) -> int:
    """How many nodes the document has: elements, texts and comments."""
    count: int = page.evaluate(COUNT)
    return count


def scroll(page: Page, scroller: str) -> list[float]:
    """Scroll through the whole list, a step of a wheel a frame, up again where it is short.

    For each frame the ms from its timestamp until the main thread has painted it."""
    times: list[float] = page.evaluate(SCROLL, [scroller, STEP_PX, LEAST_FRAMES])
    return times
