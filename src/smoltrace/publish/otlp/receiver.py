"""Where traces and metrics are sent by OTLP, and with what: an address that was given, and OpenTelemetry's variables.

The variables are those of the OpenTelemetry specification; one that begins with OTEL_EXPORTER_OTLP_TRACES_ or _METRICS_
holds for that signal, and wins. https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from smoltrace.errors import MissingExtraError, UsageError

Signal = Literal["traces", "metrics"]

PATHS: Final[Mapping[Signal, str]] = {"traces": "/v1/traces", "metrics": "/v1/metrics"}
TIMEOUT_S: Final = 10.0
_LONGEST_TIMEOUT: Final = 9
"""Digits of it in milliseconds."""

_PREFIX: Final = "OTEL_EXPORTER_OTLP"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_EXAMPLE: Final = "http://localhost:4318"


@dataclass(frozen=True)
class Endpoint:
    """Where one signal goes. `name` is the address without user, password and query, for people to read; `headers`
    are secret."""

    url: str = field(repr=False)
    name: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Receiver:
    """A receiver of OTLP over HTTP. `metrics` is None where only a place for traces was named.

    `timeout` is of one request, in seconds. `ca`, `certificate` and `key` are PEM files for TLS.
    """

    traces: Endpoint
    metrics: Endpoint | None
    timeout: float = TIMEOUT_S
    gzip: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def at(cls, url: str | None) -> Receiver:
        """The receiver at an address, or the one that the environment names.

        An address is a base, to which /v1/traces and /v1/metrics are added, or ends with one of them. Raises UsageError
        for none or one that cannot be, and MissingExtraError.
        """
        _check_installed()
        places = _named(url) if url is not None else _from_environment()
        return cls(
            traces=_endpoint("traces", places["traces"]),
            metrics=_endpoint("metrics", places["metrics"]) if "metrics" in places else None,
            timeout=_timeout(),
            gzip=_gzip(),
            ca=_file("CERTIFICATE"),
            certificate=_file("CLIENT_CERTIFICATE"),
            key=_file("CLIENT_KEY"),
        )

    @property
    def name(self) -> str:
        """The address for people to read."""
        return self.traces.name.removesuffix(PATHS["traces"])


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address. Raises UsageError for one that cannot be used."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return None
    scheme, _, _ = proxy.rpartition("://")
    if scheme not in ("", "http", "https"):
        raise UsageError(
            f"${parts.scheme}_proxy names a proxy of another kind ({scheme}); smoltrace sends through those of HTTP. "
            f"Name one, or put {parts.hostname} into $no_proxy."
        )
    return proxy if scheme else f"http://{proxy}"


def _check_installed() -> None:
    try:
        found = find_spec("urllib3") and find_spec("opentelemetry.proto")
    except ModuleNotFoundError:
        found = None
    if not found:
        raise MissingExtraError("otlp", "Sending traces by OTLP")


# Addresses, as they were given: (where it stands, the address)

_Place = tuple[str, str]


def _named(url: str) -> dict[Signal, _Place]:
    parts = _parts("The address", url)
    found: dict[Signal, _Place] = {}
    base = parts.path.rstrip("/")
    for path in PATHS.values():
        base = base.removesuffix(path)
    for signal, path in PATHS.items():
        found[signal] = ("The address", urlunsplit(parts._replace(path=base + path)))
    return found


def _from_environment() -> dict[Signal, _Place]:
    """As the specification says: the address of a signal is used as it is, to the base its path is added."""
    found: dict[Signal, _Place] = {}
    base = os.environ.get(f"{_PREFIX}_ENDPOINT", "").strip()
    for signal, path in PATHS.items():
        variable = f"{_PREFIX}_{signal.upper()}_ENDPOINT"
        if own := os.environ.get(variable, "").strip():
            found[signal] = (f"${variable}", own)
        elif base:
            parts = _parts(f"${_PREFIX}_ENDPOINT", base)
            found[signal] = (f"${_PREFIX}_ENDPOINT", urlunsplit(parts._replace(path=parts.path.rstrip("/") + path)))
    if "traces" not in found:
        raise UsageError(
            f"No OTLP receiver is named: give its address (--url or --otlp), such as {_EXAMPLE}, or set "
            f"{_PREFIX}_ENDPOINT."
        )
    protocol = _variable("traces", "PROTOCOL")
    if protocol == "grpc":
        raise UsageError(
            f"${_PREFIX}_PROTOCOL is grpc, and smoltrace sends OTLP over HTTP: set it to http/protobuf and name the "
            f"receiver's HTTP port, which is often 4318 where 4317 is gRPC, or give the address ({_EXAMPLE})."
        )
    return found


def _parts(where: str, url: str) -> SplitResult:
    """The parts of an address that can be asked by HTTP. Raises UsageError."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{where} of the OTLP receiver cannot be read ({error}): write {_EXAMPLE}.") from error
    if parts.scheme == "grpc":
        raise UsageError(f"{where} of the OTLP receiver is for gRPC; smoltrace sends over HTTP: write {_EXAMPLE}.")
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", url.strip()):
        raise UsageError(f"{where} '{_shown(parts)}' is none of an OTLP receiver over HTTP: write {_EXAMPLE}.")
    return parts


def _shown(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def _endpoint(signal: Signal, place: _Place) -> Endpoint:
    where, url = place
    parts = _parts(where, url)
    headers = _headers(signal)
    if parts.username is not None and "authorization" not in headers:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(login).decode()}"
    proxy_for(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="", path=parts.path or "/")
    return Endpoint(urlunsplit(bare), _shown(parts), headers)


# Variables


def _variable(signal: Signal, name: str) -> str:
    own = os.environ.get(f"{_PREFIX}_{signal.upper()}_{name}", "").strip()
    return own or os.environ.get(f"{_PREFIX}_{name}", "").strip()


def _headers(signal: Signal) -> dict[str, str]:
    """key=value,key=value with values URL-encoded, as W3C Baggage has it; names in lower case."""
    found: dict[str, str] = {}
    for variable in (f"{_PREFIX}_HEADERS", f"{_PREFIX}_{signal.upper()}_HEADERS"):
        for pair in os.environ.get(variable, "").split(","):
            if not pair.strip():
                continue
            name, equals, value = (part.strip() for part in pair.partition("="))
            value = unquote(value)
            if not equals or not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise UsageError(
                    f"${variable} is no list of headers: write name=value, with commas between, and %20 for a blank."
                )
            found[name.lower()] = value
    return found


def _timeout() -> float:
    text = _variable("traces", "TIMEOUT")
    if not text:
        return TIMEOUT_S
    if not text.isdecimal() or int(text) == 0 or len(text) > _LONGEST_TIMEOUT:
        raise UsageError(f"${_PREFIX}_TIMEOUT is '{text}': write milliseconds, such as 10000.")
    return int(text) / 1000


def _gzip() -> bool:
    text = _variable("traces", "COMPRESSION")
    if text not in ("", "none", "gzip"):
        raise UsageError(f"${_PREFIX}_COMPRESSION is '{text}': choose gzip or none.")
    return text == "gzip"


def _file(name: str) -> Path | None:
    text = _variable("traces", name)
    if text and not Path(text).is_file():
        raise UsageError(f"${_PREFIX}_{name} names {text}, which is no file.")
    return Path(text) if text else None
