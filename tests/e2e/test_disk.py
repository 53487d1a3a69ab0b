"""A disk that refuses: found before anything is spent where it can be; else the run stops, and says what it keeps."""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command import Done, smoltrace_here
from support.disks import mounted, unwritable
from support.model_server import ModelServer

from smoltrace.store.layout import RunDir
from smoltrace.store.lines import index_results

TESTS = 24
RUN = Path("store/runs/r")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as serving:
        yield serving


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps({"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris?"}) for n in range(TESTS))
    Path("tasks.jsonl").write_text("\n".join(lines))
    return tmp_path


def command(server: ModelServer, *more: str) -> list[str]:
    options = ["--agent-type", "tool", "--workers", "4", "--run-id", "r", "--store", "store", "--quiet"]
    return ["eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", *options, *more]


def evaluate(server: ModelServer, *more: str) -> Done:
    return smoltrace_here(*command(server, *more))


def resume() -> Done:
    return smoltrace_here("resume", "r", "--store", "store", "--quiet")


def finished() -> int:
    return len(index_results(RunDir(RUN).results_journal))


def evaluate_with_small_files(server: ModelServer, largest: int) -> subprocess.CompletedProcess[str]:
    """`smoltrace eval` in a process of its own, whose files may not grow larger than so many bytes."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "smoltrace"), *command(server)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)),
    )


def evaluate_while(server: ModelServer, happens: Callable[[], object]) -> Done:
    """`smoltrace eval`; something happens when some of its tests are finished."""
    server.latency_s = 0.05
    over = threading.Event()

    def happen() -> None:
        while not over.is_set() and (not (RUN / "results.jsonl").exists() or finished() < 4):
            time.sleep(0.01)
        if not over.is_set():
            happens()

    happening = threading.Thread(target=happen)
    happening.start()
    try:
        return evaluate(server)
    finally:
        over.set()
        happening.join()


def check_incomplete(code: int, errors: str, *, says: str) -> None:
    """It stopped with 3, said why and how to go on, and there is something to go on with."""
    assert code == 3, errors
    assert "Traceback" not in errors
    assert says in errors
    assert f"{finished()} of {TESTS} tests are finished and kept in store/runs/r" in errors
    assert errors.rstrip().endswith("smoltrace resume r --store store")


def check_whole(done: Done) -> None:
    assert done == Done(0, "", "")
    shown = json.loads(smoltrace_here("show", "r", "--store", "store", "--json").stdout)
    assert (shown["status"], shown["finished"]) == ("completed", TESTS)
    assert (RUN / "spans.parquet").exists()


def a_file_for_the_store() -> None:
    Path("store").write_text("")


def a_file_for_its_runs() -> None:
    Path("store").mkdir()
    Path("store/runs").write_text("")


def a_link_to_nowhere() -> None:
    Path("store").symlink_to("gone/away")


@pytest.mark.parametrize("spoil", [a_file_for_the_store, a_file_for_its_runs, a_link_to_nowhere])
def test_a_store_that_cannot_be_made_is_told_before_anything_is_spent(
    server: ModelServer, spoil: Callable[[], None]
) -> None:
    spoil()
    done = evaluate(server)
    assert done.returncode == 2, done.stderr
    assert "store" in done.stderr
    assert "Traceback" not in done.stderr
    assert server.ledger() == []


def test_a_store_that_may_not_be_written_is_told_before_anything_is_spent(server: ModelServer) -> None:
    with unwritable(Path("store")):
        done = evaluate(server)
    assert done.returncode == 2, done.stderr
    assert "not yours to write" in done.stderr
    assert server.ledger() == []


def test_a_journal_that_can_grow_no_more_stops_the_run_which_can_be_resumed(server: ModelServer) -> None:
    done = evaluate_with_small_files(server, 100_000)
    check_incomplete(done.returncode, done.stderr, says="No file may grow so large")
    assert 0 < finished() < TESTS
    assert len(server.ledger()) < 3 * TESTS

    kept = {entry.test_id for entry in index_results(RunDir(RUN).results_journal)}
    server.reset()
    check_whole(resume())
    assert not {entry.test for entry in server.ledger()} & kept


@pytest.fixture
def small_disk(workplace: Path) -> Iterator[Path]:
    """A disk of 64 MB at `store`, where the system lets one be mounted."""
    with mounted(workplace / "store", "size=64m") as store:
        yield store


BALLAST = "ballast"


def fill(disk: Path) -> None:
    """Take all that is free on a disk."""
    with (disk / BALLAST).open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))


def test_a_disk_that_is_full_is_told_before_anything_is_spent(server: ModelServer, small_disk: Path) -> None:
    fill(small_disk)
    done = evaluate(server)
    assert done.returncode == 2, done.stderr
    assert "has 0 MB left" in done.stderr
    assert server.ledger() == []


def test_a_disk_that_fills_up_stops_the_run_which_can_be_resumed(server: ModelServer, small_disk: Path) -> None:
    done = evaluate_while(server, lambda: fill(small_disk))

    check_incomplete(done.returncode, done.stderr, says="The disk is full: free some space")
    assert 4 <= finished() < TESTS
    assert len(server.ledger()) < 3 * TESTS
    again = resume()
    assert again.returncode == 2
    assert "MB left" in again.stderr

    kept = {entry.test_id for entry in index_results(RunDir(RUN).results_journal)}
    (small_disk / BALLAST).unlink()
    server.reset()
    check_whole(resume())
    assert not {entry.test for entry in server.ledger()} & kept


@pytest.mark.parametrize("where", [None, "moved"])
def test_a_run_whose_folder_vanishes_stops_and_says_so(server: ModelServer, where: str | None) -> None:
    done = evaluate_while(server, lambda: shutil.rmtree(RUN) if where is None else RUN.rename(where))

    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "The folder store/runs/r is gone" in done.stderr
    assert len(server.ledger()) < 3 * TESTS
    if where is not None:
        done = smoltrace_here("resume", f"./{where}", "--quiet")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert len(index_results(RunDir(Path(where)).results_journal)) == TESTS


def half_done(server: ModelServer) -> None:
    """A run that stopped when some of its tests were finished."""
    server.add_fault(401, after=3 * 6)
    assert evaluate(server).returncode == 3
    assert 0 < finished() < TESTS
    server.reset()


def a_folder_for_a_dataset() -> Path:
    (RUN / "spans.parquet").unlink()
    (RUN / "spans.parquet" / "in-the-way").mkdir(parents=True)
    return RUN / "spans.parquet"


def a_file_for_the_leaderboard() -> Path:
    place = Path("store/leaderboard")
    if place.exists():
        shutil.rmtree(place)
    place.write_text("")
    return place


@pytest.mark.parametrize("spoil", [a_folder_for_a_dataset, a_file_for_the_leaderboard])
def test_files_that_cannot_be_finished_leave_the_journal_whole_and_are_made_later(
    server: ModelServer, spoil: Callable[[], Path]
) -> None:
    half_done(server)
    place = spoil()
    done = resume()

    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert f"All {TESTS} tests are finished and kept in the journal in store/runs/r" in done.stderr
    assert done.stderr.rstrip().endswith("without running a test again: smoltrace resume r --store store")
    assert smoltrace_here("show", "r", "--store", "store").returncode == 0

    shutil.rmtree(place) if place.is_dir() else place.unlink()
    server.reset()
    check_whole(resume())
    assert server.ledger() == []
