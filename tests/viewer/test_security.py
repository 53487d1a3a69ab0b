from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import make_run
from support.viewing import raw, viewing

from smoltrace.viewer.security import HEADERS, Hosts

OF_THIS_MACHINE = ["localhost", "localhost:7860", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.1:80", "[::1]:7860"]
OF_OTHERS = [
    *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:7860", "10.0.0.1", "[::2]", ""),
    *("localhost@evil.example", "evil.example@localhost", "localhost/evil", "localhost:port", "[::1", "a b", "0.0.0.0"),
    *("localhost:123456", "localhost, evil.example", "l\u043ecalhost", "2130706433", "localhost\x00"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    store = tmp_path_factory.mktemp("store")
    make_run(store)
    with viewing(store) as client:
        yield client


@pytest.mark.parametrize("host", OF_THIS_MACHINE)
def test_the_names_of_this_machine_are_answered_with_any_port(client: httpx.Client, host: str) -> None:
    assert client.get("api/events", headers={"Host": host}, params={"run": "none"}).status_code == 404


@pytest.mark.parametrize("host", [host for host in OF_OTHERS if host.isascii() and host.isprintable()])
def test_a_name_that_was_rebound_to_this_machine_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("api/store", headers={"Host": host})
    assert answer.status_code == 403
    assert set(answer.json()) == {"error", "hint"}


@pytest.mark.parametrize("host", OF_OTHERS)
def test_only_whole_names_count(host: str) -> None:
    assert not Hosts.bound_to("127.0.0.1").allow(host)


@given(st.text(max_size=30))
def test_any_other_host_is_refused(host: str) -> None:
    if Hosts().allow(host):
        name = re.sub(r":\d+$", "", host).strip("[]").removesuffix(".").lower()
        assert name == "localhost" or ipaddress.ip_address(name).is_loopback


def test_a_request_without_a_host_or_with_two_is_refused(client: httpx.Client) -> None:
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        answer = raw(client.base_url, b"GET /api/store HTTP/1.0\r\n" + hosts + b"\r\n")
        assert answer.split()[1] in (b"400", b"403")


def test_a_server_on_another_address_has_that_name_too() -> None:
    hosts = Hosts.bound_to("Lab.example")
    assert hosts.allow("lab.example:7860")
    assert hosts.allow("localhost")
    assert not hosts.allow("evil.example")
    assert not hosts.allow("10.0.0.7")


@pytest.mark.parametrize("host", ["fe80::7", "[FE80::7]", "fe80:0:0::7"])
def test_an_address_is_the_same_however_it_is_written(host: str) -> None:
    hosts = Hosts.bound_to(host)
    assert hosts.allow("[fe80::7]:7860")
    assert hosts.allow("[fe80:0::0:7]")
    assert not hosts.allow("[fe80::8]")


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::", "[::]"])
def test_a_server_on_every_address_has_the_names_of_this_machine_and_all_numbers(everywhere: str) -> None:
    hosts = Hosts.bound_to(everywhere)
    assert hosts.allow("10.0.0.7:7860")
    assert hosts.allow("[fe80::1]:7860")
    assert hosts.allow(socket.gethostname())
    assert not hosts.allow("evil.example")


def test_a_dot_at_the_end_of_a_name_means_nothing() -> None:
    assert Hosts.bound_to("lab.example.").allow("lab.example:7860")
    assert Hosts.bound_to("lab.example").allow("lab.example.:7860")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost:7860.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["api/store", "api/events", "static/icon.svg"])
def test_pages_of_other_sites_get_nothing(client: httpx.Client, headers: dict[str, str], path: str) -> None:
    answer = client.get(path, headers={"Host": "localhost:7860", **headers})
    assert answer.status_code == 403
    assert "another site" in answer.json()["error"]


@pytest.mark.parametrize("dest", ["iframe", "frame", "embed", "object"])
def test_pages_of_other_sites_cannot_frame_a_page(client: httpx.Client, dest: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": dest}
    assert client.get("run.html", headers=headers).status_code == 403


def test_a_link_on_another_site_opens_a_page(client: httpx.Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("run.html?id=made", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Origin": "http://localhost:7860"},
    ],
    ids=str,
)
def test_its_own_pages_and_the_address_bar_are_answered(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("static/icon.svg", headers={"Host": "localhost:7860", **headers}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["", "api/store", "static/icon.svg"])
def test_nothing_can_be_sent_to_it(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path, content=b"x" * 10_000)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert set(answer.json()) == {"error", "hint"}


def answers(client: httpx.Client) -> Iterator[httpx.Response]:
    """One answer of every kind."""
    yield client.get("")
    icon = client.get("static/icon.svg")
    yield icon
    yield client.get("static/icon.svg", headers={"If-None-Match": icon.headers["etag"]})
    yield client.get("static/none.js")
    yield client.get("api/store")
    yield client.get("api/run/none")
    yield client.get("api/download/run/made/results.csv")
    yield client.get("nowhere")
    yield client.get("api/store", headers={"Host": "evil.example"})
    yield client.get("api/store", headers={"Origin": "http://evil.example"})
    yield client.post("api/store")
    with client.stream("GET", "api/events") as stream:
        yield stream


def test_every_answer_has_the_headers_and_none_lets_other_sites_read_it(client: httpx.Client) -> None:
    seen = set()
    for answer in answers(client):
        seen.add(answer.status_code)
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value], answer.url
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "server" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert seen == {200, 304, 403, 404, 405}


def test_data_are_kept_by_no_cache_and_files_are_asked_about_again(client: httpx.Client) -> None:
    for path in ("api/store", "api/run/none", "api/events?run=none", "api/download/run/made/results.csv"):
        assert client.get(path).headers["cache-control"] == "no-store", path
    for path in ("", "static/icon.svg"):
        assert client.get(path).headers["cache-control"] == "no-cache", path


def test_the_policy_allows_no_script_and_no_style_in_a_page(client: httpx.Client) -> None:
    policy = dict(part.split(" ", 1) for part in client.get("").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in str(policy)
