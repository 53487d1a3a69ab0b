"""A run as one page that holds everything it shows: to send, to keep, to open without a server."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import StoreError, UsageError
from smoltrace.store import atomic
from smoltrace.viewer.archive import HEADER, board_document, run_documents, store_document
from smoltrace.viewer.bundle import BundleError, bundle
from smoltrace.viewer.data.packing import packed
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.pages import PAGES, STATIC, sheets_of, single_page

if TYPE_CHECKING:
    from smoltrace.store.read import Run

NOWHERE: Final = "base-uri 'none'; form-action 'none'"
_REMOTE: Final = re.compile(r"""@import|url\((?!["']?(?:#|data:))|</""", re.IGNORECASE)
"""What loads something, and what would end the style."""


def single_file(run: Run, file: Path) -> int:
    """Write one HTML page with the run, its tests and traces into `file`, and give its size in bytes.

    Scripts, styles and data stand in the page: a page opened from a file may load nothing else. Its policy names its
    scripts and styles by their hashes and allows no connection at all. Raises UsageError when the file cannot be
    written, StoreError when the run cannot be read.
    """
    try:
        if file.is_dir():
            raise UsageError(f"{file} is a folder. Name a file, such as {file / 'run.html'}.")
        if file.exists() and not file.is_file():
            raise UsageError(f"{file} is no plain file. Name one, such as run.html.")
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(file, error) from error
    html = _html(run).encode()
    try:
        atomic.write(file, html)
    except StoreError as error:
        raise _not_written(file, error.__cause__ or error) from error
    return len(html)


def _not_written(file: Path, error: BaseException) -> UsageError:
    why = error.strerror if isinstance(error, OSError) else None
    return UsageError(f"The page cannot be written to {file}: {why or error}.")


def _html(run: Run) -> str:
    theme = (STATIC / "js" / "theme.js").read_text(encoding="utf-8")
    script = bundle(STATIC / "js" / "main.js")
    styles = [(screens, _style(name)) for name, screens in _sheets().items()]
    scripts_are, styles_are = f"{_hash(theme)} {_hash(script)}", " ".join(_hash(style) for _, style in styles)
    policy = f"default-src 'none'; script-src {scripts_are}; style-src {styles_are}; img-src data:; {NOWHERE}"
    return single_page(
        csp=policy,
        run=run.id,
        theme=theme,
        styles=styles,
        script=script,
        icon=_base64((STATIC / "icon.svg").read_bytes()),
        documents=((name, _base64(packed(content))) for name, content in _documents(run)),
    )


def _documents(run: Run) -> Iterator[tuple[str, Any]]:
    """What the page would ask a server for: a store of this one run."""
    for name, content in run_documents(run, Readings()):
        yield f"runs/{run.id}/{name}", content
        if name == HEADER:
            yield "store", store_document([content])
            yield "leaderboard", board_document([content])


def _sheets() -> dict[str, str]:
    """The style sheets in their order, each with the screens that it is for: none are all of them.

    On a site each page loads its own, so names of classes may mean one thing here and another there.
    """
    found: dict[str, list[str]] = {}
    for screen in dict.fromkeys(PAGES.values()):
        for name in sheets_of(screen):
            found.setdefault(name, []).append(screen)
    count = len(set(PAGES.values()))
    return {name: "" if len(screens) == count else " ".join(screens) for name, screens in found.items()}


def _style(name: str) -> str:
    """A style sheet. Raises BundleError when it would load something."""
    style = (STATIC / "css" / f"{name}.css").read_text(encoding="utf-8")
    if (found := _REMOTE.search(style)) is not None:
        raise BundleError(f"The style sheet {name}.css has '{found[0]}', which a single page cannot have.")
    return style


def _hash(content: str) -> str:
    """How a policy names an inline script or style."""
    return f"'sha256-{_base64(hashlib.sha256(content.encode()).digest())}'"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
