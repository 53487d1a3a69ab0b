"""The viewer's modules as one classic script: a page opened from a file may not import modules.

The modules keep a plain form: every import and export stands at the beginning of a line, imports name what they take,
and no module imports in a circle. So the order of the imports and a few patterns do the work of a build step.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_IMPORT: Final = re.compile(r"""^import \{([^}]*)\} from ['"](\.[^'"]+)['"];[ \t]*$""", re.MULTILINE)
_EXPORTED: Final = re.compile(r"^export (?=(?:async )?function\*? (\w+)|(?:const|let|class) (\w+))", re.MULTILINE)
_EXPORT_LIST: Final = re.compile(r"^export \{([^}]*)\};[ \t]*$", re.MULTILINE)
_LEFT_OVER: Final = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class BundleError(Exception):
    """A module has a form that the bundle cannot take: a mistake in the viewer itself, found by its tests."""


@dataclass(frozen=True)
class _Module:
    """A module's code as the body of a function, and what it gives."""

    body: str
    needs: tuple[Path, ...]
    gives: tuple[str, ...]


def bundle(entry: Path) -> str:
    """The script of `entry` and of all that it imports, each module once and after those that it needs.

    Every module becomes a function that is called at once, so that names stay apart. `</script` and `<!--`, which would
    end or change a script inside a page, are written so that they mean the same and do neither. Raises BundleError.
    """
    done: dict[Path, str] = {}
    pieces: list[str] = []
    _add(entry.resolve(), done, pieces, ())
    script = "(() => {\n'use strict';\n" + "\n".join(pieces) + "\n})();\n"
    # Both can stand only in strings, patterns and comments of these modules, where the backslash changes nothing.
    return re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE).replace("<!--", r"<\!--")


def _add(path: Path, done: dict[Path, str], pieces: list[str], above: tuple[Path, ...]) -> None:
    if path in done:
        return
    if path in above:
        circle = " > ".join(item.name for item in (*above[above.index(path) :], path))
        raise BundleError(f"These modules import each other in a circle: {circle}.")
    module = _read(path)
    for needed in module.needs:
        _add(needed, done, pieces, (*above, path))
    name = f"m{len(done)}"
    taken = _taken(path, done)
    pieces.append(
        f"const {name} = (() => {{\n{taken}{module.body.strip()}\nreturn {{{', '.join(module.gives)}}};\n}})();"
    )
    done[path] = name


def _taken(path: Path, done: dict[Path, str]) -> str:
    lines = []
    for names, source in _IMPORT.findall(path.read_text(encoding="utf-8")):
        wanted = ", ".join(_renamed(name) for name in names.split(",") if name.strip())
        lines.append(f"const {{{wanted}}} = {done[_beside(path, source)]};\n")
    return "".join(lines)


def _beside(path: Path, source: str) -> Path:
    # Not resolve: it asks the disk about every folder on the way, hundreds of times for one page.
    return Path(os.path.normpath(path.parent / source))


def _renamed(name: str) -> str:
    given, _, own = name.strip().partition(" as ")
    return f"{given.strip()}: {own.strip()}" if own else given


def _read(path: Path) -> _Module:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BundleError(f"The module {path.name} cannot be read: {error}.") from error
    needs = tuple(_beside(path, source) for _, source in _IMPORT.findall(text))
    gives = [first or second for first, second in _EXPORTED.findall(text)]
    body = _EXPORTED.sub("", _IMPORT.sub("", text))
    for listed in _EXPORT_LIST.findall(body):
        gives += [_given(name) for name in listed.split(",") if name.strip()]
    body = _EXPORT_LIST.sub("", body)
    if left := _LEFT_OVER.search(body):
        raise BundleError(f"{path.name}: '{left[0][:80]}' is a form of import or export that the bundle does not know.")
    return _Module(body, needs, tuple(gives))


def _given(name: str) -> str:
    own, _, told = name.strip().partition(" as ")
    return f"{told.strip()}: {own.strip()}" if told else own
