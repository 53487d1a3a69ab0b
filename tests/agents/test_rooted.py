"""Below a folder: no link leads out, not even one that is swapped in, and tests that share it do not collide."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.rooted import CANARY, ESCAPES, make_root, use

from smoltrace.agents.rooted import Root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def swap_for_a_link(root: Path) -> None:
    (root / "notes").rename(root / "moved")
    (root / "notes").symlink_to(root.parent / "outside")


@pytest.mark.parametrize("tool", ["read_file", "list_directory", "search_files", "write_file"])
@pytest.mark.parametrize("opened", ["notes", "deep", "canary.txt"])
def test_a_link_that_is_swapped_in_while_a_tool_runs_leads_nowhere(
    root: Path, monkeypatch: pytest.MonkeyPatch, tool: str, opened: str
) -> None:
    """The folder is swapped at the last moment before the system opens it, or what is in it."""
    (root / "notes" / "canary.txt").write_text("inside")
    (root.parent / "outside" / "deep").mkdir()
    really_open, swapped = os.open, []

    def swapping(path: Any, *args: Any, **more: Any) -> int:
        name = Path(path).name
        if not swapped and (name == opened or (tool == "write_file" and name.startswith(".smoltrace-"))):
            swapped.append(path)
            swap_for_a_link(root)
        return really_open(path, *args, **more)

    monkeypatch.setattr(os, "open", swapping)
    argument = {"list_directory": "notes/deep", "search_files": "**/*"}.get(tool, "notes/canary.txt")
    try:
        said = use(root, tool, argument, *(("overwritten",) if tool == "write_file" else ()))
    except ValueError as error:
        said = str(error)
    assert CANARY not in said and str(root.parent) not in said
    assert (root.parent / "outside" / "canary.txt").read_text() == CANARY
    assert sorted(each.name for each in (root.parent / "outside").iterdir()) == ["canary.txt", "deep"]


def test_a_folder_that_is_swapped_for_a_link_between_listing_and_reading_leads_nowhere(root: Path) -> None:
    assert "b.txt (4 bytes)" in use(root, "list_directory", "notes")
    swap_for_a_link(root)
    with pytest.raises(ValueError, match="links are not followed"):
        use(root, "read_file", "notes/canary.txt")
    with pytest.raises(ValueError, match="links are not followed"):
        use(root, "write_file", "notes/canary.txt", "overwritten")
    assert (root.parent / "outside" / "canary.txt").read_text() == CANARY


@pytest.mark.parametrize("path", ESCAPES)
def test_where_folders_cannot_be_held_open_no_path_leads_out_either(root: Path, path: str) -> None:
    compared = Root(root, held=False)
    for act in (
        lambda: compared.read(path, 100),
        lambda: compared.entries(path),
        lambda: compared.write(path, b"overwritten"),
    ):
        with pytest.raises(ValueError) as raised:
            act()
        assert str(root.parent) not in str(raised.value)
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["canary.txt"]
    assert (root.parent / "outside" / "canary.txt").read_text() == CANARY


def test_where_folders_cannot_be_held_open_a_link_swapped_in_before_the_last_look_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "notes" / "canary.txt").write_text("inside")
    really_look, swapped = os.stat, []

    def swapping(path: Any, *args: Any, **more: Any) -> os.stat_result:
        if not swapped and Path(path).name == "canary.txt" and more.get("dir_fd", 0) is None:
            swapped.append(path)
            swap_for_a_link(root)
        return really_look(path, *args, **more)

    monkeypatch.setattr(os, "stat", swapping)
    with pytest.raises(ValueError, match="links are not followed"):
        Root(root, held=False).read("notes/canary.txt", 100)
    assert swapped


def test_where_folders_cannot_be_held_open_the_tools_do_the_same(root: Path) -> None:
    held, compared = Root(root), Root(root, held=False)
    compared.write("new/deep/d.txt", b"delta")
    for path in ("a.txt", "notes/deep/c.md", "new/deep/d.txt"):
        assert compared.read(path, 3) == held.read(path, 3)
    for path in (".", "notes", "new/deep"):
        assert compared.entries(path) == held.entries(path)
    for pattern in ("**", "**/*.txt", "folder_link/*", "notes/up/**"):
        assert compared.search(pattern) == held.search(pattern)


def test_a_pattern_of_many_stars_is_answered_at_once(root: Path) -> None:
    deep = root.joinpath(*"xxxxxxxxxxxxxxxxxxxxxxxxx")
    deep.mkdir(parents=True)
    assert use(root, "search_files", "**/x/" * 20 + "nothing").startswith("Nothing matches")
    assert use(root, "search_files", "**/" * 50 + "c.md") == "notes/deep/c.md"
    with pytest.raises(ValueError, match="too long"):
        use(root, "search_files", "**/" * 3000)


def test_a_folder_that_goes_while_a_search_runs_does_not_end_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = os.open

    def removing(path: Any, *args: Any, **more: Any) -> int:
        if path == "deep":
            shutil.rmtree(root / "notes" / "deep", ignore_errors=True)
        return really_open(path, *args, **more)

    monkeypatch.setattr(os, "open", removing)
    assert use(root, "search_files", "**/*.txt").splitlines() == ["a.txt", "notes/b.txt"]


def test_tests_that_make_the_same_folder_at_once_do_not_collide(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_make = os.mkdir

    def beaten(path: Any, *args: Any, **more: Any) -> None:
        really_make(path, *args, **more)
        really_make(path, *args, **more)

    monkeypatch.setattr(os, "mkdir", beaten)
    assert use(root, "write_file", "new/deep/d.txt", "delta") == "Wrote 5 bytes to new/deep/d.txt."


def test_a_write_that_fails_says_why_and_leaves_everything_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def full(*args: Any, **more: Any) -> None:
        seen.append([name for name, _, _ in Root(root).entries(".")])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere/outside")

    before = sorted(each.name for each in root.iterdir())
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ValueError, match="No space left on device") as raised:
        use(root, "write_file", "a.txt", "again")
    assert "outside" not in str(raised.value)
    assert (root / "a.txt").read_text() == "alpha"
    assert sorted(each.name for each in root.iterdir()) == before
    assert seen == [before], "what is half written is not shown to others"


def test_a_file_that_is_written_again_keeps_its_mode(root: Path) -> None:
    (root / "run.sh").write_text("true")
    (root / "run.sh").chmod(0o750)
    use(root, "write_file", "run.sh", "false")
    assert (root / "run.sh").stat().st_mode & 0o777 == 0o750


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells which files are open")
def test_nothing_stays_open(root: Path) -> None:
    os.mkfifo(root / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("a.txt", "notes", "pipe", "notes/deep/c.md", "file_link", "notes/up/x", "absent/x"):
        for tool in ("read_file", "list_directory", "search_files"):
            with suppress(ValueError):
                use(root, tool, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
