"""Half a million spans go through with flat memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.large_run import make_large_run
from support.opensearch_server import OpenSearchServer

from smoltrace.publish.opensearch.bulk import CHUNK_BYTES

# The most memory in kB; what getrusage says includes the parent's.
CHILD = """
import sys
from pathlib import Path
from smoltrace.publish.opensearch.runs import publish_run
from smoltrace.store.read import load_run
publish_run(load_run(Path(sys.argv[1])), url=sys.argv[2])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
def test_a_run_of_half_a_million_spans_needs_little_memory(tmp_path: Path) -> None:
    path = make_large_run(tmp_path / "store", "large", 10_000, 50)
    for journal in (True, False):
        if not journal:
            for name in ("results.jsonl", "traces.jsonl"):
                (path / name).unlink()
        with OpenSearchServer(keep=False) as server:
            command = [sys.executable, "-c", CHILD, str(path), server.url]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
            assert int(done.stdout) < 300_000
            assert [server.count(f"smoltrace-{name}") for name in ("results", "traces")] == [10_000, 10_000]
            assert server.largest <= CHUNK_BYTES
