"""The viewer as a site of files: the same pages, with what the API would answer laid beside them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import SmoltraceError, StoreError, UsageError
from smoltrace.viewer.archive import HEADER, board_document, run_documents, store_document
from smoltrace.viewer.bundle import bundle
from smoltrace.viewer.data.packing import packed
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.pages import PAGES, STATIC, page

if TYPE_CHECKING:
    from smoltrace.store.read import Run

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""What a page of the site may load: itself. `frame-ancestors` has no meaning in a page and is a server's to send."""
DATASETS: Final = ("results", "traces", "spans", "metrics", "points")
"""What can be downloaded of a run, as Parquet."""
_CLASSIC_SCRIPT: Final = "theme.js"
_DATA: Final = "data"
_NEW: Final = "data.new"
_BOARD: Final = "leaderboard.json.gz"


@dataclass
class Exported:
    """A site: where it lies, the runs in it, its size in bytes, and why which runs could not be read."""

    folder: Path
    runs: list[str] = field(default_factory=list)
    size: int = 0
    left_out: dict[str, str] = field(default_factory=dict)


def export_site(runs: Sequence[Run], folder: Path, *, told: Callable[[str], None] | None = None) -> Exported:
    """Write a static site of these runs into `folder`, for any web server; it needs nothing else.

    An earlier site there is replaced, other files in the folder are left as they are. `told` is called with the id of
    each run that was written. A run that cannot be read is left out and named. Raises UsageError when the folder cannot
    be written or has something else under the names of the site, and StoreError when no run could be read.
    """
    _check(folder)
    made, new = Exported(folder), folder / _NEW
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        headers = []
        for run in runs:
            header = _add_run(run, new, made)
            if header is not None:
                headers.append(header)
                if told is not None:
                    told(run.id)
        if not headers:
            raise StoreError("None of the runs could be read. " + " ".join(made.left_out.values()))
        write(new / "store.json.gz", packed(store_document(headers, made.left_out)))
        write(new / _BOARD, packed(board_document(headers)))
        _add_pages(folder)
        # Last, so that the pages of an earlier site have their data until those of this one are there.
        shutil.rmtree(folder / _DATA, ignore_errors=True)
        new.replace(folder / _DATA)
        made.size = _size_of(folder)
    except OSError as error:
        raise UsageError(f"The site cannot be written to {folder}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return made


def _check(folder: Path) -> None:
    """Nothing of somebody else's is overwritten: a folder with pages or data must be an earlier site."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file. Name a folder for the site.")
    taken = [name for name in (*_page_files(), "static", _DATA) if (folder / name).exists()]
    if taken and not (folder / _DATA / _BOARD).exists():
        raise UsageError(
            f"{folder} has other files under names that the site needs: {', '.join(taken)}. Name an empty folder."
        )


def _page_files() -> list[str]:
    return [path.removeprefix("/") for path in PAGES if path != "/"]


def _add_run(run: Run, data: Path, made: Exported) -> dict[str, Any] | None:
    """The documents and the Parquet files of a run, and its header; or its name among those left out."""
    place, header = data / "runs" / run.id, {}
    try:
        for name, content in run_documents(run, Readings()):
            write(place / f"{name}.json.gz", packed(content))
            if name == HEADER:
                header = content
    except SmoltraceError as error:
        shutil.rmtree(place, ignore_errors=True)
        made.left_out[run.id] = str(error)
        return None
    for dataset in DATASETS:
        if (file := run.directory.parquet(dataset)).exists():
            shutil.copyfile(file, place / file.name)
    made.runs.append(run.id)
    return header


def _add_pages(folder: Path) -> None:
    for path, screen in PAGES.items():
        if path != "/":
            write(folder / path.removeprefix("/"), page(screen, data="static", csp=POLICY).encode())
    shutil.copytree(STATIC, folder / "static", dirs_exist_ok=True, ignore=_hidden_and_modules)
    scripts = Path("js", "pages")
    for entry in (STATIC / scripts).glob("*.js"):
        write(folder / "static" / scripts / entry.name, bundle(entry).encode())


def _hidden_and_modules(place: str, names: list[str]) -> set[str]:
    """What is not copied: of the scripts only the one that is no module goes as it is."""
    scripts = set(names) - {_CLASSIC_SCRIPT} if Path(place) == STATIC / "js" else set()
    return scripts | {name for name in names if name.startswith(".")}


def write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _size_of(folder: Path) -> int:
    parts = (folder / "static", folder / _DATA, *(folder / name for name in _page_files()))
    return sum(file.stat().st_size for part in parts for file in (part, *part.rglob("*")) if file.is_file())
