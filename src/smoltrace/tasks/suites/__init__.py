"""The suites that come with smoltrace, each a JSON Lines file in this folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Suite(NamedTuple):
    name: str
    description: str
    path: Path


_DESCRIPTIONS = {
    "basics": "What an agent should do: use the default tools, combine them, do without them, and cope with errors.",
}


def builtin_suites() -> dict[str, Suite]:
    """The built-in suites by name."""
    folder = Path(__file__).parent
    return {name: Suite(name, description, folder / f"{name}.jsonl") for name, description in _DESCRIPTIONS.items()}
