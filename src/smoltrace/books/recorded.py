"""Spans as they were recorded, where they were changed for a receiver that adds up what all of them say.

What the books count once, a receiver would count as often as it was recorded. So spans that only repeat it are sent
without, and bear what they lack in one attribute that no receiver reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from smoltrace.books import names
from smoltrace.books.spans import Span


def changed(span: Span, changes: Mapping[str, Any]) -> Span:
    """The span with other attributes, None for none, and a note of what they were."""
    was = {name: span.attributes.get(name) for name in changes}
    attributes = {name: value for name, value in span.attributes.items() if name not in changes}
    attributes |= {name: value for name, value in changes.items() if value is not None}
    return replace(span, attributes={**attributes, names.RECORDED: json.dumps(was)})


def as_recorded(span: Span) -> Span:
    """The inverse of `changed`; any other span as it is."""
    note = span.attributes.get(names.RECORDED)
    if note is None:
        return span
    try:
        was = json.loads(note)
    except (TypeError, ValueError):
        return span
    if not isinstance(was, dict):
        return span
    attributes = {name: value for name, value in span.attributes.items() if name != names.RECORDED and name not in was}
    return replace(span, attributes=attributes | {name: value for name, value in was.items() if value is not None})
