"""Long and hostile values on their way to a page: texts cut where they are long, documents where they are deep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from smoltrace.viewer.data.shape import cut, number, parsed

LIMIT: Final = 20_000
"""Characters of a text that are shown at once."""
DEEPEST: Final = 64
"""Levels of a JSON document; what is nested more deeply is shown as the text that it is."""
MOST_VALUES: Final = 200_000
"""Values of all documents of one answer."""
TOO_DEEP: Final = f"… (nested more deeply than {DEEPEST} levels, not shown)"
TOO_MANY: Final = f"… (more than {MOST_VALUES} values, not shown)"
_LONGEST_NAME: Final = 500
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


class Texts:
    """Cuts the long texts of one answer. What was cut is `{"cut": its beginning, "chars", "ref"}`.

    A ref is made from the text itself, so the same text has the same ref wherever it stands. With `wanted` a second
    pass over the same values finds the whole text of that ref: it is in `found` then.
    """

    def __init__(self, limit: int = LIMIT, *, wanted: str | None = None) -> None:
        self._limit, self._wanted = limit, wanted
        self._left = MOST_VALUES
        self.found: str | None = None

    def text(self, text: str, *, limit: int | None = None) -> Any:
        """The text, cut where it is longer than `limit` characters."""
        limit = self._limit if limit is None else limit
        if len(text) <= limit:
            return text
        ref = ref_of(text)
        if ref == self._wanted:
            self.found = text
        return cut(text, limit, ref=ref)

    def plain(self, value: Any, depth: int = 0) -> Any:
        """A JSON value with its long texts cut; what is too deep, and all after too many values, is told in words."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping | list | tuple):
            if depth >= DEEPEST:
                return TOO_DEEP
            if len(value) >= self._left:
                return TOO_MANY
            self._left -= 1 + len(value)
            if isinstance(value, Mapping):
                return {_name(key): self.plain(item, depth + 1) for key, item in value.items()}
            return [self.plain(item, depth + 1) for item in value]
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode("utf-8", "replace"))
        known = number(value)
        return self.text(str(value)) if known is None else known


def ref_of(text: str) -> str:
    """32 hex digits that stand for this text alone."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def document(text: Any) -> Any:
    """What a text says as JSON; the text itself where it is no JSON, or nested more deeply than a page can show."""
    if not isinstance(text, str):
        return text
    found = parsed(text)
    return text if is_deep(found) else found


def is_deep(value: Any, deepest: int = DEEPEST) -> bool:
    """Whether a document has more levels than so many."""
    level = [value]
    for _ in range(deepest):
        level = [item for each in level if isinstance(each, Mapping | list) for item in _items(each)]
        if not level:
            return False
    return True


def _items(value: Mapping[str, Any] | list[Any]) -> list[Any]:
    inside = value.values() if isinstance(value, Mapping) else value
    return [item for item in inside if type(item) not in _SCALARS and isinstance(item, Mapping | list)]


def _name(key: Any) -> str:
    name = str(key)
    return (
        name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}… ({len(name)} characters, {ref_of(name)[:8]})"
    )
