"""The receiver over real HTTP: what it answers, what it keeps, and what is left of it when it is killed."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.canaries import SHAPED
from support.otlp_json import call, request, span

from smoltrace.errors import MissingExtraError, StoreError, UsageError
from smoltrace.importing import receiver as receiving
from smoltrace.importing.listening import Until, listen
from smoltrace.importing.options import Options
from smoltrace.importing.runs import Imported
from smoltrace.importing.spool import Spool, left_behind
from smoltrace.records.otlp import from_otlp_json
from smoltrace.records.otlp_proto import to_otlp_proto

JSON, PROTOBUF = "application/json", "application/x-protobuf"


@dataclass
class Listening:
    """A receiver in a thread of this process."""

    store: Path
    port: int = 0
    said: list[str] = field(default_factory=list)
    made: list[Imported] = field(default_factory=list)
    error: Exception | None = None

    def post(
        self, body: bytes, kind: str | None = JSON, path: str = "/v1/traces", method: str = "POST", **headers: str
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, given if kind is None else {"Content-Type": kind, **given})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send(self, *spans: dict[str, Any], **resource: Any) -> None:
        assert self.post(json.dumps(request(*spans, **resource)).encode()) == (200, b"{}")

    @property
    def kept(self) -> bytes:
        (file,) = (self.store / "received").glob("*.otlp.jsonl")
        return file.read_bytes()


@contextmanager
def listening(store: Path, options: Options | None = None, **until: Any) -> Iterator[Listening]:
    found, opened = Listening(store), threading.Event()

    def ready(port: int) -> None:
        found.port = port
        opened.set()

    def work() -> None:
        try:
            wanted = Until(**{"grace_s": 0.1, "traces": 1, **until})
            found.made += listen(options or Options(store=store), until=wanted, say=found.said.append, ready=ready)
        except Exception as error:
            found.error = error
            opened.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert opened.wait(30)
    yield found
    thread.join(60)


def test_json_and_protobuf_packed_and_not_make_one_trace(tmp_path: Path) -> None:
    with listening(tmp_path, traces=1) as at:
        chunk = json.dumps(request(call(2, 1))).encode()
        assert at.post(chunk, "application/json; charset=utf-8") == (200, b"{}")
        protobuf = to_otlp_proto(from_otlp_json(json.dumps(request(call(3, 1)))))
        assert at.post(protobuf, PROTOBUF) == (200, b"")
        assert at.post(gzip.compress(protobuf), PROTOBUF, Content_Encoding="gzip") == (200, b"")
        assert at.post(zlib.compress(chunk), Content_Encoding="deflate", path="/v1/traces/?x=1")[0] == 200
        at.send(span(1, name="agent"))
    (made,) = at.made
    assert (made.traces, made.spans) == (1, 3)
    assert made.run.leaderboard_row()["total_prompt_tokens"] == 2000
    assert made.run.manifest["imported_from"]["sources"] == [f"OTLP over HTTP, port {at.port}"]
    assert not (tmp_path / "received").exists()


def test_a_chunked_body_is_taken(tmp_path: Path) -> None:
    body = json.dumps(request(span(1))).encode()
    lines = ("POST /v1/traces HTTP/1.1", "Host: x", f"Content-Type: {JSON}", "Transfer-Encoding: chunked", "", "")
    head = "\r\n".join(lines).encode()
    pieces = [body[:100], body[100:]]
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\n"
    with listening(tmp_path) as at, socket.create_connection(("127.0.0.1", at.port), timeout=20) as client:
        for _ in range(2):  # the connection can be used again
            client.sendall(head + chunks)
            answer = b""
            while not answer.endswith(b"{}"):
                answer += client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK")
    assert at.made[0].spans == 1


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """One receiver for all that it refuses; the last that comes is taken."""
    with listening(tmp_path_factory.mktemp("shared")) as at:
        yield at
        at.send(span(1))
    assert at.made[0].spans == 1


@pytest.mark.parametrize(
    ("body", "given", "status"),
    [
        (b"{", {}, 400),
        (b"\xff\xfe", {"kind": PROTOBUF}, 400),
        (b'{"foo": 1}', {}, 400),
        (json.dumps(request(span(1, traceId="xyz"))).encode(), {}, 400),
        (b'{"a":' * 3000, {}, 400),
        (b"no gzip", {"Content_Encoding": "gzip"}, 400),
        pytest.param(gzip.compress(b"{}" * 100)[:-9], {"Content_Encoding": "gzip"}, 400, id="gzip cut short"),
        (b"{}", {"Content_Encoding": "br"}, 415),
        (b"{}", {"kind": "text/plain"}, 415),
        (b"{}", {"kind": None}, 415),
        (b"{}", {"Origin": "https://evil.example"}, 403),
        (json.dumps(request(span(1, kind=float("inf"), startTimeUnixNano=float("inf")))).encode(), {}, 400),
        (b"{}", {"path": "/v1/logs"}, 404),
        (b"{}", {"path": "/"}, 404),
        (b"", {"method": "GET"}, 405),
        (b"{}", {"method": "PUT"}, 405),
        (b"{}", {"method": "OPTIONS"}, 405),
        (b"{}", {"Content_Length": "many"}, 400),
        (b"{}", {"Content_Length": str(2**40)}, 413),
        pytest.param(
            gzip.compress(b" " * (receiving.LARGEST + 1)), {"Content_Encoding": "gzip"}, 413, id="gzip of too much"
        ),
        (b"zz\r\n", {"Transfer_Encoding": "chunked"}, 400),
        (b"-5\r\n", {"Transfer_Encoding": "chunked"}, 413),
    ],
)
def test_rubbish_is_refused(shared: Listening, body: bytes, given: dict[str, Any], status: int) -> None:
    answered, told = shared.post(body, **given)
    assert answered == status
    if given.get("kind") == PROTOBUF:
        assert told.startswith(b"\x08\x03\x12")  # google.rpc.Status: INVALID_ARGUMENT, and a message
    else:
        document = json.loads(told)
        assert document["code"] == 3
        assert document["message"]


def test_what_is_no_http_is_refused_and_harms_nobody(shared: Listening) -> None:
    for words in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00" * 50, b"POST /v1/traces HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as client:
            client.sendall(words)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                continue
    assert shared.post(b"{}") == (200, b"{}")


def test_metrics_are_kept(tmp_path: Path) -> None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    sent = ExportMetricsServiceRequest()
    metric = sent.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = "queue.length"
    metric.gauge.data_points.add().as_int = 7
    with listening(tmp_path) as at:
        assert at.post(sent.SerializeToString(), PROTOBUF, "/v1/metrics") == (200, b"")
        assert at.post(b"\xff", PROTOBUF, "/v1/metrics")[0] == 400
        plain = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "other"}]}]}]}
        assert at.post(json.dumps(plain).encode(), path="/v1/metrics") == (200, b"{}")
        at.send(span(1))
    kept = (at.made[0].run.path / "other-metrics.otlp.jsonl").read_text()
    assert '"queue.length"' in kept
    assert '"asInt":"7"' in kept
    assert '"other"' in kept


def test_a_trace_is_finished_when_its_root_is_there_and_nothing_follows(tmp_path: Path) -> None:
    with listening(tmp_path, traces=1, grace_s=0.4) as at:
        at.send(span(2, 1))
        time.sleep(0.5)
        assert not at.made  # its root has not arrived
        at.send(span(1))
        at.send(span(3, 1))
        at.send(call(4, 77, trace="7" * 32))
    assert [(each.traces, each.spans) for each in at.made] == [(2, 4)]
    assert any("the root span of 1 trace did not arrive" in each for each in at.said)


def test_nothing_arrived(tmp_path: Path) -> None:
    with listening(tmp_path, traces=None, seconds=0.1) as at:
        assert at.post(b'{"resourceSpans": []}') == (200, b"{}")
    assert isinstance(at.error, UsageError)
    assert "No spans arrived" in str(at.error)
    assert list(tmp_path.iterdir()) == []


def test_what_is_acknowledged_while_the_end_comes_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append, kept = Spool.append, threading.Event()

    def slowly(spool: Spool, lines: bytes) -> None:
        append(spool, lines)
        kept.set()
        time.sleep(0.4)  # until the time of the receiver is over

    monkeypatch.setattr(Spool, "append", slowly)
    with listening(tmp_path, traces=None, seconds=0.3) as at:
        at.send(span(1))
        assert kept.is_set()
    assert [each.spans for each in at.made] == [1]


def test_many_senders_at_once_lose_nothing(tmp_path: Path) -> None:
    with listening(tmp_path, traces=161, grace_s=0.3) as at:
        senders = [
            threading.Thread(target=lambda s=s: [at.send(span(1, trace=f"{s:02x}{n:030x}")) for n in range(1, 21)])
            for s in range(8)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        at.send(span(1))
    assert at.made[0].traces == 161


def test_secrets_never_reach_the_disk(tmp_path: Path) -> None:
    secret = SHAPED[1].secret
    with listening(tmp_path) as at:
        at.send(span(2, 1, attributes={"input.value": secret}), process__command=secret)
        assert b"[redacted:" in at.kept
        assert secret.encode() not in at.kept
        at.send(span(1))
    assert secret not in str([list(run.run.spans()) for run in at.made])


def test_a_full_disk_is_told_to_the_sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(spool: Spool, lines: bytes) -> None:
        raise StoreError("The disk is full.")

    with listening(tmp_path) as at:
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "append", refuse)
            status, told = at.post(json.dumps(request(span(2, 1))).encode())
        assert (status, json.loads(told)) == (503, {"code": 14, "message": "The disk is full."})
        at.send(span(1))
    assert at.made[0].spans == 1


def test_what_cannot_be_is_refused_before_the_port_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="Cannot listen on"):
        listen(Options(store=tmp_path), port=taken.getsockname()[1])
    with pytest.raises(UsageError, match="Cannot listen on nowhere"):
        listen(Options(store=tmp_path), host="nowhere.invalid")
    with pytest.raises(UsageError, match="Cannot listen on aaa"):
        listen(Options(store=tmp_path), host="a" * 70)
    with pytest.raises(UsageError, match="no regular expression"):
        listen(Options(store=tmp_path, redact=("(",)))
    monkeypatch.setitem(sys.modules, "smoltrace.records.otlp_proto", None)
    with pytest.raises(MissingExtraError, match=r"smoltrace\[otlp\]"):
        listen(Options(store=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_where_no_run_can_be_made_what_arrived_is_kept(tmp_path: Path) -> None:
    options = Options(store=tmp_path, run_id="mine")
    with listening(tmp_path, options) as at:
        (tmp_path / "runs" / "mine").mkdir(parents=True)
        (tmp_path / "runs" / "mine" / "run.json").write_text("{}")
        at.send(span(1))
    (kept,) = left_behind(tmp_path)
    assert "has a run 'mine' already" in str(at.error)
    assert f"What arrived is kept: smoltrace import otlp {kept} --store {tmp_path}" in str(at.error)
    assert b'"span 1"' in kept.read_bytes()


def test_what_was_acknowledged_outlives_the_receiver(tmp_path: Path) -> None:
    program = "import sys; from smoltrace.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "import", "otlp", "--listen", "0", "--store", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        at = Listening(tmp_path)
        while "ENDPOINT" not in (line := process.stderr.readline()):
            assert line, "it ended"
        at.port = int(line.rpartition(":")[2])
        for number in (1, 2, 3):
            at.send(span(number, None if number == 1 else 1))
        os.kill(process.pid, signal.SIGKILL)
    (left,) = left_behind(tmp_path)
    assert [from_otlp_json(line)[0].name for line in left.read_bytes().splitlines()] == ["span 1", "span 2", "span 3"]
    with listening(tmp_path) as at:
        at.send(span(9, trace="9" * 32))
    (told,) = at.said
    assert told.startswith("A receiver that was killed left what it had received. Import it, then delete it: ")
    assert told.endswith(f"smoltrace import otlp {left} --store {tmp_path}")
