"""A first look at every screen: it opens, tells of the runs that there are, and is for everyone. All that a screen can
do, and the same pages as files, is what the slow tests beside this one ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.pages import settle

import smoltrace
from smoltrace.store.layout import Store

if TYPE_CHECKING:
    from playwright.sync_api import Page

    OpenPage = Callable[..., Page]
    Axe = Callable[..., None]

RUN, OTHER = "sample-04-llama-70b", "sample-01-large"
WIDE, PHONE = (1440, "light"), (390, "dark")


def look(*looks: tuple[int, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("width", "theme"), looks)


def looked_at(page: Page, axe: Axe, width: int) -> None:
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe(page)


@look(WIDE, PHONE)
def test_leaderboard(open_page: OpenPage, axe: Axe, store: Path, width: int, theme: str) -> None:
    page = open_page("index.html", width, 1_400, theme)
    page.locator("tr.vt-row").first.wait_for()
    runs = [smoltrace.load_run(run, store).leaderboard_row() for run in Store(store).run_ids()]
    best = max(row["success_rate"] for row in runs)
    assert page.locator("tr.vt-row").count() == len(runs)
    assert page.locator(".card strong").first.inner_text() == f"{best:.1f}"
    assert f"{best:.1f}" in page.locator("tr.vt-row").first.inner_text()
    looked_at(page, axe, width)


@look(WIDE)
def test_comparison(open_page: OpenPage, axe: Axe, store: Path, width: int, theme: str) -> None:
    page = open_page(f"compare.html?runs={RUN},{OTHER}", width, 1_400, theme)
    row = smoltrace.load_run(RUN, store).leaderboard_row()
    assert f"{row['success_rate']:.1f}" in page.locator("[data-metric=success]").first.inner_text()
    assert page.locator("[data-metric]").count() == 9
    assert page.locator(".matrix").inner_text()
    looked_at(page, axe, width)


@look(PHONE)
def test_run(open_page: OpenPage, axe: Axe, store: Path, width: int, theme: str) -> None:
    page = open_page(f"run.html?id={RUN}", width, 1_400, theme)
    page.locator("tr.vt-row").first.wait_for()
    row = smoltrace.load_run(RUN, store).leaderboard_row()
    assert f"{row['success_rate']:.1f}\u00a0%" in page.locator("[data-headline=success]").inner_text()
    assert page.locator("tr.vt-row").count() == row["num_tests"]
    looked_at(page, axe, width)


@look(WIDE, PHONE)
def test_trace(open_page: OpenPage, axe: Axe, store: Path, width: int, theme: str) -> None:
    row = next(iter(smoltrace.load_run(RUN, store).results()))
    asked: list[str] = []
    page = open_page(
        f"trace.html?run={RUN}&trace={row['trace_id']}&gaps=0",
        *(width, 1_400, theme),
        prepare=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    page.locator(".tr-row").first.wait_for()
    spans = smoltrace.load_trace(smoltrace.load_run(RUN, store), row["trace_id"])
    assert page.locator(".tg").get_attribute("aria-rowcount") == str(len(spans) + 1)
    assert row["test_id"] in page.locator(".title-row").inner_text()
    assert len([url for url in asked if url.endswith(row["trace_id"])]) == 1, "what the page says first is what it asks"
    looked_at(page, axe, width)


@look(WIDE)
@pytest.mark.parametrize("name", ["runs.html", "traces.html"])
def test_list(open_page: OpenPage, axe: Axe, store: Path, name: str, width: int, theme: str) -> None:
    page = open_page(name, width, 844, theme)
    page.locator("tr.vt-row").first.wait_for()
    latest = next(iter(smoltrace.load_run("latest", store).results()))
    told = page.locator("tr.vt-row").first.inner_text().lower()
    assert (latest["test_id"] if name == "traces.html" else latest["model"].lower().rpartition("/")[2]) in told
    looked_at(page, axe, width)
