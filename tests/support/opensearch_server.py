"""A small OpenSearch over real HTTP, in memory: what publishing asks of it, and stricter than the real one.

    with OpenSearchServer(user="ada", password="secret") as server:
        ...
        assert server.count("smoltrace-results") == 2

`server.fail("bulk", 503)` makes the next bulk request answer 503; `LOST` does the work and then cuts the connection;
`DROPPED` cuts it before. `server.busy = 3` has the next three items answer 429. ROUTES names what a request is for.
Documents have to fit the mapping, and each of their fields has to be in it. With `keep=False` only keys are kept.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LOST = "lost"
DROPPED = "dropped"

ROUTES = {
    "info": ("GET", r"/"),
    "exists": ("HEAD", r"/(?P<index>[^/_][^/]*)"),
    "create": ("PUT", r"/(?P<index>[^/_][^/]*)"),
    "mapping": ("GET", r"/(?P<index>[^/_][^/]*)/_mapping"),
    "put_mapping": ("PUT", r"/(?P<index>[^/_][^/]*)/_mapping"),
    "bulk": ("POST", r"/(?P<index>[^/_][^/]*)/_bulk"),
    "count": ("GET", r"/(?P<index>[^/_][^/]*)/_count"),
    "refresh": ("POST", r"/(?P<index>[^/_][^/]*)/_refresh"),
}
_TERM = 32_766
_TYPES = {"keyword", "text", "long", "double", "boolean", "date", "flat_object"}


class _AnswerError(Exception):
    """An answer other than 200, in the words of OpenSearch."""

    def __init__(self, status: int, kind: str = "", reason: str = "") -> None:
        super().__init__(reason or kind)
        self.status, self.kind, self.reason = status, kind, reason

    @property
    def body(self) -> dict[str, Any]:
        cause = {"type": self.kind, "reason": self.reason}
        return {"error": {"root_cause": [cause], **cause}, "status": self.status}


class OpenSearchServer:
    """`counts`: requests of each route; `failed`: those that failed on demand; `bodies`: of all bulk requests."""

    def __init__(
        self, *, user: str | None = None, password: str = "", api_key: str | None = None, keep: bool = True
    ) -> None:
        self.known = {f"ApiKey {api_key}"} if api_key else set()
        if user is not None:
            self.known.add("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
        self.info: Any = {
            "cluster_name": "small",
            "version": {"distribution": "opensearch", "number": "2.19.3"},
            "tagline": "The OpenSearch Project: https://opensearch.org/",
        }
        self.mappings: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.versions: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.largest = 0
        self.busy = 0
        self.busy_status = 429
        self.refused: dict[str, str] = {}
        self.limit: int | None = None
        self._keep = keep
        self._failures: dict[str, list[int | str]] = {}
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"search": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> OpenSearchServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, route: str, *how: int | str) -> None:
        """Have the next requests of this route fail, one in each of these ways."""
        with self._lock:
            self._failures.setdefault(route, []).extend(how)

    def count(self, index: str) -> int:
        return len(self.documents[index])

    def sent(self) -> bytes:
        return b"".join(self.bodies)

    def next_failure(self, route: str) -> int | str | None:
        with self._lock:
            self.counts[route] += 1
            waiting = self._failures.get(route)
            if not waiting:
                return None
            self.failed[route] += 1
            return waiting.pop(0)

    def work(self, route: str, index: str, body: bytes, content_type: str) -> Any:
        if route == "info":
            return self.info
        with self._lock:
            if route == "create":
                return self._create(index, json.loads(body, object_pairs_hook=_once))
            if index not in self.mappings:
                raise _AnswerError(404, "index_not_found_exception", f"no such index [{index}]")
            if route == "mapping":
                return {index: {"mappings": self.mappings[index]}}
            if route == "put_mapping":
                _merge(self.mappings[index]["properties"], json.loads(body)["properties"], "")
                return {"acknowledged": True}
            if route == "bulk":
                assert content_type.startswith(("application/json", "application/x-ndjson")), content_type
                return self._bulk(index, body)
            return {"count": self.count(index)} if route == "count" else {}

    def _create(self, index: str, body: dict[str, Any]) -> Any:
        if index in self.mappings:
            raise _AnswerError(400, "resource_already_exists_exception", f"index [{index}/abc] already exists")
        if index != index.lower() or re.search(r'[ ,:"*+/\\|?#><]', index) or index[0] in "-_+" or len(index) > 255:
            raise _AnswerError(400, "invalid_index_name_exception", f"Invalid index name [{index}]")
        mapping: dict[str, Any] = {"dynamic": body["mappings"].get("dynamic", True), "properties": {}}
        _merge(mapping["properties"], body["mappings"]["properties"], "")
        self.mappings[index], self.documents[index] = mapping, {}
        return {"acknowledged": True, "index": index}

    def _bulk(self, index: str, body: bytes) -> Any:
        if self.limit is not None and len(body) > self.limit:
            raise _AnswerError(413)
        self.largest = max(self.largest, len(body))
        if self._keep:
            self.bodies.append(body)
        assert body.endswith(b"\n"), "a bulk request ends with a newline"
        lines = body[:-1].split(b"\n")
        assert len(lines) % 2 == 0, "an action and a document each"
        items, seen = [], set()
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            (kind, about), *more = json.loads(action).items()
            assert (kind, list(about), more) == ("index", ["_id"], [])
            assert len(about["_id"].encode()) <= 512 and about["_id"] not in seen, about
            seen.add(about["_id"])
            items.append({"index": {"_index": index, "_id": about["_id"], **self._item(index, about["_id"], source)}})
        return {"took": 1, "errors": any(item["index"]["status"] >= 300 for item in items), "items": items}

    def _item(self, index: str, key: str, source: bytes) -> dict[str, Any]:
        if self.busy:
            self.busy -= 1
            error = {"type": "rejected_execution_exception", "reason": "rejected execution of coordinating operation"}
            return {"status": self.busy_status, "error": error}
        try:
            if key in self.refused:
                raise _AnswerError(400, "mapper_parsing_exception", self.refused[key])
            document = json.loads(source, object_pairs_hook=_once) if self._keep else {}
            fit(self.mappings[index]["properties"], document)
        except _AnswerError as error:
            return {"status": error.status, "error": {"type": error.kind, "reason": error.reason}}
        made = key not in self.documents[index]
        self.documents[index][key] = document if self._keep else None
        self.versions[f"{index}/{key}" if self._keep else index] += 1
        return {"status": 201 if made else 200, "result": "created" if made else "updated"}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a name stands twice: {[name for name, _ in pairs]}"
    return found


def _merge(there: dict[str, Any], new: dict[str, Any], above: str) -> None:
    """Add fields to a mapping, as OpenSearch does: what is there keeps its type."""
    for name, field in new.items():
        path = f"{above}{name}"
        assert name and "." not in name, f"{path}: our mappings spell objects out"
        present = there.get(name)
        if "properties" in field:
            if present is not None and "properties" not in present:
                reason = f"can't merge a non object mapping [{path}] with an object mapping"
                raise _AnswerError(400, "illegal_argument_exception", reason)
            _merge(there.setdefault(name, {"properties": {}})["properties"], field["properties"], f"{path}.")
            continue
        kind = field["type"]
        assert kind in _TYPES or (kind, field["enabled"]) == ("object", False), field
        assert field.get("ignore_above", _TERM) * 4 <= _TERM or kind != "keyword", f"{path}: a long text is refused"
        if present is not None and present != field:
            reason = f"mapper [{path}] cannot be changed from type [{present.get('type', 'object')}] to [{kind}]"
            raise _AnswerError(400, "illegal_argument_exception", reason)
        there[name] = field


def fit(properties: dict[str, Any], document: Any, above: str = "") -> None:
    """Raises what a document is refused with that does not fit."""
    for name, value in document.items():
        fields, path = properties, f"{above}{name}"
        *objects, last = name.split(".")
        for part in objects:
            if "properties" not in fields.get(part, {}):
                raise _refusal(path, "is no object in the mapping")
            fields = fields[part]["properties"]
        if last not in fields:
            raise _refusal(path, "is not in the mapping")
        _fit_field(fields[last], value, path)


def _fit_field(field: dict[str, Any], value: Any, path: str) -> None:
    if field.get("enabled") is False or value is None:
        return
    if isinstance(value, list) and field.get("type") != "flat_object":
        for item in value:
            _fit_field(field, item, path)
        return
    if "properties" in field:
        if not isinstance(value, dict):
            raise _refusal(path, "tried to parse field as object, but found a concrete value")
        fit(field["properties"], value, f"{path}.")
        return
    kind = field["type"]
    if not _FITS[kind](value):
        raise _refusal(path, f"failed to parse field of type [{kind}]. Preview of field's value: '{value}'")
    if kind == "keyword" and "ignore_above" not in field and len(value.encode()) > _TERM:
        raise _refusal(path, "Document contains at least one immense term")


def _refusal(path: str, reason: str) -> _AnswerError:
    return _AnswerError(400, "mapper_parsing_exception", f"[{path}] {reason}")


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_flat(value: Any) -> bool:
    """What a flat object takes in every version: no null, no list, no object within, and no long term."""
    return isinstance(value, dict) and all(
        name and isinstance(item, str | int | float) and len(f"{name}={item}".encode()) < _TERM - 100
        for name, item in value.items()
    )


_FITS = {
    "keyword": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str),
    "long": lambda value: type(value) is int and -(2**63) <= value < 2**63,
    "double": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "date": _is_date,
    "flat_object": _is_flat,
}


class _Handler(BaseHTTPRequestHandler):
    search: OpenSearchServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        for route, (method, pattern) in ROUTES.items():
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                self._answer_to(route, match.groupdict().get("index") or "", body)
                return
        self._send(405, {"error": f"no handler for {self.command} {path}", "status": 405})

    do_GET = do_HEAD = do_PUT = do_POST = _serve

    def _answer_to(self, route: str, index: str, body: bytes) -> None:
        if self.search.known and self.headers.get("Authorization") not in self.search.known:
            self._send(401, None, text="Unauthorized")
            return
        how = self.search.next_failure(route)
        if how == DROPPED:
            self._cut()
            return
        try:
            if isinstance(how, int):
                raise _AnswerError(how, "injected_exception", f"injected {how}")
            found = self.search.work(route, index, body, self.headers.get("Content-Type") or "")
        except _AnswerError as error:
            self._send(error.status, error.body)
            return
        except AssertionError as error:
            self._send(400, _AnswerError(400, "assertion", str(error)).body)
            return
        if how == LOST:
            self._cut()
        else:
            self._send(200, found)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, document: Any, text: str = "") -> None:
        answer = text.encode() if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if document is None else "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print what they mean to."""
