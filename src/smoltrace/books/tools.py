"""What a span says of the use of a tool, whichever instrumentation wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smoltrace.books import names
from smoltrace.books.spans import Span


def is_tool(span: Span) -> bool:
    """Whether the span is the use of a tool. Ours say so by their operation, whatever else they were given."""
    kind = span.attributes.get(names.OPENINFERENCE_SPAN_KIND)
    if kind is not None and span.scope != names.SCOPE:
        return str(kind).upper() == "TOOL"
    return span.attributes.get(names.OPERATION_NAME) == names.EXECUTE_TOOL


def name_of(attributes: Mapping[str, Any]) -> str | None:
    """The tool that was used."""
    name = attributes.get(names.TOOL_NAME) or attributes.get("tool.name")
    return None if name is None else str(name)


def arguments_of(attributes: Mapping[str, Any]) -> Any:
    """What the tool was given, as the span has it; OpenInference keeps positional and named arguments in one JSON."""
    if (given := attributes.get(names.TOOL_CALL_ARGUMENTS)) is not None:
        return given
    raw = attributes.get("input.value")
    try:
        parsed = json.loads(raw) if isinstance(raw, str) else None
    except (ValueError, RecursionError):
        return raw
    if isinstance(parsed, dict) and "kwargs" in parsed and not parsed.get("args"):
        return parsed["kwargs"]
    return raw
