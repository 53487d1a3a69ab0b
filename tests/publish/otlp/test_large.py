"""A run of half a million spans is sent whole, in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.large_run import make_large_run
from support.otlp_receiver import OtlpReceiver

from smoltrace.publish.otlp import bodies

TESTS, SPANS = 10_000, 50
LIMIT_MIB = 500

PUBLISH = """
import json, re, sys
from pathlib import Path
from smoltrace.publish.otlp.runs import publish_run
from smoltrace.store.read import load_run
taken = publish_run(load_run(sys.argv[1]), url=sys.argv[2])
# Not getrusage: there a process inherits the peak of the one that started it.
peak = re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())
print(json.dumps([taken["traces"], int(peak[1]) / 1024]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_half_a_million_spans_are_sent_in_flat_memory(tmp_path: Path) -> None:
    run = make_large_run(tmp_path, "large", TESTS, SPANS)
    with OtlpReceiver(keep=False) as receiver:
        done = subprocess.run(
            [sys.executable, "-c", PUBLISH, str(run), receiver.url], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    taken, mib = json.loads(done.stdout)
    print(f"{taken}; {mib:.0f} MiB")
    assert f"{TESTS:,} traces, {TESTS * SPANS:,} spans" in taken
    assert len(receiver.span_ids) == TESTS * SPANS
    assert receiver.largest <= bodies.LARGEST
    assert mib < LIMIT_MIB
