"""Scripts, styles and pictures: kept in memory, compressed once, and sent again only when they have changed.

A page's script is made of many modules, and a browser would ask about each of them each time: it gets them as one.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from smoltrace.viewer.bundle import bundle

if TYPE_CHECKING:
    from starlette.requests import Request

TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""All kinds there are. What a system says of the types of files is its own affair: some call JavaScript plain text."""
_WORTH_GZIP: Final = 1000
_MODULES: Final = "js"
_PAGES: Final = "js/pages/"
"""Here is one module for each page: it is sent together with all that it imports."""


@dataclass(frozen=True, slots=True)
class _Kept:
    state: object
    tag: str
    plain: bytes
    packed: bytes


class StaticFiles:
    """The files below a folder. A name is looked up among those that there are, so no name leads out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._kept: dict[str, _Kept] = {}

    async def answer(self, request: Request) -> Response:
        """The file that the address names. Raises HTTPException 404."""
        name = request.path_params["name"]
        if name not in self._files:
            self._files = self._listed()
        try:
            kept = self._read(name)
        except (KeyError, FileNotFoundError):
            raise HTTPException(404) from None
        headers = {"Cache-Control": "no-cache", "ETag": kept.tag}
        if kept.tag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        body = kept.plain
        if len(kept.packed) < len(body) and "gzip" in request.headers.get("accept-encoding", ""):
            body = kept.packed
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(body, headers=headers, media_type=TYPES[self._files[name].suffix])

    def _listed(self) -> dict[str, Path]:
        files = (file for file in self._folder.rglob("*") if file.suffix in TYPES and file.is_file())
        return {file.relative_to(self._folder).as_posix(): file for file in files}

    def _read(self, name: str) -> _Kept:
        file, in_one = self._files[name], name.startswith(_PAGES)
        state = self._state_of_modules() if in_one else _state(file)
        kept = self._kept.get(name)
        if kept is None or kept.state != state:
            plain = bundle(file).encode() if in_one else file.read_bytes()
            packed = gzip.compress(plain, mtime=0) if len(plain) >= _WORTH_GZIP else plain
            # Weak, since the same file is sent compressed and not.
            kept = _Kept(state, f'W/"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"', plain, packed)
            self._kept[name] = kept
        return kept

    def _state_of_modules(self) -> list[tuple[str, int, int]]:
        return sorted((str(file), *_state(file)) for file in (self._folder / _MODULES).rglob("*.js"))


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def _tags(header: str) -> list[str]:
    return [tag if tag.startswith("W/") else f"W/{tag}" for tag in map(str.strip, header.split(",")) if tag]
