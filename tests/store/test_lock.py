"""Who may write, while another does, and after it died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smoltrace.errors import StoreError, UsageError
from smoltrace.store.lock import WriterLock, is_held

HOLDER = """
import sys, time
from pathlib import Path
from smoltrace.store.lock import WriterLock
lock = WriterLock(Path(sys.argv[1]), "it")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".lock"


def test_a_lock_is_held_until_it_is_released(file: Path) -> None:
    assert not is_held(file)
    lock = WriterLock(file, "it")
    assert is_held(file)
    lock.release()
    assert not is_held(file)


def test_another_process_is_named_and_a_dead_one_holds_nothing(file: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()

    with pytest.raises(UsageError, match=rf"pid {holder.pid}\) is writing it"):
        WriterLock(file, "it")
    assert is_held(file)
    holder.kill()
    holder.wait()
    holder.stdout.close()

    assert not is_held(file)
    WriterLock(file, "it").release()


def test_looking_never_takes_the_lock_from_one_that_wants_it(file: Path) -> None:
    WriterLock(file, "it").release()
    looking = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys; from pathlib import Path; from smoltrace.store.lock import is_held\n"
            "print('looking', flush=True)\nwhile True: is_held(Path(sys.argv[1]))",
            str(file),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert looking.stdout is not None
    looking.stdout.readline()
    try:
        for _ in range(200):
            WriterLock(file, "it").release()
    finally:
        looking.kill()
        looking.wait()
        looking.stdout.close()


def test_a_place_where_no_file_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Cannot lock it"):
        WriterLock(tmp_path / "file" / ".lock", "it")
