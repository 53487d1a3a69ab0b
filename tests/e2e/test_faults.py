"""A model server that misbehaves: what passes is tried again, what lasts is a row that says so, and the books hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command import Done, smoltrace_here
from support.ledger import Sum, served, served_by_test, write_price_file
from support.model_server import Entry, ModelServer, Reply, default_script

import smoltrace
from smoltrace.tracing.call import RETRY_EVENT

TASKS = 4


@dataclass
class Course:
    """An evaluation of a few tasks on a server, and what has come of it."""

    folder: Path
    server: ModelServer
    tasks: int = TASKS

    def run(self, *options: str) -> Done:
        lines = [{"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris?"} for n in range(self.tasks)]
        (self.folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, lines)))
        return smoltrace_here(
            *("eval", "tasks.jsonl", "--base-url", self.server.url, "--model", "scripted-model", "--run-id", "r"),
            *("--price-file", write_price_file(self.folder), "--json", *options),
            cwd=self.folder,
        )

    @property
    def rows(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The results as the journal has them, by kind of agent and test id."""
        file = self.folder / "smoltrace-runs/runs/r/results.jsonl"
        found = [json.loads(line) for line in file.read_text().splitlines()]
        return {(row["agent_type"], row["test_id"]): row for row in found}

    @property
    def retry_events(self) -> list[str]:
        """The error types of all attempts that were made again, as the spans tell them."""
        tests = smoltrace.load_run("r", self.folder / "smoltrace-runs").tests()
        events = (event for test in tests for span in test.spans for event in span.events if event.name == RETRY_EVENT)
        return [str(event.attributes["error.type"]) for event in events]

    def balances(self) -> None:
        """Each row has the tokens and the cost of what the server answered to its test."""
        truth = served_by_test(answered(self.server.ledger()))
        for key, row in self.rows.items():
            assert_row(row, truth.get(key, Sum()))


def answered(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.input is not None]


def assert_row(row: dict[str, Any], truth: Sum) -> None:
    assert (row["gen_ai.usage.prompt_tokens"] or 0) == truth.input
    assert (row["gen_ai.usage.completion_tokens"] or 0) == truth.output
    assert Decimal(row["cost_known_usd"]) == truth.cost["total"]


def total(course: Course, done: Done) -> None:
    """The whole run is priced, to the last cent that was served."""
    row = json.loads(done.stdout)
    truth = served(answered(course.server.ledger()))
    assert Decimal(str(row["total_cost_usd"])) == truth.cost["total"]
    assert row["total_tokens"] == truth.input + truth.output


PASSING = {
    "429": (429, None, "openai.RateLimitError"),
    "429 with a wait": (429, 0.05, "openai.RateLimitError"),
    "500": (500, None, "openai.InternalServerError"),
    "500 with a wait": (500, 0.05, "openai.InternalServerError"),
    "503 with a wait": (503, 0.05, "openai.InternalServerError"),
    "dropped": ("drop", None, "openai.APIConnectionError"),
    "garbage": ("garbage", None, "smoltrace.agents.recording.MalformedResponse"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_of_every_third_call_is_made_good(tmp_path: Path, fault: str) -> None:
    kind, retry_after, error_type = PASSING[fault]
    with ModelServer() as server:
        rule = server.add_fault(kind, every=3, retry_after=retry_after)
        course = Course(tmp_path, server, tasks=2)
        done = course.run("--workers", "1")  # of which none meets two faults in a row
        assert done.returncode == 0, done.stderr
        assert rule.fired == 5  # of 17 calls, 12 of which were answered
        assert {row["status"] for row in course.rows.values()} == {"completed"}
        assert sum(row["retries"] for row in course.rows.values()) == rule.fired
        assert course.retry_events == [error_type] * rule.fired
        course.balances()
        total(course, done)


@pytest.mark.parametrize("kind", [429, 500])
def test_it_is_made_good_for_many_workers_at_once(tmp_path: Path, kind: int) -> None:
    with ModelServer() as server:
        rule = server.add_fault(kind, every=3, retry_after=0.02)
        course = Course(tmp_path, server, tasks=10)
        done = course.run("--workers", "8", "--retries", "20")
        assert done.returncode == 0, done.stderr
        assert {row["status"] for row in course.rows.values()} == {"completed"}
        assert sum(row["retries"] for row in course.rows.values()) == rule.fired >= 20
        course.balances()
        total(course, done)


def test_it_is_made_good_in_worker_processes_too(tmp_path: Path) -> None:
    with ModelServer() as server:
        rule = server.add_fault(429, every=3, retry_after=0.05)
        course = Course(tmp_path, server, tasks=2)
        done = course.run("--engine", "processes", "--workers", "1")
        assert done.returncode == 0, done.stderr
        assert sum(row["retries"] for row in course.rows.values()) == rule.fired == 5
        assert course.retry_events == ["openai.RateLimitError"] * rule.fired
        course.balances()
        total(course, done)


def test_a_stream_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    with ModelServer() as server:
        rule = server.add_fault("drop", every=3)
        course = Course(tmp_path, server, tasks=2)
        done = course.run("--workers", "1", "--stream")
        assert done.returncode == 0, done.stderr
        assert sum(row["retries"] for row in course.rows.values()) == rule.fired > 0
        assert len(set(course.retry_events)) == 1
        assert all(row["success"] for row in course.rows.values())
        course.balances()
        total(course, done)


def test_a_call_that_hangs_is_given_up_and_made_again(tmp_path: Path) -> None:
    with ModelServer() as server:
        rule = server.add_fault("hang", every=4, times=3)
        course = Course(tmp_path, server)
        done = course.run("--workers", "4", "--request-timeout", "1")
        assert done.returncode == 0, done.stderr
        assert sum(row["retries"] for row in course.rows.values()) == rule.fired == 3
        assert course.retry_events == ["openai.APITimeoutError"] * 3
        course.balances()
        total(course, done)


LASTING = {
    "429": (429, "rate_limit", "error"),
    "500": (500, "llm_error", "error"),
    "dropped": ("drop", "llm_error", "error"),
    "hanging": ("hang", "timeout", "timeout"),
    "garbage": ("garbage", "llm_error", "error"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_is_the_result_of_its_test_alone(tmp_path: Path, fault: str, stream: bool) -> None:
    kind, error_type, status = LASTING[fault]
    with ModelServer() as server:
        server.add_fault(kind, test="t1", retry_after=0.05)
        course = Course(tmp_path, server)
        # Short only where it has to pass: where all is slow, a call that is answered may take a second as well.
        patience = "1" if kind == "hang" else "60"
        done = course.run("--retries", "1", "--request-timeout", patience, *(["--stream"] if stream else []))
        assert done.returncode == 0, done.stderr
        assert len(course.rows) == 2 * TASKS
        for (_, test), row in course.rows.items():
            expected = (error_type, status, 1) if test == "t1" else (None, "completed", 0)
            assert (row["error_type"], row["status"], row["retries"]) == expected
        course.balances()
        row = json.loads(done.stdout)
        assert row["error_types"] == {error_type: 2}
        # What the calls without an answer used is not known: the total is a lower bound.
        assert row["total_cost_usd"] is None
        assert row["unpriced_calls"] == 2
        assert Decimal(str(row["cost_known_usd"])) == served(answered(server.ledger())).cost["total"]


@pytest.mark.parametrize("workers", ["1", "32"])
@pytest.mark.parametrize("fault", ["wrong key", "unknown model"])
def test_what_every_call_would_meet_ends_the_run_within_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, workers: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    refusing: dict[str, Any] = {"api_key": "right"} if fault == "wrong key" else {"models": {"another"}}
    with ModelServer(**refusing) as server:
        course = Course(tmp_path, server, tasks=40)
        done = course.run("--workers", workers)
        assert done.returncode == 3, done.stderr
        assert 1 <= len(server.ledger()) <= 4
    assert course.rows == {}
    said = "the key" if fault == "wrong key" else "name of the model"
    assert said in done.stderr
    assert "smoltrace resume r" in done.stderr


def test_a_server_that_nobody_reaches_ends_the_run(tmp_path: Path) -> None:
    server = ModelServer()
    server.close()
    course = Course(tmp_path, server)
    done = course.run("--retries", "2")
    assert done.returncode == 3, done.stderr
    assert course.rows == {}
    assert "cannot be reached" in done.stderr
    assert "smoltrace resume r" in done.stderr


def test_a_server_that_goes_away_midway_leaves_what_is_finished(tmp_path: Path) -> None:
    def script(request: dict[str, Any], index: int) -> Reply:
        if len(server.ledger()) >= 30:
            server.close()
        return default_script(request, index)

    with ModelServer(script, latency_s=0.02) as server:
        course = Course(tmp_path, server, tasks=20)
        done = course.run("--retries", "2", "--workers", "2")
    assert done.returncode == 3, done.stderr
    assert "cannot be reached" in done.stderr
    assert 0 < len(course.rows) < 40
    assert {row["status"] for row in course.rows.values()} == {"completed"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_slow_drip_is_an_answer(tmp_path: Path, stream: bool) -> None:
    with ModelServer() as server:
        server.add_fault("drip", seconds=0.02)
        course = Course(tmp_path, server)
        done = course.run("--request-timeout", "5", *(["--stream"] if stream else []))
        assert done.returncode == 0, done.stderr
        assert {row["retries"] for row in course.rows.values()} == {0}
        course.balances()
        total(course, done)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_drip_that_outlasts_its_test_is_a_timeout(tmp_path: Path, stream: bool) -> None:
    with ModelServer() as server:
        server.add_fault("drip", test="t1", seconds=0.7)
        course = Course(tmp_path, server)
        done = course.run(
            *("--agent-type", "tool", "--test-timeout", "2", "--request-timeout", "1"),
            *(["--stream"] if stream else []),
        )
        assert done.returncode == 0, done.stderr
    statuses = {test: row["status"] for (_, test), row in course.rows.items()}
    assert statuses == {f"t{n}": "timeout" if n == 1 else "completed" for n in range(TASKS)}
