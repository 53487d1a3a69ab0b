"""Publishing a run to the Hugging Face Hub: four datasets, each change one commit, tried again until it is there.

    {user}/smoltrace-results-{YYYYMMDD_HHMMSS}    data/train-00000-of-00001.parquet
    {user}/smoltrace-traces-{YYYYMMDD_HHMMSS}     data/train-00000-of-00001.parquet
    {user}/smoltrace-metrics-{YYYYMMDD_HHMMSS}    data/train-… (configuration metrics), points/train-… (points)
    {user}/smoltrace-leaderboard                  data/RUN_ID.parquet, one file a run

Runs that publish at the same time never write the same file of the leaderboard, so no row is lost and none comes twice:
committing a run again replaces its own file.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from smoltrace.errors import PublishError
from smoltrace.publish.cards import Config, Feature, features_of, grown_card, new_card
from smoltrace.tasks.hub_client import network_errors, no_progress_bars, reason_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

_CARD = "README.md"
_TRAIN = "train-00000-of-00001.parquet"
_TEXTS = {
    "results": "One row for each execution of a test by an agent.",
    "traces": "One row for each execution of a test, with the spans of its trace.",
    "metrics": "Measurements over time: one row for each GPU and moment, and other instruments in `points`.",
    "leaderboard": "One row for each evaluation run.",
}
_AGAIN = "Publishing again is safe: what is there already is not written twice"


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is tried, and the seconds between: doubling from `first` to `longest`, with jitter."""

    attempts: int = 8
    first: float = 1.0
    longest: float = 30.0

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the attempt with this number, which begins at 0."""
        return random.uniform(0.5, 1.0) * min(self.longest, self.first * 2.0**attempt)


def generate_dataset_names(username: str, timestamp: datetime | None = None) -> tuple[str, str, str, str]:
    """The repositories of a run published at `timestamp` (None: now, in UTC): results, traces, metrics, leaderboard."""
    moment = (timestamp or datetime.now(UTC)).strftime("%Y%m%d_%H%M%S")
    of_run = [f"{username}/smoltrace-{kind}-{moment}" for kind in ("results", "traces", "metrics")]
    return of_run[0], of_run[1], of_run[2], f"{username}/smoltrace-leaderboard"


def whoami(token: str | None = None, *, endpoint: str | None = None, retry: Retry | None = None) -> str:
    """The name of the account that the token belongs to; None takes HF_TOKEN or what `hf auth login` keeps.

    Raises PublishError when there is no valid token or the Hub cannot be reached.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    return str(_persist(api.whoami, "asking who the token belongs to", retry or Retry())["name"])


def publish_tables(
    tables: Mapping[str, Path],
    *,
    repo_ids: Mapping[str, str],
    run_id: str,
    card: str = "",
    token: str | None = None,
    private: bool = True,
    endpoint: str | None = None,
    retry: Retry | None = None,
) -> dict[str, str]:
    """Publish the Parquet files of a run, the leaderboard's last; the address of each dataset.

    `tables` has a file for any of results, traces, metrics, points (published beside the metrics) and leaderboard (the
    rows of this run alone); `repo_ids` the repository for each of the four. `card` is Markdown about the run, for the
    cards of its own three. Repositories that are not there are made, `private` or public; one that is there stays as
    it is. `retry` says how long a Hub that is busy or not reached is asked again.

    Raises PublishError, which says what is published by then; publishing again is safe.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    published: dict[str, str] = {}
    with no_progress_bars():
        for kind in [kind for kind in _TEXTS if kind in tables]:
            upload = _Upload(api, repo_ids[kind], run_id, private, retry or Retry())
            try:
                files, configs = _plan(kind, tables, run_id)
                title = repo_ids[kind].split("/")[-1]
                text = _TEXTS[kind] if kind == "leaderboard" else f"{_TEXTS[kind]} Run `{run_id}`.\n\n{card}"
                upload.run(files, configs, new_card(title, text, configs))
            except PublishError as error:
                done = ", ".join(published.values()) or "nothing"
                raise PublishError(f"{error}. Published so far: {done}. {_AGAIN}") from error
            published[kind] = f"{api.endpoint}/datasets/{repo_ids[kind]}"
    return published


def _plan(kind: str, tables: Mapping[str, Path], run_id: str) -> tuple[dict[str, Path], list[Config]]:
    """The files of one repository by their path there, and its configurations."""
    rows, features = _described(tables[kind])
    if not rows:
        raise PublishError(
            f"the {kind} table is empty, and the Hub cannot load an empty table; publish a run with rows"
        )
    if kind == "leaderboard":
        return {f"data/{run_id}.parquet": tables[kind]}, [Config("default", "data/*.parquet", features)]
    files = {f"data/{_TRAIN}": tables[kind]}
    configs = [Config("metrics" if kind == "metrics" else "default", "data/train-*", features)]
    if kind == "metrics" and "points" in tables:
        rows, features = _described(tables["points"])
        if rows:
            files[f"points/{_TRAIN}"] = tables["points"]
            configs.append(Config("points", "points/train-*", features))
    return files, configs


def _described(path: Path) -> tuple[int, list[Feature]]:
    """The number of rows of a Parquet file, and its columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return file.metadata.num_rows, features_of(file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise PublishError(f"{path} cannot be read: {reason_of(error)}; make the run's files again") from error


@dataclass(frozen=True, slots=True)
class _Upload:
    """One commit to one repository."""

    api: HfApi
    repo_id: str
    run_id: str
    private: bool
    retry: Retry

    def run(self, files: Mapping[str, Path], configs: list[Config], card: str) -> None:
        def create() -> object:
            return self.api.create_repo(self.repo_id, repo_type="dataset", private=self.private, exist_ok=True)

        _persist(create, f"making the dataset {self.repo_id}", self.retry)
        _persist(lambda: self._commit(files, configs, card), f"publishing to {self.repo_id}", self.retry)

    def _commit(self, files: Mapping[str, Path], configs: list[Config], card: str) -> object:
        # New operations each time: the client marks them, and does not send again what it believes to have sent.
        from huggingface_hub import CommitOperationAdd

        head, present = self._present_card()
        wanted = card if present is None else grown_card(present, configs)
        operations = [CommitOperationAdd(path, str(file)) for path, file in files.items()]
        if wanted != present:
            operations.append(CommitOperationAdd(_CARD, wanted.encode("utf-8")))
        return self.api.create_commit(
            self.repo_id,
            operations,
            repo_type="dataset",
            commit_message=f"Run {self.run_id}",
            # Only a card that is changed was read before: then nobody may have changed it meanwhile.
            parent_commit=head if present is not None and wanted != present else None,
        )

    def _present_card(self) -> tuple[str | None, str | None]:
        from huggingface_hub.errors import RemoteEntryNotFoundError

        head = self.api.dataset_info(self.repo_id).sha
        with TemporaryDirectory() as folder:
            try:
                path = self.api.hf_hub_download(
                    self.repo_id, _CARD, repo_type="dataset", revision=head, local_dir=folder
                )
            except RemoteEntryNotFoundError:
                return head, None
            return head, Path(path).read_text(encoding="utf-8")


def _persist(action: Callable[[], T], what: str, retry: Retry) -> T:
    """Do it until it works, the Hub says that it never will, or the attempts are used up (then PublishError)."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, LocalTokenNotFoundError

    for attempt in range(retry.attempts):
        try:
            return action()
        except LocalTokenNotFoundError as error:
            raise PublishError(
                f"{what} needs a token; set HF_TOKEN to one that may write, or run: hf auth login"
            ) from error
        except (HfHubHTTPError, LocalEntryNotFoundError, RuntimeError, *network_errors()) as error:
            problem, passing = _judged(error)
            if not passing or attempt == retry.attempts - 1:
                raise PublishError(f"{what} failed: {problem}") from error
            time.sleep(retry.pause(attempt))
        except (ValueError, OSError) as error:
            raise PublishError(f"{what} failed: {reason_of(error)}") from error
    raise PublishError(f"{what} was not tried: the number of attempts must be 1 or more")


def _judged(error: BaseException) -> tuple[str, bool]:
    """What to say of an error, and whether trying again may help."""
    # What failed in an upload or a download hides behind an error that tells no more than the file's name.
    while error.__cause__ is not None and not isinstance(error, network_errors()):
        error = error.__cause__
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status is None:
        return f"the Hub was not reached ({reason_of(error)}); check the network", True
    if status in (401, 403):
        return f"{reason_of(error)}; give a token that may write there in HF_TOKEN", False
    if status in (408, 409, 412, 429) or status >= 500:
        return f"the Hub is busy ({reason_of(error)}); try again later", True
    return reason_of(error), False
