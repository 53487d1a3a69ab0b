"""Tasks from a dataset on the Hugging Face Hub, read with the `datasets` package."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from smoltrace.errors import MissingExtraError, TaskFileError
from smoltrace.tasks.hub_client import network_errors, no_progress_bars, reason_of
from smoltrace.tasks.rows import Row, Rows

if TYPE_CHECKING:
    import pyarrow as pa

HUB_PREFIX = "hf:"
_NAME = re.compile(r"(?P<dataset>[\w.-]+/[\w.-]+)(/(?P<config>[\w.-]+))?(@(?P<revision>\S+))?", re.ASCII)


class HubName(NamedTuple):
    """A dataset (`owner/name`) on the Hub; `config` and `revision` (branch, tag or commit) None for the defaults."""

    dataset: str
    config: str | None
    revision: str | None

    @classmethod
    def parse(cls, source: str) -> HubName:
        """Read `hf:owner/name[/config][@revision]`; TaskFileError when it is written in another way."""
        found = _NAME.fullmatch(source.removeprefix(HUB_PREFIX))
        if found is None:
            raise TaskFileError(source, None, "is no name of a dataset; write hf:owner/name, or hf:owner/name@revision")
        return cls(found["dataset"], found["config"], found["revision"])

    def __str__(self) -> str:
        config = f"/{self.config}" if self.config else ""
        return f"{HUB_PREFIX}{self.dataset}{config}" + (f"@{self.revision}" if self.revision else "")


def hub_rows(name: HubName, split: str) -> Rows:
    """The rows of one split, numbered from 1. TaskFileError says why a dataset cannot be had and what to do about it.

    A private or gated dataset is asked for with HF_TOKEN, or with the token that `hf auth login` keeps.
    """
    if find_spec("datasets") is None:
        raise MissingExtraError("hub", f"Loading tasks from the Hub ({name})")
    return Rows([Row(number, value) for number, value in enumerate(plain_rows(_table(name, split)), start=1)], [])


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of an Arrow table; what a column of JSON holds is read, as `datasets` does it for rows of its own."""
    columns = [[_read_json(item, column.type) for item in column.to_pylist()] for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _read_json(value: Any, kind: pa.DataType) -> Any:
    import pyarrow.types as kinds

    if value is None:
        return None
    if getattr(kind, "extension_name", None) == "arrow.json":
        return json.loads(value)
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return [_read_json(item, kind.value_type) for item in value]
    if kinds.is_struct(kind):
        return {part.name: _read_json(value[part.name], part.type) for part in kind}
    return value


def _table(name: HubName, split: str) -> Any:
    import datasets
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from huggingface_hub.errors import HfHubHTTPError

    # `datasets` would read a local folder that happens to bear the dataset's name.
    path = f"hf://datasets/{name.dataset}" if Path(name.dataset).is_dir() else name.dataset
    try:
        with no_progress_bars():
            loaded = datasets.load_dataset(path, name.config, split=split, revision=name.revision)
        # As Arrow, so that nothing is decoded: pictures and sounds would need further packages.
        return loaded.with_format("arrow")[:]
    except DatasetNotFoundError as error:
        raise TaskFileError(str(name), None, f"{reason_of(error)}; {_ACCESS}") from error
    except HfHubHTTPError as error:
        raise TaskFileError(str(name), None, f"the Hub refuses: {reason_of(error)}; try again later") from error
    except network_errors() as error:
        problem = f"the Hub cannot be reached: {reason_of(error)}; check the network, or give a tasks file"
        raise TaskFileError(str(name), None, problem) from error
    except ValueError as error:
        raise TaskFileError(str(name), None, _choice_problem(name, split, str(error))) from error
    except (DatasetsError, OSError, RuntimeError) as error:
        problem = f"cannot be read as a dataset: {reason_of(error)}; download its file and give that"
        raise TaskFileError(str(name), None, problem) from error


_ACCESS = "check the name. A private or gated dataset needs a token that may read it in HF_TOKEN"


def _choice_problem(name: HubName, split: str, message: str) -> str:
    """What to choose instead. `datasets` tells the choices in the text of a plain ValueError, and nowhere else."""
    listed = re.search(r"\[([^\]]*)\]", message)
    choices = listed[1].replace("'", "").replace('"', "") if listed else ""
    if listed and "Unknown split" in message:
        return f'has no split "{split}"; choose one of its splits: {choices}'
    if listed and "onfig" in message:
        problem = f'has no configuration "{name.config}"' if name.config else "has several configurations"
        return f"{problem}; choose one of {choices}, as in {HUB_PREFIX}{name.dataset}/CONFIGURATION"
    return f"cannot be read as a dataset: {message.splitlines()[0] if message else 'no reason given'}"
