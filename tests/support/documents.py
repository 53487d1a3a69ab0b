"""The Markdown documents of the repository and the code in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

_BLOCK = re.compile(r"(?:^<!-- file: (\S+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block; `file` is the name that a comment above it gives it."""

    file: str | None
    language: str
    text: str


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[Block]:
    return [Block(file or None, *rest) for file, *rest in _BLOCK.findall(document.read_text(encoding="utf-8"))]


def example_files() -> dict[str, str]:
    """The files that the documents show, by name. Two documents may show the same file, but not two versions of it."""
    found: dict[str, str] = {}
    for block in (block for document in DOCUMENTS for block in blocks(document) if block.file):
        assert found.setdefault(str(block.file), block.text) == block.text, f"two versions of {block.file}"
    return found


def commands(block: Block, program: str = "smoltrace") -> list[str]:
    """The lines of a block that call smoltrace or smoltrace-eval."""
    return [line for line in block.text.splitlines() if re.match(rf"{program}(-eval)?( |$)", line)]


def prose(document: Path) -> str:
    """The text without its fenced blocks."""
    return _BLOCK.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """What links to places in a document may say, as GitHub makes it of the headings."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose(document)))
    return {heading.strip().replace(" ", "-") for heading in headings}
