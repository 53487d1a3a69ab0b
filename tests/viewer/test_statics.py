from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.viewing import viewing

from smoltrace.viewer import app
from smoltrace.viewer.bundle import bundle
from smoltrace.viewer.pages import STATIC
from smoltrace.viewer.statics import TYPES


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with viewing(tmp_path_factory.mktemp("store")) as client:
        yield client


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Of a viewer that has other files."""
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.js").write_text("first();" * 200)
    (tmp_path / "small.css").write_text("a{}")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(app, "STATIC", tmp_path)
    with viewing(tmp_path / "store") as client:
        yield client


def test_every_file_of_the_viewer_is_sent_with_the_type_that_browsers_insist_on(viewer: httpx.Client) -> None:
    shipped = [path for path in STATIC.rglob("*") if path.is_file() and path.name[0] != "."]
    assert len(shipped) > 10
    for file in shipped:
        answer = viewer.get(f"static/{file.relative_to(STATIC).as_posix()}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[file.suffix])
        in_one = file.parent.name == "pages"
        assert answer.content == (bundle(file).encode() if in_one else file.read_bytes())


def test_a_file_that_is_still_the_same_is_not_sent_again(viewer: httpx.Client) -> None:
    first = viewer.get("static/js/main.js")
    tag = first.headers["etag"]
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/")):
        again = viewer.get("static/js/main.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert viewer.get("static/js/main.js", headers={"If-None-Match": '"another"'}).content == first.content


def test_what_is_worth_it_is_sent_compressed_to_who_can_read_it(files: httpx.Client) -> None:
    plain = files.get("static/js/a.js", headers={"Accept-Encoding": "identity"})
    with files.stream("GET", "static/js/a.js", headers={"Accept-Encoding": "br, gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_what_is_small_is_not_compressed(files: httpx.Client) -> None:
    assert "content-encoding" not in files.get("static/small.css").headers


def test_a_file_that_has_changed_is_sent_anew(files: httpx.Client, tmp_path: Path) -> None:
    tag = files.get("static/js/a.js").headers["etag"]
    (tmp_path / "js" / "a.js").write_text("second();")
    again = files.get("static/js/a.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.text) == (200, "second();")


def test_a_file_that_was_only_touched_is_still_the_same(files: httpx.Client, tmp_path: Path) -> None:
    tag = files.get("static/js/a.js").headers["etag"]
    os.utime(tmp_path / "js" / "a.js", (1, 1))
    assert files.get("static/js/a.js", headers={"If-None-Match": tag}).status_code == 304


def test_files_may_come_and_go(files: httpx.Client, tmp_path: Path) -> None:
    assert files.get("static/js/b.js").status_code == 404
    (tmp_path / "js" / "b.js").write_text("new")
    assert files.get("static/js/b.js").text == "new"
    (tmp_path / "js" / "b.js").unlink()
    assert files.get("static/js/b.js").status_code == 404


def test_the_script_of_a_page_is_sent_with_all_that_it_imports(files: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "js" / "pages").mkdir()
    (tmp_path / "js" / "pages" / "one.js").write_text("import {word} from '../word.js';\nconsole.log(word);\n")
    (tmp_path / "js" / "word.js").write_text("export const word = 'first';\n")
    first = files.get("static/js/pages/one.js")
    assert "import" not in first.text
    assert "'first'" in first.text
    known = {"If-None-Match": first.headers["etag"]}
    assert files.get("static/js/pages/one.js", headers=known).status_code == 304
    (tmp_path / "js" / "word.js").write_text("export const word = 'second';\n")
    again = files.get("static/js/pages/one.js", headers=known)
    assert again.status_code == 200
    assert "'second'" in again.text
    (tmp_path / "js" / "word.js").unlink()
    assert files.get("static/js/pages/one.js", headers=known).status_code == 500


@pytest.mark.parametrize("name", ["secret.txt", "js", "", "js/%2e%2e/small.css", "%2e%2e/x", "/small.css", "a%00"])
def test_only_files_of_the_known_kinds_and_by_their_one_name_are_sent(files: httpx.Client, name: str) -> None:
    assert files.get("static/" + name).status_code == 404
