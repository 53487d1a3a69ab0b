"""A run as it is published: which files go into which repository, and what their cards say."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import PublishError
from smoltrace.publish.hub.about import published_manifest, without_paths
from smoltrace.publish.hub.cards import Config, features_of, new_card
from smoltrace.publish.hub.files import Table, tables_of
from smoltrace.publish.hub.place import KINDS, Place, TakenError, known_place, references_of, stamp
from smoltrace.publish.hub.repository import Content, Snapshot
from smoltrace.publish.hub.tables import Part, laid_out, leaderboard_part, train_file
from smoltrace.publish.hub.texts import run_text

if TYPE_CHECKING:
    from datetime import datetime

    from smoltrace.publish.targets import Progress
    from smoltrace.records.schema import Row
    from smoltrace.store.read import Run
    from smoltrace.store.summary import Summary

RUN_FILE: Final = "run/run.json"
SUMMARY_FILE: Final = "run/summary.json"
SPANS_FILE: Final = "run/spans.parquet"
"""What gives the run back lies where no configuration looks for rows."""


@dataclass(frozen=True, slots=True)
class RunParts:
    """A run with its tables and its summary; `folder` is for files that are made. `content`: prompts and answers are
    in it."""

    run: Run
    manifest: dict[str, Any]
    summary: Summary
    tables: dict[str, Table]
    content: bool
    submitted_by: str | None
    licence: str | None
    folder: Path

    @classmethod
    def of(
        cls,
        run: Run,
        *,
        content: bool,
        account: str,
        licence: str | None,
        folder: Path,
        progress: Progress | None = None,
    ) -> RunParts:
        """`account` publishes it. Raises UsageError for a run without results, StoreError."""
        from smoltrace.evaluation.lives.machine import user

        manifest = run.directory.manifest()
        recorded = (manifest.get("config") or {}).get("record_content") is not False
        tables = tables_of(run, content=content or not recorded, folder=folder, progress=progress)
        # What this machine calls its user is nobody's business; a name that was given is.
        given = manifest.get("submitted_by")
        by = account if given in (None, user()) else str(given)
        return cls(run, manifest, _summary_of(run), tables, content and recorded, by, licence, folder)

    def at(self, place: Place, address: str) -> list[Part]:
        """What goes where, the leaderboard last. `address` is that of the Hub."""
        references = references_of(place, self.tables)
        row = self._row(references)
        about = {RUN_FILE: self._run_json(place, references), SUMMARY_FILE: self._summary_json(row)}
        if place.layout == "single":
            made = [self._part("single", place, row, about, address)]
        else:
            made = [self._part(kind, place, row, about, address) for kind in KINDS if kind in self.tables]
        return [*made, self._leaderboard(place, row)]

    def lay_out(self, folder: Path) -> None:
        """Make `folder` a directory of the run as it is published: without a journal, and without what is of this
        machine alone."""
        known = known_place(self.manifest)
        references = self.manifest.get("references") or {}
        (folder / "run.json").write_bytes(self._run_json(known, references))
        (folder / "summary.json").write_bytes(self._summary_json(self._row(references)))
        for table in self.tables.values():
            if table.file.parent != folder:
                (folder / table.file.name).symlink_to(table.file.resolve())

    def _part(self, kind: str, place: Place, row: Row, about: Mapping[str, bytes], address: str) -> Part:
        files, configs = self._tables_of(kind)
        files |= {path: content for path, content in about.items() if path == RUN_FILE or kind in ("results", "single")}
        if kind in ("traces", "single") and "spans" in self.tables:
            files[SPANS_FILE] = self.tables["spans"].file
        repo_id = place.repositories["results" if kind == "single" else kind]
        text = run_text(kind, row, place, configs, address=address, content=self.content)
        rows = sum(table.rows for name, table in self.tables.items() if name in _IN[kind])
        card = new_card(repo_id.partition("/")[2], text, configs, licence=self.licence, rows=rows)
        return Part(
            kinds=tuple(name for name in KINDS if name in _IN[kind] and name in self.tables),
            repo_id=repo_id,
            files=files,
            configs=configs,
            card=card,
            licence=self.licence,
            settled=_Owned(self.run.id, self.manifest.get("started_at"), place.is_old, repo_id, kind in _FIRST),
            # The first one decides whose these names are.
            guarded=kind in _FIRST,
        )

    def _tables_of(self, kind: str) -> tuple[dict[str, Content], list[Config]]:
        found = {name: table for name, table in self.tables.items() if name in _IN[kind]}
        if kind != "single":
            return laid_out(found)
        files: dict[str, Content] = {train_file(name): table.file for name, table in found.items()}
        return files, [Config(name, f"{name}/train-*", features_of(table.schema)) for name, table in found.items()]

    def _leaderboard(self, place: Place, row: Row) -> Part:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from smoltrace.records.schema import LEADERBOARD, record_batch

        file = self.folder / "leaderboard.parquet"
        pq.write_table(pa.Table.from_batches([record_batch(LEADERBOARD, [row])]), file)
        part = leaderboard_part(place.leaderboard, self.run.id, Table.at(file))
        begun = row["evaluation_date"]
        if begun is None:
            return part
        other = f"data/{self.run.id}-{stamp(begun)}.parquet"
        return replace(part, settled=_OwnRow(begun, other), asked=(other,))

    def _row(self, references: Mapping[str, Any]) -> Row:
        row = self.summary.leaderboard | {f"{kind}_dataset": references.get(kind) for kind in KINDS}
        return row | {"submitted_by": self.submitted_by, "dataset_used": _told(row["dataset_used"])}

    def _run_json(self, place: Place | None, references: Mapping[str, Any]) -> bytes:
        import orjson

        told = published_manifest(
            self.manifest,
            hub={} if place is None else place.to_json(),
            references=references,
            submitted_by=self.submitted_by,
            content=self.content,
        )
        return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str)

    def _summary_json(self, row: Row) -> bytes:
        from smoltrace.store.layout import RunDir
        from smoltrace.store.summary import write_summary

        made = RunDir(self.folder)
        write_summary(made, replace(self.summary, leaderboard=row))
        return made.summary_file.read_bytes()


_IN: Final = {
    "results": ("results",),
    "traces": ("traces",),
    "metrics": ("metrics", "points"),
    "single": ("results", "traces", "metrics", "points"),
}
"""The tables of each repository."""
_FIRST: Final = ("results", "single")


@dataclass(frozen=True, slots=True)
class _Owned:
    """Lets files only go where no other run is. `is_old`: it was published there by a version that did not write
    run.json."""

    run_id: str
    started_at: Any
    is_old: bool
    repo_id: str
    is_first: bool

    def __call__(self, snapshot: Snapshot, files: Mapping[str, Content]) -> Mapping[str, Content]:
        if RUN_FILE not in snapshot.files:
            taken = not self.is_old and any(path in snapshot.files for path in files)
        elif snapshot.holds(RUN_FILE, files[RUN_FILE]):
            taken = False
        else:
            there = snapshot.json(RUN_FILE)
            taken = (there.get("run_id"), there.get("started_at")) != (self.run_id, self.started_at)
        if taken and self.is_first:
            raise TakenError
        if taken:
            raise PublishError(f"{self.repo_id} holds another run; delete or rename it on the Hub")
        return files


@dataclass(frozen=True, slots=True)
class _OwnRow:
    """Gives a run whose id another run on the leaderboard has a file of its own, `other`."""

    begun: datetime
    other: str

    def __call__(self, snapshot: Snapshot, files: Mapping[str, Content]) -> Mapping[str, Content]:
        ((path, content),) = files.items()
        if path not in snapshot.files or snapshot.holds(path, content):
            return files
        return files if _begun(snapshot.read(path)) in (None, self.begun) else {self.other: content}


def _begun(content: bytes | None) -> datetime | None:
    """When the run of a leaderboard's file began; None where it does not tell."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from smoltrace.records.schema import LEADERBOARD, rows_of

    try:
        with pq.ParquetFile(io.BytesIO(content or b"")) as file:
            rows = list(rows_of(LEADERBOARD, file.read()))
    except pa.ArrowException:
        return None
    return rows[0]["evaluation_date"] if rows else None


def _summary_of(run: Run) -> Summary:
    from smoltrace.store.finalise import summarise
    from smoltrace.store.summary import read_summary

    if run.directory.results_journal.exists() or read_summary(run.directory) is not None:
        return run.summary()
    return summarise(run.directory, run.results(), None)


def _told(name: Any) -> Any:
    return without_paths(name) if isinstance(name, str) else name
