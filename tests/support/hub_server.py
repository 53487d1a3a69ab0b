"""A small Hugging Face Hub over real HTTP, in memory: what `datasets` and `huggingface_hub` ask of it.

    with HubServer(users={"hf_secret": "ann"}) as hub:
        hub.put("ann/tasks", {"data/train.jsonl": b"…"}, private=True)
        HfApi(endpoint=hub.url, token="hf_secret").create_commit(...)
        assert hub.files("ann/tasks")["README.md"]

`hub.fail("commit", 503)` makes the next commit answer 503; `fail("commit", LOST)` does the work and then cuts the
connection; `fail("commit", DROPPED)` cuts it before. ROUTES names what a request is for. Clients need
HF_HUB_DISABLE_XET=1.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

LOST = "lost"
DROPPED = "dropped"

_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"
ROUTES = {
    "whoami": ("GET", r"/api/whoami-v2"),
    "create": ("POST", r"/api/repos/create"),
    "validate": ("POST", r"/api/validate-yaml"),
    "preupload": ("POST", rf"/api/datasets/{_REPO}/preupload/(?P<revision>[^/]+)"),
    "batch": ("POST", rf"/datasets/{_REPO}\.git/info/lfs/objects/batch"),
    "upload": ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})"),
    "commit": ("POST", rf"/api/datasets/{_REPO}/commit/(?P<revision>[^/]+)"),
    "refs": ("GET", rf"/api/datasets/{_REPO}/refs"),
    "tree": ("GET", rf"/api/datasets/{_REPO}/tree/(?P<revision>[^/]+)(/(?P<path>.*))?"),
    "paths": ("POST", rf"/api/datasets/{_REPO}/paths-info/(?P<revision>[^/]+)"),
    "info": ("GET", rf"/api/datasets/{_REPO}(/revision/(?P<revision>[^/]+))?"),
    "resolve": ("GET", rf"/datasets/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)"),
}


@dataclass
class Commit:
    oid: str
    message: str
    files: dict[str, bytes]


@dataclass
class Repo:
    private: bool
    gated: bool = False
    commits: list[Commit] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str | None) -> Commit | None:
        if revision in (None, "main"):
            return self.head
        oid = self.refs.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == oid), None)

    def add(self, message: str, files: Mapping[str, bytes]) -> Commit:
        text = f"{len(self.commits)} {message} {sorted(files)}".encode()
        self.commits.append(Commit(hashlib.sha1(text).hexdigest(), message, dict(files)))
        return self.head


class _AnswerError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message or code)
        self.status, self.code, self.message = status, code, message or code


class HubServer:
    """`users`: account names by token. `counts`: requests of each route; `failed`: those that failed on demand."""

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self.users = dict(users or {})
        self.repos: dict[str, Repo] = {}
        self.counts: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._blobs: dict[str, bytes] = {}
        self._failures: dict[str, list[int | str]] = {}
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, name: str, files: Mapping[str, bytes], *, private: bool = False, gated: bool = False) -> str:
        """Commit these files to a dataset, which is made when it is not there; the commit's id."""
        with self._lock:
            repo = self.repos.setdefault(name, Repo(private, gated, [Commit("0" * 40, "initial commit", {})]))
            return repo.add("put", {**repo.head.files, **files}).oid

    def files(self, name: str) -> dict[str, bytes]:
        return dict(self.repos[name].head.files)

    def fail(self, route: str, *how: int | str) -> None:
        """Let the next requests of a route fail, one for each status, LOST or DROPPED given."""
        assert route in ROUTES
        with self._lock:
            self._failures.setdefault(route, []).extend(how)

    def _next_failure(self, route: str) -> int | str | None:
        with self._lock:
            self.counts[route] += 1
            waiting = self._failures.get(route)
            if not waiting:
                return None
            self.failed[route] += 1
            return waiting.pop(0)

    # What follows answers one route each: from the user, the parts of the path and the body to JSON or a file.

    def whoami(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        if user is None:
            raise _AnswerError(401, message="Invalid credentials in Authorization header")
        return {"type": "user", "name": user, "orgs": [], "auth": {"accessToken": {"role": "write"}}}

    def create(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        asked = json.loads(body)
        owner = asked.get("organization") or user
        if user is None or owner != user:
            raise _AnswerError(403, message=f"You don't have the rights to create a repo under {owner}")
        name = f"{owner}/{asked['name']}"
        answer = {"url": f"{self.url}/datasets/{name}", "name": name, "id": name}
        if name in self.repos:
            raise _ConflictError(answer)
        private = asked.get("private", asked.get("visibility") == "private")
        self.repos[name] = Repo(bool(private), commits=[Commit("0" * 40, "initial commit", {})])
        return answer

    def validate(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        content = json.loads(body)["content"]
        try:
            front = yaml.safe_load(content.split("---\n")[1]) if content.startswith("---\n") else {}
        except yaml.YAMLError as error:
            raise _AnswerError(400, message=str(error)) from error
        return {"errors": [], "warnings": [] if isinstance(front, dict) else [{"message": "no metadata"}]}

    def preupload(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        repo = self._writable(user, parts["repo"])
        files = []
        for asked in json.loads(body)["files"]:
            path = asked["path"]
            there = repo.head.files.get(path)
            large = path.endswith((".parquet", ".arrow")) or asked["size"] > 10_000_000
            oid = None if there is None else hashlib.sha256(there).hexdigest() if large else _git_oid(there)
            mode = "lfs" if large else "regular"
            files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return {"files": files}

    def batch(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        self._writable(user, parts["repo"])
        objects = []
        for asked in json.loads(body)["objects"]:
            oid = asked["oid"]
            upload = {"upload": {"href": f"{self.url}/lfs/{oid}", "header": {}}}
            objects.append({**asked, **({} if oid in self._blobs else {"actions": upload})})
        return {"transfer": "basic", "objects": objects}

    def upload(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        if hashlib.sha256(body).hexdigest() != parts["oid"]:
            raise _AnswerError(400, message="the content has another checksum")
        self._blobs[parts["oid"]] = body
        return {}

    def commit(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        repo = self._writable(user, parts["repo"])
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit") not in (None, repo.head.oid):
            raise _AnswerError(412, message="A commit has happened since. Please refresh and try again.")
        files = dict(repo.head.files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self._blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        made = repo.add(header["summary"], files)
        return {
            "success": True,
            "commitOid": made.oid,
            "commitUrl": f"{self.url}/datasets/{parts['repo']}/commit/{made.oid}",
        }

    def refs(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        repo = self._readable(user, parts["repo"])
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head.oid}
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in repo.refs.items()]
        return {"branches": [main], "converts": [], "tags": tags}

    def tree(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        folder = (parts.get("path") or "").strip("/")
        entries = _entries(commit)
        inside = [entry for entry in entries if entry["path"].startswith(f"{folder}/" if folder else "")]
        if folder and not inside:
            raise _AnswerError(404, "EntryNotFound")
        return inside

    def paths(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        wanted = json.loads(body)["paths"]
        return [entry for entry in _entries(commit) if entry["path"] in wanted]

    def info(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        repo = self.repos[parts["repo"]]
        siblings = [{"rfilename": path} for path in sorted(commit.files)]
        return {
            "_id": "0",
            "id": parts["repo"],
            "author": parts["repo"].split("/")[0],
            "sha": commit.oid,
            "private": repo.private,
            "gated": repo.gated,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "siblings": siblings,
        }

    def resolve(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        content = commit.files.get(parts["path"])
        if content is None:
            raise _AnswerError(404, "EntryNotFound", "Entry not found")
        return commit.oid, content

    def _readable(self, user: str | None, name: str) -> Repo:
        repo = self.repos.get(name)
        if repo is None or (repo.private and name.split("/")[0] != user):
            raise _AnswerError(401 if user is None else 404, "RepoNotFound", "Repository not found")
        return repo

    def _writable(self, user: str | None, name: str) -> Repo:
        repo = self._readable(user, name)
        if name.split("/")[0] != user:
            raise _AnswerError(403, message="You don't have write access to this repository")
        return repo

    def _commit(self, user: str | None, parts: dict[str, str]) -> Commit:
        repo = self._readable(user, parts["repo"])
        if repo.gated and user is None:
            raise _AnswerError(401, "GatedRepo", "Access to this dataset is restricted")
        commit = repo.at(parts.get("revision"))
        if commit is None:
            raise _AnswerError(404, "RevisionNotFound", "Invalid rev id")
        return commit


class _ConflictError(Exception):
    def __init__(self, answer: dict[str, str]) -> None:
        super().__init__("there already")
        self.answer = answer


def _entries(commit: Commit) -> list[dict[str, Any]]:
    folders = {path.rsplit("/", depth)[0] for path in commit.files for depth in range(1, path.count("/") + 1)}
    entries: list[dict[str, Any]] = [{"type": "directory", "path": path, "oid": "0" * 40} for path in sorted(folders)]
    for path, content in sorted(commit.files.items()):
        entries.append({"type": "file", "path": path, "size": len(content), "oid": _git_oid(content)})
    return entries


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is its own."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def _answer(self, method: str) -> None:
        body = b"".join(self._body())
        route, parts = self._route(method)
        if route is None:
            self._send(404, {"error": f"no such route: {self.command} {self.path}"})
            return
        failure = self.hub._next_failure(route)
        if failure == DROPPED:
            self._cut()
        elif isinstance(failure, int):
            self._send(failure, {"error": "made to fail"})
        elif failure == LOST:
            self._work(route, parts, body)
            self._cut()
        else:
            self._send(*self._work(route, parts, body))

    def _body(self) -> Iterator[bytes]:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _route(self, method: str) -> tuple[str | None, dict[str, str]]:
        path = urlsplit(self.path).path
        for route, (verb, pattern) in ROUTES.items():
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                return route, {name: unquote(part) for name, part in found.groupdict().items() if part is not None}
        return None, {}

    def _work(self, route: str, parts: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            with self.hub._lock:
                return 200, getattr(self.hub, route)(self.hub.users.get(token), parts, body), {}
        except _ConflictError as conflict:
            return 409, conflict.answer, {}
        except _AnswerError as answer:
            headers = {"X-Error-Code": answer.code, "X-Error-Message": answer.message}
            return answer.status, {"error": answer.message}, {name: text for name, text in headers.items() if text}

    def _send(self, status: int, answer: Any, headers: Mapping[str, str] | None = None) -> None:
        extra = dict(headers or {})
        if isinstance(answer, tuple):
            oid, content = answer
            extra |= {"X-Repo-Commit": oid, "ETag": f'"{_git_oid(content)}"', "Accept-Ranges": "bytes"}
            status, content = self._ranged(content, extra)
        else:
            content = json.dumps(answer).encode()
            extra["Content-Type"] = "application/json"
        self.send_response(status)
        for name, text in {**extra, "Content-Length": str(len(content))}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _ranged(self, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return 200, content
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        return 206, content[start : end + 1]

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
