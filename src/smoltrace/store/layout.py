"""Where everything lies: the store, and the directory of a run.

STORE/leaderboard/rows/RUN_ID.json     one file a run, the truth; leaderboard.parquet beside rows/ is a cache
STORE/runs/RUN_ID/run.json             the manifest: configuration, versions, hardware, status
                 /results.jsonl traces.jsonl metrics.jsonl                the journal
                 /spending.jsonl                                           what each call used, finished test or not
                 /results.parquet traces.parquet spans.parquet metrics.parquet points.parquet summary.json
"""

from __future__ import annotations

import difflib
import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from smoltrace.errors import RunNotFoundError, StoreError, UsageError
from smoltrace.store import atomic

DEFAULT = Path("smoltrace-runs")
LATEST = "latest"
"""Names the run that was started last, wherever a run is asked for."""

_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}")


@dataclass(frozen=True, slots=True)
class RunDir:
    """The directory of one run."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def manifest_file(self) -> Path:
        return self.path / "run.json"

    @property
    def results_journal(self) -> Path:
        return self.path / "results.jsonl"

    @property
    def traces_journal(self) -> Path:
        return self.path / "traces.jsonl"

    @property
    def metrics_journal(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def spending_journal(self) -> Path:
        return self.path / "spending.jsonl"

    @property
    def lock_file(self) -> Path:
        """Locked for as long as a process writes the run."""
        return self.path / ".lock"

    @property
    def summary_file(self) -> Path:
        return self.path / "summary.json"

    def parquet(self, dataset: str) -> Path:
        """The finished file of a dataset: results, traces, spans, metrics or points."""
        return self.path / f"{dataset}.parquet"

    @property
    def store(self) -> Store | None:
        """The store that the run lies in; None for a run directory that was put elsewhere."""
        return Store(self.path.parent.parent) if self.path.parent.name == "runs" else None

    def manifest(self) -> dict[str, Any]:
        """What run.json says. Raises StoreError when it cannot be read."""
        import orjson

        try:
            manifest = orjson.loads(self.manifest_file.read_bytes())
        except OSError as error:
            raise atomic.disk_error(f"read {self.manifest_file}", error) from error
        except orjson.JSONDecodeError as error:
            raise StoreError(f"{self.manifest_file} is no JSON ({error}). Restore it from a copy.") from error
        if not isinstance(manifest, dict):
            raise StoreError(f"{self.manifest_file} is no JSON object. Restore it from a copy.")
        return manifest

    def require_manifest(self) -> None:
        """Raise UsageError when there is no run.json: nobody knows then what the run was."""
        if not self.manifest_file.is_file():
            raise UsageError(
                f"{self.path} has no run.json, so it cannot be told what it was to run. Restore the file from a copy, "
                "or begin anew under another id; what is finished there stays in results.jsonl and traces.jsonl."
            )

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace run.json. Raises StoreError when the disk refuses."""
        atomic.write(self.manifest_file, _pretty(manifest))


class Store:
    """A folder of runs. Without a path: the folder that SMOLTRACE_STORE names, else ./smoltrace-runs."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path or os.environ.get("SMOLTRACE_STORE") or DEFAULT)

    @property
    def runs_path(self) -> Path:
        return self.path / "runs"

    @property
    def leaderboard_path(self) -> Path:
        return self.path / "leaderboard"

    def run_ids(self) -> list[str]:
        """The ids of all runs, sorted."""
        try:
            return sorted(
                entry.parent.name for entry in self.runs_path.glob("*/run.json") if entry.parent.name[0] != "."
            )
        except OSError as error:
            raise atomic.disk_error(f"read {self.runs_path}", error) from error

    def run(self, run_id: str) -> RunDir:
        """The directory of a run. Raises RunNotFoundError, with the names that come near, StoreError."""
        found = self._named(run_id)
        if found is None:
            raise self._not_found(run_id)
        return found

    def _named(self, run_id: str) -> RunDir | None:
        """The run whose directory has this very name, which somebody may have given it. Raises StoreError."""
        found = RunDir(self.runs_path / run_id)
        return found if _is_name(run_id) and _has_manifest(found) else None

    def find(self, run: str | Path) -> RunDir:
        """The directory of a run given its id, the beginning of its id, `latest`, or a path.

        Raises RunNotFoundError when there is none, UsageError when a beginning fits several.
        """
        text = str(run)
        if _has_manifest(RunDir(Path(text))):
            return RunDir(Path(text).resolve())
        if text == LATEST:
            return self.latest()
        if (named := self._named(text)) is not None:
            return named
        fitting = [run_id for run_id in self.run_ids() if text and run_id.startswith(text)]
        if len(fitting) == 1:
            return RunDir(self.runs_path / fitting[0])
        if fitting:
            raise UsageError(
                f"'{text}' is the beginning of {len(fitting)} runs: {_some(fitting)}. Write more of the id."
            )
        raise self._not_found(text)

    def latest(self) -> RunDir:
        """The run that was started last. Raises RunNotFoundError when the store has none."""
        if not (newest := self.newest(1)):
            raise self._not_found(LATEST)
        return newest[0]

    def newest(self, limit: int | None = None) -> list[RunDir]:
        """The runs by their start, the newest first; only the first `limit` when that is given. Those whose manifest
        cannot be read come last."""
        runs = [RunDir(self.runs_path / run_id) for run_id in self.run_ids()]
        runs.sort(key=lambda run: (*_started(run), run.run_id), reverse=True)
        return runs[:limit]

    def new_run_id(self, asked: str | None = None) -> str:
        """The id of a run to come: `asked`, or a new UUID.

        Raises UsageError when it is taken or no safe name for a file.
        """
        if asked is None:
            return str(uuid4())
        require_safe_id(asked)
        if (self.runs_path / asked).exists():
            raise UsageError(f"The store {self.path} has a run '{asked}' already. Choose another id.")
        return asked

    def begun(self, run_id: str | None) -> RunDir | None:
        """The directory of the run that has this id, None when the id is free or no safe name for a file.

        Raises UsageError for a directory that has lost its manifest.
        """
        if run_id is None or not _SAFE_ID.fullmatch(run_id) or not (self.runs_path / run_id).exists():
            return None
        found = RunDir(self.runs_path / run_id)
        found.require_manifest()
        return found

    def create(self, run_id: str | None, manifest: Mapping[str, Any]) -> RunDir:
        """Make the directory of a new run; it appears with its manifest in it, so no reader sees a run without one.

        Raises UsageError when the id is taken or unsafe, StoreError when the disk refuses.
        """
        run_id = self.new_run_id(run_id)
        final = self.runs_path / run_id
        beside = self.runs_path / f".{run_id[:64]}.{uuid4().hex}.new"
        try:
            beside.mkdir(parents=True)
            RunDir(beside).write_manifest({**manifest, "run_id": run_id})
            # Of two processes that want one id, the second rename meets a directory that is not empty and fails.
            beside.rename(final)
            atomic.sync(self.runs_path)
        except OSError as error:
            taken = final.exists()
            if beside.exists():
                RunDir(beside).manifest_file.unlink(missing_ok=True)
                beside.rmdir()
            if taken:
                raise UsageError(f"The store {self.path} has a run '{run_id}' already. Choose another id.") from error
            raise atomic.disk_error(f"make a run in {self.runs_path}", error) from error
        return RunDir(final)

    def _not_found(self, run_id: str) -> RunNotFoundError:
        known = self.run_ids()
        if not known:
            return RunNotFoundError(
                f"The store {self.path} has no runs. Make one with 'smoltrace eval', or name another with --store."
            )
        near = difflib.get_close_matches(run_id, known, n=3, cutoff=0.5)
        hint = f"Did you mean {_some(near)}?" if near else "'smoltrace runs' lists them."
        return RunNotFoundError(f"The store {self.path} has no run '{run_id}'. {hint}")


def require_safe_id(run_id: str) -> None:
    """Raise UsageError for a run id that is no safe name for a file."""
    if not _SAFE_ID.fullmatch(run_id) or run_id == LATEST:
        raise UsageError(
            f"The run id '{run_id}' cannot be used. Write up to 128 letters, digits, '-', '_', '+' and '.', the "
            "first of them a letter, a digit or '_'; 'latest' is the newest run's other name."
        )


def _started(run: RunDir) -> tuple[bool, str]:
    """Whether a run tells when it was started, and when."""
    try:
        return True, str(run.manifest().get("started_at") or "")
    except StoreError:
        return False, ""


def _is_name(text: str) -> bool:
    """Whether this can be the name of a run's directory, and is no path that leads elsewhere."""
    return Path(text).name == text and text[:1] not in ("", ".")


def _has_manifest(run: RunDir) -> bool:
    """Raises StoreError when the disk refuses to tell."""
    try:
        return run.manifest_file.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise atomic.disk_error(f"read {run.path}", error) from error


def _some(run_ids: list[str]) -> str:
    shown = ", ".join(run_ids[:5])
    return shown if len(run_ids) <= 5 else f"{shown}, …"


def _pretty(document: Mapping[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str)
