"""Copying a set of tasks to a dataset on the Hub, from where `hf:owner/name` loads the very same tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from smoltrace.errors import UsageError
from smoltrace.publish.hub.account import token_for
from smoltrace.publish.hub.asking import api_of, persist
from smoltrace.publish.retry import Retry
from smoltrace.tasks.fields import task_of
from smoltrace.tasks.hub import HUB_PREFIX, HubName, plain_rows
from smoltrace.tasks.hub_client import no_progress_bars
from smoltrace.tasks.loaders import TaskSet, fingerprint_of

if TYPE_CHECKING:
    import pyarrow as pa
    from huggingface_hub import HfApi

FILE = "data/tasks.parquet"
_CARD = "README.md"
_EMPTY = frozenset({".gitattributes", _CARD})
"""What a dataset may have that holds nothing: the Hub's own file, and a card."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Where the tasks are. `changed` is False where the same tasks were there already."""

    source: str
    address: str
    changed: bool
    private: bool


def copy_tasks(
    tasks: TaskSet, to: str, *, private: bool = True, force: bool = False, retry: Retry | None = None
) -> Copied:
    """Copy tasks to the dataset `to`, as hf:owner/name, which is made when it is not there.

    One commit has the tasks and a card that declares their columns. A dataset that holds the same tasks is left alone;
    one that holds anything else is only changed with `force`, and keeps its other files. Raises UsageError for that,
    for tasks with files, and without a token; PublishError when the Hub fails.
    """
    repo_id = _repo_id(to)
    token = token_for(f"Copying tasks to {to}")
    table = _table(tasks)
    api, patience = api_of(token), retry or Retry()
    sent: list[bool] = []
    with no_progress_bars():
        persist(
            lambda: api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True),
            f"making the dataset {repo_id}",
            patience,
        )
        is_private = persist(
            lambda: _commit(api, repo_id, tasks, table, force, sent), f"copying the tasks to {repo_id}", patience
        )
    return Copied(f"{HUB_PREFIX}{repo_id}", f"{api.endpoint}/datasets/{repo_id}", bool(sent), is_private)


def _repo_id(to: str) -> str:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    name = HubName.parse(to) if to.startswith(HUB_PREFIX) else None
    if name is None or name.config or name.revision:
        raise UsageError(f"--to {to}: write it as {HUB_PREFIX}owner/name.")
    try:
        validate_repo_id(name.dataset)
    except HFValidationError as error:
        raise UsageError(f"--to {to}: the Hub takes no such name. {error}") from error
    return name.dataset


def _commit(api: HfApi, repo_id: str, tasks: TaskSet, table: pa.Table, force: bool, sent: list[bool]) -> bool:
    """Commit what is not there yet; whether the dataset is private. `sent` hears of what is sent, answered or not."""
    import pyarrow.parquet as pq
    from huggingface_hub import CommitOperationAdd

    info = api.dataset_info(repo_id)
    present = {sibling.rfilename for sibling in info.siblings or []}
    if FILE in present and _present_fingerprint(api, repo_id, info.sha) == tasks.fingerprint:
        return bool(info.private)
    if present - _EMPTY and not force:
        raise UsageError(
            f"The dataset {repo_id} holds something else already. Give another name, or --force to put the tasks there."
        )
    with TemporaryDirectory(prefix="smoltrace-tasks-") as folder:
        file = Path(folder) / "tasks.parquet"
        pq.write_table(table, file)
        sent.append(True)
        api.create_commit(
            repo_id,
            [CommitOperationAdd(FILE, str(file)), CommitOperationAdd(_CARD, _card(tasks, table, repo_id).encode())],
            repo_type="dataset",
            commit_message=f"{len(tasks)} tasks of {tasks.name}",
            # What was looked at must be what is changed.
            parent_commit=info.sha,
        )
    return bool(info.private)


def _present_fingerprint(api: HfApi, repo_id: str, revision: str | None) -> str | None:
    """The fingerprint of the tasks that are there, None for a file that holds no tasks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with TemporaryDirectory(prefix="smoltrace-tasks-") as folder:
        file = api.hf_hub_download(repo_id, FILE, repo_type="dataset", revision=revision, local_dir=folder)
        try:
            with pq.ParquetFile(file) as found:
                return _fingerprint(found.read())
        except (pa.ArrowException, OSError):
            return None


def _fingerprint(table: pa.Table) -> str | None:
    found = [task_of(row, folder=None)[0] for row in plain_rows(table)]
    tasks = [task for task in found if task is not None]
    return fingerprint_of(tasks) if len(tasks) == len(found) else None


def _table(tasks: TaskSet) -> pa.Table:
    """The tasks as Arrow: a column of JSON for values that no other type holds as they are."""
    import pyarrow as pa

    with_files = next((task for task in tasks if task.files), None)
    if with_files is not None:
        raise UsageError(
            f"The task {with_files.id} of {tasks.source} has files, which a dataset of tasks has no place for. Leave "
            "such tasks out, or keep them in a tasks file."
        )
    rows = [task.to_json() for task in tasks]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: _column([row.get(name) for row in rows]) for name in names})
    if _fingerprint(table) != tasks.fingerprint:
        raise UsageError(
            f"{tasks.source} holds values that do not come back from a dataset as they are. Copy it to a file with -o."
        )
    return table


def _column(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in there):
        return pa.array(values, pa.int64())
    if kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {list} and all(isinstance(item, str) for value in there for item in value):
        return pa.array(values, pa.list_(pa.string()))
    return pa.array([None if value is None else json.dumps(value) for value in values], pa.json_())


def _card(tasks: TaskSet, table: pa.Table, repo_id: str) -> str:
    front: Mapping[str, Any] = {
        "pretty_name": repo_id.partition("/")[2],
        # Not the tag of published runs: whoever cleans those up never meets a set of tasks.
        "tags": ["smoltrace-tasks"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": FILE}], "default": True},
        ],
        "dataset_info": [{"config_name": "default", "features": [_feature(column) for column in table.schema]}],
    }
    text = (
        f"# {front['pretty_name']}\n\n{len(tasks)} tasks for agents, copied from `{tasks.name}`.\n\n"
        f"- Fingerprint: `{tasks.fingerprint}`\n- Run them: `smoltrace eval {HUB_PREFIX}{repo_id}`\n"
    )
    return f"---\n{yaml.safe_dump(dict(front), sort_keys=False, allow_unicode=True)}---\n\n{text}"


def _feature(column: pa.Field) -> dict[str, Any]:
    import pyarrow.types as kinds

    if kinds.is_list(column.type):
        return {"name": column.name, "list": "string"}
    if getattr(column.type, "extension_name", None) == "arrow.json":
        return {"name": column.name, "dtype": "json"}
    return {"name": column.name, "dtype": {"double": "float64"}.get(str(column.type), str(column.type))}
