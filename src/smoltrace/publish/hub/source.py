"""Where the files of a published run are: found from any of its datasets, and downloaded. Nothing there is trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.hub.asking import persist
from smoltrace.publish.hub.parts import RUN_FILE, SPANS_FILE, SUMMARY_FILE
from smoltrace.publish.hub.place import KINDS
from smoltrace.publish.retry import Retry
from smoltrace.tasks.hub_client import no_progress_bars

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

MAX_JSON_BYTES: Final = 64 << 20
"""A larger run.json or summary.json is none of ours: such a file is read as a whole."""

_STAMPED: Final = re.compile(r"smoltrace-(?P<kind>results|traces|metrics)-(?P<stamp>\d{8}_\d{6})")
_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_TRAIN: Final = re.compile(r"train-\d{5}-of-\d{5}\.parquet")
_FOLDERS: Final = {"results": ("results", "data"), "traces": ("traces", "data"), "metrics": ("metrics", "data")}


@dataclass(frozen=True, slots=True)
class Repo:
    """A dataset at one commit: its files and their sizes in bytes."""

    name: str
    revision: str
    sizes: Mapping[str, int]

    @property
    def owner(self) -> str:
        return self.name.partition("/")[0]

    def tables(self, *folders: str) -> list[str]:
        """The files of a table, in their order, in the first of these folders that has any."""
        for folder in folders:
            found = [p for p in self.sizes if p.startswith(f"{folder}/") and _TRAIN.fullmatch(p[len(folder) + 1 :])]
            if found:
                return sorted(found)
        return []


@dataclass(frozen=True, slots=True)
class Source:
    """A published run: the dataset that was named, what its run.json says (None where there is none), and for each
    table the dataset and the files that hold it."""

    asked: Repo
    manifest: dict[str, Any] | None
    tables: Mapping[str, tuple[Repo, list[str]]]
    summary: Repo | None


@dataclass
class Reader:
    """Reads datasets. Everything that is not to be had is a UsageError, and nothing was written by then."""

    api: HfApi
    retry: Retry
    _known: dict[tuple[str, str | None], Repo | None] = field(default_factory=dict)

    def repo(self, name: str, revision: str | None = None) -> Repo:
        if _NAME.fullmatch(name) is None:
            raise UsageError(f"{name} is no name of a dataset. Write OWNER/NAME.")
        found = self._look(name, revision)
        if found is None:
            raise UsageError(
                f"There is no dataset {name} that can be read. Check the name; a private one needs a token that may "
                "read it in HF_TOKEN."
            )
        return found

    def _look(self, name: str, revision: str | None = None) -> Repo | None:
        if (name, revision) not in self._known:
            self._known[name, revision] = self._ask(name, revision)
        return self._known[name, revision]

    def _ask(self, name: str, revision: str | None) -> Repo | None:
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

        def ask() -> Repo | None:
            try:
                info = self.api.dataset_info(name, revision=revision, files_metadata=True)
            except RepositoryNotFoundError:
                return None
            except RevisionNotFoundError as error:
                raise UsageError(f"The dataset {name} has no revision {revision}.") from error
            except HFValidationError as error:
                raise UsageError(f"{name} is no name of a dataset. Write OWNER/NAME.") from error
            sizes = {str(each.rfilename): int(each.size or 0) for each in info.siblings or ()}
            return Repo(name, str(info.sha), sizes)

        return self.asking(ask, f"reading {name}")

    def asking(self, action: Callable[[], T], what: str) -> T:
        try:
            return persist(action, what, self.retry)
        except PublishError as error:
            raise UsageError(f"{error}. Nothing was written.") from error

    def download(self, repo: Repo, path: str, folder: Path) -> Path:
        """A file, in a folder of its own: what it is called there decides nothing here."""
        with no_progress_bars():
            found = self.asking(
                lambda: self.api.hf_hub_download(
                    repo.name, path, repo_type="dataset", revision=repo.revision, local_dir=folder
                ),
                f"downloading {path} of {repo.name}",
            )
        return Path(found)

    def json(self, repo: Repo, path: str, folder: Path) -> dict[str, Any]:
        """What a file says as a JSON object. Raises UsageError where it says something else or is too large."""
        import orjson

        if repo.sizes.get(path, 0) > MAX_JSON_BYTES:
            raise UsageError(f"{repo.name}: {path} has {repo.sizes[path]:,} bytes, which no run of smoltrace has.")
        file = self.download(repo, path, folder / repo.name.replace("/", "--"))
        try:
            if file.stat().st_size > MAX_JSON_BYTES:
                raise ValueError("it is too large")
            found = orjson.loads(file.read_bytes())
        except ValueError as error:
            raise UsageError(f"{repo.name}: {path} is no JSON that can be read ({error}).") from error
        if not isinstance(found, dict):
            raise UsageError(f"{repo.name}: {path} is no JSON object.")
        return found

    def locate(self, asked: Repo, folder: Path) -> Source:
        """The run that a dataset is of. Raises UsageError for a dataset that is no run's."""
        if RUN_FILE in asked.sizes:
            manifest = self.json(asked, RUN_FILE, folder)
            repos = self._told(asked, manifest)
            self._check_same(asked, manifest, repos, folder)
        elif _STAMPED.fullmatch(asked.name.partition("/")[2]):
            manifest, repos = None, self._beside(asked)
        else:
            raise UsageError(
                f"{asked.name} is no run of smoltrace: it has no {RUN_FILE}. Name a dataset that 'smoltrace publish' "
                "made, or a leaderboard."
            )
        return _source(asked, manifest, repos)

    def _told(self, asked: Repo, manifest: Mapping[str, Any]) -> dict[str, Repo]:
        """The datasets of a run as its run.json names them."""
        told = (manifest.get("references"), manifest.get("hub"))
        named, published = (each if isinstance(each, Mapping) else {} for each in told)
        found: dict[str, Repo] = {}
        for kind in (*KINDS, "leaderboard"):
            # Whoever wrote this file must not make somebody fetch what only they may read, nor, when they publish the
            # run again, write into what only they may change.
            for name in (named.get(kind), published.get(kind)):
                if name is not None and (not isinstance(name, str) or name.partition("/")[0] != asked.owner):
                    raise UsageError(
                        f"{asked.name}: its run.json names datasets of somebody else, which is not followed."
                    )
            if kind in KINDS and (name := named.get(kind)) is not None:
                found[kind] = asked if name == asked.name else self.repo(name)
        return found

    def _check_same(self, asked: Repo, manifest: Mapping[str, Any], repos: Mapping[str, Repo], folder: Path) -> None:
        for repo in {repo.name: repo for repo in repos.values() if repo is not asked}.values():
            other = self.json(repo, RUN_FILE, folder) if RUN_FILE in repo.sizes else {}
            if any(other.get(name) != manifest.get(name) for name in ("run_id", "started_at")):
                raise UsageError(f"{asked.name} and {repo.name} are not of one run. Publish the run again.")

    def _beside(self, asked: Repo) -> dict[str, Repo]:
        """The datasets with the same stamp in their names: what versions that wrote no run.json made of a run."""
        stamped = _STAMPED.fullmatch(asked.name.partition("/")[2])
        assert stamped is not None
        found = {stamped["kind"]: asked}
        for kind in KINDS:
            repo = self._look(f"{asked.owner}/smoltrace-{kind}-{stamped['stamp']}") if kind not in found else None
            if repo is not None:
                found[kind] = repo
        return found


def _source(asked: Repo, manifest: dict[str, Any] | None, repos: Mapping[str, Repo]) -> Source:
    tables: dict[str, tuple[Repo, list[str]]] = {}
    for kind, repo in repos.items():
        # `data` of a repository of its own, the name of the table where all are in one.
        alone = sum(other.name == repo.name for other in repos.values()) == 1
        if paths := repo.tables(*(_FOLDERS[kind] if alone else _FOLDERS[kind][:1])):
            tables[kind] = (repo, paths)
    if "metrics" in repos and (points := repos["metrics"].tables("points")):
        tables["points"] = (repos["metrics"], points)
    for repo in repos.values():
        if SPANS_FILE in repo.sizes:
            tables.setdefault("spans", (repo, [SPANS_FILE]))
    if "results" not in tables:
        raise UsageError(f"{asked.name} is of a run whose results cannot be found. Publish the run again.")
    results = repos["results"]
    return Source(asked, manifest, tables, results if SUMMARY_FILE in results.sizes else None)
