"""Threads that are told to stop: they do, and silently, however late they are told."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from smoltrace.tracing.interrupt import StoppableThread
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
