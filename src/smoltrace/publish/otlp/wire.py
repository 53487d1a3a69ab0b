"""One request to a receiver and its answer, within a time that is bounded whatever the receiver does."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from smoltrace.publish.otlp.receiver import Endpoint, Receiver, Signal, proxy_for
from smoltrace.version import __version__

PASSING: Final = frozenset({429, 502, 503, 504})
"""The answers after which OTLP lets a client try again."""
_LARGEST_ANSWER: Final = 1 << 16
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. `status` is None when there was no answer; `problem` is for people.

    `rejected` is how many spans or points the receiver threw away of what it took, `problem` says then why.
    `retry_after` are seconds.
    """

    status: int | None
    problem: str = ""
    retry_after: float | None = None
    rejected: int = 0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def passes(self) -> bool:
        """Whether to try again may help."""
        return self.status is None or self.status in PASSING


class Wire:
    """Connections to a receiver. Any thread may use it; `abort` ends what goes on, from another thread."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._sockets = _Sockets()
        self._manager = _manager(receiver, self._sockets)

    def post(self, signal: Signal, endpoint: Endpoint, body: bytes) -> Answer:
        """Send one body. Raises nothing for what the receiver or the network does."""
        headers = {"content-type": "application/x-protobuf", "user-agent": f"smoltrace/{__version__}"}
        if self._receiver.gzip:
            headers["content-encoding"] = "gzip"
            body = gzip.compress(body, 5, mtime=0)
        headers |= endpoint.headers
        try:
            with self._bounded():
                response = self._manager.request(
                    "POST", endpoint.url, body=body, headers=headers, redirect=False, retries=False,
                    preload_content=False, timeout=urllib3.Timeout(total=self._receiver.timeout),
                )  # fmt: skip
                with contextlib.closing(response):
                    content = response.read(_LARGEST_ANSWER, decode_content=True) or b""
                    if len(content) < _LARGEST_ANSWER:
                        response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Answer(None, _reason(error, endpoint))
        return _answer(signal, endpoint, response, content)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """End what takes longer than the receiver has time for: a timeout of the socket is one between two bytes."""
        late = threading.Timer(self._receiver.timeout + 0.5, self.abort)
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()

    def abort(self) -> None:
        """End what goes on."""
        self._sockets.shut()

    def close(self) -> None:
        self._manager.clear()


class _Sockets:
    """The sockets that are open; any thread may shut them while another opens one."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._mutex = threading.Lock()

    def add(self, opened: socket.socket) -> None:
        with self._mutex:
            self._open.add(opened)

    def shut(self) -> None:
        with self._mutex:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def _manager(receiver: Receiver, sockets: _Sockets) -> urllib3.PoolManager:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    tls: dict[str, Any] = {}
    if receiver.ca is not None:
        tls["ca_certs"] = str(receiver.ca)
    if receiver.certificate is not None:
        tls["cert_file"] = str(receiver.certificate)
    if receiver.key is not None:
        tls["key_file"] = str(receiver.key)
    proxy = proxy_for(receiver.traces.url)
    manager = urllib3.PoolManager(**tls) if proxy is None else urllib3.ProxyManager(proxy, **tls)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager


def _answer(signal: Signal, endpoint: Endpoint, response: urllib3.BaseHTTPResponse, content: bytes) -> Answer:
    status = response.status
    if 200 <= status < 300:
        rejected, message = _rejected(signal, content)
        return Answer(status, _text(message.encode(), endpoint), rejected=rejected)
    return Answer(status, _refusal(status, endpoint, content), _seconds(response.headers.get("retry-after")))


def _rejected(signal: Signal, content: bytes) -> tuple[int, str]:
    """What the receiver threw away of what it took. Some answer with JSON or nothing: they took it all."""
    response = ExportTraceServiceResponse() if signal == "traces" else ExportMetricsServiceResponse()
    try:
        response.ParseFromString(content)
    except DecodeError:
        return 0, ""
    partial = response.partial_success
    rejected = partial.rejected_spans if signal == "traces" else partial.rejected_data_points
    return int(rejected), str(partial.error_message)


def _refusal(status: int, endpoint: Endpoint, content: bytes) -> str:
    """What a refusal means, and what to do about it."""
    said = _text(content, endpoint)
    said = f": {said}" if said else ""
    match status:
        case 401 | 403:
            advice = "refuses the key or has got none. Set OTEL_EXPORTER_OTLP_HEADERS to the header that it wants"
        case 404 | 405:
            advice = (
                "has no receiver there. Give the base of its address, to which /v1/traces is added, or set "
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the whole"
            )
        case 413:
            advice = "takes no body of that size"
        case 415:
            advice = "takes no protobuf, or not with this compression (OTEL_EXPORTER_OTLP_COMPRESSION)"
        case _ if 300 <= status < 400:
            advice = "sends elsewhere. Give the address that it leads to"
        case _:
            advice = "refuses what was sent" if status < 500 else "failed"
    return f"{endpoint.name} {advice} (HTTP {status}{said})"


def _text(content: bytes, endpoint: Endpoint) -> str:
    """The beginning of what a receiver said, on one line, without what it was sent as a secret."""
    text = re.sub(r"[\x00-\x20\x7f-\x9f\ufffd]+", " ", content.decode("utf-8", "replace")).strip()
    for secret in _secrets(endpoint.headers):
        text = text.replace(secret, "***")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _secrets(headers: Mapping[str, str]) -> Iterator[str]:
    for value in headers.values():
        for part in (value, value.rpartition(" ")[2]):
            if len(part) >= 4:
                yield part


def _seconds(text: str | None) -> float | None:
    """A Retry-After header as seconds from now."""
    if text is None:
        return None
    try:
        return max(0.0, float(urllib3.Retry().parse_retry_after(text)))
    except urllib3.exceptions.InvalidHeader:
        return None


def _reason(error: Exception, endpoint: Endpoint) -> str:
    """Why there was no answer, without the objects and addresses in memory that urllib3 tells of."""
    name = endpoint.name
    match error:
        case urllib3.exceptions.NameResolutionError():
            return f"{name} cannot be reached: nobody knows the host"
        case urllib3.exceptions.NewConnectionError():
            return f"{name} cannot be reached: nothing listens there"
        case urllib3.exceptions.ConnectTimeoutError() | urllib3.exceptions.ReadTimeoutError():
            return f"{name} does not answer"
        case urllib3.exceptions.SSLError():
            return f"{name} has no certificate that can be trusted ({_text(str(error).encode(), endpoint)})"
        case urllib3.exceptions.ProxyError():
            return f"{name} cannot be reached through the proxy"
        case _:
            grpc = ". 4317 is mostly the port for gRPC; the one for HTTP is 4318" if ":4317" in name else ""
            return f"{name} drops the connection without an answer{grpc}"
