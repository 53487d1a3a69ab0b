"""Which receiver an address and the environment name, and what is wrong with others."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

import pytest

from smoltrace.errors import UsageError
from smoltrace.publish.otlp.receiver import Receiver, proxy_for

PREFIX = "OTEL_EXPORTER_OTLP"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "HEADERS", "PROTOCOL", "TIMEOUT", "COMPRESSION", "CERTIFICATE"):
        for signal in ("", "TRACES_", "METRICS_"):
            monkeypatch.delenv(f"{PREFIX}_{signal}{name}", raising=False)


def places(url: str | None) -> tuple[str, str | None]:
    receiver = Receiver.at(url)
    return receiver.traces.url, None if receiver.metrics is None else receiver.metrics.url


@pytest.mark.parametrize(
    "url", ["http://h:6006", "http://h:6006/", "http://h:6006/v1/traces", "http://h:6006/v1/metrics/"]
)
def test_an_address_is_a_base_or_names_a_signal(url: str) -> None:
    assert places(url) == ("http://h:6006/v1/traces", "http://h:6006/v1/metrics")
    assert Receiver.at(url).name == "http://h:6006"


def test_an_address_may_have_a_path_and_a_query() -> None:
    assert places("https://h/api/otel?team=1")[0] == "https://h/api/otel/v1/traces?team=1"


def test_the_environment_names_a_base_or_each_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}_ENDPOINT", "http://base:4318/")
    assert places(None) == ("http://base:4318/v1/traces", "http://base:4318/v1/metrics")
    monkeypatch.setenv(f"{PREFIX}_TRACES_ENDPOINT", "http://own/spans")
    assert places(None) == ("http://own/spans", "http://base:4318/v1/metrics")
    monkeypatch.delenv(f"{PREFIX}_ENDPOINT")
    assert places(None) == ("http://own/spans", None)
    assert places("http://given")[0] == "http://given/v1/traces"


def test_headers_are_decoded_and_those_of_a_signal_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}_HEADERS", "Authorization=Bearer%20abc, x-team = a%2Cb ,")
    monkeypatch.setenv(f"{PREFIX}_METRICS_HEADERS", "x-team=c")
    receiver = Receiver.at("http://h")
    assert receiver.traces.headers == {"authorization": "Bearer abc", "x-team": "a,b"}
    assert receiver.metrics is not None
    assert receiver.metrics.headers == {"authorization": "Bearer abc", "x-team": "c"}


def test_user_and_password_become_a_header_and_are_shown_nowhere() -> None:
    receiver = Receiver.at("http://ann:s%40cret@h:1/x?api_key=s@cret")
    assert receiver.traces.headers["authorization"] == "Basic " + b64encode(b"ann:s@cret").decode()
    assert receiver.traces.url == "http://h:1/x/v1/traces?api_key=s@cret"
    assert receiver.traces.name == "http://h:1/x/v1/traces"
    assert not re.search("cret|Basic", f"{receiver!r} {receiver.name}")


def test_what_else_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv(f"{PREFIX}_TIMEOUT", "2500")
    monkeypatch.setenv(f"{PREFIX}_COMPRESSION", "none")
    monkeypatch.setenv(f"{PREFIX}_TRACES_COMPRESSION", "gzip")
    monkeypatch.setenv(f"{PREFIX}_CERTIFICATE", str(tmp_path / "ca.pem"))
    receiver = Receiver.at("http://h")
    assert (receiver.timeout, receiver.gzip, receiver.ca) == (2.5, True, tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("url", "environment", "said"),
    [
        (None, {}, "No OTLP receiver is named"),
        ("localhost:4318", {}, "is none of an OTLP receiver over HTTP"),
        ("ftp://h", {}, "is none of an OTLP receiver over HTTP"),
        ("http://", {}, "is none of an OTLP receiver over HTTP"),
        ("http://h:99999", {}, "cannot be read"),
        ("http://ann:secret@h h", {}, "is none of an OTLP receiver over HTTP"),
        ("grpc://h:4317", {}, "is for gRPC; smoltrace sends over HTTP"),
        (None, {"ENDPOINT": "http://h:4317", "PROTOCOL": "grpc"}, "$OTEL_EXPORTER_OTLP_PROTOCOL is grpc"),
        (None, {"ENDPOINT": "nowhere"}, "$OTEL_EXPORTER_OTLP_ENDPOINT 'nowhere'"),
        ("http://h", {"HEADERS": "secret"}, "$OTEL_EXPORTER_OTLP_HEADERS is no list of headers"),
        ("http://h", {"HEADERS": "a=secret%0d%0ab"}, "$OTEL_EXPORTER_OTLP_HEADERS is no list of headers"),
        ("http://h", {"HEADERS": "a=secret%E2%82%AC"}, "$OTEL_EXPORTER_OTLP_HEADERS is no list of headers"),
        ("http://h", {"TIMEOUT": "9" * 400}, "$OTEL_EXPORTER_OTLP_TIMEOUT is '999"),
        ("http://h", {"TIMEOUT": "10s"}, "$OTEL_EXPORTER_OTLP_TIMEOUT is '10s'"),
        ("http://h", {"COMPRESSION": "zstd"}, "$OTEL_EXPORTER_OTLP_COMPRESSION is 'zstd'"),
        ("http://h", {"CERTIFICATE": "/nowhere.pem"}, "names /nowhere.pem, which is no file"),
    ],
)
def test_what_cannot_be_is_said_without_secrets(
    url: str | None, environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"{PREFIX}_{name}", value)
    with pytest.raises(UsageError) as raised:
        Receiver.at(url)
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)
    assert str(raised.value).endswith(".")


def test_a_proxy_is_one_of_http_or_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "proxy:3128")
    assert proxy_for(Receiver.at("http://h").traces.url) == "http://proxy:3128"
    monkeypatch.setenv("http_proxy", "socks5://ann:secret@proxy:1080")
    with pytest.raises(UsageError, match=r"proxy of another kind \(socks5\)") as raised:
        Receiver.at("http://h")
    assert "secret" not in str(raised.value)


def test_grpc_in_the_environment_says_nothing_of_an_address_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}_PROTOCOL", "grpc")
    assert places("http://h")[0] == "http://h/v1/traces"
