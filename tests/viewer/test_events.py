from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.processes import wait_until
from support.runs import commit, execution, make_run
from support.viewing import listening, running, viewing

from smoltrace.store import leaderboard
from smoltrace.store.finalise import finalise
from smoltrace.store.journal import Journal
from smoltrace.store.layout import RunDir, Store
from smoltrace.viewer import events, watching
from smoltrace.viewer.events import Changes
from smoltrace.viewer.serve import ViewerServer


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PAUSE_S", 0.02)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with viewing(tmp_path) as client:
        yield client


def begun(store: Path) -> RunDir:
    """A run of three tests of which one has finished; nobody is at work on it."""
    return make_run(store, [execution(1)], finish=False, num_tests=3, status="running")


def test_a_run_is_told_as_it_is_and_then_whenever_a_test_has_finished(tmp_path: Path, client: httpx.Client) -> None:
    run = begun(tmp_path)
    with Journal(run) as journal, listening(client, "made") as stream:
        first = stream.change()
        assert first is not None
        assert (first["status"], first["finished"], first["planned"]) == ("running", 1, 3)
        versions = [first["version"]]
        for number in (2, 3):
            commit(journal, execution(number))
            change = stream.change()
            assert change is not None
            assert change["finished"] == number
            versions.append(change["version"])
        assert len(set(versions)) == 3


def test_a_test_that_is_written_again_is_counted_once(tmp_path: Path, client: httpx.Client) -> None:
    run = begun(tmp_path)
    with Journal(run) as journal, listening(client, "made") as stream:
        stream.change()
        commit(journal, execution(1))
        change = stream.change()
        assert change is not None
        assert change["finished"] == 1


def test_the_end_of_a_run_and_its_death_are_told(tmp_path: Path, client: httpx.Client) -> None:
    run = begun(tmp_path)
    journal = Journal(run)
    with listening(client, "made") as stream:
        assert (stream.change() or {})["status"] == "running"
        journal.close()  # as a kill does, which writes nothing
        assert (stream.change() or {})["status"] == "incomplete"
        run.write_manifest({**run.manifest(), "status": "completed"})
        assert (stream.change() or {})["status"] == "completed"


def test_a_run_that_is_deleted_ends_the_stream_and_is_then_not_found(tmp_path: Path, client: httpx.Client) -> None:
    begun(tmp_path)
    with listening(client, "made") as stream:
        assert stream.change() is not None
        shutil.rmtree(tmp_path / "runs" / "made")
        assert stream.change() is None
    assert client.get("api/events?run=made").status_code == 404


def test_a_store_tells_of_runs_that_come_grow_finish_and_go(tmp_path: Path) -> None:
    with viewing(tmp_path / "not-there-yet") as client, listening(client) as stream:
        versions = [stream.change()]
        run = begun(tmp_path / "not-there-yet")
        versions.append(stream.change())
        with Journal(run) as journal:
            commit(journal, execution(2))
        versions.append(stream.change())
        run.write_manifest({**run.manifest(), "status": "completed"})
        finalise(run)
        versions.append(stream.change())
        leaderboard.remove(Store(tmp_path / "not-there-yet"), "made")
        versions.append(stream.change())
        assert all(change is not None and change["status"] is None for change in versions)
        assert len({(change or {})["version"] for change in versions}) == 5


def test_a_stream_says_from_time_to_time_that_it_is_there(
    tmp_path: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.05)
    begun(tmp_path)
    with listening(client, "made") as stream:
        blocks = [stream.block() for _ in range(4)]
    assert blocks[0][0] == "event: change"
    assert blocks[1:] == [[": beat"]] * 3


def test_a_stream_is_not_held_back_to_be_compressed(tmp_path: Path, client: httpx.Client) -> None:
    begun(tmp_path)
    with client.stream("GET", "api/events", headers={"Accept-Encoding": "gzip"}) as response:
        assert "content-encoding" not in response.headers
        assert response.headers["content-type"].startswith("text/event-stream")
        assert next(response.iter_lines()) == "event: change"


def test_many_listeners_are_served_by_one_poller_which_rests_when_they_have_gone(tmp_path: Path) -> None:
    begun(tmp_path)
    server = ViewerServer(Store(tmp_path), port=0)
    changes: Changes = server.app.state.changes
    with running(server), httpx.Client(base_url=server.url) as client:
        assert not changes.polls
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(listening(client, run)) for run in ("made", "made", None)]
            told = [stream.change() for stream in streams]
            assert told[0] == told[1] != told[2]
            assert changes.polls
            assert changes.listeners == 3
        assert wait_until(lambda: changes.listeners == 0 and not changes.polls)


def test_more_listeners_than_it_has_room_for_are_told_so(
    tmp_path: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LISTENERS", 2)
    with listening(client) as one, listening(client) as two:
        one.change(), two.change()
        refused = client.get("api/events")
        assert refused.status_code == 503
        assert "2 pages" in refused.json()["error"]
    assert wait_until(lambda: first_status(client) == 200)


def first_status(client: httpx.Client) -> int:
    with client.stream("GET", "api/events") as response:
        return response.status_code


def test_asking_for_the_headers_alone_listens_to_nothing(client: httpx.Client) -> None:
    answer = client.head("api/events")
    assert (answer.status_code, answer.content) == (200, b"")


def test_streams_end_with_the_server(tmp_path: Path) -> None:
    begun(tmp_path)
    server = ViewerServer(Store(tmp_path), port=0)
    ended: list[Any] = []

    def follow(client: httpx.Client, run: str | None) -> None:
        with listening(client, run) as stream:
            while stream.change() is not None:
                ready.release()
            ended.append(run)

    ready = threading.Semaphore(0)
    with httpx.Client(base_url=server.url, timeout=30) as client:
        followers = [threading.Thread(target=follow, args=(client, run)) for run in ("made", None)]
        with running(server):
            for follower in followers:
                follower.start()
                ready.acquire()
        for follower in followers:
            follower.join(20)
    assert set(ended) == {"made", None}


def test_a_run_that_cannot_be_read_keeps_its_listeners(tmp_path: Path, client: httpx.Client) -> None:
    run = begun(tmp_path)
    with listening(client, "made") as stream:
        first = stream.change()
        whole = run.manifest_file.read_bytes()
        run.manifest_file.write_bytes(b"{")
        assert client.get("api/run/made").status_code in (500, 404)
        run.manifest_file.write_bytes(whole.replace(b'"running"', b'"completed"'))
        change = stream.change()
        assert change is not None
        assert change["status"] == "completed"
        assert first is not None
        assert first["status"] == "incomplete"


def test_what_nobody_foresaw_ends_no_stream(
    tmp_path: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path)
    with listening(client, "made") as stream:
        assert stream.change() is not None
        broken = threading.Event()

        def fail(_: object) -> None:
            broken.set()
            raise RuntimeError("nobody foresaw this")

        with monkeypatch.context() as patch:
            patch.setattr(watching, "state_of", fail)
            assert broken.wait(20)
        run.manifest_file.write_bytes(run.manifest_file.read_bytes().replace(b'"running"', b'"completed"'))
        assert stream.change() is not None
