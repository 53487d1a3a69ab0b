"""Make docs/pictures/viewer-*.png: the viewer's four screens, light and dark, of the sample runs.

    python docs/make_screenshots.py
    python docs/make_screenshots.py --to /tmp/pictures --width 390 --height 844

It makes the sample store anew, serves it, and looks at it with the system's Chromium: that, and what
pip install '.[view,test]' brings, are needed. The same version makes the same pictures, but for what another version of
Chromium or other fonts draw differently.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from smoltrace.samples.store import make_sample_store
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.serve import ViewerServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PICTURES = Path(__file__).parent / "pictures"
ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--no-first-run", "--hide-scrollbars")
RUN = "sample-04-llama-70b"
COMPARED = ("sample-09-large-code", "sample-03-llama-8b", "sample-11-llama-70b")
PINNED = ("sample-09-large-code", "sample-11-llama-70b", "sample-12-llama-8b")
TEST = "tool:weather_compare:1"
# What a machine calls sans-serif is its own affair. These letters are narrow, and free ones for every system.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>/usr/share/fonts</dir><cachedir>{folder}/fonts</cachedir>{aliases}</fontconfig>"""
ALIAS = """<match target="pattern"><test name="family"><string>{name}</string></test>
<edit name="family" mode="assign" binding="strong"><string>{font}</string></edit></match>"""
FAMILIES = {
    **dict.fromkeys(("system-ui", "ui-sans-serif", "sans-serif"), "Liberation Sans"),
    **dict.fromkeys(("ui-monospace", "monospace"), "Liberation Mono"),
}


def main() -> None:
    asked = arguments()
    asked.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "smoltrace-sample"
        make_sample_store(store)
        with serving(store) as address, chromium(Path(folder)) as browser:
            for name, page in pages(Store(store)).items():
                for theme in ("light", "dark"):
                    file = asked.to / f"viewer-{name}-{theme}.png"
                    take(browser, address + page, file, theme, asked.width, asked.height)
                    sys.stdout.write(f"{file}\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=PICTURES, help="folder of the pictures")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    return parser.parse_args()


def pages(store: Store) -> dict[str, str]:
    """The screens' addresses, with what is pinned and chosen in them."""
    run = Run(store.find(RUN))
    row = next(row for row in run.results() if row["test_case_uid"] == TEST)
    spans = [span for span in run.spans() if span["trace_id"] == row["trace_id"] and span["operation"] == "chat"]
    chat = sorted(spans, key=lambda span: span["start_time"])[2]
    return {
        "leaderboard": "?pins=" + ",".join(PINNED),
        "compare": "compare.html?runs=" + ",".join(COMPARED),
        "run": f"run.html?id={RUN}",
        "trace": f"trace.html?run={RUN}&trace={row['trace_id']}&span={chat['span_id']}",
    }


@contextmanager
def serving(store: Path) -> Iterator[str]:
    server = ViewerServer(Store(store), port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join(20)


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("No Chromium is installed: install the package chromium.")
    aliases = "".join(ALIAS.format(name=name, font=font) for name, font in FAMILIES.items())
    fonts = folder / "fonts.conf"
    fonts.write_text(FONTS.format(folder=folder, aliases=aliases))
    environment = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), env=environment)


def take(browser: Browser, address: str, file: Path, theme: str, width: int, height: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
        has_touch=width < 600,
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("body[data-ready]", state="attached")
    page.wait_for_timeout(700)
    page.screenshot(path=file)
    context.close()
    # Few colours are in a page: a palette of them is a third of the size, and every picture stays in the history.
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(file, optimize=True)


if __name__ == "__main__":
    main()
