"""Publishing a run to a static Space of the Hugging Face Hub: the viewer's site of files, with all runs put there.

A run's data lies in a folder of its own, and two small files list the runs. So a further run is added by its own files
and these two, which are made again from what they list: what is there of other runs is not touched.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import MissingExtraError, PublishError, UsageError
from smoltrace.publish.hub.account import token_for
from smoltrace.publish.hub.asking import account, api_of
from smoltrace.publish.hub.parts import RunParts
from smoltrace.publish.hub.place import is_repository
from smoltrace.publish.hub.repository import CARD, Change, Content, Repository, Snapshot, size_of
from smoltrace.publish.hub.runs import PUBLISHING, require_complete, wanted_owner
from smoltrace.publish.hub.tables import Sent, note_of
from smoltrace.publish.retry import Retry
from smoltrace.tasks.hub_client import no_progress_bars

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from smoltrace.publish.targets import Progress
    from smoltrace.store.read import Run

NAME: Final = "smoltrace-viewer"
NEEDED: Final = ("duckdb", "jinja2")
BOARD: Final = "data/leaderboard.json.gz"
STORE: Final = "data/store.json.gz"
FILES_OF_A_COMMIT: Final = 500
"""A run with more files goes up in several commits, the one that lists it last: until then nobody sees a part of it."""
_TEMPLATE: Final = frozenset({".gitattributes", CARD, "index.html", "style.css"})
"""What a new static Space holds."""
_CARD: Final = """---
title: {title}
emoji: 📊
colorFrom: indigo
colorTo: gray
sdk: static
app_file: index.html
pinned: false
tags:
- smoltrace
- agent-evaluation
---

# {title}

Evaluation runs of agents: their leaderboard, comparisons, and every step, call and token of every test.

Written by smoltrace. Add a run: `smoltrace publish RUN --to space --repo {name}`
"""


def publish_run(
    run: Run,
    *,
    private: bool = True,
    owner: str | None = None,
    repo: str | None = None,
    token: str | None = None,
    progress: Progress | None = None,
    retry: Retry | None = None,
) -> dict[str, str]:
    """Add a run to a Space, which is made when it is not there; `space` to its address.

    repo   the Space as owner/name; None: smoltrace-viewer of `owner`, or of the token's own account
    Runs that are in the Space stay, and one that is put there again takes its own place. Raises MissingExtraError
    without the extra `view`, UsageError for a run that is not complete, and PublishError.
    """
    require_viewer()
    require_complete(run)
    api = api_of(token_for(PUBLISHING, token))
    name = _name(api, owner, repo, retry)
    space = Repository(api, name, private, retry or Retry(), kind="space")
    with TemporaryDirectory(prefix="smoltrace-space-") as folder, no_progress_bars():
        files = _site_of(run, Path(folder), name, account(api, retry).name)
        (own,) = _rows(_content(files[BOARD]))
        sent = Sent(sum(size_of(content) for content in files.values()), progress)
        for some in _first_commits(files, run.id):
            space.put([*some, BOARD], _Data(own, some).change, f"Files of run {run.id}", sent.add)
        space.put([*files, BOARD, STORE], _Site(own, name, files).change, f"Run {run.id}", sent.add)
        sent.end()
    note = {"note": note_of([name], private)} if space.is_private is not private else {}
    return {"space": space.address} | note


def require_viewer() -> None:
    """Raise MissingExtraError where the viewer is not installed whole."""
    if any(find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("view", "Publishing the viewer")


def _name(api: HfApi, owner: str | None, repo: str | None, retry: Retry | None) -> str:
    if repo is not None and not is_repository(repo):
        raise UsageError(f"--repo {repo}: write owner/name.")
    if repo is not None and "/" in repo:
        if owner is not None and owner != repo.partition("/")[0]:
            raise UsageError(f"--owner {owner} and --repo {repo} name two owners. Leave one of them out.")
        owner, _, repo = repo.partition("/")
    asking = account(api, retry)
    return f"{wanted_owner(asking, owner)}/{repo or NAME}"


def _site_of(run: Run, folder: Path, name: str, by: str) -> dict[str, Content]:
    """The files of a site of this run alone. It is made from what is published of a run, and not from the run as it
    lies here: no path of this machine gets into it."""
    from smoltrace.store.layout import RunDir
    from smoltrace.store.read import Run
    from smoltrace.viewer.export import export_site

    laid = folder / name.partition("/")[2] / "runs" / run.id
    laid.mkdir(parents=True)
    RunParts.of(run, content=True, account=by, licence=None, folder=laid).lay_out(laid)
    site = folder / "site"
    export_site([Run(RunDir(laid))], site)
    return {file.relative_to(site).as_posix(): file for file in sorted(site.rglob("*")) if file.is_file()}


def _first_commits(files: Mapping[str, Content], run_id: str) -> list[dict[str, Content]]:
    """Of a run with very many files, those that go up before the site lists it."""
    own = [path for path in files if path.startswith(_folder(run_id))]
    if len(own) <= FILES_OF_A_COMMIT:
        return []
    starts = range(0, len(own), FILES_OF_A_COMMIT)
    return [{path: files[path] for path in own[start : start + FILES_OF_A_COMMIT]} for start in starts]


@dataclass(frozen=True, slots=True)
class _Data:
    """Files of a run that the site does not list yet. `own` is the run's row."""

    own: Mapping[str, Any]
    files: Mapping[str, Content]

    def change(self, snapshot: Snapshot) -> Change:
        _rows_there(snapshot, self.own)
        return Change(self.files)


@dataclass(frozen=True, slots=True)
class _Site:
    """The site with a run added to those that it lists."""

    own: Mapping[str, Any]
    name: str
    files: Mapping[str, Content]

    def change(self, snapshot: Snapshot) -> Change:
        there = _rows_there(snapshot, self.own)
        files = dict(self.files)
        if snapshot.has(BOARD):
            files |= _listing([dict(self.own), *there], self.name)
        else:
            files[CARD] = _CARD.format(title=self.name.partition("/")[2], name=self.name).encode()
        # What an earlier version or a longer run left in this run's folder.
        gone = tuple(
            path for path in snapshot.names if path.startswith(_folder(self.own["run_id"])) and path not in files
        )
        return Change(files, guarded=True, gone=gone)


def _rows_there(snapshot: Snapshot, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the runs that a Space has. Raises PublishError for one that holds something else, or another run with
    the id of this one: a run is known by when it began."""
    _require_ours(snapshot)
    rows = _rows(snapshot.read(BOARD)) if snapshot.has(BOARD) else []
    for row in rows:
        if row.get("run_id") == own["run_id"] and row.get("evaluation_date") != own["evaluation_date"]:
            raise PublishError(
                f"the Space {snapshot.name} has another run '{own['run_id']}' already; name another with --repo"
            )
    return rows


def _require_ours(snapshot: Snapshot) -> None:
    """Raise PublishError for a Space that holds something else."""
    if snapshot.sdk not in (None, "static"):
        raise PublishError(
            f"the Space {snapshot.name} runs {snapshot.sdk}, and the viewer is static; name another with --repo"
        )
    if snapshot.has(BOARD):
        return
    others = snapshot.names - _TEMPLATE
    begun = bool(others) and all(path.startswith("data/runs/") for path in others)
    if not begun and (others or (snapshot.has("index.html") and snapshot.commits() > 1)):
        raise PublishError(f"the Space {snapshot.name} holds something else; name another with --repo")


def _listing(rows: list[dict[str, Any]], name: str) -> dict[str, Content]:
    """The two files that list the runs; of rows with one run id the first counts."""
    from smoltrace.viewer.archive import board_document, store_document
    from smoltrace.viewer.data.packing import packed

    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(str(row["run_id"]), row)
    newest = sorted(first.values(), key=lambda row: (-(row.get("evaluation_date") or 0), str(row["run_id"])))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    whole = [dict.fromkeys(columns) | row for row in newest]
    headers = [{"row": row, "store_name": name.partition("/")[2]} for row in whole]
    return {BOARD: packed(board_document(headers)), STORE: packed(store_document(headers))}


def _rows(board: bytes | None) -> list[dict[str, Any]]:
    """The rows that a leaderboard's file lists. Raises PublishError for one that is none."""
    try:
        columns = unpacked(board or b"")["columns"]
        count = len(next(iter(columns.values())))
        return [{name: values[at] for name, values in columns.items()} for at in range(count)]
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise PublishError(
            f"{BOARD} in the Space cannot be read ({type(error).__name__}); delete it there, or name another Space"
        ) from error


def unpacked(content: bytes) -> Any:
    """What a packed document of the site says; the inverse of the viewer's `packed`."""
    document = json.loads(gzip.decompress(content))
    return _texts_in(document["value"], document["texts"])


def _texts_in(value: Any, texts: list[str]) -> Any:
    if isinstance(value, list):
        return [_texts_in(item, texts) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$"}:
        return texts[value["$"]]
    return {name[1:] if name.startswith("$") else name: _texts_in(item, texts) for name, item in value.items()}


def _content(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _folder(run_id: str) -> str:
    return f"data/runs/{run_id}/"
