"""Text and JSON that every reader can hold: valid UTF-8, and no value that a writer chokes on."""

from __future__ import annotations

import json
from typing import Any


def clean(text: str) -> str:
    """The text with halves of surrogate pairs joined, or replaced by U+FFFD where one stands alone.

    Models and tools do return such text; neither JSON nor Parquet can store it.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def json_text(value: Any) -> str:
    """`value` as one JSON document. What JSON cannot hold becomes its `str()`, so nothing is refused or dropped."""
    import orjson

    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (orjson.JSONEncodeError, RecursionError):
        # Integers beyond 64 bits and lone surrogates: rare, so the slower encoder may take them.
        return clean(json.dumps(_plain(value), default=str, ensure_ascii=False, separators=(",", ":")))


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > 100:
        try:
            return str(value)
        except RecursionError:
            return "…"
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    return value
