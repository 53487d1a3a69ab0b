from __future__ import annotations

import errno
from pathlib import Path

import pytest

from smoltrace.errors import StoreError
from smoltrace.store.atomic import disk_error, replacing, write


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, b"old")
    write(path, b"new")

    assert path.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, b"old")

    with pytest.raises(KeyboardInterrupt), replacing(path) as beside:
        beside.write_bytes(b"half of the n")
        raise KeyboardInterrupt

    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, b"old")

    with replacing(path) as beside:
        beside.write_bytes(b"new")
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"


def test_a_refusing_disk_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(StoreError, match=r"Cannot write .*A file stands where a folder should be"):
        write(tmp_path / "file" / "below", b"x")


def test_a_full_disk_says_so() -> None:
    error = disk_error("write the journal", OSError(errno.ENOSPC, "No space left on device"))

    assert str(error) == (
        "Cannot write the journal: No space left on device. "
        "The disk is full: free some space, or choose another store with --store."
    )
