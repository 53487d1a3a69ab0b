"""An OTLP receiver over HTTP: protobuf and JSON, as the specification has it. What it acknowledges is on the disk."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
import zlib
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from smoltrace.errors import StoreError, UsageError
from smoltrace.importing.decoding import Found, decode
from smoltrace.importing.executions import line_of_trace
from smoltrace.importing.files import loads, missing_protobuf, spans_of_protobuf
from smoltrace.importing.secrecy import kept, kept_metrics
from smoltrace.records.text import json_text

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.secrecy import Secrecy
    from smoltrace.importing.spool import Spool

LARGEST: Final = 64 << 20
"""Bytes of a request's body, packed and unpacked."""
_PATIENCE_S: Final = 60.0
"""A connection on which nothing comes for so long is closed."""
_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
_TYPES: Final = {_JSON: _JSON, _PROTOBUF: _PROTOBUF, "application/protobuf": _PROTOBUF}
_INVALID, _UNAVAILABLE = 3, 14
"""Codes of google.rpc.Status, which the body of a refusal is."""


class Refused(Exception):
    """A request that is answered with an error. `status` is HTTP's."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Counts(NamedTuple):
    """What has arrived: traces, those of them that are finished, and spans."""

    traces: int
    finished: int
    spans: int


class Receiver:
    """Receives on a port until it is closed. A context manager; `port` 0 chooses a free one.

    A trace is finished when its root span has arrived and nothing of it came for `grace_s` seconds. `secrecy` is held
    to before anything is written. Raises UsageError for an address that cannot be had, MissingExtraError.
    """

    def __init__(self, spool: Spool, secrecy: Secrecy, *, host: str, port: int, grace_s: float) -> None:
        try:
            import smoltrace.records.otlp_proto  # noqa: F401 - protobuf is what SDKs send by default
        except ImportError as error:
            raise missing_protobuf() from error
        self._spool, self._secrecy, self._grace_s = spool, secrecy, grace_s
        self._taking, self._mutex = threading.Lock(), threading.Lock()
        self._arrived: dict[str, tuple[float, bool]] = {}
        self._spans = 0
        try:
            self._server = _Server(self, host, port)
        except (OSError, OverflowError, UnicodeError) as error:
            raise UsageError(f"Cannot listen on {host}, port {port}: {error}. Choose another with --listen.") from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Receive nothing more. What was acknowledged is in the spool; what comes now is refused, to be sent again."""
        with self._taking:  # what is in the spool is counted too
            self._spool.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def counts(self) -> Counts:
        """What has arrived so far."""
        late = time.monotonic() - self._grace_s
        with self._mutex:
            finished = sum(rooted and last <= late for last, rooted in self._arrived.values())
            return Counts(len(self._arrived), finished, self._spans)

    def take(self, found: Found) -> None:
        """Keep what a request holds. Raises StoreError when the disk refuses: nothing of it is kept then."""
        spans = list(kept(found.spans, self._secrecy))
        lines = [line_of_trace(spans) + b"\n"] if spans else []
        if metrics := [kept_metrics(item, self._secrecy) for item in found.metrics]:
            lines.append(json_text({"resourceMetrics": metrics}).encode() + b"\n")
        with self._taking:
            if lines:
                self._spool.append(b"".join(lines))
            self._note(spans)

    def _note(self, spans: Iterable[Span]) -> None:
        now = time.monotonic()
        with self._mutex:
            for span in spans:
                _, rooted = self._arrived.get(span.trace_id, (now, False))
                self._arrived[span.trace_id] = (now, rooted or span.parent_span_id is None)
                self._spans += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, receiver: Receiver, host: str, port: int) -> None:
        self.receiver = receiver
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        super().__init__(found[0][4][:2], _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask the network for this machine's name
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or that never was one: nothing was acknowledged to it."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "smoltrace", ""
    timeout = _PATIENCE_S
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not told one by one."""

    def do_POST(self) -> None:
        kind = _JSON
        try:
            if self.headers.get("Origin") is not None:  # a browser names the page that sends; programs have none
                raise Refused(HTTPStatus.FORBIDDEN, "nothing is received from web pages")
            kind = _type_of(self.headers.get("Content-Type"))
            body = _unpacked(_body(self), self.headers.get("Content-Encoding"))
            self.server.receiver.take(_found(self.path, kind, body))
        except Refused as refused:
            self._refuse(refused.status, str(refused), kind)
        except StoreError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error), kind)
        else:
            # An empty answer says that all was taken.
            self._answer(HTTPStatus.OK, b"{}" if kind == _JSON else b"", kind)

    def _wrong_method(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "OTLP is sent with POST", _JSON)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _wrong_method

    def _refuse(self, status: HTTPStatus, message: str, kind: str) -> None:
        self.close_connection = True  # what is left of its body is not read
        code = _UNAVAILABLE if status == HTTPStatus.SERVICE_UNAVAILABLE else _INVALID
        self._answer(status, _status(code, message, kind), kind)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _found(path: str, kind: str, body: bytes) -> Found:
    signal = path.partition("?")[0].rstrip("/")
    try:
        if signal == "/v1/traces":
            spans = decode(loads(body)).spans if kind == _JSON else spans_of_protobuf(body)
            return Found(spans=spans)
        if signal == "/v1/metrics":
            return Found(metrics=decode(loads(body)).metrics if kind == _JSON else _metrics_of_protobuf(body))
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"this is no OTLP: {error}") from error
    raise Refused(HTTPStatus.NOT_FOUND, f"only /v1/traces and /v1/metrics are received here, not {signal[:100]}")


def _metrics_of_protobuf(body: bytes) -> list[dict[str, Any]]:
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise ValueError(str(error)) from error
    found: list[dict[str, Any]] = MessageToDict(request).get("resourceMetrics", [])
    return found


def _type_of(header: str | None) -> str:
    told = (header or "").partition(";")[0].strip().lower()
    if told not in _TYPES:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content type must be {_PROTOBUF} or {_JSON}")
    return _TYPES[told]


def _body(handler: _Handler) -> bytes:
    if "chunked" in str(handler.headers.get("Transfer-Encoding") or "").lower():
        return _chunks(handler)
    length = handler.headers.get("Content-Length")
    if length is None:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "the request has no Content-Length")
    if not length.isascii() or not length.isdecimal():
        raise Refused(HTTPStatus.BAD_REQUEST, "the Content-Length is no number")
    return _read(handler, _allowed(int(length[:20])))


def _chunks(handler: _Handler) -> bytes:
    """A body in pieces, each behind its length in hexadecimal; the last is empty, and trailers may follow."""
    pieces: list[bytes] = []
    whole = 0
    while True:
        line = handler.rfile.readline(1024).partition(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, "a chunk has no length") from None
        whole = _allowed(whole + size) if size >= 0 else _allowed(LARGEST + 1)
        if size == 0:
            while handler.rfile.readline(1024).strip():
                continue
            return b"".join(pieces)
        pieces.append(_read(handler, size))
        handler.rfile.readline(8)


def _read(handler: _Handler, length: int) -> bytes:
    body = handler.rfile.read(length)
    if len(body) < length:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body ended too early")
    return body


def _allowed(length: int) -> int:
    if length > LARGEST:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body may have {LARGEST >> 20} MiB: send smaller batches")
    return length


def _unpacked(body: bytes, encoding: str | None) -> bytes:
    match (encoding or "identity").strip().lower():
        case "identity":
            return body
        case "gzip" | "x-gzip":
            window = 31
        case "deflate":
            window = 15
        case other:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the encoding {other[:40]} is not known: gzip is")
    unpacking = zlib.decompressobj(window)
    try:
        unpacked = unpacking.decompress(body, LARGEST + 1)
    except zlib.error as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"the body cannot be unpacked: {error}") from error
    _allowed(len(unpacked))
    if not unpacking.eof:
        raise Refused(HTTPStatus.BAD_REQUEST, "the packed body ended too early")
    return unpacked


def _status(code: int, message: str, kind: str) -> bytes:
    """google.rpc.Status: the code is its field 1, the message its field 2."""
    import orjson

    if kind == _JSON:
        return orjson.dumps({"code": code, "message": message})
    text = message.encode("utf-8", "replace")[:2000]
    return b"\x08" + bytes([code]) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
