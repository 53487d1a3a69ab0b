"""Pages as readers meet them: a real server, the system's Chromium, and a page that forgives nothing.

Whatever a page does wrong while a test looks at it — an error in the console, a breach of its
Content-Security-Policy, a request that fails or leaves this machine — fails the test, though it did not look for that.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest
from support.places import file_of, made_once, served, shared_folder, site_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Playwright, Request, Response

OPTIONS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TESTS_A_RUN = 5
WAIT_MS = 15_000

# A breach is told by the page itself: not every one is written into the console.
WATCH_POLICY = """
document.addEventListener('securitypolicyviolation', (event) => {
  const where = `${event.sourceFile}:${event.lineNumber}`;
  console.error(`breach of the policy: ${event.violatedDirective} ${event.blockedURI} ${where}`);
});
"""


@pytest.fixture(scope="session")
def pages_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where these tests keep what they make once, the same for all processes."""
    return shared_folder(tmp_path_factory) / "viewer-pages"


@pytest.fixture(scope="session")
def store(pages_folder: Path) -> Path:
    """A store with every kind of sample run. Many tests read it: nobody may write there."""

    def make(folder: Path) -> None:
        from smoltrace.samples.store import make_sample_store

        make_sample_store(folder, tests=TESTS_A_RUN)

    return made_once(pages_folder / "sample-runs", make)


@pytest.fixture(scope="session")
def live_url(store: Path) -> Iterator[str]:
    with served(store) as url:
        yield url


@pytest.fixture(scope="session")
def site_url(store: Path, pages_folder: Path) -> Iterator[str]:
    """The same runs as a site of files, behind Python's plain server of files."""
    with site_of(store, pages_folder / "site") as url:
        yield url


@pytest.fixture(scope="session")
def page_of_one_file(store: Path, pages_folder: Path) -> Callable[[str], str]:
    """The address of a page that is one file, by the address that its run has in the viewer."""
    return file_of(store, pages_folder / "files")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The tests of a module that has `WHERE` look at the same pages from a site of files, and as one file, too. One
    that is marked `places` is only about pages from there; a lab is a page of the server's."""
    if "viewer" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("places")
        where = marker.args if marker is not None else getattr(metafunc.module, "WHERE", ("server",))
        if "open_lab" in metafunc.fixturenames:
            where = ("server",)
        metafunc.parametrize("viewer", where, indirect=True, scope="session")


@pytest.fixture(scope="session")
def viewer(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """What makes an absolute address of a page's relative one: where the pages of this test come from."""
    if request.param == "file":
        address: Callable[[str], str] = request.getfixturevalue("page_of_one_file")
        return address
    home = request.getfixturevalue("live_url" if request.param == "server" else "site_url")
    return lambda relative: urljoin(home, relative)


@dataclass
class Chromium:
    """The browser, and the event loop that Playwright keeps in this thread.

    Playwright's synchronous side leaves its loop marked as running. Tests of other files that run in the same process
    would find it and could start none of their own: so it is marked only while a page is used.
    """

    playwright: Playwright
    browser: Browser
    loop: Any = field(default_factory=asyncio.get_running_loop)

    @contextmanager
    def awake(self) -> Iterator[Browser]:
        asyncio.events._set_running_loop(self.loop)
        try:
            yield self.browser
        finally:
            asyncio.events._set_running_loop(None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine: install the package chromium to test the viewer's pages")
    playwright = sync_api.sync_playwright().start()
    made = Chromium(playwright, playwright.chromium.launch(executable_path=path, args=list(OPTIONS)))
    asyncio.events._set_running_loop(None)
    yield made
    with made.awake():
        made.browser.close()
        playwright.stop()


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    with chromium.awake() as browser:
        yield browser


@dataclass
class Faults:
    """What pages did wrong. `allow` are patterns of faults that a test means to see."""

    found: list[str] = field(default_factory=list)
    allow: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.found.append(text)

    def watch(self, page: Page, home: str) -> None:
        origin = urlsplit(home)[:2]

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.add(f"console: {message.text} ({message.location.get('url', '')})")

        def on_request(request: Request) -> None:
            if urlsplit(request.url).scheme not in ("data", "blob", "about") and urlsplit(request.url)[:2] != origin:
                self.add(f"request to another origin: {request.url}")

        def on_failed(request: Request) -> None:
            # What a page leaves unread when another one opens is no failure.
            if "ERR_ABORTED" not in (request.failure or ""):
                self.add(f"request failed: {request.url}: {request.failure}")

        def on_response(response: Response) -> None:
            if response.status >= 400:
                self.add(f"status {response.status}: {response.url}")

        def on_dialog(dialog: Dialog) -> None:
            self.add(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("console", on_console)
        page.on("dialog", on_dialog)
        page.on("pageerror", lambda error: self.add(f"page error: {error}"))
        page.on("request", on_request)
        page.on("requestfailed", on_failed)
        page.on("response", on_response)

    def check(self) -> None:
        left = [fault for fault in self.found if not any(re.search(pattern, fault) for pattern in self.allow)]
        assert not left, "\n".join(["The page did wrong:", *left])


OpenPage = Callable[..., "Page"]


@pytest.fixture
def open_page(browser: Browser, viewer: Callable[[str], str]) -> Iterator[OpenPage]:
    """Opens a page and waits until its screen is there.

    The address may be relative: the page is then one of the sample runs, wherever this test has them from.
    `allow`: patterns of faults that are meant. `prepare(page)` is called before the page is loaded. Each page has a
    browser of its own: storage and cookies are empty.
    """
    faults = Faults()
    contexts: list[Any] = []

    def open_one(
        url: str,
        width: int = 1440,
        height: int = 900,
        theme: str = "light",
        *,
        allow: tuple[str, ...] = (),
        prepare: Callable[[Page], None] | None = None,
        ready: str = "body[data-ready]",
        **more: Any,
    ) -> Page:
        if not urlsplit(url).scheme:
            url = viewer(url)
        faults.allow += allow
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
            timezone_id="UTC",
            locale="en-GB",
            **{"has_touch": width < 600, **more},
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(WATCH_POLICY)
        page = context.new_page()
        faults.watch(page, url)
        if prepare is not None:
            prepare(page)
        page.goto(url)
        page.wait_for_selector(ready, state="attached")
        return page

    yield open_one
    for context in contexts:
        context.close()
    faults.check()


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """Asserts that axe finds nothing wrong with a page as it is now."""
    module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python here")
    tool = module.Axe()

    def check(page: Page, **options: Any) -> None:
        found = tool.run(page, **options).response["violations"]
        told = []
        for each in found:
            nodes = [f"  {node['html'][:200]} {node['target']}" for node in each["nodes"][:5]]
            told.append("\n".join([f"{each['id']}: {each['help']}", *nodes]))
        assert not told, "\n".join([f"axe at {page.url}:", *told])

    return check


LAB = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lab</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<script src="static/js/theme.js"></script>
<link rel="stylesheet" href="static/css/tokens.css"><link rel="stylesheet" href="static/css/base.css">
<link rel="stylesheet" href="static/css/table.css"><link rel="stylesheet" href="static/css/popup.css">
<script type="module" src="lab.js"></script></head>
<body><header class="top">viewer</header><main><h1>Lab</h1><div id="place"></div></main></body></html>"""


@pytest.fixture
def open_lab(open_page: OpenPage, live_url: str) -> OpenPage:
    """Opens a page of the viewer's own server that holds nothing but this module's work: `open_lab("import …")`.

    `#place` is empty, and `window.lab` is for what the test asks for. The policy and the sheets are the viewer's own.
    """

    def open_one(module: str, **options: Any) -> Page:
        def prepare(page: Page) -> None:
            headers = {
                "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"
            }
            page.route("**/lab.html", lambda route: route.fulfill(body=LAB, content_type="text/html", headers=headers))
            page.route(
                "**/lab.js",
                lambda route: route.fulfill(
                    body=module + "\ndocument.body.dataset.ready = 'true';", content_type="text/javascript"
                ),
            )

        return open_page(urljoin(live_url, "lab.html"), prepare=prepare, **options)

    return open_one
