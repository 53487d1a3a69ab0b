"""A repository of the Hub, changed by one commit at a time, which is made only when it changes something."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from smoltrace.publish.hub.asking import persist
from smoltrace.publish.retry import Retry

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CARD: Final = "README.md"
LARGE: Final = 16 << 20
"""Files of this size, in bytes, are sent one by one before the commit, so that there is something to tell meanwhile."""
_PIECE: Final = 1 << 20
_PATHS: Final = 200
"""So many paths are asked for in one request."""

Content: TypeAlias = Path | bytes
Told: TypeAlias = Callable[[int], None]
"""Is told of bytes that need not be sent any more."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to stand in a repository: content by path. `guarded`: it is only true of the commit that was read, so
    that nobody may have committed anything meanwhile. `gone` are paths that are there and are to be deleted."""

    files: Mapping[str, Content]
    guarded: bool = False
    gone: tuple[str, ...] = ()


@dataclass
class Snapshot:
    """A repository as it stood at one commit. `files` tells of each path that was asked for and is there. Of a Space
    also `names`, all paths there, and `sdk` are known."""

    api: HfApi
    name: str
    kind: str
    head: str
    names: frozenset[str]
    files: dict[str, Any]
    sdk: str | None = None

    def has(self, path: str) -> bool:
        return path in self.names

    def commits(self) -> int:
        """How many commits led to this one."""
        return len(self.api.list_repo_commits(self.name, repo_type=self.kind, revision=self.head))

    def read(self, path: str) -> bytes | None:
        """What a file says; None where there is none. Only of paths that were asked for."""
        if path not in self.files:
            return None
        with TemporaryDirectory(prefix="smoltrace-hub-") as folder:
            found = self.api.hf_hub_download(self.name, path, repo_type=self.kind, revision=self.head, local_dir=folder)
            return Path(found).read_bytes()

    def text(self, path: str) -> str | None:
        """What a file says as text."""
        found = self.read(path)
        return None if found is None else found.decode("utf-8", "replace")

    def json(self, path: str) -> dict[str, Any]:
        """What a file says as a JSON object; an empty one where there is no such file or it says something else."""
        try:
            found = json.loads(self.read(path) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def holds(self, path: str, content: Content) -> bool:
        """Whether this very content stands there."""
        there = self.files.get(path)
        if there is None or there.size != size_of(content):
            return False
        lfs = getattr(there, "lfs", None)
        return bool(lfs.sha256 == _sha256(content) if lfs else there.blob_id == _blob_id(content))


@dataclass
class Repository:
    """One dataset or Space. It is made, `private` or public, when it is not there; one that is there stays as it is.

    After `put`, `is_private` says who may read it.
    """

    api: HfApi
    name: str
    private: bool
    retry: Retry
    kind: Literal["dataset", "space"] = "dataset"
    is_private: bool | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        return f"{self.api.endpoint}/{self.kind}s/{self.name}"

    def put(
        self, paths: Iterable[str], plan: Callable[[Snapshot], Change], message: str, told: Told | None = None
    ) -> bool:
        """Commit what `plan` makes of the repository as it stands; whether anything had to be changed.

        `plan` may ask the snapshot for `paths`, and is asked again when somebody else was faster. Raises PublishError.
        """
        wanted = sorted({CARD, *paths})
        return persist(lambda: self._put(wanted, plan, message, told), f"publishing to {self.name}", self.retry)

    def _put(self, paths: list[str], plan: Callable[[Snapshot], Change], message: str, told: Told | None) -> bool:
        # New operations each time: the client marks them, and does not send again what it believes to have sent.
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        snapshot = self._snapshot(paths)
        change = plan(snapshot)
        changed = {path: content for path, content in change.files.items() if not snapshot.holds(path, content)}
        adding = [
            CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
            for path, content in changed.items()
        ]
        leaving = [CommitOperationDelete(path) for path in change.gone]
        if not adding and not leaving:
            return False
        for operation in adding:
            if operation.upload_info.size >= LARGE:
                self.api.preupload_lfs_files(self.name, [operation], repo_type=self.kind, free_memory=False)
                if told is not None:
                    told(operation.upload_info.size)
        with warnings.catch_warnings():
            # The client doubts that data belongs into a Space.
            warnings.filterwarnings("ignore", "It seems that you are about to commit a data file")
            self.api.create_commit(
                self.name,
                [*adding, *leaving],
                repo_type=self.kind,
                commit_message=message,
                parent_commit=snapshot.head if change.guarded else None,
            )
        return True

    def _snapshot(self, paths: list[str]) -> Snapshot:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = self._info()
        except RepositoryNotFoundError:
            self.api.create_repo(
                self.name,
                repo_type=self.kind,
                private=self.private,
                exist_ok=True,
                space_sdk="static" if self.kind == "space" else None,
            )
            info = self._info()
        self.is_private = bool(info.private)
        head = str(info.sha)
        names = frozenset(each.rfilename for each in info.siblings or ())
        wanted = [path for path in paths if path in names] if self.kind == "space" else paths
        files: dict[str, Any] = {}
        for start in range(0, len(wanted), _PATHS):
            some = wanted[start : start + _PATHS]
            found = self.api.get_paths_info(self.name, some, repo_type=self.kind, revision=head)
            files |= {each.path: each for each in found}
        return Snapshot(self.api, self.name, self.kind, head, names, files, getattr(info, "sdk", None))

    def _info(self) -> Any:
        # A leaderboard may have a file for each of many thousand runs: their names are not asked for.
        expand = None if self.kind == "space" else ["sha", "private"]
        return self.api.repo_info(self.name, repo_type=self.kind, expand=expand)


def size_of(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _sha256(content: Content) -> str:
    return _digest(hashlib.sha256(), content)


def _blob_id(content: Content) -> str:
    """The id that git gives a file."""
    return _digest(hashlib.sha1(b"blob %d\0" % size_of(content)), content)


def _digest(digest: Any, content: Content) -> str:
    if isinstance(content, bytes):
        digest.update(content)
    else:
        with content.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return str(digest.hexdigest())
