"""Documents for a site of files: compressed, and every long text in them written once.

A step of an agent sends again what the steps before it have sent, so that the same prompt stands in a trace as often as
it was sent. gzip looks back 32 kB and no further: longer texts are put into a table, and named where they stand.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any, Final

from smoltrace.viewer.data.shape import to_json

WORTH_A_NAME: Final = 200
"""Characters from which a text is written once and named."""
_MARK: Final = "$"
_ITEM: Final = 8
_PLAIN: Final = frozenset({int, float, bool, type(None)})
_GZIP_LEVEL: Final = 6


def packed(value: Any) -> bytes:
    """`value` as gzipped JSON: `{"value", "texts"}`, with each text of 200 or more characters once in `texts`.

    In `value` such a text is `{"$": its place in texts}`; names of the document that begin with "$" get one more.
    """
    texts: dict[str, int] = {}
    body = _named(value, texts, 0)
    # Without a time in it, the same run gives the same file.
    return gzip.compress(to_json({"value": body, "texts": list(texts)}), compresslevel=_GZIP_LEVEL, mtime=0)


class Weight:
    """About how many bytes documents take as JSON when every long text in them is written once."""

    def __init__(self) -> None:
        self.bytes = 0
        self._texts: set[str] = set()

    def of(self, document: Any) -> tuple[int, set[str]]:
        """What this document would add: bytes, and the long texts that are new with it."""
        total, new, left = 0, set[str](), [document]
        while left:
            each = left.pop()
            if isinstance(each, str):
                known = len(each) >= WORTH_A_NAME and (each in self._texts or each in new)
                total += _ITEM if known else len(each) + 3
                if len(each) >= WORTH_A_NAME:
                    new.add(each)
            elif isinstance(each, dict):
                total += 2 + sum(len(str(name)) + 4 for name in each)
                left.extend(each.values())
            elif isinstance(each, list | tuple):
                total += 2 + _ITEM * len(each)
                if not _is_plain(each):
                    left.extend(each)
            else:
                total += _ITEM
        return total, new

    def add(self, found: tuple[int, set[str]]) -> None:
        """Counts what `of` found."""
        self.bytes += found[0]
        self._texts |= found[1]


def _is_plain(items: Sequence[Any]) -> bool:
    """Whether there are only numbers among them: long lists of samples need no second look."""
    return _PLAIN.issuperset(map(type, items))


def _named(value: Any, texts: dict[str, int], depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) < WORTH_A_NAME else {_MARK: texts.setdefault(value, len(texts))}
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {
            name if name[:1] != _MARK else _MARK + name: _named(item, texts, depth + 1) for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return value if _is_plain(value) else [_named(item, texts, depth + 1) for item in value]
    return value


_DEEPEST: Final = 150
"""Deeper than this nothing is named; to_json ends what goes on much deeper."""
