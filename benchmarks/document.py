"""docs/benchmarks.md: every script here has a section of its own in it and leaves the others as they are."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
TITLE = "# Benchmarks\n"


def write_section(script: str, text: str, file: Path = FILE) -> None:
    """Put `text` (Markdown that begins with a heading of the second level) in place of what this script wrote last, or
    at the end where it has not written yet."""
    begin, end = f"<!-- written by benchmarks/{script} -->\n", f"<!-- end of benchmarks/{script} -->\n"
    section = begin + "\n" + text.strip() + "\n\n" + end
    document = file.read_text(encoding="utf-8") if file.exists() else TITLE
    before, found, rest = document.partition(begin)
    if not found:
        file.write_text(document.rstrip() + "\n\n" + section, encoding="utf-8")
        return
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{file} has no line '{end.strip()}': put it where the section of {script} ends.")
    file.write_text(before + section + after, encoding="utf-8")
