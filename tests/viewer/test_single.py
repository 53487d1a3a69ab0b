"""A run as one page: whole, closed to the world, and the same as a site says of it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.archives import PageOfOneFile, documents_of
from support.hostile import HUGE, foreign_run
from support.run_states import commit_all, going_on
from support.runs import execution, failed, make_run
from support.viewing import serving_files

from smoltrace.errors import RunNotFoundError, StoreError, UsageError
from smoltrace.store.layout import RunDir
from smoltrace.store.read import Run
from smoltrace.viewer.bundle import bundle
from smoltrace.viewer.export import export_site
from smoltrace.viewer.pages import PAGES, STATIC, sheets_of
from smoltrace.viewer.single import single_file

NODE = shutil.which("node")
SCRIPT = Path(__file__).parent / "js" / "support" / "agree.mjs"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with markup, scripts and texts of megabytes in everything that can hold a text."""
    return Run(foreign_run(tmp_path_factory.mktemp("single") / "store"))


@pytest.fixture(scope="module")
def html(hostile: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("single") / "deep" / "folder" / "run.html"
    size = single_file(hostile, file)
    assert file.stat().st_size == size
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> PageOfOneFile:
    return PageOfOneFile(html)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(make_run(tmp_path / "store", [execution(1), failed(2)]))


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_its_policy_names_each_script_and_style_by_its_hash_and_lets_nothing_else_in(page: PageOfOneFile) -> None:
    scripts = [text for told, text in page.all("script") if told.get("type") != "application/gzip"]
    styles = [text for _, text in page.all("style")]
    assert page.policy == {
        "default-src": ["'none'"],
        "script-src": [hash_of(text) for text in scripts],
        "style-src": [hash_of(text) for text in styles],
        "img-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    assert len(scripts) == 2
    assert scripts[1] == bundle(STATIC / "js" / "main.js")


def test_it_names_nothing_outside_of_it(html: str, page: PageOfOneFile) -> None:
    named = [value for _, told in page.elements for name, value in told.items() if name in ("src", "href", "srcset")]
    assert [value for value in named if not value.startswith("data:")] == []
    styles = " ".join(text for _, text in page.all("style"))
    assert not re.search(r"""@import|url\((?!["']?(?:data:|#))""", styles)
    assert set(re.findall(r"https?://[\w.]+", html)) <= {"http://www.w3.org"}, "the name of SVG, which nobody asks for"


def test_it_has_the_styles_of_every_screen_each_for_its_own(page: PageOfOneFile) -> None:
    told = {text: style.get("data-screens", "").split() for style, text in page.all("style")}
    for screen in set(PAGES.values()):
        for name in sheets_of(screen):
            screens = told[(STATIC / "css" / f"{name}.css").read_text()]
            assert not screens or screen in screens


def test_nothing_that_a_run_says_is_more_than_base64_in_it(html: str, page: PageOfOneFile, hostile: Run) -> None:
    assert {tag for tag, _ in page.elements} <= {
        *("html", "head", "meta", "title", "link", "script", "style", "body", "noscript", "p", "code")
    }
    assert "evil" not in html
    assert "alert(" not in html
    assert page.document(f"runs/{hostile.id}/run")["manifest"]["notes"].startswith("<script>alert(1)</script>")


def test_it_holds_what_a_site_of_the_run_holds(page: PageOfOneFile, hostile: Run, tmp_path: Path) -> None:
    export_site([hostile], tmp_path / "site")
    documents = documents_of(tmp_path / "site")
    assert set(page.documents) == set(documents)
    for name, content in documents.items():
        assert page.document(name) == content, name
    assert HUGE in [text["text"] for name, text in documents.items() if "/texts/" in name]


@pytest.mark.skipif(NODE is None, reason="node is not installed: the browser's side cannot be run here")
def test_the_page_answers_what_a_site_answers(page: PageOfOneFile, hostile: Run, tmp_path: Path) -> None:
    export_site([hostile], tmp_path / "site")
    (tmp_path / "documents.json").write_text(json.dumps(page.documents))
    with serving_files(tmp_path / "site") as site:
        asked = [NODE or "node", str(SCRIPT), str(STATIC / "js"), str(tmp_path / "documents.json"), site, "99"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["differing"] == []
    assert told["kinds"]["span"] > 15 and told["kinds"]["text"] > 2


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("one", "another"):
        single_file(run, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "another").read_bytes()


def test_an_earlier_page_is_replaced_and_stays_where_the_run_cannot_be_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    file.write_text("an earlier page")
    run.directory.results_journal.unlink()
    run.directory.parquet("results").write_bytes(b"PAR1 no Parquet")
    with pytest.raises(StoreError, match=r"results\.parquet"):
        single_file(run, file)
    assert file.read_text() == "an earlier page"
    again = Run(make_run(tmp_path / "store", [execution(1)], run_id="again"))
    single_file(again, file)
    assert PageOfOneFile(file.read_text()).document("store")["runs"] == 1
    with pytest.raises(RunNotFoundError):
        single_file(Run(RunDir(tmp_path / "store" / "runs" / "gone")), file)
    assert {entry.name for entry in tmp_path.iterdir()} == {"run.html", "store"}


def test_where_nothing_can_be_written_it_says_why(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder\. Name a file, such as .*run\.html"):
        single_file(run, tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot be written to .*: (Not a directory|File exists)\."):
        single_file(run, tmp_path / "file" / "run.html")
    with pytest.raises(UsageError, match=r"cannot be written to .*: File name too long\."):
        single_file(run, tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"is no plain file"):
        single_file(run, tmp_path / "pipe")
    assert (tmp_path / "file").read_text() == "mine"
    assert {entry.name for entry in tmp_path.iterdir()} == {"file", "pipe", "store"}


def test_a_run_that_goes_on_is_shown_as_it_stands(tmp_path: Path) -> None:
    with going_on(tmp_path / "store", planned=9) as (live, journal):
        commit_all(journal, [execution(1), failed(2)])
        single_file(live, tmp_path / "run.html")
    page = PageOfOneFile((tmp_path / "run.html").read_text())
    told = page.document("runs/live/run")
    assert (told["_status"], told["_finished"], told["_planned"]) == ("running", 2, 9)
    assert page.document("runs/live/tests")["count"] == 2
