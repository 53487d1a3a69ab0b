"""How a process ends, whatever its tests have left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEFT_BEHIND = """
import sys, threading, types
from smoltrace.cli.signals import leave

lock, taken = threading.Lock(), threading.Event()

def hold():
    with lock:
        taken.set()
        while True:
            pass

class Client:
    lock = lock

    def __del__(self):
        with self.lock:  # as a client does that closes its connections
            pass

sys.modules["elsewhere"] = types.ModuleType("elsewhere")
sys.modules["elsewhere"].client = Client()
threading.Thread(target=hold, name=sys.argv[1], daemon=True).start()
taken.wait()
print("said")
leave(3)
"""


@pytest.mark.parametrize("thread", ["smoltrace-worker", "smoltrace-code", "ThreadPoolExecutor-0_1"])
def test_a_thread_of_a_test_that_is_at_work_keeps_no_process_from_its_end(thread: str) -> None:
    done = subprocess.run([sys.executable, "-c", LEFT_BEHIND, thread], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (3, "said\n", "")
