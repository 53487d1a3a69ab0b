"""A scripted OpenAI-compatible model server over real HTTP, with a ledger of every call it served.

In a test: `with ModelServer() as server: OpenAIModel(api_base=server.url, ...)`, or the `model_server` fixture.
As a process of its own, so that it takes no CPU from what is measured:
`python tests/support/model_server.py --port 0`, which prints its URL.
It answers POST /v1/chat/completions (plain and streamed), GET /v1/models, GET /ledger, POST /faults and POST /reset.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

if not __package__:  # started as a script: find the sibling module
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.model_scripts import (
    AUTO,
    Reply,
    Script,
    agent_kind,
    call_index,
    count_usage,
    default_script,
    first_user_text,
    markers,
)
from support.model_wire import completion, dump, http_response, read_request, stream_chunks

__all__ = ["Entry", "Fault", "ModelServer", "Reply", "Script", "default_script"]


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. Tokens are None where the answer carried no usage; `status` 0 means no answer at all."""

    sequence: int
    time: float
    conversation: str
    test: str | None
    agent: str
    model: str
    call_index: int
    input: int | None
    output: int | None
    cached: int | None
    reasoning: int | None
    response_id: str | None
    streamed: bool
    status: int


@dataclass
class Fault:
    """A rule that spoils calls: every `every`-th matching one, at most `times` of them.

    `kind` is one of 429, 500, 503, 401, 404 (as int or text), "drop", "hang", "garbage", "no_usage", "slow" (`seconds`
    before the answer) and "drip" (`seconds` between pieces). `test` and `model` restrict it; `after` spares the first
    calls.
    """

    kind: int | str
    every: int = 1
    times: int | None = None
    after: int = 0
    test: str | None = None
    model: str | None = None
    retry_after: float | None = None
    seconds: float = 0.2
    seen: int = 0
    fired: int = 0

    def fires(self, test: str | None, model: str) -> bool:
        if self.test not in (None, test) or self.model not in (None, model):
            return False
        self.seen += 1
        due = self.seen > self.after and (self.seen - self.after) % self.every == 0
        if not due or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def spoil(self, reply: Reply) -> Reply:
        kind = str(self.kind)
        if kind.isdigit():
            headers = {} if self.retry_after is None else {"retry-after": f"{self.retry_after:g}"}
            return Reply(status=int(kind), headers=headers, error=f"scripted fault {kind}")
        changes: dict[str, dict[str, Any]] = {
            "drop": {"drop": True},
            "hang": {"hang": True},
            "garbage": {"garbage": True},
            "no_usage": {"usage": None},
            "slow": {"delay_s": self.seconds},
            "drip": {"drip_s": self.seconds},
        }
        return replace(reply, **changes[kind])


class ModelServer:
    """Serves `script` on a free port of 127.0.0.1 from threads of this process, until closed.

    `models` restricts the model names that are known, `api_key` the key that is accepted; `response_model` is the name
    that answers bear, by default the requested one; `latency_s` is waited before every answer.
    """

    def __init__(
        self,
        script: Script = default_script,
        *,
        port: int = 0,
        models: set[str] | None = None,
        api_key: str | None = None,
        response_model: str | None = None,
        usage_details: bool = True,
        latency_s: float = 0.0,
    ) -> None:
        self.script, self.models, self.api_key = script, models, api_key
        self.response_model, self.usage_details, self.latency_s = response_model, usage_details, latency_s
        self.faults: list[Fault] = []
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._entries: list[Entry] = []
        self._sequence = itertools.count(1)
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._accept, daemon=True, name="model-server")
        self._thread.start()

    def __enter__(self) -> ModelServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, end every hang and close every connection."""
        self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._closing.set()
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _shut(connection)
        self._thread.join(timeout=5)

    def ledger(self) -> list[Entry]:
        """Every call so far, in the order they were answered."""
        with self._lock:
            return list(self._entries)

    def totals(self, test: str | None = None) -> dict[str, int]:
        """Sums over the calls that were answered with usage, of one test or of all."""
        entries = [e for e in self.ledger() if e.status == 200 and (test is None or e.test == test)]
        sums = {n: sum(getattr(e, n) or 0 for e in entries) for n in ("input", "output", "cached", "reasoning")}
        return {"calls": len(entries), **sums}

    def add_fault(self, kind: int | str, **rule: Any) -> Fault:
        """Spoil calls from now on: see Fault."""
        fault = Fault(kind, **rule)
        self.faults.append(fault)
        return fault

    def reset(self) -> None:
        """Forget the ledger and all faults."""
        with self._lock:
            self._entries.clear()
            self.faults.clear()

    def wait_until_idle(self) -> None:
        """Wait until every client has gone and what they asked for is in the ledger. Raises TimeoutError."""
        until = time.monotonic() + 30
        quiet = 0
        while quiet < 3:  # a connection that is waiting to be accepted is not in the set yet
            with self._lock:
                quiet = 0 if self._connections else quiet + 1
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._connections)} connections are still open")
            time.sleep(0.005)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name="model-server-call").start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as stream:
                while (received := read_request(stream)) is not None:
                    if not self._answer(connection, *received):
                        return
        except OSError:
            return  # the client has gone: there is nobody to answer
        finally:
            with self._lock:
                self._connections.discard(connection)
            _shut(connection)
            connection.close()

    def _answer(self, connection: socket.socket, verb: str, path: str, headers: dict[str, str], body: bytes) -> bool:
        if verb == "POST" and path.endswith("/chat/completions"):
            try:
                request = orjson.loads(body)
            except orjson.JSONDecodeError as error:
                connection.sendall(http_response(400, dump({"error": {"message": f"not JSON: {error}"}})))
                return True
            return self._chat(connection, headers, request)
        payload: Any = {"error": {"message": f"no such path: {path}"}}
        status = 404
        if verb == "GET" and path == "/ledger":
            status, payload = 200, [asdict(entry) for entry in self.ledger()]
        elif verb == "GET" and path.endswith("/models"):
            known = [{"id": name, "object": "model", "owned_by": "tests"} for name in sorted(self.models or {"test"})]
            status, payload = 200, {"object": "list", "data": known}
        elif verb == "POST" and path == "/faults":
            self.faults.extend(Fault(**rule) for rule in orjson.loads(body))
            status, payload = 200, {"faults": len(self.faults)}
        elif verb == "POST" and path == "/reset":
            self.reset()
            status, payload = 200, {}
        connection.sendall(http_response(status, dump(payload)))
        return True

    def _chat(self, connection: socket.socket, headers: dict[str, str], request: dict[str, Any]) -> bool:
        index, marks, streamed = call_index(request), markers(request), bool(request.get("stream"))
        reply = self._decide(headers, request, index, marks.get("test"))
        usage = reply.usage
        if usage is AUTO or usage == AUTO:
            usage = count_usage(request, reply, index, self.usage_details)
        entry = self._record(request, reply, index, marks.get("test"), usage)
        if (wait := self.latency_s + reply.delay_s) > 0:
            self._closing.wait(wait)
        if reply.hang:
            self._closing.wait(300)
            return False
        if reply.drop and not streamed:
            return False
        if reply.status != 200 or reply.garbage:
            message = reply.error or f"status {reply.status}"
            body = b"<html>not JSON" if reply.garbage else dump({"error": {"message": message}})
            connection.sendall(http_response(reply.status, body, reply.headers))
            return True
        base = {"id": entry.response_id, "created": int(entry.time), "model": reply.model or self._model_name(request)}
        if streamed:
            return self._stream(connection, list(stream_chunks(request, reply, base, usage)), reply)
        body = dump(completion(request, reply, base, usage))
        return self._send_whole(connection, body, reply)

    def _decide(self, headers: dict[str, str], request: dict[str, Any], index: int, test: str | None) -> Reply:
        model = request.get("model", "")
        if self.api_key is not None and headers.get("authorization") != f"Bearer {self.api_key}":
            return Reply(status=401, error="Incorrect API key provided")
        if self.models is not None and model not in self.models:
            return Reply(status=404, error=f"The model `{model}` does not exist")
        reply = self.script(request, index)
        with self._lock:
            firing = [fault for fault in self.faults if fault.fires(test, model)]
        for fault in firing:
            reply = fault.spoil(reply)
        return reply

    def _model_name(self, request: dict[str, Any]) -> str:
        return self.response_model or str(request.get("model"))

    def _record(self, request: dict[str, Any], reply: Reply, index: int, test: str | None, usage: Any) -> Entry:
        served = reply.status == 200 and not (reply.hang or reply.drop or reply.garbage)
        counts = usage if served and usage else {}
        with self._lock:
            sequence = next(self._sequence)
            entry = Entry(
                sequence=sequence,
                time=time.time(),
                conversation=hashlib.sha256(first_user_text(request).encode("utf-8", "replace")).hexdigest()[:16],
                test=test,
                agent=agent_kind(request),
                model=str(request.get("model")),
                call_index=index,
                input=counts.get("prompt_tokens"),
                output=counts.get("completion_tokens"),
                cached=(counts.get("prompt_tokens_details") or {}).get("cached_tokens"),
                reasoning=(counts.get("completion_tokens_details") or {}).get("reasoning_tokens"),
                response_id=f"chatcmpl-{self.port}-{sequence:08d}",
                streamed=bool(request.get("stream")),
                status=0 if reply.hang or reply.drop else reply.status,
            )
            self._entries.append(entry)
        return entry

    def _send_whole(self, connection: socket.socket, body: bytes, reply: Reply) -> bool:
        data = http_response(200, body, reply.headers)
        if not reply.drip_s:
            connection.sendall(data)
            return True
        for start in range(0, len(data), 400):
            self._closing.wait(reply.drip_s)
            connection.sendall(data[start : start + 400])
        return True

    def _stream(self, connection: socket.socket, chunks: list[bytes], reply: Reply) -> bool:
        extra = "".join(f"{k}: {v}\r\n" for k, v in reply.headers.items())
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n{extra}\r\n"
        if reply.drop:
            connection.sendall(head.encode() + b"".join(chunks[: len(chunks) // 2]))
            return False
        if not reply.drip_s:
            connection.sendall(head.encode() + b"".join(chunks) + b"0\r\n\r\n")
            return True
        connection.sendall(head.encode())
        for chunk in chunks:
            self._closing.wait(reply.drip_s)
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")
        return True


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already closed by the other side


def main() -> None:
    parser = argparse.ArgumentParser(description="Scripted OpenAI-compatible model server; prints its URL.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--plain-usage", action="store_true", help="no cached or reasoning tokens")
    options = parser.parse_args()
    with ModelServer(port=options.port, latency_s=options.latency, usage_details=not options.plain_usage) as server:
        print(server.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
