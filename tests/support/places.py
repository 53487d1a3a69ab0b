"""Where the viewer's pages come from: a server, a site of files, one file. What is made is made once a test run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """A folder that the first of all test processes makes, while the others wait."""
    done, lock = folder.with_suffix(".done"), folder.with_suffix(".lock")
    try:
        lock.mkdir(parents=True)
    except FileExistsError:
        until = time.monotonic() + 120
        while not done.exists():
            assert time.monotonic() < until, f"{folder} was not made by the process that had begun to"
            time.sleep(0.05)
    else:
        try:
            make(folder)
        finally:
            done.touch()
    assert folder.exists(), f"{folder} could not be made: another process tells why"
    return folder


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The same for all processes of a test run."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@contextmanager
def served(store: Path) -> Iterator[str]:
    """The address of a viewer of this store."""
    for needed in ("starlette", "uvicorn", "jinja2", "duckdb"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install 'smoltrace[view]'")
    from support.viewing import running

    from smoltrace.store.layout import Store
    from smoltrace.viewer.serve import ViewerServer

    with running(ViewerServer(Store(store), port=0)) as server:
        yield server.url


@contextmanager
def site_of(store: Path, folder: Path) -> Iterator[str]:
    """The address of a site of all runs of this store, behind Python's plain server of files."""
    from support.viewing import serving_files

    from smoltrace.store.layout import Store
    from smoltrace.store.read import Run
    from smoltrace.viewer.export import export_site

    def make(folder: Path) -> None:
        export_site([Run(run) for run in Store(store).newest()], folder)

    with serving_files(made_once(folder, make)) as url:
        yield url


def file_of(store: Path, folder: Path) -> Callable[[str], str]:
    """The address of a page that is one file, by the address that its run has in the viewer."""
    from smoltrace.store.layout import Store
    from smoltrace.store.read import Run
    from smoltrace.viewer.single import single_file

    def address(relative: str) -> str:
        page, query = urlsplit(relative).path.removesuffix(".html"), urlsplit(relative).query
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        named, runs = asked.get("run") or asked.get("id"), Store(store).run_ids()
        run_id = named if named in runs else Store(store).latest().run_id

        def make(folder: Path) -> None:
            single_file(Run(Store(store).find(run_id)), folder / "run.html")

        return f"{(made_once(folder / run_id, make) / 'run.html').as_uri()}#{page}?{query}"

    return address


@contextmanager
def pages_of(where: str, store: Path, folder: Path) -> Iterator[Callable[[str], str]]:
    """What makes an absolute address of a page's relative one. `where` is server, site or file; what is written for it
    goes into `folder`."""
    if where == "file":
        yield file_of(store, folder / "files")
        return
    with served(store) if where == "server" else site_of(store, folder / "site") as home:
        yield lambda relative: urljoin(home, relative)
