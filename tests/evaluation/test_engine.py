"""Threads that run tests, and the gate at the model's boundary."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from smoltrace.errors import StoreError
from smoltrace.evaluation.engine import CALLS_BEFORE_THE_FIRST_ANSWER, Gate, Stopped, Threads
from smoltrace.evaluation.execute import Finished
from smoltrace.evaluation.plan import PlannedTest, plan_tests
from smoltrace.tasks.task import Task


class AuthenticationError(Exception):
    status_code = 401


def planned_tests(count: int) -> list[PlannedTest]:
    return plan_tests([Task(id=str(n), prompt="p") for n in range(count)], "tool", 1)


def finished(planned: PlannedTest) -> Finished:
    return Finished({"test_case_uid": planned.uid}, b"")


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_every_test_is_run_and_committed_once(workers: int) -> None:
    done: list[str] = []
    Threads(workers, Gate()).run(planned_tests(40), finished, lambda result: done.append(result.row["test_case_uid"]))
    assert sorted(done) == sorted(test.uid for test in planned_tests(40))


def test_a_commit_that_fails_stops_the_run_and_is_raised() -> None:
    def commit(result: Finished) -> None:
        raise StoreError("disk full")

    with pytest.raises(StoreError, match="disk full"):
        Threads(4, Gate()).run(planned_tests(40), finished, commit)


def test_few_calls_are_made_before_one_is_answered() -> None:
    gate, waiting, release = Gate(), threading.Semaphore(0), threading.Event()
    under_way: list[int] = []

    def request() -> str:
        under_way.append(1)
        waiting.release()
        release.wait(10)
        return "answer"

    threads = [threading.Thread(target=gate.call, args=(request,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for _ in range(CALLS_BEFORE_THE_FIRST_ANSWER):
        assert waiting.acquire(timeout=10)
    assert not waiting.acquire(timeout=0.2)
    assert len(under_way) == CALLS_BEFORE_THE_FIRST_ANSWER
    release.set()
    for thread in threads:
        thread.join(10)
    assert len(under_way) == 20


def refuse() -> str:
    raise AuthenticationError("wrong key")


def test_a_refused_key_stops_every_further_call() -> None:
    gate = Gate()
    with pytest.raises(Stopped):
        gate.call(refuse)
    assert gate.failure is not None
    assert gate.failure.error_type == "auth"
    with pytest.raises(Stopped):
        gate.call(lambda: "never made")


def test_an_error_of_one_call_passes_through() -> None:
    def fail() -> str:
        raise ValueError("garbage")

    gate = Gate()
    with pytest.raises(ValueError, match="garbage"):
        gate.call(fail)
    assert gate.call(lambda: "answer") == "answer"


def test_a_stopped_run_starts_no_further_test_and_keeps_what_is_done() -> None:
    gate, done = Gate(), []

    def execute(planned: PlannedTest) -> Finished:
        if planned.index == 5:
            gate.call(refuse)
        return finished(planned)

    Threads(1, gate).run(planned_tests(40), execute, lambda result: done.append(result.row["test_case_uid"]))
    assert len(done) == 5


def test_each_test_runs_in_a_context_of_its_own() -> None:
    import contextvars

    leak = contextvars.ContextVar("leak", default="clean")
    seen: list[str] = []

    def execute(planned: PlannedTest) -> Finished:
        seen.append(leak.get())
        leak.set("dirty")
        return finished(planned)

    ignore: Callable[[Finished], None] = lambda result: None  # noqa: E731
    Threads(1, Gate()).run(planned_tests(3), execute, ignore)
    assert seen == ["clean"] * 3
