"""Publishing tables to datasets of the Hub: each repository changes by one commit, tried again until it is there.

    {owner}/smoltrace-{results,traces,metrics}-{YYYYMMDD_HHMMSS}   three datasets for each run
    {owner}/smoltrace-run-{RUN_ID}                                 or one, with a configuration for each table
    {owner}/smoltrace-leaderboard                                  data/RUN_ID.parquet, one file a run

Runs that publish at the same time never write the same file of the leaderboard, so no row is lost and none comes twice:
committing a run again replaces its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from smoltrace.errors import PublishError
from smoltrace.publish.hub.asking import api_of
from smoltrace.publish.hub.cards import Config, features_of, grown_card, licensed, new_card
from smoltrace.publish.hub.files import Table
from smoltrace.publish.hub.place import generate_dataset_names
from smoltrace.publish.hub.repository import CARD, Change, Content, Repository, Snapshot
from smoltrace.publish.hub.texts import leaderboard_text, table_text
from smoltrace.publish.retry import Retry
from smoltrace.tasks.hub_client import no_progress_bars

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from smoltrace.publish.targets import Progress

__all__ = ["Part", "generate_dataset_names", "leaderboard_part", "publish_parts", "publish_tables", "train_file"]

AGAIN = "Publishing again is safe: what is there already is not written twice"


def train_file(folder: str) -> str:
    """Where the rows of a table lie: one file, whose row groups a reader takes one by one."""
    return f"{folder}/train-00000-of-00001.parquet"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What goes into one repository.

    kinds    the datasets in it, as they are named in what publishing returns
    files    content by path, the card not among them
    card     what the card is when there is none; `configs` is what it declares in any case
    settled  looks at the repository before anything is written there, and gives back the files that are written; it may
             ask for `asked`, and raise TakenError
    guarded  whether `settled` must hold true for the very commit that is followed
    """

    kinds: tuple[str, ...]
    repo_id: str
    files: Mapping[str, Content]
    configs: list[Config]
    card: str
    licence: str | None = None
    settled: Callable[[Snapshot, Mapping[str, Content]], Mapping[str, Content]] = field(default=lambda _, files: files)
    asked: tuple[str, ...] = ()
    guarded: bool = False

    def change(self, snapshot: Snapshot) -> Change:
        """What is to be committed; a card that people have written into keeps their words."""
        files = self.settled(snapshot, self.files)
        present = snapshot.text(CARD)
        wanted = self.card if present is None else licensed(grown_card(present, self.configs), self.licence)
        return Change({**files, CARD: wanted.encode("utf-8")}, guarded=self.guarded or wanted != present)

    @property
    def size(self) -> int:
        return sum(len(each) if isinstance(each, bytes) else each.stat().st_size for each in self.files.values())


class Sent:
    """Counts the bytes that need not be sent any more, and tells of them."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._tell()

    def reached(self, least: int) -> None:
        self._done = max(self._done, least)
        self._tell()

    def add(self, size: int) -> None:
        self._done = min(self._done + size, self._total)
        self._tell()

    def end(self) -> None:
        self.reached(self._total)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress("Publishing, bytes", self._done, self._total)


def publish_parts(
    api: HfApi,
    parts: Iterable[Part],
    *,
    run_id: str,
    private: bool,
    retry: Retry | None = None,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Publish these parts one after the other; the address of each dataset.

    Where a repository that was there is public and private ones were asked for, or the other way round, `note` says so.
    Raises PublishError, which says what is published by then, and TakenError.
    """
    listed = list(parts)
    sent, before = Sent(sum(part.size for part in listed), progress), 0
    published: dict[str, str] = {}
    others: list[str] = []
    with no_progress_bars():
        for part in listed:
            repository = Repository(api, part.repo_id, private, retry or Retry())
            try:
                repository.put([*part.files, *part.asked], part.change, f"Run {run_id}", sent.add)
            except PublishError as error:
                done = ", ".join(dict.fromkeys(published.values())) or "nothing"
                raise PublishError(f"{error}. Published so far: {done}. {AGAIN}") from error
            published |= dict.fromkeys(part.kinds, repository.address)
            if repository.is_private is not private:
                others.append(part.repo_id)
            before += part.size
            sent.reached(before)
    return published | ({"note": note_of(others, private)} if others else {})


def note_of(others: list[str], private: bool) -> str:
    now, wanted = ("public", "private") if private else ("private", "public")
    names = ", ".join(others)
    if len(others) == 1:
        return f"{names} was {now} before and stays so. To make it {wanted}, change its settings on the Hub."
    return f"{names} were {now} before and stay so. To make them {wanted}, change their settings on the Hub."


def leaderboard_part(repo_id: str, run_id: str, table: Table) -> Part:
    """The row of a run on a leaderboard. It is that of many runs: no licence of one of them is the licence of all."""
    configs = [Config("default", "data/*.parquet", features_of(table.schema))]
    card = new_card(repo_id.partition("/")[2], leaderboard_text(repo_id, configs), configs)
    files = {f"data/{run_id}.parquet": table.file}
    return Part(kinds=("leaderboard",), repo_id=repo_id, files=files, configs=configs, card=card)


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
    """Publish Parquet files that come from no run of a store, the leaderboard's last; the address of each dataset.

    `tables` has a file for any of results, traces, metrics, points (published beside the metrics) and leaderboard (the
    rows of this run alone); `repo_ids` the repository for each of the four. `card` is Markdown about the run, for the
    cards of its own three. Repositories that are not there are made, `private` or public; one that is there stays as
    it is. `retry` says how long a Hub that is busy or not reached is asked again.

    Raises PublishError, which says what is published by then; publishing again is safe.
    """
    api = api_of(token, endpoint)
    parts = []
    for kind in (kind for kind in ("results", "traces", "metrics", "leaderboard") if kind in tables):
        found = {kind: Table.at(tables[kind])}
        if not found[kind].rows:
            raise PublishError(
                f"the {kind} table is empty, and the Hub cannot load an empty table; publish a run with rows"
            )
        if kind == "leaderboard":
            parts.append(leaderboard_part(repo_ids[kind], run_id, found[kind]))
            continue
        if kind == "metrics" and "points" in tables and (points := Table.at(tables["points"])).rows:
            found["points"] = points
        files, configs = laid_out(found)
        whole = new_card(repo_ids[kind].partition("/")[2], table_text(kind, run_id, card), configs)
        parts.append(Part(kinds=(kind,), repo_id=repo_ids[kind], files=files, configs=configs, card=whole))
    return publish_parts(api, parts, run_id=run_id, private=private, retry=retry)


def laid_out(tables: Mapping[str, Table]) -> tuple[dict[str, Content], list[Config]]:
    """The files of a repository and its configurations: the first table lies in `data`, others under their names."""
    files: dict[str, Content] = {}
    configs = []
    for kind, table in tables.items():
        folder = kind if files else "data"
        files[train_file(folder)] = table.file
        name = kind if len(tables) > 1 or kind == "metrics" else "default"
        configs.append(Config(name, f"{folder}/train-*", features_of(table.schema)))
    return files, configs
