"""What addresses name: runs of the store and nothing outside of it, and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from smoltrace.errors import RunNotFoundError, UsageError
from smoltrace.store.layout import LATEST
from smoltrace.store.parquet import reading
from smoltrace.store.read import Run

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from smoltrace.store.layout import RunDir
    from smoltrace.viewer.data.board import Board

_DIGITS: Final = 15


def run_dir(board: Board, run_id: str) -> RunDir:
    """The run of this id, or `latest`. Paths are no ids here, whatever they lead to. Raises RunNotFoundError,
    StoreError."""
    return board.store.run((board.latest() if run_id == LATEST else None) or run_id)


def of_run(answer: Callable[[Run, Request], Response]) -> Callable[[Request], Response]:
    """An endpoint that answers with something of the run that its address names."""

    def endpoint(request: Request) -> Response:
        found = run_dir(request.app.state.board, request.path_params["run"])
        try:
            with reading(found.path):
                return answer(Run(found), request)
        except Exception as error:
            # A run may be deleted while it is being read: whatever that broke, the run is what is missing.
            if not found.manifest_file.is_file():
                raise RunNotFoundError(f"The run '{found.run_id}' is gone. It has been deleted or moved.") from error
            raise

    return endpoint


def integer(asked: Mapping[str, str], name: str, default: int, most: int | None = None) -> int:
    """A whole number of a query; who asks for more than `most` gets as much. Raises UsageError for anything else."""
    text = asked.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        raise UsageError(f"{name}={text[:40]} is no whole number. Write digits only.")
    return int(text) if most is None else min(int(text), most)


def number(asked: Mapping[str, str], name: str) -> float | None:
    """A number of a query, None where it is not given. Raises UsageError for what is none."""
    text = asked.get(name)
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise UsageError(f"{name}={text[:40]} is no number. Write one as in 1250.5.")
    return found
