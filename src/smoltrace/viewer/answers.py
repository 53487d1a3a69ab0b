"""The forms of the viewer's answers: documents, and what went wrong in words."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.responses import Response

from smoltrace.viewer.data.shape import to_json

_JSON: Final = "application/json"
_FIRST_SENTENCE: Final = re.compile(r"(.+?[.!?])\s+(?=[A-Z'\"])(.+)", re.DOTALL)


def document(value: Any, status: int = 200) -> Response:
    """`value` as one JSON document."""
    return Response(to_json(value), status, media_type=_JSON)


def refused(status: int, error: str, hint: str | None = None) -> Response:
    """`{"error", "hint"}`: what is wrong, and what to do about it."""
    return document({"error": error, "hint": hint}, status)


def told(status: int, error: Exception) -> Response:
    """One of our errors, whose first sentence says what is wrong and whose others say what to do."""
    text = str(error)
    sentences = _FIRST_SENTENCE.fullmatch(text)
    return refused(status, text) if sentences is None else refused(status, sentences[1], sentences[2])
