"""An exported site where it may come to lie: below other pages, behind servers that think of their own, on a disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.run_states import commit_all, going_on
from support.runs import execution, failed, make_run
from support.viewing import serving_files

from smoltrace.store.read import Run
from smoltrace.viewer.export import export_site

if TYPE_CHECKING:
    from playwright.sync_api import Page

    OpenPage = Callable[..., Page]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a site in `some/where`, of a run that was going on and of one that was finished."""
    place = tmp_path_factory.mktemp("exported")
    done = Run(make_run(place / "store", [execution(1), failed(2)]))
    with going_on(place / "live", planned=9) as (live, journal):
        commit_all(journal, [execution(1), failed(2)])
        export_site([live, done], place / "some" / "where")
    return place


@pytest.mark.parametrize("says_gzip", [False, True])
def test_it_may_lie_below_other_pages_and_be_decompressed_on_its_way(
    open_page: OpenPage, folder: Path, says_gzip: bool
) -> None:
    with serving_files(folder, says_gzip=says_gzip) as home:
        page = open_page(f"{home}some/where/")
        page.locator("tr.vt-row").first.wait_for()
        assert page.locator("tr.vt-row").count() == 2
        page.get_by_role("link", name="Runs", exact=True).click()
        page.locator("tr.vt-row", has_text="made").click()
        page.wait_for_url(f"{home}some/where/run.html?id=made")
        page.locator(".tests tr.vt-row", has_text="t1").click()
        page.get_by_role("dialog").get_by_role("link", name="Open the trace").click()
        page.locator(".tr-row").first.wait_for()
        page.get_by_role("tab", name="Raw").click()
        page.locator(".panel-body").get_by_text("start_ms").first.wait_for()


def test_a_run_that_went_on_when_it_was_written_is_not_called_live(open_page: OpenPage, folder: Path) -> None:
    with serving_files(folder / "some" / "where") as home:
        page = open_page(f"{home}run.html?id=live")
        assert page.locator(".title-row .chip", has_text="was running, 2 of 9").is_visible()
        page = open_page(f"{home}runs.html")
        page.locator("tr.vt-row", has_text="was running").wait_for()


def test_opened_from_the_disk_it_says_what_it_needs(open_page: OpenPage, folder: Path) -> None:
    page = open_page((folder / "some" / "where" / "index.html").as_uri(), allow=(r"CORS", r"ERR_FAILED"))
    told = page.get_by_role("alert").inner_text()
    assert re.search(r"needs a web server: run `python -m http\.server` in its folder", told)
    assert "--single-file" in told
