"""A small OTLP receiver over real HTTP, in memory: protobuf traces and metrics, with headers, and with moods.

    with OtlpReceiver() as receiver:
        publish_run(run, url=receiver.url)
        assert len(receiver.spans) == 12

`receiver.answer(503, retry_after=1)` makes the next request answer so, `answer(DROPPED)` cuts its connection; `always`
says what all others answer, and `delay` how many seconds each takes. `Silent` is a port that takes connections and
never answers, or a byte at a time.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from smoltrace.books.spans import Span
from smoltrace.records.otlp_proto import from_otlp_proto

DROPPED = 0


@dataclass
class Mood:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if receiver.hung.wait(receiver.delay):
            return
        mood = receiver.mood(self.path, raw)
        if mood.status == DROPPED:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        with receiver.lock:
            receiver.note(request, mood.status == 200)
        self.send_response(mood.status)
        for name, value in {"content-length": str(len(mood.body)), **mood.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(mood.body)

    def log_message(self, *_: Any) -> None:
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: OtlpReceiver

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is nothing to print."""


class OtlpReceiver:
    """`requests` are all that were answered, `taken` those that were answered with 200.

    `metrics` False refuses those, as receivers of traces alone do; more than `most` bytes are too many; without `keep`
    only ids are kept of what was taken, in `span_ids`.
    """

    def __init__(
        self,
        *,
        always: Mood | None = None,
        delay: float = 0.0,
        metrics: bool = True,
        most: int = 0,
        keep: bool = True,
    ) -> None:
        self.always, self.delay, self._metrics, self._most = always or Mood(), delay, metrics, most
        self.keep = keep
        self.span_ids: set[bytes] = set()
        self.largest = 0
        self.lock = threading.Lock()
        self.hung = threading.Event()
        self.requests: list[Request] = []
        self.taken: list[Request] = []
        self._next: deque[Mood] = deque()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> OtlpReceiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hung.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, status: int, body: bytes = b"", *, times: int = 1, **headers: str) -> None:
        """What the next requests are answered with; `retry_after="1"` is the header Retry-After."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._next.extend([Mood(status, body, named)] * times)

    def reject(self, spans: int, message: str) -> None:
        """Take the next request but for so many spans."""
        partial = ExportTracePartialSuccess(rejected_spans=spans, error_message=message)
        self.answer(200, ExportTraceServiceResponse(partial_success=partial).SerializeToString())

    def note(self, request: Request, taken: bool) -> None:
        self.largest = max(self.largest, len(request.body))
        if taken and not self.keep:
            if request.path.endswith("/v1/traces"):
                found = ExportTraceServiceRequest.FromString(request.body)
                scopes = (scope for each in found.resource_spans for scope in each.scope_spans)
                self.span_ids.update(span.span_id for scope in scopes for span in scope.spans)
            return
        self.requests.append(request)
        if taken:
            self.taken.append(request)

    def mood(self, path: str, body: bytes) -> Mood:
        if path.endswith("/v1/metrics") and not self._metrics:
            return Mood(405, b'{"detail":"Method Not Allowed"}')
        if self._most and len(body) > self._most:
            return Mood(413)
        with self.lock:
            return self._next.popleft() if self._next else self.always

    @property
    def bodies(self) -> list[bytes]:
        """Of all requests, as they are without compression."""
        return [request.body for request in self.requests]

    @property
    def batches(self) -> list[list[Span]]:
        """The spans of each request for traces that was taken."""
        return [from_otlp_proto(each.body) for each in self.taken if each.path.endswith("/v1/traces")]

    @property
    def spans(self) -> list[Span]:
        return [span for batch in self.batches for span in batch]

    @property
    def points(self) -> dict[str, list[Any]]:
        """The data points that were taken, by the name of their metric."""
        found: dict[str, list[Any]] = {}
        for each in self.taken:
            if each.path.endswith("/v1/metrics"):
                request = ExportMetricsServiceRequest.FromString(each.body)
                for metric in (m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics):
                    found.setdefault(metric.name, []).extend(getattr(metric, metric.WhichOneof("data")).data_points)
        return found


class Silent:
    """A port that takes connections and never answers; with `dribbling`, that sends a byte of a header now and then."""

    def __init__(self, *, dribbling: bool = False) -> None:
        self._dribbling = dribbling
        self._closed = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []

    def __enter__(self) -> Silent:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._socket.close()
        for each in self._taken:
            each.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._taken.append(connection)
            if self._dribbling:
                threading.Thread(target=self._dribble, args=(connection,), daemon=True).start()

    def _dribble(self, connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not self._closed.is_set():
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            return


def dead_url() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"
