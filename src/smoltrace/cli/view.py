"""`smoltrace view`: the viewer, served, or written as files."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import click

from smoltrace.cli import output
from smoltrace.cli.show import option_of
from smoltrace.cli.signals import stopping_on_signals
from smoltrace.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from smoltrace.store.layout import RunDir, Store
    from smoltrace.viewer.serve import ViewerServer

EPILOG = """
RUN is a run id, the beginning of one, 'latest', or the path of a run's folder. With one, its page is opened; with
several, their comparison. The folder of a store may be named instead.

\b
Examples:
  smoltrace view                                 the store, in the browser
  smoltrace view latest
  smoltrace view --sample                        sample runs, to see what there is to see
  smoltrace view --store ~/evaluations --no-open --port 8080
  smoltrace view --export site                   a static site of the whole store
  smoltrace view latest --single-file run.html   one page that can be sent to somebody

Runs appear as they go on, and a store may appear later. Nothing is changed by looking at it. Ctrl-C ends it.

The viewer answers this machine only, unless --host says otherwise; it asks nobody for a password. On another machine,
forward the port: ssh -L 7860:localhost:7860 THAT_MACHINE.

A static site needs any web server; a single file needs none. Both show prompts and answers to whoever has them.
"""

NEEDED: Final = ("duckdb", "jinja2", "starlette", "uvicorn")


@click.command("view", epilog=EPILOG)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="PATH",
    help="Where runs are kept [default: as for eval].",
)
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on [default: 7860, or the next free one].")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option("--sample", is_flag=True, help="Show sample runs; they are kept where --store is given.")
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a static site of the runs, or of all, and end.",
)
@click.option(
    "--single-file",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write one HTML file that holds the run, and end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the address as one JSON document and nothing else.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    runs: tuple[str, ...],
    store: Path | None,
    port: int | None,
    host: str,
    no_open: bool,
    sample: bool,
    folder: Path | None,
    file: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Look at runs in the browser: the leaderboard, comparisons, runs and their traces."""
    _require_extra()
    _check(runs, folder, file, port)
    silent = quiet or as_json
    if store is None and not sample and len(runs) == 1 and _is_store(Path(runs[0])):
        store, runs = Path(runs[0]), ()
    with stopping_on_signals(), _store(store, sample, silent) as shown:
        found = [shown.find(run) for run in runs]
        shown = _store_of(found, shown)
        if folder is not None:
            _export(shown, found, folder, as_json, quiet)
        elif file is not None:
            _single_file(found[0], file, as_json, quiet)
        else:
            _serve(shown, found, store, host, port, no_open or silent, as_json, quiet)


def _require_extra() -> None:
    if any(find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("view", "The viewer")


def _is_store(path: Path) -> bool:
    try:
        return (path / "runs").is_dir() and not (path / "run.json").exists()
    except OSError:
        return False  # no path, or one that may not be looked at: it is looked for among the runs


def _check(runs: Sequence[str], folder: Path | None, file: Path | None, port: int | None) -> None:
    from smoltrace.viewer.data.compare import MOST

    if folder is not None and file is not None:
        raise UsageError("Choose one of --export and --single-file.")
    if port is not None and (folder is not None or file is not None):
        raise UsageError("Files are written and nothing is served: leave --port out, or --export and --single-file.")
    if file is not None and len(runs) != 1:
        raise UsageError("--single-file holds one run: name it, as in smoltrace view latest --single-file run.html")
    if folder is None and len(runs) > MOST:
        raise UsageError(f"At most {MOST} runs can be compared. Without a run the viewer shows all of them.")


@contextmanager
def _store(path: Path | None, sample: bool, silent: bool) -> Iterator[Store]:
    """The store to show. One of sample runs that was not asked to be kept is deleted at the end."""
    from smoltrace.store.layout import Store

    if not sample:
        yield Store(path)
        return
    if path is not None:
        _make_sample(Store(path), silent)
        yield Store(path)
        return
    temporary = Path(tempfile.mkdtemp(prefix="smoltrace-sample-"))
    try:
        made = Store(temporary / "smoltrace-sample")
        _make_sample(made, silent)
        yield made
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _make_sample(store: Store, silent: bool) -> None:
    """Fill a store with sample runs, unless it has them."""
    from smoltrace.samples.runs import DEFAULT_RUNS, sample_runs
    from smoltrace.samples.store import make_sample_store

    if all((store.runs_path / run.run_id).exists() for run in sample_runs(DEFAULT_RUNS)):
        return
    if not silent:
        click.echo(f"Making sample runs in {store.path}", err=True)
    make_sample_store(store.path)


def _store_of(found: Sequence[RunDir], store: Store) -> Store:
    """The store that the runs lie in: a run may have been named by its path. Raises UsageError when there is none."""
    places = {run.path.parent.resolve(): run.store for run in found}
    if not places or set(places) == {store.runs_path.resolve()}:
        return store
    if len(places) > 1:
        raise UsageError("These runs lie in several stores. Show those of one at a time.")
    ((place, its_store),) = places.items()
    if its_store is None:
        raise UsageError(f"{place} is no folder 'runs' of a store. Put the run's folder into one, STORE/runs.")
    return its_store


def _export(store: Store, found: Sequence[RunDir], folder: Path, as_json: bool, quiet: bool) -> None:
    from smoltrace.store.read import Run
    from smoltrace.viewer.export import export_site

    chosen = [Run(run) for run in found or store.newest()]
    if not chosen:
        raise UsageError(f"The store {store.path} has no runs to write a site of. Make one with: smoltrace eval")
    told = None if as_json or quiet else lambda run_id: click.echo(f"written {run_id}", err=True)
    made = export_site(chosen, folder, told=told)
    if as_json:
        click.echo(output.json_text({"folder": str(folder), "runs": made.runs, "left_out": made.left_out}))
        return
    for run_id, why in made.left_out.items():
        click.echo(f"Warning: {run_id} is left out: {why}", err=True)
    if not quiet:
        count = len(made.runs)
        click.echo(f"{count} run{'' if count == 1 else 's'} in {folder / 'index.html'}, {_size(made.size)}")
        click.echo(f"Next: python -m http.server --directory {shlex.quote(str(folder))}")


def _single_file(found: RunDir, file: Path, as_json: bool, quiet: bool) -> None:
    from smoltrace.store.read import Run
    from smoltrace.viewer.single import single_file

    size = single_file(Run(found), file)
    if as_json:
        click.echo(output.json_text({"file": str(file), "run": found.run_id, "bytes": size}))
    elif not quiet:
        click.echo(f"{found.run_id} in {file}, {_size(size)}: open it in a browser")


def _size(count: int) -> str:
    return f"{count / 1000:.0f} kB" if count < 999_500 else f"{count / 1_000_000:.1f} MB"


def _serve(
    store: Store,
    found: Sequence[RunDir],
    option: Path | None,
    host: str,
    port: int | None,
    no_open: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from smoltrace.viewer.serve import ViewerServer, open_in_browser

    server = ViewerServer(store, host=host, port=port)
    address = server.url + _page(found)
    if not server.is_local and not quiet:
        click.echo(
            f"Warning: everyone who can reach this machine on port {server.port} can read all prompts and answers.",
            err=True,
        )
    if not quiet and not found and next(store.runs_path.glob("*/run.json"), None) is None:
        click.echo(
            f"The store {store.path} has no runs yet. Make one with: smoltrace eval{option_of(option)}", err=True
        )

    def ready() -> None:
        _tell(server, address, store, found, as_json, quiet)
        if not no_open and sys.stdout.isatty():
            open_in_browser(address)

    server.run(ready)


def _page(found: Sequence[RunDir]) -> str:
    """The page that shows the runs, relative to the address of the first page."""
    if not found:
        return ""
    if len(found) == 1:
        return "run.html?" + urlencode({"id": found[0].run_id})
    return "compare.html?" + urlencode({"runs": ",".join(run.run_id for run in found)}, safe=",")


def _tell(
    server: ViewerServer, address: str, store: Store, found: Sequence[RunDir], as_json: bool, quiet: bool
) -> None:
    if as_json:
        document = {
            "url": address,
            "host": server.host,
            "port": server.port,
            "pid": os.getpid(),
            "store": str(store.path),
            "runs": [run.run_id for run in found],
        }
        click.echo(output.json_text(document))
    elif not quiet:
        click.echo(f"The viewer is at {address} (Ctrl-C ends it)")
