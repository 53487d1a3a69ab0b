"""Whether a store has room for a run."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from support.disks import unwritable

from smoltrace.errors import UsageError
from smoltrace.store.room import check_room

Usage = namedtuple("Usage", ["total", "used", "free"])


def test_a_store_that_is_not_there_yet_has_the_room_of_the_folder_above(tmp_path: Path) -> None:
    check_room(tmp_path)
    check_room(tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_relative_store_is_looked_for_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_room(Path("store"))


@pytest.mark.parametrize("below", ["", "store", "a/b"])
def test_a_file_in_the_way_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=rf"{tmp_path}/file is no folder"):
        check_room(tmp_path / "file" / below)


@pytest.mark.parametrize("part", ["runs", "leaderboard"])
def test_a_file_in_the_place_of_a_part_is_named(tmp_path: Path, part: str) -> None:
    (tmp_path / part).write_text("")
    with pytest.raises(UsageError, match=rf"{part} is no folder"):
        check_room(tmp_path)


def test_a_broken_link_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "store").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match="cannot be used"):
        check_room(tmp_path / "store")


def test_a_folder_of_someone_else_is_told(tmp_path: Path) -> None:
    with unwritable(tmp_path / "theirs") as folder, pytest.raises(UsageError, match="not yours to write"):
        check_room(folder / "store")


@pytest.mark.parametrize(("free", "refused"), [(49_999_999, True), (50_000_000, False)])
def test_a_disk_that_is_as_good_as_full_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, refused: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - free, free))
    if not refused:
        return check_room(tmp_path)
    with pytest.raises(UsageError, match="has 50 MB left, and a run wants at least 50: free some space"):
        check_room(tmp_path)
    return None
