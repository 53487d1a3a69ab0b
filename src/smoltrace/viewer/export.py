"""The viewer as a site of files: the same pages, with what the API would answer laid beside them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import SmoltraceError, StoreError, UsageError
from smoltrace.records.schema import METRICS, POINTS, RESULTS, SPANS, TRACES
from smoltrace.store.atomic import disk_error
from smoltrace.store.parquet import write_rows
from smoltrace.viewer.archive import HEADER, board_document, run_documents, store_document
from smoltrace.viewer.bundle import bundle
from smoltrace.viewer.data.loading import BROKEN
from smoltrace.viewer.data.packing import packed
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.sources import Source
from smoltrace.viewer.pages import PAGES, STATIC, page

if TYPE_CHECKING:
    from smoltrace.store.read import Run

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""What a page of the site may load: itself. `frame-ancestors` has no meaning in a page and is a server's to send."""
_CLASSIC_SCRIPT: Final = "theme.js"
_DATA: Final = "data"
_BOARD: Final = "leaderboard.json.gz"
_BESIDE: Final = ".smoltrace-site"
"""The folder, in that of the site, in which it is made, until all of it is there."""
_PIECE: Final = 1 << 20


@dataclass
class Exported:
    """A site: where it lies, the runs in it, its size in bytes, and why which runs could not be read."""

    folder: Path
    runs: list[str] = field(default_factory=list)
    size: int = 0
    left_out: dict[str, str] = field(default_factory=dict)


def export_site(runs: Sequence[Run], folder: Path, *, told: Callable[[str], None] | None = None) -> Exported:
    """Write a static site of these runs into `folder`, for any web server; it needs nothing else.

    An earlier site there is replaced once this one is whole; other files in the folder are left as they are. `told` is
    called with the id of each run that was written. A run that is not finished is shown as it stands; one that cannot
    be read is left out and named. Raises UsageError when the folder cannot be written or has something else under the
    names of the site, and StoreError when no run could be read.
    """
    made = Exported(folder)
    with _writing(folder) as new:
        headers = []
        for run in {run.id: run for run in runs}.values():
            header = _add_run(run, new / _DATA, made)
            if header is not None:
                headers.append(header)
                if told is not None:
                    told(run.id)
        if not headers:
            raise StoreError(" ".join(("None of the runs could be read.", *made.left_out.values())))
        _write(new / _DATA / "store.json.gz", packed(store_document(headers, made.left_out)))
        _write(new / _DATA / _BOARD, packed(board_document(headers)))
        _add_pages(new)
        made.size = sum(file.stat().st_size for file in new.rglob("*") if file.is_file())
        _replace(folder, new)
    return made


@contextmanager
def _writing(folder: Path) -> Iterator[Path]:
    """A folder to make the site in, gone when the block ends. What the disk refuses is a UsageError."""
    new = folder / _BESIDE
    try:
        _check(folder)
        is_new = not folder.exists()
        try:
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            yield new
        finally:
            shutil.rmtree(new, ignore_errors=True)
            if is_new:
                # Only where nothing came of the site is there nothing in it.
                with suppress(OSError):
                    folder.rmdir()
    except OSError as error:
        raise UsageError(f"The site cannot be written to {folder}: {error.strerror or error}.") from error


def _names() -> list[str]:
    """What there is of a site in its folder; the data last."""
    return [*(path.removeprefix("/") for path in PAGES if path != "/"), "static", _DATA]


def _check(folder: Path) -> None:
    """Nothing of somebody else's is overwritten: a folder with pages or data must be an earlier site."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file. Name a folder for the site.")
    taken = [name for name in _names() if os.path.lexists(folder / name)]
    if taken and not (folder / _DATA / _BOARD).exists():
        raise UsageError(
            f"{folder} has other files under names that the site needs: {', '.join(taken)}. Name an empty folder."
        )


def _replace(folder: Path, new: Path) -> None:
    """Put the site where it belongs. What stood there is moved out of the way at once, and deleted afterwards; where
    the disk refuses a part, all of it comes back. Raises OSError."""
    old = new / "old"
    old.mkdir()
    try:
        for name in _names():
            if os.path.lexists(folder / name):
                (folder / name).rename(old / name)
            (new / name).rename(folder / name)
    except OSError:
        for name in _names():
            if not os.path.lexists(new / name):
                (folder / name).rename(new / name)
            if os.path.lexists(old / name):
                (old / name).rename(folder / name)
        raise


def _add_run(run: Run, data: Path, made: Exported) -> dict[str, Any] | None:
    """The documents and the Parquet files of a run, and its header; or its name among those left out."""
    place, header = data / "runs" / run.id, {}
    try:
        for name, content in run_documents(run, Readings()):
            _write(place / f"{name}.json.gz", packed(content))
            if name == HEADER:
                header = content
        _add_datasets(run, place)
    except OSError:
        # What cannot be read of a run is a StoreError: this is the place that is written to.
        raise
    except BROKEN as error:
        shutil.rmtree(place, ignore_errors=True)
        unread = f"{run.path} cannot be read ({type(error).__name__}: {error})."
        made.left_out[run.id] = str(error) if isinstance(error, SmoltraceError) else unread
        return None
    made.runs.append(run.id)
    return header


def _add_datasets(run: Run, place: Path) -> None:
    """What can be downloaded of a run. Raises StoreError when it cannot be read."""
    is_up_to_date = Source(run).finished_files
    rows = {RESULTS: run.results, TRACES: run.traces, SPANS: run.spans, METRICS: run.metrics, POINTS: run.points}
    for dataset, read in rows.items():
        file = run.directory.parquet(dataset.name)
        if not (is_up_to_date and file.exists()):
            write_rows(place / file.name, dataset, read())
            continue
        try:
            source = file.open("rb")
        except OSError as error:
            raise disk_error(f"read {file}", error) from error
        with source, (place / file.name).open("wb") as copy:
            shutil.copyfileobj(source, copy, _PIECE)


def _add_pages(folder: Path) -> None:
    for path, screen in PAGES.items():
        if path != "/":
            _write(folder / path.removeprefix("/"), page(screen, data="static", csp=POLICY).encode())
    shutil.copytree(STATIC, folder / "static", ignore=_hidden_and_modules)
    scripts = Path("js", "pages")
    for entry in sorted((STATIC / scripts).glob("*.js")):
        _write(folder / "static" / scripts / entry.name, bundle(entry).encode())


def _hidden_and_modules(place: str, names: list[str]) -> set[str]:
    """What is not copied: of the scripts only the one that is no module goes as it is."""
    scripts = set(names) - {_CLASSIC_SCRIPT} if Path(place) == STATIC / "js" else set()
    return scripts | {name for name in names if name.startswith(".")}


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
