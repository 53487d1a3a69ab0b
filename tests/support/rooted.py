"""A working directory for the file tools, beside what they must not reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smoltrace.agents.tools import build_tools

CANARY = "the canary is outside"
ESCAPES = [
    "../outside/canary.txt",
    "notes/../../outside/canary.txt",
    "/etc/passwd",
    "~/.ssh/id_rsa",
    "file_link",
    "folder_link/canary.txt",
    "dangling",
    "inner_link",
    "notes/up/outside/canary.txt",
    "..",
    "C:/windows",
    "notes\\..\\..\\outside\\canary.txt",
    "a.txt\0.md",
    "a.txt\ud800",
    "a/" * 200,
]


def make_root(tmp_path: Path) -> Path:
    """A working directory with files in it, beside what it must not reach, and links to that."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (outside / "canary.txt").write_text(CANARY)
    (root / "notes" / "deep").mkdir(parents=True)
    (root / "a.txt").write_text("alpha")
    (root / "notes" / "b.txt").write_text("beta")
    (root / "notes" / "deep" / "c.md").write_text("gamma")
    (root / "file_link").symlink_to(outside / "canary.txt")
    (root / "folder_link").symlink_to(outside)
    (root / "inner_link").symlink_to("a.txt")
    (root / "dangling").symlink_to(outside / "not yet.txt")
    (root / "notes" / "up").symlink_to("../..")
    return root


def use(root: Path, name: str, *args: Any) -> str:
    (tool,) = build_tools([name], root)
    said = tool(*args)
    assert isinstance(said, str)
    return said
