"""A site of files: all that its pages load is there, and nothing that they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smoltrace.errors import UsageError
from smoltrace.samples.store import make_sample_store
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.bundle import bundle
from smoltrace.viewer.export import export_site
from smoltrace.viewer.pages import PAGES, STATIC


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    store = tmp_path_factory.mktemp("export") / "store"
    make_sample_store(store, runs=2, tests=2)
    return [Run(run) for run in Store(store).newest()]


@pytest.fixture(scope="module")
def site(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "site"
    export_site(runs, folder)
    return folder


def test_every_file_that_a_page_names_is_there(site: Path) -> None:
    for name in {path.strip("/") or "index.html" for path in PAGES}:
        loaded = re.findall(r'(?:src|href)="([^"]+)"', (site / name).read_text())
        assert len(loaded) > 5
        assert [file for file in loaded if not (site / file).is_file()] == []


def test_the_script_of_a_page_holds_the_modules_and_they_are_not_there_besides(site: Path) -> None:
    scripts = {file.relative_to(site / "static" / "js").as_posix() for file in (site / "static").rglob("*.js")}
    assert scripts == {"theme.js", *(f"pages/{screen}.js" for screen in PAGES.values())}
    for screen in PAGES.values():
        written = (site / "static" / "js" / "pages" / f"{screen}.js").read_text()
        assert written == bundle(STATIC / "js" / "pages" / f"{screen}.js")


def test_a_site_is_written_again_in_its_place_and_other_files_stay(runs: list[Run], tmp_path: Path) -> None:
    export_site(runs, tmp_path / "site")
    (tmp_path / "site" / "CNAME").write_text("example.org")
    made = export_site(runs[:1], tmp_path / "site")
    assert made.runs == [runs[0].id]
    assert [run.name for run in (tmp_path / "site" / "data" / "runs").iterdir()] == made.runs
    assert (tmp_path / "site" / "CNAME").read_text() == "example.org"


def test_a_folder_of_something_else_is_left_alone(runs: list[Run], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(UsageError, match=r"index\.html"):
        export_site(runs, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
