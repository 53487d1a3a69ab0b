"""Tools that read and write under one folder: what they do there, and that nothing outside of it is ever reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.rooted import CANARY, ESCAPES, make_root, use

from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.file_tools import FILE_TOOLS, MOST_BYTES, MOST_ENTRIES
from smoltrace.agents.rooted import Root
from smoltrace.agents.spec import AgentSpec
from smoltrace.agents.tools import build_tools
from smoltrace.errors import UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


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


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("tool", ["read_file", "list_directory", "search_files", "write_file"])
def test_no_path_leads_out(root: Path, tool: str, path: str) -> None:
    before = sorted(each.name for each in (root.parent / "outside").iterdir())
    more = ("overwritten",) if tool == "write_file" else ()
    if tool == "search_files" and "/" not in path and ".." not in path and not set("\0\\\ud800") & set(path):
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
    [
        "..",
        ".",
        "",
        "outside",
        "file_link",
        "inner_link",
        "notes",
        "deep",
        "up",
        "folder_link",
        "dangling",
        "canary.txt",
        "*",
        "**",
        "/",
        "é",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=2 * settings.default.max_examples)
@given(path=st.one_of(st.lists(parts, max_size=6).map("/".join), st.text(max_size=12)))
def test_whatever_the_path_is_nothing_outside_is_seen_or_changed(root: Path, path: str) -> None:
    path = path.replace("CANARY", str(root.parent / "outside" / "canary.txt"))
    compared = Root(root, held=False)
    acts: list[Callable[[], object]] = [
        lambda: use(root, "read_file", path),
        lambda: use(root, "list_directory", path),
        lambda: use(root, "search_files", path),
        lambda: use(root, "write_file", path, "x"),
        lambda: compared.read(path, 100),
        lambda: compared.entries(path),
        lambda: compared.search(path),
        lambda: compared.write(path, b"x"),
    ]
    for act in acts:
        try:
            said = str(act())
        except ValueError as error:
            said = str(error)
        assert CANARY not in said
        assert f"canary.txt ({len(CANARY)} bytes)" not in said and f"'file', {len(CANARY)}" not in said
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["canary.txt"]
    assert (root.parent / "outside" / "canary.txt").read_text() == CANARY
    assert sorted(each.name for each in root.parent.iterdir()) == ["outside", "root"]


def test_what_is_no_regular_file_is_refused_and_never_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    for tool, more in (("read_file", ()), ("write_file", ("x",))):
        with pytest.raises(ValueError, match="no regular file"):
            use(root, tool, "pipe", *more)
    with socket.socket(socket.AF_UNIX) as bound:
        monkeypatch.chdir(root)  # the system takes short names only
        bound.bind("socket")
        with pytest.raises(ValueError, match="no regular file"):
            use(root, "read_file", "socket")
    assert "pipe (no regular file)" in use(root, "list_directory", ".").splitlines()
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


def test_only_half_a_character_may_be_lost_where_a_file_is_cut(root: Path) -> None:
    (root / "big.txt").write_text("a" + "é" * MOST_BYTES)
    assert use(root, "read_file", "big.txt").splitlines()[0] == "a" + "é" * (MOST_BYTES // 2 - 1)
    (root / "big.bin").write_bytes(b"\xff\xfe\xe9" * MOST_BYTES)
    with pytest.raises(ValueError, match=f"no UTF-8 text: {3 * MOST_BYTES} bytes"):
        use(root, "read_file", "big.bin")


def test_names_that_are_no_text_are_told_in_one_line_each(root: Path) -> None:
    (root / "odd").mkdir()
    (root / "odd" / "two\nlines").touch()
    try:
        (root / "odd" / os.fsdecode(b"\xff")).touch()
    except OSError:
        more = []  # file systems that hold text only
    else:
        more = ["odd/\\udcff"]
    assert use(root, "search_files", "odd/*").splitlines() == ["odd/two\\nlines", *more]
    assert use(root, "list_directory", "odd").encode("utf-8").startswith(b"two\\nlines (0 bytes)")
    with pytest.raises(ValueError, match="half a character"):
        use(root, "write_file", "a.txt", "\ud800")


@pytest.mark.parametrize("name", FILE_TOOLS)
def test_without_a_folder_there_is_no_file_tool(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--working-directory"):
        build_tools([name])
    (tmp_path / "file").touch()
    for missing in ("absent", "file"):
        with pytest.raises(UsageError, match="no such folder"):
            build_tools([name], tmp_path / missing)


def test_an_agent_has_them(root: Path) -> None:
    spec = AgentSpec(tools=("default", "read_file"), working_directory=root)
    with AgentBuilder(spec, DemoModel("demo")) as builder:
        builder.check()
        assert builder.build("tool").tools["read_file"]("a.txt") == "alpha"


@pytest.mark.parametrize("name", FILE_TOOLS)
def test_a_remote_executor_does_not_get_them(root: Path, name: str) -> None:
    spec = AgentSpec(tools=(name,), working_directory=root, executor="docker")
    with (
        AgentBuilder(spec, DemoModel("demo")) as remote,
        pytest.raises(UsageError, match=f"{name}: a file tool works on this machine's folder"),
    ):
        remote.check(["code"])
