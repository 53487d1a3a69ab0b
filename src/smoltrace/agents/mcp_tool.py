"""One tool of an MCP server as a smolagents tool."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import smolagents

_MAX_DEPTH: Final = 8
_KNOWN_TYPES: Final = frozenset({"string", "boolean", "integer", "number", "array", "object", "null"})


class McpTool(smolagents.Tool):
    """`described` is the tool as MCP lists it (`name`, `description`, `inputSchema`), `call` asks the server.

    The name becomes a Python name (`get-user` → `get_user`). An argument that the server does not require may be left
    out. The result is the text of the answer; what the server reports as an error is raised as ValueError.
    """

    # smolagents compares `inputs` with the parameters of `forward`, which here takes whatever the server declares.
    skip_forward_signature_validation = True
    output_type = "any"

    def __init__(self, described: Mapping[str, Any], call: Callable[[dict[str, Any]], Any]) -> None:
        schema = described.get("inputSchema") or {}
        required = set(schema.get("required") or ())
        definitions = {**(schema.get("definitions") or {}), **(schema.get("$defs") or {})}
        self.name = python_name(described["name"])
        self.description = described.get("description") or described.get("title") or described["name"]
        self.inputs = {
            name: _input(_resolved(part, definitions), name in required)
            for name, part in (schema.get("properties") or {}).items()
        }
        self._call = call
        super().__init__()

    def forward(self, *values: Any, **arguments: Any) -> Any:
        if len(values) > len(self.inputs):
            raise TypeError(f"{self.name} takes {len(self.inputs)} arguments, {len(values)} were given")
        given = dict(zip(self.inputs, values, strict=False)) | arguments
        # An argument that may be left out and is None was left out: servers tell the two apart, models do not.
        sent = {k: v for k, v in given.items() if v is not None or not self.inputs.get(k, {}).get("nullable")}
        result = self._call(sent).model_dump(by_alias=True)
        text = _text(result)
        if result.get("isError"):
            raise ValueError(text or f"{self.name} failed without saying why")
        return text


def python_name(name: str) -> str:
    """`name` as a Python identifier: what is not a letter, digit or underscore becomes an underscore."""
    plain = re.sub(r"\W", "_", name)
    if not plain or plain[0].isdigit():
        plain = f"_{plain}"
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def _input(schema: Mapping[str, Any], required: bool) -> dict[str, Any]:
    """A JSON schema as smolagents takes it: with a known `type`, a `description`, and `nullable` where optional."""
    options = schema.get("anyOf") or schema.get("oneOf") or [schema]
    named = [name for option in options for name in _types(option)]
    known = [name for name in dict.fromkeys(named) if name in _KNOWN_TYPES and name != "null"] or ["any"]
    kept = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "allOf", "title", "type")}
    kept["type"] = known[0] if len(known) == 1 else known
    kept["description"] = str(schema.get("description") or schema.get("title") or "see the description of the tool")
    if not required or "null" in named:
        kept["nullable"] = True
    return kept


def _types(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type") or ("object" if "properties" in schema else "any")
    return [kind] if isinstance(kind, str) else list(kind)


def _resolved(schema: Any, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """The schema with its local references replaced; one that refers to itself is cut off at a depth of 8."""
    if isinstance(schema, list):
        return [_resolved(each, definitions, depth) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(reference := schema.get("$ref"), str):
        target = definitions.get(reference.rpartition("/")[2])
        if target is None or depth >= _MAX_DEPTH:
            return {"type": "object"}
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolved({**target, **rest}, definitions, depth + 1)
    return {key: _resolved(value, definitions, depth) for key, value in schema.items()}


def _text(result: Mapping[str, Any]) -> str:
    parts = []
    for block in result.get("content") or ():
        if block.get("type") == "text":
            parts.append(block["text"])
        elif isinstance(text := (block.get("resource") or {}).get("text"), str):
            parts.append(text)
        else:
            parts.append(f"[{block.get('type')} content {block.get('mimeType') or ''}".rstrip() + "]")
    if not parts and result.get("structuredContent") is not None:
        return json.dumps(result["structuredContent"], ensure_ascii=False)
    return "\n".join(parts)
