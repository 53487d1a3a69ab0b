"""What is left of a run that keeps no content: who, which, when, how long, how much, and whether it was right.

Left out is all that was said: prompts, answers, arguments and results of tools, what is expected of an answer, and what
errors say beyond their class, since a parse error quotes the model and a stack trace the code that it wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from smoltrace.books import names, signs
from smoltrace.books.spans import Event, Span
from smoltrace.records.text import json_text
from smoltrace.tracing.redaction import KEPT_ATTRIBUTES

_SAYS_NOTHING: Final = KEPT_ATTRIBUTES | {
    *(names.SERVER_ADDRESS, names.SERVICE_VERSION, names.TOOL_CALL_ID, names.AGENT_ID, names.CONVERSATION_ID),
    *(names.EVALUATION_NAME, *signs.NAMING),
}
"""Attributes whose text is no content. Of all others, those of other instrumentations too, only numbers are kept."""

_SAYS_WHO: Final = ("service.", "telemetry.", "deployment.environment", "smoltrace.")
"""Beginnings of attributes of a resource that are kept too."""

_LABELS: Final = ("pass", "fail")
_CLASS: Final = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Timeout|Failure))(?::|\Z)")


def span_without_content(span: Span) -> Span:
    """A span with its times, numbers and names, and nothing that was said."""
    error = span.attributes.get(names.ERROR_TYPE)
    return replace(
        span,
        attributes=_kept(span.attributes),
        events=tuple(Event(event.name, event.time_ns, _kept(event.attributes)) for event in span.events),
        status_description=None if span.status_description is None or error is None else str(error),
    )


def resource_without_content(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource without what a command line or a path may say."""
    return {
        name: value
        for name, value in resource.items()
        if name in _SAYS_NOTHING or name.startswith(_SAYS_WHO) or isinstance(value, int | float)
    }


def row_without_content(row: Mapping[str, Any]) -> dict[str, Any]:
    """A results row with its numbers, verdicts and names, and nothing that was said."""
    bare = {**row, "prompt": None, "response": None, "expected": None}
    if row["error"] is not None:
        bare["error"] = class_of(row["error"], row["error_type"])
    if row["tool_calls"] is not None:
        bare["tool_calls"] = json_text([{**use, "arguments": None} for use in json.loads(row["tool_calls"])])
    if row["scores"] is not None:
        bare["scores"] = json_text({name: _score(name, score) for name, score in json.loads(row["scores"]).items()})
    return bare


def class_of(message: str, error_type: str | None) -> str | None:
    """The class of an error from a message that begins with it, else the type of the error."""
    named = _CLASS.match(message)
    return error_type if named is None else named[1]


def _kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: value for name, value in attributes.items() if name in _SAYS_NOTHING or isinstance(value, int | float)
    }
    if attributes.get(names.EVALUATION_SCORE_LABEL) in _LABELS:
        kept[names.EVALUATION_SCORE_LABEL] = attributes[names.EVALUATION_SCORE_LABEL]
    return kept


def _score(name: str, score: Any) -> Any:
    """A number or a verdict; a scorer's text may quote the answer."""
    if isinstance(score, str):
        return class_of(score, "error") if name.endswith(".error") else None
    return score
