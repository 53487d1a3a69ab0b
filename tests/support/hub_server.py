"""A small Hugging Face Hub over real HTTP, in memory: what `datasets` and `huggingface_hub` ask of it.

    with HubServer(users={"hf_secret": "ann"}) as hub:
        hub.put("ann/tasks", {"data/train.jsonl": b"…"}, private=True)
        HfApi(endpoint=hub.url, token="hf_secret").create_commit(...)
        assert hub.files("ann/tasks")["README.md"]

`hub.fail("commit", 503)` makes the next commit answer 503, and `(429, {"Retry-After": "1"})` with headers;
`fail("commit", LOST)` does the work and then cuts the connection; `fail("commit", DROPPED)` cuts it before. ROUTES
names what a request is for. Clients need HF_HUB_DISABLE_XET=1.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from support import hub_jobs
from support.hub_files import NEW_SPACE, Commit, Forgotten, Repo, entries_of, git_oid, is_large, owner_of, sha256_of
from support.hub_jobs import HubJobs, Stream, tags_of

LOST = "lost"
DROPPED = "dropped"
Failure = int | str | tuple[int, dict[str, str]]

_KIND = r"(?P<kind>datasets|spaces)"
_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"
ROUTES = {
    "whoami": ("GET", r"/api/whoami-v2"),
    "create": ("POST", r"/api/repos/create"),
    "validate": ("POST", r"/api/validate-yaml"),
    "preupload": ("POST", rf"/api/{_KIND}/{_REPO}/preupload/(?P<revision>[^/]+)"),
    "batch": ("POST", rf"/{_KIND}/{_REPO}\.git/info/lfs/objects/batch"),
    "upload": ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})"),
    "commit": ("POST", rf"/api/{_KIND}/{_REPO}/commit/(?P<revision>[^/]+)"),
    "refs": ("GET", rf"/api/{_KIND}/{_REPO}/refs"),
    "tree": ("GET", rf"/api/{_KIND}/{_REPO}/tree/(?P<revision>[^/]+)(/(?P<path>.*))?"),
    "paths": ("POST", rf"/api/{_KIND}/{_REPO}/paths-info/(?P<revision>[^/]+)"),
    "info": ("GET", rf"/api/{_KIND}/{_REPO}(/revision/(?P<revision>[^/]+))?"),
    **hub_jobs.ROUTES,
    "commits": ("GET", rf"/api/{_KIND}/{_REPO}/commits/(?P<revision>[^/]+)"),
    "resolve": ("GET", rf"/{_KIND}/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)"),
}


class _AnswerError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message or code)
        self.status, self.code, self.message = status, code, message or code


class HubServer(HubJobs):
    """`users`: account names by token; `organisations`: those of an account. A Space is called "spaces/owner/name".

    `bodies`: the route and the body of each request that had one, with `keeps_bodies`. `forgets`: of an uploaded file
    that is larger only size and checksum are kept. `counts`: requests of each route; `failed`: those that failed on
    demand."""

    keeps_bodies = False
    forgets: int | None = None

    def __init__(
        self, users: Mapping[str, str] | None = None, *, organisations: Mapping[str, list[str]] | None = None
    ) -> None:
        super().__init__()
        self.users = dict(users or {})
        self.organisations = dict(organisations or {})
        self.bodies: list[tuple[str, bytes]] = []
        self.repos: dict[str, Repo] = {}
        self.counts: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._blobs: dict[str, bytes] = {}
        self._failures: dict[str, list[Failure]] = {}
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

    def fail(self, route: str, *how: Failure) -> None:
        """Let the next requests of a route fail, one for each status, LOST or DROPPED given."""
        assert route in ROUTES
        with self._lock:
            self._failures.setdefault(route, []).extend(how)

    def _next_failure(self, route: str) -> Failure | None:
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
        orgs = [{"type": "org", "name": name} for name in self.organisations.get(user, [])]
        return {"type": "user", "name": user, "orgs": orgs, "auth": {"accessToken": {"role": "write"}}}

    def create(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        asked = json.loads(body)
        owner = asked.get("organization") or user
        if user is None or not self._owns(user, str(owner)):
            raise _AnswerError(403, message=f"You don't have the rights to create a repo under {owner}")
        kind, name = f"{asked.get('type') or 'model'}s", f"{owner}/{asked['name']}"
        answer = {"url": f"{self.url}/{kind}/{name}", "name": name, "id": name}
        name = name if kind == "datasets" else f"{kind}/{name}"
        if name in self.repos:
            raise _ConflictError(answer)
        private = asked.get("private", asked.get("visibility") == "private")
        files = NEW_SPACE if kind == "spaces" else {}
        self.repos[name] = Repo(bool(private), commits=[Commit("0" * 40, "initial commit", dict(files))])
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
            large = is_large(path) or asked["size"] > 10_000_000
            oid = None if there is None else sha256_of(there) if large else git_oid(there)
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
        if self.forgets is not None and len(body) > self.forgets:
            size, body = len(body), Forgotten()
            body.size, body.sha256 = size, parts["oid"]
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
            "commitUrl": f"{self.url}/{parts['kind']}/{parts['repo'].removeprefix('spaces/')}/commit/{made.oid}",
        }

    def refs(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        repo = self._readable(user, parts["repo"])
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head.oid}
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in repo.refs.items()]
        return {"branches": [main], "converts": [], "tags": tags}

    def commits(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        made = self._readable(user, parts["repo"]).commits
        when = "2026-01-01T00:00:00.000Z"
        return [
            {"id": commit.oid, "title": commit.message, "message": "", "date": when, "authors": []}
            for commit in reversed(made)
        ]

    def tree(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        folder = (parts.get("path") or "").strip("/")
        entries = entries_of(commit)
        inside = [entry for entry in entries if entry["path"].startswith(f"{folder}/" if folder else "")]
        if folder and not inside:
            raise _AnswerError(404, "EntryNotFound")
        return inside

    def paths(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        wanted = json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode())["paths"]
        return [entry for entry in entries_of(commit) if entry["path"] in wanted]

    def info(self, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        commit = self._commit(user, parts)
        repo, name = self.repos[parts["repo"]], parts["repo"].removeprefix("spaces/")
        siblings = [{"rfilename": path, "size": len(commit.files[path])} for path in sorted(commit.files)]
        return {
            "_id": "0",
            "id": name,
            "author": name.split("/")[0],
            "sha": commit.oid,
            "private": repo.private,
            "gated": repo.gated,
            "disabled": False,
            "tags": tags_of(commit.files.get("README.md", b"")),
            "createdAt": repo.created,
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
        if repo is None or (repo.private and not self._owns(user, owner_of(name))):
            raise _AnswerError(401 if user is None else 404, "RepoNotFound", "Repository not found")
        return repo

    def _owns(self, user: str | None, owner: str) -> bool:
        return user is not None and (owner == user or owner in self.organisations.get(user, []))

    def _writable(self, user: str | None, name: str) -> Repo:
        repo = self._readable(user, name)
        if not self._owns(user, owner_of(name)):
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


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer in two packets waits 40 ms for the first one's receipt

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

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        body = b"".join(self._body())
        route, parts = self._route(method)
        if route is None:
            self._send(404, {"error": f"no such route: {self.command} {self.path}"})
            return
        if self.hub.keeps_bodies and body:
            self.hub.bodies.append((route, body))
        failure = self.hub._next_failure(route)
        if failure == DROPPED:
            self._cut()
        elif isinstance(failure, int):
            self._send(failure, {"error": "made to fail"})
        elif isinstance(failure, tuple):
            self._send(failure[0], {"error": "made to fail"}, failure[1])
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
                parts = {name: unquote(part) for name, part in found.groupdict().items() if part is not None}
                if parts.get("kind") == "spaces":
                    parts["repo"] = f"spaces/{parts['repo']}"
                return route, {**parts, "query": urlsplit(self.path).query}
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
            extra |= {"X-Repo-Commit": oid, "ETag": f'"{git_oid(content)}"', "Accept-Ranges": "bytes"}
            status, content = self._ranged(content, extra)
        elif isinstance(answer, Stream):
            content, extra["Content-Type"] = answer, "text/event-stream"
            # A promise of more than comes, and the end of the connection: it broke.
            extra["Content-Length"] = str(len(answer) + (not answer.whole))
            self.close_connection = self.close_connection or not answer.whole
        else:
            content = json.dumps(answer).encode()
            extra["Content-Type"] = "application/json"
        self.send_response(status)
        for name, text in {"Content-Length": str(len(content)), **extra}.items():
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
