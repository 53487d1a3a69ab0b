"""What MCP servers declare, in the form that smolagents takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from smolagents.models import get_tool_json_schema
from smolagents.tools import validate_tool_arguments

from smoltrace.agents.mcp_tool import McpTool, python_name


def tool(properties: Mapping[str, Any], required: tuple[str, ...] = (), result: Any = None, **schema: Any) -> Any:
    """A tool that remembers in `.asked` what it sent, and is answered with `result`."""
    asked: list[Any] = []

    def call(arguments: dict[str, Any]) -> Any:
        asked.append(arguments)
        return SimpleNamespace(model_dump=lambda by_alias: result or {"content": [{"type": "text", "text": "done"}]})

    described = {"name": "do", "inputSchema": {"properties": properties, "required": list(required), **schema}}
    made = McpTool(described, call)
    made.asked = asked
    return made


@pytest.mark.parametrize(
    ("name", "python"),
    [("get-user", "get_user"), ("a.b/c", "a_b_c"), ("2nd", "_2nd"), ("class", "class_"), ("ok", "ok")],
)
def test_names_become_python_names(name: str, python: str) -> None:
    assert python_name(name) == python


def test_optional_arguments_may_be_left_out() -> None:
    made = tool({"a": {"type": "integer"}, "b": {"type": "string", "default": "x"}}, ("a",))
    validate_tool_arguments(made, {"a": 1})
    with pytest.raises(ValueError, match="a is required"):
        validate_tool_arguments(made, {"b": "y"})
    made(a=1, b=None)
    made(1, "y")
    assert made.asked == [{"a": 1}, {"a": 1, "b": "y"}]


def test_unions_and_nulls_become_lists_of_types() -> None:
    made = tool({"a": {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}}, ("a",))
    assert made.inputs["a"]["type"] == ["integer", "string"]
    assert made.inputs["a"]["nullable"] is True
    assert tool({"a": {"type": ["number", "null"]}}, ("a",)).inputs["a"]["type"] == "number"
    assert tool({"a": {}}, ("a",)).inputs["a"]["type"] == "any"


def test_choices_items_and_descriptions_reach_the_model() -> None:
    made = tool({"a": {"enum": ["x", "y"], "type": "string", "description": "Which."}}, ("a",))
    assert get_tool_json_schema(made)["function"]["parameters"]["properties"]["a"] == {
        "enum": ["x", "y"],
        "type": "string",
        "description": "Which.",
    }


def test_references_are_resolved_and_circles_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    made = tool({"a": {"$ref": "#/$defs/Node"}, "b": {"$ref": "#/$defs/Absent"}}, ("a",), **{"$defs": {"Node": node}})
    assert made.inputs["a"]["type"] == "object"
    assert "next" in made.inputs["a"]["properties"]
    assert made.inputs["b"]["type"] == "object"


def test_a_tool_without_arguments_and_description_is_fine() -> None:
    made = McpTool({"name": "ping"}, lambda _: SimpleNamespace(model_dump=lambda by_alias: {"content": []}))
    assert (made.description, made()) == ("ping", "")


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb"),
        ({"content": [{"type": "image", "mimeType": "image/png", "data": ""}]}, "[image content image/png]"),
        ({"content": [{"type": "resource", "resource": {"text": "inside"}}]}, "inside"),
        ({"content": [], "structuredContent": {"n": 1}}, '{"n": 1}'),
    ],
)
def test_results_become_text(result: Any, text: str) -> None:
    assert tool({}, result=result)() == text


def test_errors_and_surplus_arguments_are_raised() -> None:
    with pytest.raises(ValueError, match="no such user"):
        tool({}, result={"isError": True, "content": [{"type": "text", "text": "no such user"}]})()
    with pytest.raises(ValueError, match="without saying why"):
        tool({}, result={"isError": True, "content": []})()
    with pytest.raises(TypeError, match="takes 0 arguments, 2 were given"):
        tool({})(1, 2)
