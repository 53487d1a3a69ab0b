"""The form in which data goes to the browser: JSON that any parser reads, columns instead of rows, long text cut."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from smoltrace.records.times import parse_time, unix_ns

_DEEPEST = 200
_WIDEST_INTEGER = 1000
"""Bits of an integer that a double can come near to."""


def to_json(value: Any) -> bytes:
    """`value` as one JSON document in UTF-8. Never fails.

    NaN and infinities become null, Decimal the nearest double, datetimes milliseconds since 1970 (float), sets arrays,
    lone surrogates `\\udXXX`, and what JSON has no form for its `str()`. What is nested deeper than 200 levels, or
    contains itself, is replaced by words that say so.
    """
    import orjson

    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except (TypeError, ValueError, RecursionError):
        # Lone surrogates, integers beyond 64 bits, keys that are no text: rare, so the slower encoder may take them.
        return json.dumps(_plain(value, ()), ensure_ascii=True, separators=(",", ":")).encode()


def unix_ms(time: datetime) -> float:
    """Milliseconds since 1970; a datetime without a zone is UTC."""
    return unix_ns(time.replace(tzinfo=UTC) if time.tzinfo is None else time) / 1_000_000


def number(value: Any) -> float | None:
    """A Decimal, an int or a float as the nearest double, which is what Parquet holds; None for what is no number."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def in_column(column_type: str, value: Any) -> Any:
    """What a column of this type holds as the screens have it: json parsed, money as double, a moment, which may have
    been kept as text, in unix ms."""
    if column_type == "json":
        return parsed(value)
    if column_type != "timestamp":
        return plain_money(value)
    moment = parse_time(value) if isinstance(value, str) else value
    return unix_ms(moment) if isinstance(moment, datetime) else number(moment)


def plain_money(value: Any) -> Any:
    """An exact amount as the double that Parquet has of it; all else as it is."""
    return number(value) if isinstance(value, Decimal) else value


def columnar(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Rows as `{"count": n, "columns": {name: [n values]}}`; what a row lacks is None."""
    listed = list(rows)
    return {"count": len(listed), "columns": {name: [row.get(name) for row in listed] for name in names}}


def cut(text: str, limit: int = 20_000, *, ref: str | None = None) -> str | dict[str, Any]:
    """The text, or where it has more than `limit` characters `{"cut": its beginning, "chars": its length,
    "ref": ref}`: by `ref` the whole text is asked for.
    """
    return text if len(text) <= limit else {"cut": text[:limit], "chars": len(text), "ref": ref}


def shortened(text: str | None, limit: int = 200) -> str | None:
    """The text, or where it is longer than `limit` characters so many of them and an ellipsis. None stays None."""
    return text if text is None or len(text) <= limit else text[:limit] + "…"


def parsed(document: Any) -> Any:
    """What a column of type json holds. Text that is no JSON is given as it is: told, not lost."""
    import orjson

    if not isinstance(document, str):
        return document
    try:
        return orjson.loads(document)
    except ValueError:
        try:
            # Python's own reader takes NaN and lone surrogates; to_json deals with both.
            return json.loads(document)
        except (ValueError, RecursionError):
            return document


def _default(value: Any) -> Any:
    """What orjson does not know, in terms that it does."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        return unix_ms(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, set | frozenset | range):
        return sorted(value, key=str)
    return str(value)


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    """`value` in what json.dumps knows. `above` are the ids of the containers around it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _WIDEST_INTEGER else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping | list | tuple):
        if id(value) in above:
            return "(contains itself)"
        if len(above) >= _DEEPEST:
            return "(nested too deeply to show)"
        above = (*above, id(value))
        if isinstance(value, Mapping):
            return {str(key): _plain(item, above) for key, item in value.items()}
        return [_plain(item, above) for item in value]
    made = _default(value)
    return made if made is None or isinstance(made, str) else _plain(made, above)
