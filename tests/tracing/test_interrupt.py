"""Threads that are told to stop: they do, silently, however late they are told, and leave nothing locked behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from smolagents import ChatMessage, CodeAgent, MessageRole, Model
from support.traced import QUIET, trace

from smoltrace.tracing.interrupt import StoppableThread, stoppable, unstopped
from smoltrace.tracing.scope import Stopped


def spin() -> None:
    while True:
        pass


def swallow() -> None:
    for _ in range(3):
        try:
            spin()
        except Stopped:
            continue


@pytest.mark.parametrize("work", [spin, swallow])
def test_a_thread_at_work_is_stopped(work: object) -> None:
    def until_stopped() -> None:
        try:
            work()  # type: ignore[operator]
        except Stopped:
            ended.append("stopped")

    ended: list[str] = []
    thread = StoppableThread(until_stopped, "spinning")
    thread.start()
    assert thread.stop_for_sure(Stopped, 20)
    assert ended == (["stopped"] if work is spin else [])


def test_a_thread_that_is_done_is_not_told() -> None:
    thread = StoppableThread(lambda: None, "short")
    thread.start()
    thread.join()
    assert not thread.stop(Stopped)


def test_a_thread_that_waits_in_c_code_hears_of_it_later() -> None:
    heard = threading.Event()

    def sleep() -> None:
        try:
            time.sleep(0.2)
            spin()
        except Stopped:
            heard.set()

    thread = StoppableThread(sleep, "sleeping")
    thread.start()
    assert thread.stop(Stopped)
    assert heard.wait(20)


def test_what_must_not_be_broken_off_comes_to_its_end_first() -> None:
    done: list[str] = []
    inside, told = threading.Event(), threading.Event()

    def work() -> None:
        with unstopped():
            inside.set()
            told.wait(20)
            done.extend(str(number) for number in range(3))
            try:
                with stoppable():
                    spin()
            except Stopped:
                done.append("stopped")
            done.append("put away")
        done.append("never")

    thread = StoppableThread(work, "sheltered")
    thread.start()
    assert inside.wait(20)
    assert thread.stop(Stopped)
    told.set()
    thread.join(20)
    assert done == ["0", "1", "2", "stopped", "put away"]


def test_a_thread_that_cannot_be_stopped_needs_no_shelter() -> None:
    with unstopped(), stoppable():
        assert threading.current_thread() is threading.main_thread()


class Pool:
    """A lock that is taken as HTTP clients take theirs: by Python code, in which a thread can be stopped."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_a_call_of_a_model_leaves_nothing_locked_for_the_calls_of_others() -> None:
    pool, asked = Pool(), threading.Event()

    class Client(Model):
        def generate(self, messages: Any, **_: Any) -> ChatMessage:
            asked.set()
            with pool:
                return ChatMessage(role=MessageRole.ASSISTANT, content="<code>\nfinal_answer(1)\n</code>")

    agent = CodeAgent(tools=[], model=Client(model_id="shared"), verbosity_level=QUIET)
    thread = StoppableThread(lambda: trace(agent, "go", raises=Stopped), "asking")
    with pool:
        thread.start()
        assert asked.wait(20)
        time.sleep(0.1)  # it waits for the pool by now: what it is told is on its way until it has it
        assert thread.stop(Stopped)
    thread.join(20)
    assert not thread.is_alive()
    assert pool.lock.acquire(timeout=1)


def test_threads_that_are_told_as_they_end_say_nothing() -> None:
    program = """
import random, threading, time
from smoltrace.tracing.interrupt import StoppableThread
from smoltrace.tracing.scope import Stopped

def work():
    try:
        for _ in range(random.randrange(2000)):
            pass
    except Stopped:
        pass

for _ in range(2000):
    thread = StoppableThread(work, "ending")
    thread.start()
    while thread.is_alive():
        thread.stop(Stopped)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""


def test_a_profiler_in_the_program_hinders_nothing() -> None:
    """In a process of its own: where it does, the interpreter never comes back."""
    program = (
        "import cProfile, threading\n"
        "from smoltrace.tracing.interrupt import StoppableThread\n"
        "profile = cProfile.Profile()\n"
        "profile.enable()\n"
        "for _ in range(20):\n"
        "    thread = StoppableThread(lambda: sum(range(1000)), 'worker')\n"
        "    thread.start()\n"
        "    while thread.is_alive():\n"
        "        [number for number in range(100)]\n"
        "profile.disable()\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "done\n"
