"""kill -9 at any moment: no finished test is lost, none is run twice, and the final files are those of a whole run."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.ledger import write_price_file
from support.model_server import Entry, ModelServer
from support.same_run import content_of, difference

import smoltrace
from smoltrace.store.layout import Store
from smoltrace.store.lines import index_results
from smoltrace.store.spending import spent

WORKERS = 8
PROGRAM = Path(sys.executable).parent / "smoltrace"
Test = tuple[str, str]
"""Agent kind and test id."""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(latency_s=0.01) as serving:
        yield serving


class Place(NamedTuple):
    """A folder with tasks, prices and a store, in which an undisturbed run is finished; it took so many seconds."""

    folder: Path
    tests: int
    seconds: float
    undisturbed: dict[str, list[Any]]


def make_place(folder: Path, server: ModelServer, tests: int) -> Place:
    tasks = (
        {"id": f"t{n}", "prompt": f"[test:t{n}] [steps:{1 + n % 2}] What is the weather in Paris?"}
        for n in range(tests // 2)
    )
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    write_price_file(folder)
    living = start(folder, server, "whole")
    assert living.communicate()[1] == ""
    server.wait_until_idle()
    run = smoltrace.load_run("whole", folder / "store")
    content = content_of(run)
    assert len(content["results"]) == tests
    return Place(folder, tests, run.manifest["wall_time_ms"] / 1000, content)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, server: ModelServer) -> Place:
    return make_place(tmp_path_factory.mktemp("killed"), server, 80)


def start(folder: Path, server: ModelServer, run_id: str, *more: str) -> subprocess.Popen[str]:
    """`smoltrace eval` in a process of its own: every test of the folder, by 8 workers."""
    options = ("--base-url", server.url, "--model", "scripted-model", "--price-file", "prices.toml", "--store", "store")
    command = ("eval", "tasks.jsonl", *options, "--workers", str(WORKERS), "--run-id", run_id, "--quiet", *more)
    return process(folder, *command)


def resume(folder: Path, run_id: str) -> subprocess.Popen[str]:
    return process(folder, "resume", run_id, "--store", "store", "--quiet")


def process(folder: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(PROGRAM), *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Life:
    """What one process left: the ledger's entries of its time, and the tests that are finished at its end.

    `number` counts those that came so far as to begin, as the manifest does.
    """

    number: int
    calls: list[Entry]
    finished: set[Test]


@dataclass
class Story:
    """A run from its first life to its last."""

    run_id: str
    lives: list[Life] = field(default_factory=list)

    def add(self, folder: Path, server: ModelServer) -> None:
        server.wait_until_idle()
        calls = server.ledger()[sum(len(life.calls) for life in self.lives) :]
        self.lives.append(Life(lives_begun(folder, self.run_id), calls, finished_in(folder, self.run_id)))


def finished_in(folder: Path, run_id: str) -> set[Test]:
    journal = folder / "store/runs" / run_id / "results.jsonl"
    return {(entry.agent_type, entry.test_id) for entry in index_results(journal)}


def lives_begun(folder: Path, run_id: str) -> int:
    """How many lives the run's manifest tells of."""
    file = folder / "store/runs" / run_id / "run.json"
    return len(json.loads(file.read_text())["lives"]) if file.exists() else 0


def kill_at_random(living: subprocess.Popen[str], place: Place, run_id: str, moments: random.Random) -> bool:
    """kill -9 at a random moment: while the process starts, before its first test is finished, mostly after that.

    False when the process was done before.
    """
    folder, kind = place.folder, moments.random()
    if kind < 0.15:
        time.sleep(moments.uniform(0, 1.0))
    elif kind < 0.3:
        wait_for_more(living, lambda: lives_begun(folder, run_id))
        time.sleep(moments.uniform(0, 0.3))
    else:
        wait_for_more(living, lambda: len(finished_in(folder, run_id)))
        time.sleep(moments.uniform(0, 0.15 * place.seconds))
    living.kill()
    return living.wait() == -signal.SIGKILL


def wait_for_more(living: subprocess.Popen[str], count: Callable[[], int]) -> None:
    """Wait until there is more of something, or the process has ended."""
    before = count()
    while living.poll() is None and count() == before:
        time.sleep(0.002)


def killed_run(place: Place, server: ModelServer, run_id: str, kills: int, moments: random.Random) -> tuple[Story, int]:
    """A run that is killed so often, unless it is complete before, and then brought to its end."""
    server.reset()
    folder, story, done = place.folder, Story(run_id), 0
    living = start(folder, server, run_id)
    while done < kills and kill_at_random(living, place, run_id, moments):
        done += 1
        living.communicate()
        story.add(folder, server)
        print(f"{run_id}: killed with {len(story.lives[-1].finished)} finished", file=sys.stderr)
        living = resume(folder, run_id) if lives_begun(folder, run_id) else start(folder, server, run_id)
    _, errors = living.communicate()
    assert living.returncode == 0, errors
    story.add(folder, server)
    return story, done


def check(place: Place, story: Story) -> None:
    run = smoltrace.load_run(story.run_id, place.folder / "store")
    rows = {(row["agent_type"], row["test_id"]): row for row in run.results()}
    assert len(rows) == len(list(run.results())) == place.tests

    # No finished test is lost, and none is called for again.
    for earlier, later in zip(story.lives, story.lives[1:], strict=False):
        assert earlier.finished <= later.finished
        assert not {which_test(entry) for entry in later.calls} & earlier.finished

    # The calls of a finished test are those of the life that finished it, and its row counts them all.
    known: set[Test] = set()
    for life in story.lives:
        for test in life.finished - known:
            own = [entry for entry in life.calls if which_test(entry) == test]
            assert rows[test]["llm_calls"] == len(own)
            assert rows[test]["gen_ai.usage.prompt_tokens"] == sum(entry.input or 0 for entry in own)
            assert rows[test]["gen_ai.usage.completion_tokens"] == sum(entry.output or 0 for entry in own)
        known |= life.finished

    check_spending(run, story)
    assert difference(content_of(run), place.undisturbed) is None


def check_spending(run: smoltrace.Run, story: Story) -> None:
    """All that was served is in the rows, or told as discarded, or was under way at a kill; and no budget would have
    taken it for less than it was."""
    lines = [json.loads(line) for line in (run.path / "spending.jsonl").read_bytes().splitlines()]
    settled_lines = [line for line in lines if not line.get("begun")]
    unseen = 0
    for number in {life.number for life in story.lives}:
        lives = [life for life in story.lives if life.number == number]
        served = Counter((*which_test(entry), entry.input, entry.output) for life in lives for entry in life.calls)
        settled = Counter(
            (*line["test"].split(":")[:2], line["input_tokens"], line["output_tokens"])
            for line in settled_lines
            if line["life"] == number
        )
        under_way = served - settled
        assert settled <= served
        assert under_way.total() <= WORKERS
        assert not {(kind, test) for kind, test, *_ in under_way} & lives[-1].finished
        unseen += sum((used_in + used_out) * times for (*_, used_in, used_out), times in under_way.items())

    row, lost = run.leaderboard_row(), run.summary().discarded
    served_tokens = sum((entry.input or 0) + (entry.output or 0) for life in story.lives for entry in life.calls)
    assert row["total_tokens"] + (lost.tokens or 0) + unseen == served_tokens
    told = sum((Decimal(line["cost"]) for line in settled_lines), Decimal(0))
    assert row["total_cost_usd"] + (lost.cost_usd or 0) == told
    assert lost.unanswered == sum(1 for line in lines if line.get("begun")) - len(settled_lines)
    known = spent(run.directory)
    assert known.tokens >= served_tokens
    assert known.calls >= sum(len(life.calls) for life in story.lives)


def which_test(entry: Entry) -> Test:
    return (entry.agent, entry.test or "")


def check_kills(place: Place, server: ModelServer, kills: int) -> None:
    """Kill runs at so many random moments, each until it is complete, and check what each of them leaves."""
    seed = int(os.environ.get("SMOLTRACE_TEST_SEED") or time.time())
    print(f"SMOLTRACE_TEST_SEED={seed}", file=sys.stderr)
    moments, done, runs = random.Random(seed), 0, 0
    while done < kills:
        runs += 1
        story, more = killed_run(place, server, f"killed-{runs}", kills - done, moments)
        done += more
        check(place, story)
    print(f"{done} kills in {runs} runs of {place.tests} tests", file=sys.stderr)


def test_two_kills_lose_nothing(place: Place, server: ModelServer) -> None:
    check_kills(place, server, 2)


@pytest.mark.slow
def test_fifty_kills_of_runs_of_200_tests_lose_nothing(tmp_path: Path, server: ModelServer) -> None:
    check_kills(make_place(tmp_path, server, 200), server, 50)


@pytest.mark.slow
def test_worker_processes_die_with_the_one_that_is_killed(place: Place, server: ModelServer) -> None:
    server.reset()
    folder, options = place.folder, ("--engine", "processes", "--workers", "2", "--limit", "20", "--agent-type", "tool")
    living = start(folder, server, "workers", *options)
    while len(finished_in(folder, "workers")) < 4:
        assert living.poll() is None
        time.sleep(0.01)
    story = Story("workers")
    living.kill()
    living.communicate()
    story.add(folder, server)  # waits until no process is left that could ask the server anything

    last = resume(folder, "workers")
    assert last.communicate() == ("", "")
    story.add(folder, server)
    run = smoltrace.load_run("workers", folder / "store")
    before, after = story.lives
    assert len(before.finished) >= 4
    assert len(after.finished) == len(list(run.results())) == 20
    assert not {which_test(entry) for entry in after.calls} & before.finished
    assert run.manifest["config"]["engine"] == "processes"


def killed_early(folder: Path, server: ModelServer, run_id: str) -> set[Test]:
    """A run that is killed when some of its tests are finished."""
    living = started(folder, server, run_id)
    living.kill()
    living.communicate()
    server.wait_until_idle()
    return finished_in(folder, run_id)


def started(folder: Path, server: ModelServer, run_id: str) -> subprocess.Popen[str]:
    """A run of which some tests are finished."""
    living = start(folder, server, run_id)
    while len(finished_in(folder, run_id)) < 10:
        assert living.poll() is None
        time.sleep(0.01)
    return living


@pytest.mark.slow
def test_of_two_that_resume_one_run_one_is_refused_and_nothing_is_run_twice(place: Place, server: ModelServer) -> None:
    before = killed_early(place.folder, server, "twice")
    server.reset()

    both = [resume(place.folder, "twice") for _ in range(2)]
    said = [living.communicate()[1] for living in both]
    codes = [living.returncode for living in both]

    assert sorted(codes) == [0, 2], said
    refusal = said[codes.index(2)]
    assert f"Another process (pid {both[codes.index(0)].pid}) is writing the run twice" in refusal
    calls = Counter((which_test(entry), entry.call_index) for entry in server.ledger())
    assert set(calls.values()) == {1}
    assert not {test for test, _ in calls} & before
    assert difference(content_of(smoltrace.load_run("twice", place.folder / "store")), place.undisturbed) is None


@pytest.mark.slow
def test_two_runs_that_start_together_in_one_store_are_both_whole(place: Place, server: ModelServer) -> None:
    both = [start(place.folder, server, f"together-{n}", "--limit", "20", "--agent-type", "tool") for n in range(2)]
    for living in both:
        _, errors = living.communicate()
        assert living.returncode == 0, errors
    store = Store(place.folder / "store")
    contents = [content_of(smoltrace.load_run(f"together-{n}", store)) for n in range(2)]
    assert difference(contents[0], contents[1]) is None
    assert {f"together-{n}.json" for n in range(2)} <= {p.name for p in (store.leaderboard_path / "rows").iterdir()}


@pytest.mark.slow
def test_of_two_that_begin_one_run_one_is_refused(place: Place, server: ModelServer) -> None:
    server.reset()
    both = [start(place.folder, server, "one-name", "--limit", "30", "--agent-type", "tool") for _ in range(2)]
    said = [living.communicate()[1] for living in both]
    assert sorted(living.returncode for living in both) == [0, 2], said
    assert len(finished_in(place.folder, "one-name")) == 30
    assert set(Counter((which_test(entry), entry.call_index) for entry in server.ledger()).values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_is_interrupted_prints_the_command_that_finishes_it(
    place: Place, server: ModelServer, times: int
) -> None:
    run_id = f"interrupted-{times}"
    living = started(place.folder, server, run_id)
    for _ in range(times):
        living.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, errors = living.communicate()

    assert living.returncode == 3, errors
    assert "Traceback" not in errors
    said, _, command = errors.strip().rpartition("Go on with: ")
    assert "tests are finished and kept in store/runs/" in said
    assert command == f"smoltrace resume {run_id} --store store"
    again = process(place.folder, *shlex.split(command)[1:], "--quiet")
    assert again.communicate() == ("", "")
    assert again.returncode == 0
    assert difference(content_of(smoltrace.load_run(run_id, place.folder / "store")), place.undisturbed) is None
