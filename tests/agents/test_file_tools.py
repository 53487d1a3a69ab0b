"""Tools that read and write under one folder: what they do there, and that nothing outside of it is ever reached."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.file_tools import FILE_TOOLS, MOST_BYTES, MOST_ENTRIES
from smoltrace.agents.spec import AgentSpec
from smoltrace.agents.tools import build_tools
from smoltrace.errors import UsageError

CANARY = "the canary is outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
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


def test_what_is_in_the_folder_is_read_and_listed(root: Path) -> None:
    assert use(root, "read_file", "a.txt") == "alpha"
    assert use(root, "read_file", "./notes//deep/c.md") == "gamma"
    assert use(root, "list_directory", "notes").splitlines() == [
        "b.txt (4 bytes)",
        "deep/",
        "up (a link, not followed)",
    ]
    assert "a.txt (5 bytes)" in use(root, "list_directory", ".").splitlines()
    (root / "empty").mkdir()
    assert use(root, "list_directory", "empty") == "The folder is empty."


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "notes/b.txt"]),
        ("**/c.md", ["notes/deep/c.md"]),
        ("notes/*", ["notes/b.txt", "notes/deep", "notes/up"]),
        ("n*/d*/?.md", ["notes/deep/c.md"]),
        ("notes/**", ["notes", "notes/b.txt", "notes/deep", "notes/deep/c.md", "notes/up"]),
        ("folder_link/*", []),
        ("nothing*", []),
    ],
)
def test_files_are_found_by_pattern(root: Path, pattern: str, found: list[str]) -> None:
    said = use(root, "search_files", pattern)
    assert said.splitlines() == (found or [f"Nothing matches {pattern!r}."])


def test_a_file_is_written_with_the_folders_on_the_way(root: Path) -> None:
    assert use(root, "write_file", "new/deep/d.txt", "delta é") == "Wrote 8 bytes to new/deep/d.txt."
    assert (root / "new" / "deep" / "d.txt").read_text() == "delta é"
    use(root, "write_file", "new/deep/d.txt", "again")
    assert (root / "new" / "deep" / "d.txt").read_text() == "again"
    assert sorted(path.name for path in (root / "new" / "deep").iterdir()) == ["d.txt"]


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
]


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("tool", ["read_file", "list_directory", "search_files", "write_file"])
def test_no_path_leads_out(root: Path, tool: str, path: str) -> None:
    before = sorted(each.name for each in (root.parent / "outside").iterdir())
    more = ("overwritten",) if tool == "write_file" else ()
    if tool == "search_files" and "/" not in path and ".." not in path and "\0" not in path and "\\" not in path:
        assert CANARY not in use(root, tool, path)  # a link's own name may be found
    elif tool == "search_files" and path.startswith(("folder_link", "notes/up")):
        assert use(root, tool, path).startswith("Nothing matches")
    else:
        with pytest.raises(ValueError) as raised:
            use(root, tool, path, *more)
        assert str(root.parent) not in str(raised.value)
    assert (root.parent / "outside" / "canary.txt").read_text() == CANARY
    assert sorted(each.name for each in (root.parent / "outside").iterdir()) == before
    assert (root / "a.txt").read_text() == "alpha"


parts = st.sampled_from(
    ["..", ".", "", "notes", "deep", "up", "folder_link", "dangling", "canary.txt", "*", "**", "/", "é"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(path=st.one_of(st.lists(parts, max_size=6).map("/".join), st.text(max_size=12)))
def test_whatever_the_path_is_nothing_outside_is_seen_or_changed(root: Path, path: str) -> None:
    for tool, more in (("read_file", ()), ("list_directory", ()), ("search_files", ()), ("write_file", ("x",))):
        try:
            said = use(root, tool, path, *more)
        except ValueError as error:
            said = str(error)
        assert CANARY not in said
        assert f"canary.txt ({len(CANARY)} bytes)" not in said
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["canary.txt"]
    assert (root.parent / "outside" / "canary.txt").read_text() == CANARY
    assert sorted(each.name for each in root.parent.iterdir()) == ["outside", "root"]


def test_a_folder_that_is_swapped_for_a_link_while_it_is_open_leads_nowhere(root: Path) -> None:
    from smoltrace.agents.rooted import Root

    opened = Root(root)
    with opened._folder(["notes"]) as folder:
        (root / "notes").rename(root / "moved")
        (root / "notes").symlink_to(root.parent / "outside")
        with os.scandir(folder) as entries:
            assert sorted(entry.name for entry in entries) == ["b.txt", "deep", "up"]
    with pytest.raises(ValueError, match="links are not followed"):
        opened.read("notes/canary.txt", 100)


def test_what_is_no_regular_file_is_refused_and_never_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for tool, more in (("read_file", ()), ("write_file", ("x",))):
        with pytest.raises(ValueError, match="no regular file"):
            use(root, tool, "pipe", *more)
    with pytest.raises(ValueError, match="folder"):
        use(root, "read_file", "notes")
    with pytest.raises(ValueError, match="no such file"):
        use(root, "read_file", "absent.txt")


def test_much_is_cut_and_says_so(root: Path) -> None:
    (root / "big.txt").write_text("é" * MOST_BYTES)
    said = use(root, "read_file", "big.txt")
    assert said.endswith(f"[truncated: {MOST_BYTES} of {2 * MOST_BYTES} bytes are shown]")
    (root / "many").mkdir()
    for number in range(MOST_ENTRIES + 5):
        (root / "many" / f"{number:05}").touch()
    assert use(root, "list_directory", "many").endswith("[5 more are not shown]")
    with pytest.raises(ValueError, match="may be written"):
        use(root, "write_file", "huge.txt", "x" * (MOST_BYTES + 1))


@pytest.mark.parametrize("data", [b"a\0b", b"\xff\xfe\xfa"])
def test_what_is_no_text_is_refused_with_its_size(root: Path, data: bytes) -> None:
    (root / "data.bin").write_bytes(data)
    with pytest.raises(ValueError, match="3 bytes"):
        use(root, "read_file", "data.bin")


@pytest.mark.parametrize("name", FILE_TOOLS)
def test_without_a_folder_there_is_no_file_tool(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--working-directory"):
        build_tools([name])
    with pytest.raises(UsageError, match="no such folder"):
        build_tools([name], tmp_path / "absent")


def test_an_agent_has_them_and_a_remote_executor_does_not(root: Path) -> None:
    spec = AgentSpec(tools=("default", "read_file"), working_directory=root)
    with AgentBuilder(spec, DemoModel("demo")) as builder:
        builder.check()
        assert builder.build("tool").tools["read_file"]("a.txt") == "alpha"
    with (
        AgentBuilder(
            AgentSpec(tools=("read_file",), working_directory=root, executor="docker"), DemoModel("demo")
        ) as remote,
        pytest.raises(UsageError, match="read_file"),
    ):
        remote.check(["code"])
