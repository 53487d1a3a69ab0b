"""The real command in a process of its own: where it says it is, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.command import smoltrace, smoltrace_here
from support.processes import wait_until
from support.runs import execution, make_run
from support.viewing import listening

PROGRAM = Path(sys.executable).parent / "smoltrace"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_run(folder, [execution(1)], run_id="3f2a77")
    make_run(folder, [execution(1)], run_id="3f9b", started_at="2025-06-16T00:00:00+00:00")
    return folder


class Viewer:
    """A viewer in a process of its own, once it has said where it is."""

    def __init__(self, process: subprocess.Popen[str], said: str) -> None:
        self.process, self.said = process, said
        self.url = re.search(r"http://\S+", said)[0].strip('",')  # type: ignore[index]

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it said on standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@contextmanager
def view(*args: str | Path, **more: str | Path) -> Iterator[Viewer]:
    env = {**os.environ, **{name: str(value) for name, value in more.items()}}
    process = subprocess.Popen(
        [PROGRAM, "view", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if said == "{\n":
            while not said.endswith("\n}\n"):
                said += process.stdout.readline()
        if not said:
            pytest.fail(f"it ended with {process.wait(20)}: {process.communicate()[1]}")
        yield Viewer(process, said)
    finally:
        process.kill()
        process.wait()


def view_here(*args: str | Path) -> tuple[int, str]:
    """Of a command that ends by itself: its exit code, and what it said on standard error."""
    done = smoltrace_here("view", *args)
    return done.returncode, done.stderr


def test_it_says_where_it_is_and_shows_the_store(store: Path) -> None:
    with view("--store", store, "--port", "0") as viewer:
        assert re.fullmatch(r"The viewer is at http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)\n", viewer.said)
        assert httpx.get(viewer.url).status_code == 200
        assert viewer.end() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_cleanly_when_it_is_told_to_also_while_pages_listen(store: Path, number: signal.Signals) -> None:
    with view("--store", store, "--port", "0") as viewer, httpx.Client(base_url=viewer.url, timeout=30) as client:
        ended = threading.Event()
        with listening(client) as stream:
            assert stream.change() is not None

            def follow() -> None:
                stream.change()
                ended.set()

            threading.Thread(target=follow, daemon=True).start()
            assert viewer.end(number) == (0, "")
            assert ended.wait(20)


@pytest.mark.parametrize(
    ("runs", "page"),
    [
        (["3f2"], "run.html?id=3f2a77"),
        (["latest"], "run.html?id=3f9b"),
        (["3f2a77", "3f9b"], "compare.html?runs=3f2a77,3f9b"),
    ],
)
def test_a_run_is_shown_on_its_page_and_several_side_by_side(store: Path, runs: list[str], page: str) -> None:
    with view(*runs, "--store", store, "--port", "0") as viewer:
        assert viewer.url.endswith(f"/{page}")
        assert httpx.get(viewer.url).status_code == 200


def test_a_run_may_be_named_by_its_folder(store: Path, tmp_path: Path) -> None:
    with view(store / "runs" / "3f2a77", "--port", "0", SMOLTRACE_STORE=tmp_path) as viewer:
        assert viewer.url.endswith("/run.html?id=3f2a77")
        assert httpx.get(viewer.url.replace("run.html?id=", "api/run/") + "/tests").status_code == 200


def test_a_store_may_be_named_by_its_folder(store: Path, tmp_path: Path) -> None:
    with view(store, "--port", "0", SMOLTRACE_STORE=tmp_path) as viewer:
        assert viewer.url.endswith("/")
        assert httpx.get(viewer.url + "api/run/latest").json()["run_id"] == "3f9b"


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
@pytest.mark.parametrize("given", [[], ["--no-open"]], ids=["", "--no-open"])
def test_on_a_terminal_the_browser_is_opened_unless_it_is_not_wanted(
    store: Path, tmp_path: Path, given: list[str]
) -> None:
    browser, shown = tmp_path / "browser", tmp_path / "shown"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {shown}\n')
    browser.chmod(0o755)
    terminal, inside = os.openpty()
    process = subprocess.Popen(
        [PROGRAM, "view", "latest", "--store", store, "--port", "0", *given],
        stdout=inside,
        env={**os.environ, "BROWSER": f"{browser} %s"},
    )
    try:
        said = os.read(terminal, 1000).decode()
        assert "run.html?id=3f9b" in said
        if not given:
            assert wait_until(lambda: shown.exists() and shown.read_text().endswith("\n"))
            assert shown.read_text().strip() in said
        process.terminate()
        assert process.wait(30) == 0
        assert shown.exists() != bool(given)
    finally:
        process.kill()
        os.close(terminal)
        os.close(inside)


def test_json_is_one_document_with_the_address(store: Path) -> None:
    with view("latest", "--store", store, "--port", "0", "--json") as viewer:
        told = json.loads(viewer.said)
        assert told["url"] == f"http://127.0.0.1:{told['port']}/run.html?id=3f9b"
        assert told["pid"] == viewer.process.pid
        assert (told["host"], told["store"], told["runs"]) == ("127.0.0.1", str(store), ["3f9b"])
        assert viewer.end() == (0, "")


def test_quiet_says_nothing(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [PROGRAM, "view", "--store", store, "--port", str(port), "--quiet", "--host", "0.0.0.0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, timeout=30) as client:
            assert client.get(f"http://127.0.0.1:{port}/").status_code == 200
        process.terminate()
        assert process.communicate(timeout=30) == (b"", None)
        assert process.returncode == 0
    finally:
        process.kill()


def test_an_empty_store_is_served_with_the_command_that_fills_it(tmp_path: Path) -> None:
    place = tmp_path / "not there"
    with view("--store", place, "--port", "0") as viewer:
        assert httpx.get(viewer.url).status_code == 200
        code, errors = viewer.end()
    assert code == 0
    assert errors == f"The store {place} has no runs yet. Make one with: smoltrace eval --store '{place}'\n"
    assert not place.exists()


def test_who_listens_to_others_is_warned(store: Path) -> None:
    with view("--store", store, "--port", "0", "--host", "0.0.0.0") as viewer:
        assert viewer.url.startswith("http://127.0.0.1:")
        _, errors = viewer.end()
    assert re.fullmatch(r"Warning: everyone who can reach .* on port \d+ can read all prompts and answers\.\n", errors)


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = view_here("--store", store, "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "--port" in said


def test_without_a_port_a_second_viewer_finds_another(store: Path) -> None:
    with view("--store", store) as one, view("--store", store) as two:
        assert one.url != two.url
        assert httpx.get(one.url).status_code == httpx.get(two.url).status_code == 200


@pytest.mark.slow
def test_sample_runs_are_shown_and_leave_nothing_behind(tmp_path: Path) -> None:
    with view("--sample", "--port", "0", TMPDIR=tmp_path, SMOLTRACE_STORE=tmp_path / "mine") as viewer:
        assert [path.name for path in tmp_path.iterdir()] != []
        assert len(httpx.get(viewer.url + "api/leaderboard").json()["rows"]) == 12
        code, errors = viewer.end()
    assert code == 0
    assert errors.startswith("Making sample runs in ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_sample_runs_are_kept_where_a_store_is_named_and_made_once(tmp_path: Path) -> None:
    place = tmp_path / "kept"
    for said in (f"Making sample runs in {place}\n", ""):
        with view("--sample", "--store", place, "--port", "0") as viewer:
            assert viewer.end() == (0, said)
    assert len(list((place / "runs").iterdir())) == 12


def test_a_static_site_is_written_of_all_runs_or_of_some(store: Path, tmp_path: Path) -> None:
    every = smoltrace_here("view", "--store", store, "--export", tmp_path / "all")
    assert (every.returncode, every.stderr) == (0, "written 3f9b\nwritten 3f2a77\n")
    assert every.stdout.startswith(f"2 runs in {tmp_path / 'all' / 'index.html'}, ")
    one = smoltrace_here("view", "3f9", "--store", store, "--export", tmp_path / "one", "--json")
    assert (one.returncode, one.stderr) == (0, "")
    assert json.loads(one.stdout) == {"folder": str(tmp_path / "one"), "runs": ["3f9b"], "left_out": {}}
    assert (tmp_path / "one" / "data" / "runs" / "3f9b").is_dir()
    quiet = smoltrace_here("view", "3f9", "--store", store, "--export", tmp_path / "one", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.parametrize("broken", ["results.jsonl", "run.json"])
def test_a_run_that_cannot_be_read_is_named_and_left_out_of_a_site(tmp_path: Path, broken: str) -> None:
    make_run(tmp_path, [execution(1)], run_id="good")
    bad = make_run(tmp_path, [execution(1)], run_id="bad")
    (bad.path / broken).write_bytes(b"no json\n")
    done = smoltrace_here("view", "--store", tmp_path, "--export", tmp_path / "site", "--quiet")
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: bad is left out: ")


def test_a_site_of_no_runs_is_an_error(tmp_path: Path) -> None:
    code, said = view_here("--store", tmp_path, "--export", tmp_path / "site")
    assert code == 2
    assert "smoltrace eval" in said
    assert not (tmp_path / "site").exists()


def test_a_run_is_written_as_one_file(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    done = smoltrace_here("view", "latest", "--store", store, "--single-file", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"3f9b in {file}, ")
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    told = json.loads(smoltrace_here("view", "3f2", "--store", store, "--single-file", file, "--json").stdout)
    assert told == {"file": str(file), "run": "3f2a77", "bytes": file.stat().st_size}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["none"], "has no run 'none'"),
        (["3f"], "is the beginning of 2 runs"),
        (["--export", "a", "--single-file", "b.html"], "Choose one of --export and --single-file"),
        (["--single-file", "b.html"], "name it"),
        (["3f2a77", "3f9b", "--single-file", "b.html"], "name it"),
        (["3f2a77"] * 11, "At most 10 runs"),
        (["--host", "no-such-host.invalid"], "--host"),
        (["--port", "70000"], "70000"),
        (["--port", "8080", "--export", "a"], "leave --port out"),
        (["x" * 5000], "has no run 'xxx"),
        (["--store", __file__], "is a file"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_an_error_before_anything_is_served(store: Path, given: list[str], words: str) -> None:
    code, said = view_here("--store", store, *given)
    assert code == 2
    assert words in said
    assert "Traceback" not in said


def test_a_run_that_lies_in_no_store_is_an_error(tmp_path: Path) -> None:
    run = make_run(tmp_path, [execution(1)])
    run.path.rename(tmp_path / "alone")
    code, said = view_here(tmp_path / "alone", "--port", "0")
    assert code == 2
    assert "STORE/runs" in said


def test_without_the_extra_it_says_how_to_install_it(store: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(dict.fromkeys(('duckdb', 'jinja2', 'starlette', 'uvicorn')))\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = smoltrace("view", "--store", store, env={"PYTHONPATH": path})
    assert done.returncode == 2
    assert "pip install 'smoltrace[view]'" in done.stderr
    assert smoltrace("runs", "--store", store, env={"PYTHONPATH": path}).returncode == 0
    assert smoltrace("view", "--help", env={"PYTHONPATH": path}).returncode == 0


def test_a_finished_run_ends_with_the_command_that_shows_it(tmp_path: Path) -> None:
    done = smoltrace_here("eval", "--limit", "1", "--agent-type", "tool", "--run-id", "mine", cwd=tmp_path)
    assert done.stdout.splitlines()[-1].startswith("Next: smoltrace view mine · ")
    again = smoltrace_here("resume", "mine", "--store", "smoltrace-runs", cwd=tmp_path)
    assert "Next: smoltrace view mine --store smoltrace-runs · " in again.stdout
    assert "view" not in smoltrace_here("resume", "mine", "--json", cwd=tmp_path).stdout
