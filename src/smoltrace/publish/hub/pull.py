"""Pulling: a published run from the Hub into a store, where it is as any other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from smoltrace.errors import StoreError, UsageError
from smoltrace.publish.hub import received
from smoltrace.publish.hub.asking import api_of
from smoltrace.publish.hub.board import dataset_of, is_leaderboard, rows_in, run_in
from smoltrace.publish.hub.parts import SUMMARY_FILE
from smoltrace.publish.hub.source import Reader, Repo, Source
from smoltrace.publish.retry import Retry
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS, RESULTS, SPANS, TRACES, Row, record_batch
from smoltrace.store import atomic, leaderboard
from smoltrace.store.layout import RunDir, Store, require_safe_id
from smoltrace.store.read import Run
from smoltrace.store.room import check_room
from smoltrace.store.summary import Summary, read_summary, write_summary

if TYPE_CHECKING:
    from smoltrace.publish.targets import Progress

_TABLES: Final = (RESULTS, TRACES, SPANS, METRICS, POINTS)
_AWAY: Final = ".pulled"


@dataclass(frozen=True, slots=True)
class Pulled:
    """A run that is in the store now. `is_new` is False where it was there already; `notes` say what of its files
    was of another version."""

    run_id: str
    path: Path
    repo: str
    revision: str
    is_new: bool
    notes: tuple[str, ...] = ()


@dataclass
class Puller:
    """Pulls runs into one store. `revision` is that of the dataset that is named."""

    store: Store
    revision: str | None = None
    progress: Progress | None = None
    retry: Retry | None = None

    def __post_init__(self) -> None:
        self._reader = Reader(api_of(), self.retry or Retry())

    def listed(self, board: str) -> list[Row]:
        """The rows of a leaderboard, the newest first. Raises UsageError."""
        with _folder() as folder:
            return rows_in(self._reader, self._reader.repo(board, self.revision), folder)

    def pull_listed(self, board: str, run_id: str, new_id: str | None = None) -> Pulled:
        """A run of a leaderboard. Raises UsageError, StoreError."""
        with _folder() as folder:
            found = self._reader.repo(board, self.revision)
            row = run_in(self._reader, found, folder, run_id)
            return self._pull(self._reader.repo(dataset_of(row, found)), new_id, row)

    def pull(self, repo_id: str, new_id: str | None = None) -> Pulled:
        """The run that a dataset is of, under its own id or a new one.

        It appears in the store as a whole; where anything fails, nothing does. Raises UsageError for what cannot be
        pulled and for an id that another run has, StoreError when the disk refuses.
        """
        if is_leaderboard(repo_id):
            raise UsageError(f"{repo_id} is a leaderboard. Say which of its runs with --run RUN_ID, or --all.")
        return self._pull(self._reader.repo(repo_id, self.revision), new_id, None)

    def _pull(self, asked: Repo, new_id: str | None, row: Row | None) -> Pulled:
        if new_id is not None:
            require_safe_id(new_id)
        check_room(self.store.path)
        if (known := self._known(asked, new_id)) is not None:
            return known
        with _folder() as folder:
            source = self._reader.locate(asked, folder)
            files = self._download(source, folder)
            row = row if row is not None or source.manifest is not None else self._row_of(source, folder)
            made = _Made(source, files, row, self._reader.json if source.summary else None, folder)
            return self._install(made, new_id)

    def _known(self, asked: Repo, new_id: str | None) -> Pulled | None:
        """The run here that was pulled from this very commit before."""
        for run_dir in self.store.newest():
            try:
                told = run_dir.manifest().get("pulled_from") or {}
            except StoreError:
                continue
            if (told.get("repo"), told.get("revision")) == (asked.name, asked.revision) and new_id in (
                None,
                run_dir.run_id,
            ):
                _enter(self.store, run_dir)
                return Pulled(run_dir.run_id, run_dir.path, asked.name, asked.revision, is_new=False)
        return None

    def _download(self, source: Source, folder: Path) -> dict[str, list[Path]]:
        total = sum(repo.sizes[path] for repo, paths in source.tables.values() for path in paths)
        done = 0
        found: dict[str, list[Path]] = {}
        for name, (repo, paths) in source.tables.items():
            for number, path in enumerate(paths):
                self._tell(done, total)
                # Each in a folder of its own: names of the Hub never meet.
                file = self._reader.download(repo, path, folder / f"{name}-{number}")
                found.setdefault(name, []).append(file)
                done += repo.sizes[path]
        self._tell(done, total)
        return found

    def _tell(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress("bytes downloaded", done, total)

    def _row_of(self, source: Source, folder: Path) -> Row | None:
        """The row on its owner's leaderboard of a run that says nothing more of itself."""
        name = source.tables["results"][0].name
        try:
            board = self._reader.repo(f"{source.asked.owner}/smoltrace-leaderboard")
            rows = rows_in(self._reader, board, folder)
        except UsageError:
            return None
        return next((row for row in rows if row["results_dataset"] == name), None)

    def _install(self, made: _Made, new_id: str | None) -> Pulled:
        """Make the run's directory beside, whole, and give it its name."""
        run_id = new_id or made.run_id
        stage = self.store.runs_path / f".{uuid4().hex}{_AWAY}"
        staged, final = RunDir(stage / run_id), RunDir(self.store.runs_path / run_id)
        source = made.source
        new_folders = [folder for folder in (self.store.runs_path, self.store.path) if not folder.exists()]
        try:
            staged.path.mkdir(parents=True)
            notes = made.write(staged)
            for file in staged.path.iterdir():
                atomic.sync(file)
            atomic.sync(staged.path)
            is_new = _moved(staged.path, final.path)
            if not is_new and not _same(Run(staged), Run(final)):
                raise UsageError(
                    f"The store {self.store.path} has another run '{run_id}' already. Pull this one under another name "
                    "with --run-id."
                )
        except OSError as error:
            raise atomic.disk_error(f"write the run {final.path}", error) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)
            for folder in new_folders:
                with suppress(OSError):  # it holds the run
                    folder.rmdir()
        _enter(self.store, final)
        return Pulled(run_id, final.path, source.asked.name, source.asked.revision, is_new, tuple(notes))


@dataclass
class _Made:
    """A downloaded run, about to be written. `row` is that of a leaderboard, where one was asked."""

    source: Source
    files: Mapping[str, list[Path]]
    row: Row | None
    read_json: Callable[[Repo, str, Path], dict[str, Any]] | None
    folder: Path

    def __post_init__(self) -> None:
        where = self.source.asked.name
        if self.source.manifest is None:
            self.run_id = received.run_ids_in(self.files["results"], where)
            self.manifest = manifest_of(self.run_id, self.row, self.source)
        else:
            self.manifest = self.source.manifest
        received.check_manifest(self.manifest, where)
        self.run_id = str(self.manifest["run_id"])

    def write(self, run_dir: RunDir) -> list[str]:
        """Write all files of the run; what there is to say of them."""
        where, notes = self.source.asked.name, []
        for dataset in _TABLES:
            to = run_dir.parquet(dataset.name)
            if files := self.files.get(dataset.name):
                ids = {"run_id": self.run_id, "new_id": run_dir.run_id}
                notes += received.receive(files, dataset, to, where=where, **ids)
            elif dataset == SPANS and "traces" in self.files:
                received.spans_of_traces(run_dir.parquet(TRACES.name), to)
                notes.append("spans are made from traces, which do not tell everything.")
            else:
                received.empty(dataset, to)
        came_from = {
            "repo": where,
            "revision": self.source.asked.revision,
            "run_id": self.run_id,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        run_dir.write_manifest({**self.manifest, "run_id": run_dir.run_id, "pulled_from": came_from})
        write_summary(run_dir, self._summary(run_dir))
        return notes

    def _summary(self, run_dir: RunDir) -> Summary:
        """The published one; where there is none that this version can read, what the results come to."""
        document: dict[str, Any] = {}
        if self.read_json is not None and self.source.summary is not None:
            document = self.read_json(self.source.summary, SUMMARY_FILE, self.folder)
        found = _published_summary(document, self.folder / "summary")
        if found is None:
            found = self._counted(run_dir)
            if (row := self.row or _row_in(document)) is not None:
                found = replace(found, leaderboard=received.sound_row(row, found.leaderboard))
        row = {**found.leaderboard, "run_id": run_dir.run_id}
        try:
            record_batch(LEADERBOARD, [row])
        except ValueError as error:
            raise UsageError(f"{self.source.asked.name}: its leaderboard row cannot be read ({error}).") from error
        status = str(self.manifest["status"])
        return replace(found, run_id=run_dir.run_id, status=status, leaderboard=row, journal_bytes=0)

    def _counted(self, run_dir: RunDir) -> Summary:
        from smoltrace.store.finalise import summarise

        try:
            return summarise(run_dir, Run(run_dir).results(), None)
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise UsageError(f"{self.source.asked.name}: its results cannot be added up ({error}).") from error


def _published_summary(document: Mapping[str, Any], folder: Path) -> Summary | None:
    import orjson

    made = RunDir(folder)
    folder.mkdir(exist_ok=True)
    made.summary_file.write_bytes(orjson.dumps(document))
    try:
        found = read_summary(made)
    except AttributeError:  # of a document that is another thing than ours
        return None
    if found is None or not isinstance(found.statuses, dict) or not isinstance(found.energy, dict | None):
        return None
    numbers = (found.finished, found.llm_calls, *found.statuses.values())
    known = all(type(number) is int for number in numbers) and isinstance(found.planned, int | None)
    return found if known and received.is_sound(found.leaderboard) else None


def _row_in(document: Mapping[str, Any]) -> Row | None:
    from smoltrace.records.schema import decode_row

    try:
        return decode_row(LEADERBOARD, document["leaderboard"])
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def manifest_of(run_id: str, row: Row | None, source: Source) -> dict[str, Any]:
    """A manifest from a leaderboard row: what the row was made from, for a run that was published without one."""
    told: Mapping[str, Any] = row or {}
    date = told.get("evaluation_date")
    tags = received.tags_of(told.get("tags"))
    versions = {name: told.get(f"{name}_version") for name in ("smoltrace", "smolagents", "genai_otel", "python")}
    return {
        "run_id": run_id,
        "status": "completed",
        "service_name": "smoltrace",
        **{name: told.get(name) for name in ("model", "provider", "agent_type", "num_tests", "wall_time_ms")},
        "system": told.get("gen_ai.system"),
        "tasks": {"name": told.get("dataset_used"), "fingerprint": told.get("dataset_fingerprint"), "source": None},
        "started_at": None if date is None else date.isoformat(),
        "versions": versions,
        "hardware": told.get("hardware"),
        "job": {"hf_job_id": told.get("hf_job_id"), "job_type": told.get("job_type")},
        "submitted_by": told.get("submitted_by"),
        "notes": told.get("notes"),
        "tags": tags,
        "references": {kind: source.tables[kind][0].name if kind in source.tables else None for kind in _REFERENCES},
    }


_REFERENCES: Final = ("results", "traces", "metrics")


def _moved(staged: Path, final: Path) -> bool:
    """Give a run its name, unless there is one of that name: whoever pulls it at the same time may be faster."""
    try:
        staged.rename(final)
    except OSError:
        if not final.exists():
            raise
        return False
    atomic.sync(final.parent)
    return True


def _same(one: Run, other: Run) -> bool:
    """Whether two runs say the same, as far as their datasets tell it."""
    if one.manifest.get("started_at") != other.manifest.get("started_at"):
        return False
    for dataset in _TABLES:
        files = one.directory.parquet(dataset.name), other.directory.parquet(dataset.name)
        if all(file.exists() for file in files) and files[0].read_bytes() == files[1].read_bytes():
            continue
        if not one.table(dataset.name).equals(other.table(dataset.name)):
            return False
    return True


def _enter(store: Store, run_dir: RunDir) -> None:
    """Give a run its row of the leaderboard, where it has none yet."""
    if not leaderboard.has(store, run_dir.run_id) and (found := read_summary(run_dir)) is not None:
        leaderboard.put(store, found.leaderboard)
        leaderboard.table(store)


@contextmanager
def _folder() -> Iterator[Path]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="smoltrace-pull-") as folder:
        yield Path(folder)
