from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.runs import execution, failed, make_run
from support.viewing import raw, running, viewing

from smoltrace.store.layout import Store
from smoltrace.viewer.pages import PAGES
from smoltrace.viewer.serve import ViewerServer


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_run(folder, [execution(1), execution(2), failed(3)], run_id="one")
    make_run(folder, [execution(1), failed(2), execution(3, test_id="a/b c?d#e%2F")], run_id="two", model="m-2")
    return folder


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[httpx.Client]:
    with viewing(store) as client:
        yield client


@pytest.mark.parametrize(("path", "screen"), PAGES.items())
def test_every_page_names_its_screen_and_its_files_relatively(client: httpx.Client, path: str, screen: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f'data-screen="{screen}"' in answer.text
    named = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert named
    for address in named:
        assert not re.match(r"/|\w+:", address), "a static site may lie in any folder"
        assert client.get(address).status_code == 200, address


def preloaded(client: httpx.Client, address: str) -> list[str]:
    found = re.findall(r'<link rel="preload"[^>]*href="([^"]*)"', client.get(address).text)
    return [html.unescape(each) for each in found]


def test_what_a_trace_asks_first_is_on_its_way_before_its_script(client: httpx.Client) -> None:
    trace = client.get("/api/run/two/tests").json()["columns"]["trace_id"][0]
    assert preloaded(client, f"/trace.html?run=two&trace={trace}&q=x") == [f"api/run/two/trace/{trace}"]
    assert client.get(f"/api/run/two/trace/{trace}").status_code == 200
    assert preloaded(client, "/trace.html?run=two") == preloaded(client, "/run.html?id=two") == []


def test_names_in_what_is_asked_first_are_written_as_the_page_writes_them(client: httpx.Client) -> None:
    found = preloaded(client, "/trace.html?run=%22%3E%3Cscript%3E+/&trace=%C3%BC'%00%ED%A0%80")
    assert found == ["api/run/%22%3E%3Cscript%3E%20%2F/trace/%C3%BC'%00%EF%BF%BD%EF%BF%BD%EF%BF%BD"]


OUTSIDE = [
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static/js/../../app.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/..\\app.py",
    "/static/%00",
    "/static/js",
    "/static/",
    "/static",
    "/static/" + "a" * 5000,
    "/api/run/..",
    "/api/run/%2e%2e",
    "/api/run/..%2f..",
    "/api/run/%2f",
    "/api/run/one%2f..%2ftwo",
    "/api/run/.",
    "/api/run/one/trace/..%2f..%2frun.json",
    "/api/run/one/trace/%00",
    "/api/run/" + "a" * 5000,
]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path[:40])
def test_no_address_leads_out_of_the_store_or_the_static_files(client: httpx.Client, path: str) -> None:
    answer = raw(client.base_url, f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split()[1]) in (307, 400, 404), head
    assert b"root:" not in body
    assert b"import" not in body


def test_answers_of_some_size_are_compressed_for_who_can_read_it(client: httpx.Client) -> None:
    path = "api/run/one/tests"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.json() == plain.json()
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    small = client.get("api/run/none", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers


def test_asking_for_the_headers_alone_gets_those(client: httpx.Client) -> None:
    for path in ("", "api/run/one", "static/js/main.js"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["nowhere", "api", "api/nothing", "api/run/none", "api/run/one/nothing", "api/run/none/tests"]
)
def test_what_is_not_there_is_said_with_what_to_do(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "hint"}
    assert all(answer.json().values())


def test_a_fault_of_ours_is_one_line_here_and_no_traceback_there(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = ViewerServer(Store(store), port=0)
    server.app.state.board = "no board"
    with running(server), httpx.Client(base_url=server.url) as client:
        answer = client.get("api/store")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "The viewer failed here.",
        "hint": "The terminal where 'smoltrace view' runs says more.",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "AttributeError" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert record.exc_info is None
