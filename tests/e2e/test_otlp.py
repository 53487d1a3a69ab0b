"""`smoltrace eval --otlp`: the store is the same and the exit code too, whatever the receiver does."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace, smoltrace_here
from support.model_server import ModelServer
from support.otlp_receiver import Mood, OtlpReceiver, Silent, dead_url
from support.processes import wait_until
from support.same_run import content_of, difference

from smoltrace.books.calls import calls_in
from smoltrace.store.read import load_run

EVAL = ("eval", "--limit", "2", "--agent-type", "tool", "--store", "store", "--run-id")
MOST_S = 2.0
"""What a run may take longer for its receiver's sake."""


@contextmanager
def nobody() -> Iterator[Any]:
    class There:
        url = dead_url()

    yield There()


BAD: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "dead": nobody,
    "ten seconds late": lambda: OtlpReceiver(delay=10),
    "refuses the key": lambda: OtlpReceiver(always=Mood(401)),
    "at capacity": lambda: OtlpReceiver(always=Mood(503, headers={"retry-after": "60"})),
    "drops": lambda: OtlpReceiver(always=Mood(0)),
    "never answers": Silent,
    "dribbles": lambda: Silent(dribbling=True),
}


def test_a_receiver_gets_what_the_store_has(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        done = smoltrace_here(*EVAL, "r", "--otlp", receiver.url, "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["run_id"] == "r"
    kept = [span for test in load_run("r", tmp_path / "store").tests() for span in test.spans]
    assert {each.span_id for each in receiver.spans} == {each.span_id for each in kept}
    assert calls_in(receiver.spans) == calls_in(kept)


@pytest.mark.parametrize("flag", ["--quiet", "--json"])
def test_a_dead_receiver_is_a_note_and_the_store_is_whole(tmp_path: Path, flag: str) -> None:
    plain = smoltrace_here(*EVAL, "plain", "--quiet", cwd=tmp_path)
    done = smoltrace_here(*EVAL, "dead", flag, "--otlp", dead_url(), cwd=tmp_path)
    assert (plain.returncode, done.returncode) == (0, 0)
    beginning, end = done.stderr.splitlines()
    assert "cannot be reached: nothing listens there. The run goes on" in beginning
    assert "The traces of 2 of 2 tests were not sent" in end
    assert "smoltrace publish dead --to otlp --url http://127.0.0.1:" in end
    one, other = (content_of(load_run(name, tmp_path / "store")) for name in ("plain", "dead"))
    assert difference(one, other) is None


def test_the_variable_alone_switches_nothing_on(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        assert smoltrace_here(*EVAL, "r", "--quiet", cwd=tmp_path, env=environment).returncode == 0
    assert receiver.requests == []


def test_an_address_that_cannot_be_ends_it_before_anything_is_spent(tmp_path: Path) -> None:
    done = smoltrace_here(*EVAL, "r", "--otlp", "localhost:4318", cwd=tmp_path)
    assert done.returncode == 2
    assert "localhost:4318' is none of an OTLP receiver over HTTP" in done.stderr
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD)
def test_no_receiver_makes_a_run_two_seconds_longer(tmp_path: Path, kind: str) -> None:
    def run(name: str, *more: str) -> float:
        began = time.monotonic()
        done = smoltrace(*EVAL, name, *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        if more:
            assert "The traces of 2 of 2 tests were not sent" in done.stderr
            assert f"smoltrace publish {name} --to otlp --url" in done.stderr
        return time.monotonic() - began

    without, beside = [], []
    with BAD[kind]() as receiver:
        run("warm")
        for n in range(3):
            without.append(run(f"without-{n}"))
            beside.append(run(f"with-{n}", "--otlp", receiver.url))
    growth = statistics.median(beside) - statistics.median(without)
    print(f"{kind}: {growth:+.2f} s")
    assert growth < MOST_S
    one, other = (content_of(load_run(name, tmp_path / "store")) for name in ("without-0", "with-0"))
    assert difference(one, other) is None


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["threads", "processes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_ends_in_time_too(tmp_path: Path, engine: str, number: signal.Signals) -> None:
    prompts = [{"id": f"t{n}", "prompt": f"[test:t{n}] [steps:1] What is 6 * 7?"} for n in range(400)]
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, prompts)))
    program = Path(sys.executable).parent / "smoltrace"
    with ModelServer() as server, Silent() as receiver:
        given = ["eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--store", "store", "--run-id", "r"]
        given += ["--agent-type", "tool", "--engine", engine, "--workers", "2", "--otlp", receiver.url]
        run = subprocess.Popen(
            [program, *given], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        journal = tmp_path / "store/runs/r/results.jsonl"
        assert wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 3)
        began = time.monotonic()
        run.send_signal(number)
        _, said = run.communicate(timeout=60)
    print(f"{engine}, {number.name}: {time.monotonic() - began:.2f} s")
    assert run.returncode == 3, said
    assert "tests were not sent" in said
    assert "smoltrace publish r --to otlp" in said


@pytest.mark.slow
def test_worker_processes_send_nothing_and_all_arrives_all_the_same(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        done = smoltrace(*EVAL, "r", "--engine", "processes", "--otlp", receiver.url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    kept = [span for test in load_run("r", tmp_path / "store").tests() for span in test.spans]
    assert len(receiver.spans) == len(kept)
    assert {each.span_id for each in receiver.spans} == {each.span_id for each in kept}
