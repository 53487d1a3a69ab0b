"""An MCP server for the tests, run as a process of its own: `mcp_server.py [streamable-http|sse PORT]`, else stdio."""

from __future__ import annotations

import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("probe", log_level="CRITICAL")


@server.tool()
def add(a: int, b: int = 1) -> str:
    """Adds two numbers."""
    return f"sum {a + b}"


@server.tool(name="shout-out")
def shout(text: str) -> str:
    """Shouts."""
    if text == "boom":
        raise ValueError("too loud")
    return text.upper()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run(sys.argv[1], port=int(sys.argv[2]))  # type: ignore[call-overload]
    else:
        server.run()
