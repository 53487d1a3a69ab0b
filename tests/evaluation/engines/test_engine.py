"""Workers that run tests, the clock that ends those that hang, and how all of it stops."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smoltrace.errors import StoreError
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.evaluation.calls.governor import Governor
from smoltrace.evaluation.engines.engine import Engine, InterruptedAtOnce
from smoltrace.evaluation.engines.scribe import Finished
from smoltrace.evaluation.limits import Limits
from smoltrace.evaluation.plan import PlannedTest, plan_tests
from smoltrace.tasks.task import Task
from smoltrace.tracing.scope import Stopped


def planned_tests(count: int) -> list[PlannedTest]:
    return plan_tests([Task(id=str(n), prompt="p") for n in range(count)], "tool", 1)


class Work:
    """An execution that does `what`, then is finished."""

    def __init__(self, planned: PlannedTest, what: Callable[[], None]) -> None:
        self.planned, self._what = planned, what
        self._lock, self._over = threading.Lock(), False

    def execute(self) -> Finished | None:
        self._what()
        return self._result(None) if self._claim() else None

    def give_up(self, failure: Failure) -> Finished | None:
        return self._result(failure.error_type) if self._claim() else None

    def cancel(self) -> bool:
        return self._claim()

    def _claim(self) -> bool:
        with self._lock:
            mine, self._over = not self._over, True
        return mine

    def _result(self, error_type: str | None) -> Finished:
        return Finished({"test_id": self.planned.task.id, "error_type": error_type}, b"")


class Course:
    """What happens in a run whose test number N does `doing[N]`."""

    def __init__(self, workers: int, doing: dict[int, Callable[[], None]] | None = None, **limits: Any) -> None:
        self.begun: list[int] = []
        self.done: dict[int, str | None] = {}
        self.doing = doing or {}
        self.governor = Governor(Limits(**limits))
        self.engine = Engine(self._begin, workers=workers, governor=self.governor, limits=Limits(**limits))

    def _begin(self, planned: PlannedTest) -> Work:
        self.begun.append(planned.index)
        return Work(planned, self.doing.get(planned.index, lambda: None))

    def commit(self, finished: Finished) -> None:
        assert int(finished.row["test_id"]) not in self.done
        self.done[int(finished.row["test_id"])] = finished.row["error_type"]

    def run(self, count: int) -> None:
        self.engine.run(planned_tests(count), self.commit)


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_every_test_is_run_and_committed_once(workers: int) -> None:
    course = Course(workers)
    course.run(40)
    assert sorted(course.begun) == sorted(course.done) == list(range(40))


def test_a_commit_that_fails_stops_the_run_and_is_raised() -> None:
    course = Course(4)

    def commit(result: Finished) -> None:
        raise StoreError("disk full")

    with pytest.raises(StoreError, match="disk full"):
        course.engine.run(planned_tests(40), commit)
    assert len(course.begun) < 40
    assert course.governor.stopping.is_set()


def test_a_test_past_its_limit_is_a_timeout_and_the_others_go_on() -> None:
    release = threading.Event()
    course = Course(2, {1: lambda: (release.wait(30), None)[1]}, test_timeout=0.3)
    course.run(20)
    release.set()
    assert course.done == {n: "timeout" if n == 1 else None for n in range(20)}


def test_all_workers_may_hang_and_each_is_replaced() -> None:
    release = threading.Event()
    course = Course(3, {n: lambda: (release.wait(30), None)[1] for n in range(6)}, test_timeout=0.2)
    course.run(9)
    release.set()
    assert course.done == {n: "timeout" if n < 6 else None for n in range(9)}


class Stuck(Work):
    """An execution that hangs, and takes a while to be given up."""

    at_once = most_at_once = 0
    counting = threading.Lock()

    def give_up(self, failure: Failure) -> Finished | None:
        self._count(1)
        time.sleep(0.3)
        self._count(-1)
        return super().give_up(failure)

    @classmethod
    def _count(cls, more: int) -> None:
        with cls.counting:
            cls.at_once += more
            cls.most_at_once = max(cls.at_once, cls.most_at_once)


@pytest.fixture
def sixteen_stuck() -> Iterator[Engine]:
    """An engine whose 16 workers are stuck, and late within the same moment."""
    release, limits = threading.Event(), Limits(test_timeout=0.5)
    Stuck.most_at_once = 0
    yield Engine(
        lambda planned: Stuck(planned, lambda: (release.wait(30), None)[1]),
        workers=16,
        governor=Governor(limits),
        limits=limits,
    )
    release.set()


def test_tests_that_are_late_together_do_not_wait_for_one_another(sixteen_stuck: Engine) -> None:
    done: dict[str, str | None] = {}

    def commit(finished: Finished) -> None:
        assert finished.row["test_id"] not in done
        done[finished.row["test_id"]] = finished.row["error_type"]

    sixteen_stuck.run(planned_tests(32), commit)
    assert done == {str(n): "timeout" for n in range(32)}
    assert Stuck.most_at_once >= 8


def test_a_commit_that_fails_among_late_tests_is_raised(sixteen_stuck: Engine) -> None:
    done: list[str] = []

    def commit(finished: Finished) -> None:
        if finished.row["test_id"] == "11":
            raise StoreError("disk full")
        done.append(finished.row["test_id"])

    with pytest.raises(StoreError, match="disk full"):
        sixteen_stuck.run(planned_tests(16), commit)
    assert len(done) == len(set(done))
    assert "11" not in done


def test_a_loop_that_outlives_its_test_is_ended() -> None:
    seen: list[threading.Thread] = []

    def spin() -> None:
        seen.append(threading.current_thread())
        while True:
            pass

    course = Course(1, {0: spin}, test_timeout=0.2)
    course.run(3)
    assert course.done == {0: "timeout", 1: None, 2: None}
    seen[0].join(10)
    assert not seen[0].is_alive()


def test_ctrl_c_lets_running_tests_end_and_starts_no_other() -> None:
    def interrupt_and_go_on() -> None:
        _thread.interrupt_main()
        time.sleep(0.3)

    course = Course(2, {3: interrupt_and_go_on}, grace=20)
    with pytest.raises(KeyboardInterrupt) as raised:
        course.run(40)
    assert not isinstance(raised.value, InterruptedAtOnce)
    assert course.done[3] is None
    assert set(course.begun) == set(course.done)
    assert len(course.begun) < 40


def test_what_does_not_end_within_the_grace_has_no_result() -> None:
    release = threading.Event()

    def interrupt_and_hang() -> None:
        _thread.interrupt_main()
        release.wait(30)

    course = Course(2, {3: interrupt_and_hang}, grace=0.2)
    with pytest.raises(KeyboardInterrupt):
        course.run(40)
    release.set()
    assert 3 not in course.done
    assert set(course.begun) == {*course.done, 3}


def test_a_second_ctrl_c_waits_for_nothing() -> None:
    release = threading.Event()

    def interrupt_twice() -> None:
        _thread.interrupt_main()
        time.sleep(0.3)
        _thread.interrupt_main()
        release.wait(30)

    course = Course(2, {3: interrupt_twice}, grace=600)
    with pytest.raises(InterruptedAtOnce):
        course.run(40)
    release.set()
    assert 3 not in course.done


def test_when_the_governor_stops_the_run_no_test_is_begun() -> None:
    course = Course(2)

    def stop() -> None:
        course.governor.stop("enough")
        raise Stopped

    course.doing[5] = stop
    course.run(40)
    assert 5 not in course.done
    assert set(course.begun) == {*course.done, 5}
    assert len(course.begun) < 40
