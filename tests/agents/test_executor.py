"""Model-written code: what comes of it is what smolagents makes of it, and its time limit holds."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from smolagents import tool
from smolagents.local_python_executor import ExecutionTimeoutError, LocalPythonExecutor

from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.executor import LocalExecutor
from smoltrace.agents.spec import AgentSpec
from smoltrace.tracing.interrupt import StoppableThread
from smoltrace.tracing.scope import LimitReached, Stopped

SNIPPETS = [
    "1 + 1",
    "print('one')\nprint('two')\n'three'",
    "final_answer(42)",
    "x = [n * n for n in range(5)]\nsum(x)",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)",
    "1 / 0",
    "import os",
    "import math\nmath.sqrt(16)",
    "raise ValueError('mine')",
    "def twice(n):\n    return 2 * n\ntwice(21)",
    "not python at all",
]


@tool
def final_answer(answer: int) -> int:
    """Ends.

    Args:
        answer: it
    """
    return answer


def made(kind: Callable[..., Any], **settings: Any) -> Any:
    executor = kind([], **settings)
    executor.send_tools({"final_answer": final_answer})
    return executor


def outcome(executor: Any, code: str) -> tuple[Any, ...]:
    try:
        output = executor(code)
    except Exception as error:
        return type(error).__name__, str(error)
    return output.output, output.logs, output.is_final_answer


def wait_until(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


def code_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "smoltrace-code"]


@pytest.mark.parametrize("code", SNIPPETS)
def test_code_does_what_it_does_in_smolagents_own_executor(code: str) -> None:
    assert outcome(made(LocalExecutor), code) == outcome(made(LocalPythonExecutor), code)


def test_variables_stay_from_step_to_step() -> None:
    executor = made(LocalExecutor)
    executor("x = 20")
    assert executor("x + 22").output == 42


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "while True:\n    try:\n        while True:\n            pass\n    except:\n        pass",
        "try:\n    while True:\n        pass\nfinally:\n    x = 1",
        "def again(n):\n    while True:\n        n += 1\nagain(1)",
    ],
)
def test_code_without_an_end_is_stopped_when_its_time_is_up(code: str) -> None:
    executor = made(LocalExecutor, timeout_seconds=0.3)
    with pytest.raises(ExecutionTimeoutError, match=r"0\.3 seconds"):
        executor(code)
    assert wait_until(lambda: not code_threads())
    assert executor("6 * 7").output == 42


def test_code_that_sleeps_is_not_waited_for() -> None:
    executor = LocalExecutor(["time"], timeout_seconds=0.2)
    executor.send_tools({})
    began = time.monotonic()
    with pytest.raises(ExecutionTimeoutError):
        executor("import time\ntime.sleep(3)")
    assert time.monotonic() - began < 3
    assert all(thread.daemon for thread in code_threads())
    assert wait_until(lambda: not code_threads())


@pytest.mark.parametrize("error", [Stopped, LimitReached])
def test_what_ends_a_test_passes_through(error: type[BaseException]) -> None:
    @tool
    def over() -> int:
        """Ends the test."""
        raise error("enough")

    executor = LocalExecutor([])
    executor.send_tools({"over": over})
    with pytest.raises(error):
        executor("try:\n    over()\nexcept:\n    pass")


def test_tools_are_called_in_the_callers_context() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="lost")

    @tool
    def look() -> str:
        """Looks."""
        return variable.get()

    executor = LocalExecutor([])
    executor.send_tools({"look": look})
    variable.set("found")
    assert executor("look()").output == "found"


def test_code_ends_with_the_thread_that_waits_for_it() -> None:
    executor, ended = made(LocalExecutor), []

    def work() -> None:
        try:
            executor("while True:\n    pass")
        except Stopped:
            ended.append("waiting")

    thread = StoppableThread(work, "waiting")
    thread.start()
    assert wait_until(lambda: bool(code_threads()))
    assert thread.stop_for_sure(Stopped, 10)
    assert ended == ["waiting"]
    assert wait_until(lambda: not code_threads())


def test_our_code_agents_have_it() -> None:
    with AgentBuilder(AgentSpec(), DemoModel("demo")) as builder:
        assert isinstance(builder.build("code").python_executor, LocalExecutor)
