"""The pages: one template for all of them. What they show, they ask for themselves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import jinja2

TEMPLATES: Final = Path(__file__).parent / "templates"
STATIC: Final = Path(__file__).parent / "static"
PAGES: Final = {
    "/": "leaderboard",
    "/index.html": "leaderboard",
    "/compare.html": "compare",
    "/runs.html": "runs",
    "/run.html": "run",
    "/traces.html": "traces",
    "/trace.html": "trace",
}
"""The path of each page, the same as the file of a static site, and the screen that it shows."""


_TITLES: Final = {
    "leaderboard": "Leaderboard",
    "compare": "Compare",
    "runs": "Runs",
    "run": "Run",
    "traces": "Traces",
    "trace": "Trace",
}


def sheets_of(screen: str) -> list[str]:
    """The names of the style sheets of a screen's page, in their order."""
    return ["tokens", "base", "table", "popup", "lists" if screen in ("runs", "traces") else screen]


def page(screen: str, **more: Any) -> str:
    """The HTML of a screen. `more` goes to the template: `data` says where data come from ("live" by default), `csp` is
    the policy of a page that no server gives one."""
    given = {"screen": screen, "title": _TITLES[screen], "sheets": sheets_of(screen), **more}
    return _templates().get_template("page.html").render(given)


def single_page(**parts: Any) -> str:
    """The HTML of a page that is all of the viewer: its scripts, style, `documents` (pairs of a name and of gzip in
    base64) and `csp` stand in it. It begins with the run."""
    return _templates().get_template("single.html").render({"screen": "run", "title": "Run", "data": "inline", **parts})


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
