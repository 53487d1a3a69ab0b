"""Deleting published runs: their own datasets, known by name and by the tag of their card, and never anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from smoltrace.errors import UsageError
from smoltrace.publish.hub.account import account_for, token_for
from smoltrace.publish.hub.asking import api_of, persist
from smoltrace.publish.retry import Retry
from smoltrace.tasks.hub_client import no_progress_bars

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo, HfApi

TAG = "smoltrace"
RUN_FILE = "run/run.json"
_OF_FOUR = re.compile(r"smoltrace-(results|traces|metrics)-(?P<stamp>\d{8}_\d{6})")
_SINGLE = re.compile(r"smoltrace-run-(?P<name>[\w.-]+)", re.ASCII)
_WHAT = "Cleaning up on the Hugging Face Hub"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which published runs are meant: those that fit everything that is given. `runs` are whole run ids."""

    runs: tuple[str, ...] = ()
    older_than: timedelta | None = None
    keep: int | None = None

    def __bool__(self) -> bool:
        return bool(self.runs) or self.older_than is not None or self.keep is not None


@dataclass(frozen=True, slots=True)
class Published:
    """A published run: its id and model, None where its datasets do not tell them, and its datasets."""

    run_id: str | None
    model: str | None
    published_at: datetime | None
    repo_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    owner: str
    runs: tuple[Published, ...]


def choose(
    selection: Selection, owner: str | None = None, *, now: datetime | None = None, retry: Retry | None = None
) -> Chosen:
    """The published runs of an account (None: the token's own) that a selection means, the newest first.

    Nothing is changed. Raises UsageError for an empty selection and without a token, PublishError when the Hub fails.
    """
    if not selection:
        raise UsageError(
            "Nothing is selected, and clean never takes everything by itself. Give --run, --older-than or --keep."
        )
    patience = retry or Retry()
    account = account_for(_WHAT, owner, patience)
    api = api_of(token_for(_WHAT))
    groups = persist(lambda: _groups(api, account), f"listing the datasets of {account}", patience)
    described = (_described(api, infos, patience) for infos in groups)
    # A version that wrote no run.json knew no repository that holds a whole run: one without it is something else.
    found = [run for run in described if run.run_id is not None or not _is_single(run.repo_ids[0])]
    found.sort(key=lambda run: (run.published_at or datetime.min.replace(tzinfo=UTC), run.repo_ids), reverse=True)
    moment = now or datetime.now(UTC)
    fitting = [run for run in found if _fits(run, selection, moment)]
    return Chosen(account, tuple(fitting[selection.keep or 0 :]))


def delete(run: Published, *, retry: Retry | None = None) -> Iterator[tuple[str, str | None]]:
    """Delete the datasets of a run, one after the other; each with why it was kept, None when it is gone.

    One that is gone already is fine. Raises PublishError when the Hub fails.
    """
    api, patience = api_of(token_for(_WHAT)), retry or Retry()
    for repo_id in run.repo_ids:

        def remove(repo_id: str = repo_id) -> str | None:
            return _remove(api, repo_id)

        yield repo_id, persist(remove, f"deleting {repo_id}", patience)


def _remove(api: HfApi, repo_id: str) -> str | None:
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = api.dataset_info(repo_id)
    except RepositoryNotFoundError:
        return None
    # Looked at once more: what was listed may have been made into something else since.
    if _group_of(info) is None:
        return "it is no dataset of a published run any more"
    api.delete_repo(repo_id, repo_type="dataset", missing_ok=True)
    return None


def _groups(api: HfApi, owner: str) -> list[list[DatasetInfo]]:
    """The datasets of runs, those of one run together."""
    groups: dict[str, list[DatasetInfo]] = {}
    with no_progress_bars():
        for info in api.list_datasets(author=owner, filter=TAG):
            if info.id.partition("/")[0] == owner and (group := _group_of(info)) is not None:
                groups.setdefault(group, []).append(info)
    return [sorted(infos, key=lambda info: str(info.id)) for infos in groups.values()]


def _group_of(info: DatasetInfo) -> str | None:
    """What the datasets of one run have in common, None for a dataset that is not a run's."""
    name = info.id.partition("/")[2]
    if TAG not in (info.tags or []):
        return None
    if found := _OF_FOUR.fullmatch(name):
        return found["stamp"]
    return name if _is_single(info.id) else None


def _is_single(repo_id: str) -> bool:
    return _SINGLE.fullmatch(repo_id.partition("/")[2]) is not None


def _described(api: HfApi, infos: list[DatasetInfo], retry: Retry) -> Published:
    about: dict[str, Any] = {}
    for info in infos:
        if about := _run_file(api, info.id, retry):
            break
    run_id, model = about.get("run_id"), about.get("model")
    return Published(
        run_id if isinstance(run_id, str) else None,
        model if isinstance(model, str) else None,
        _published_at(infos[0]),
        tuple(info.id for info in infos),
    )


def _run_file(api: HfApi, repo_id: str, retry: Retry) -> dict[str, Any]:
    """What run.json says, nothing where a dataset has none that can be read."""
    from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError

    with TemporaryDirectory(prefix="smoltrace-clean-") as folder, no_progress_bars():

        def download() -> dict[str, Any]:
            try:
                file = api.hf_hub_download(repo_id, RUN_FILE, repo_type="dataset", local_dir=folder)
                found = json.loads(Path(file).read_bytes())
            except (RemoteEntryNotFoundError, RepositoryNotFoundError, ValueError, RecursionError):
                return {}
            return found if isinstance(found, dict) else {}

        return persist(download, f"reading {repo_id}", retry)


def _published_at(info: DatasetInfo) -> datetime | None:
    made: datetime | None = info.created_at
    found = _OF_FOUR.fullmatch(info.id.partition("/")[2])
    if found is not None:
        with suppress(ValueError):
            return datetime.strptime(found["stamp"], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    return made


def _fits(run: Published, selection: Selection, now: datetime) -> bool:
    if selection.runs and run.run_id not in selection.runs:
        return False
    if selection.older_than is None:
        return True
    return run.published_at is not None and now - run.published_at > selection.older_than
