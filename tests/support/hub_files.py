"""What a Hub keeps: repositories, their commits, and the ids that git and its large file storage give to files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NEW_SPACE = {
    ".gitattributes": b"*.gz filter=lfs",
    "README.md": b"---\ntitle: x\nsdk: static\n---\n",
    "index.html": b"<p>Welcome to your static Space!</p>",
    "style.css": b"p {}",
}
"""What the Hub puts into a static Space when it is made."""


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
    created: str = "2026-01-01T00:00:00.000Z"

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


class Forgotten(bytes):
    """A file of which only size and checksum are kept."""

    size: int
    sha256: str


def owner_of(name: str) -> str:
    return name.removeprefix("spaces/").split("/")[0]


def is_large(path: str) -> bool:
    return path.endswith((".parquet", ".arrow", ".gz"))


def entries_of(commit: Commit) -> list[dict[str, Any]]:
    folders = {path.rsplit("/", depth)[0] for path in commit.files for depth in range(1, path.count("/") + 1)}
    entries: list[dict[str, Any]] = [{"type": "directory", "path": path, "oid": "0" * 40} for path in sorted(folders)]
    for path, content in sorted(commit.files.items()):
        size = content.size if isinstance(content, Forgotten) else len(content)
        entry = {"type": "file", "path": path, "size": size, "oid": git_oid(content)}
        if is_large(path):
            entry["lfs"] = {"oid": sha256_of(content), "size": size, "pointerSize": 134}
        entries.append(entry)
    return entries


def sha256_of(content: bytes) -> str:
    return content.sha256 if isinstance(content, Forgotten) else hashlib.sha256(content).hexdigest()


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
