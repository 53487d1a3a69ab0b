"""OTLP JSON by hand, as small as a test needs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TRACE = "5b8efff798038103d269b633813fc60c"
START = 1_750_000_000_000_000_000


def attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}[type(value)]
    return {"key": key, "value": {kind: str(value) if kind == "intValue" else value}}


def span(number: int, parent: int | None = None, trace: str = TRACE, **more: Any) -> dict[str, Any]:
    """A span of one millisecond; `attributes` is a plain mapping, all else is as OTLP JSON has it."""
    attributes = [attribute(key, value) for key, value in more.pop("attributes", {}).items()]
    made = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "name": f"span {number}",
        "startTimeUnixNano": str(START + number),
        "endTimeUnixNano": str(START + number + 1_000_000),
        "attributes": attributes,
        **more,
    }
    return made if parent is None else {**made, "parentSpanId": f"{parent:016x}"}


def call(number: int, parent: int | None = None, trace: str = TRACE, **more: Any) -> dict[str, Any]:
    """A call of gpt-4o-mini, of 1000 tokens in and 100 out."""
    usage = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.provider.name": "openai"}
    return span(number, parent, trace, attributes={**about, **usage, **more})


def request(*spans: dict[str, Any], scope: str = "framework", **resource: Any) -> dict[str, Any]:
    attributes = [attribute(key.replace("__", "."), value) for key, value in resource.items()]
    scoped = {"scope": {"name": scope}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scoped]}]}


def write(file: Path, *requests: Any) -> Path:
    file.write_text("".join(json.dumps(each) + "\n" for each in requests))
    return file
