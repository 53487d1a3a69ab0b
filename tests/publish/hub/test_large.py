"""A run of 10,000 tests and 500,000 spans goes up with flat memory, also from files that no memory would hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.serve_hub import hub_process

TESTS, SPANS_PER_TEST = 10_000, 50
MAX_MB = 500

MAKE = "import sys; from pathlib import Path; from support.large_run import make_large_run; " + (
    f"make_large_run(Path(sys.argv[1]), 'big', {TESTS}, {SPANS_PER_TEST})"
)
PUBLISH = """
import sys
from smoltrace.cli import cli, run_command
code = run_command(cli, "smoltrace", ["publish", *sys.argv[1:]])
# The process's own memory: getrusage would count that of the parent too, from before exec.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
sys.exit(code)
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    env = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True, env=env)
    return folder


@pytest.fixture
def hub() -> Iterator[str]:
    with hub_process() as url:
        yield url


def publish(hub: str, home: Path, *arguments: str | Path) -> tuple[list[str], float, str]:
    """The addresses that were printed, the most memory that was used, in MB, and what was said."""
    env = {**os.environ, "HF_ENDPOINT": hub, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_ann", "HF_HOME": str(home)}
    command = [sys.executable, "-c", PUBLISH, *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *addresses, memory = done.stdout.split()
    return addresses, int(memory) / 1024, done.stderr


def test_a_large_run_is_published_with_flat_memory(hub: str, store: Path, tmp_path: Path) -> None:
    addresses, memory, _ = publish(hub, tmp_path, "big", "--store", store)
    assert len(addresses) == 4
    assert memory < MAX_MB
    again, memory, _ = publish(hub, tmp_path, "big", "--store", store)
    assert again == addresses
    assert memory < MAX_MB


def test_leaving_out_the_content_is_told_and_takes_no_more_memory(hub: str, store: Path, tmp_path: Path) -> None:
    addresses, memory, said = publish(hub, tmp_path, "big", "--store", store, "--layout", "single", "--no-content")
    assert len(set(addresses)) == 2
    assert memory < MAX_MB
    assert "Leaving out the content of spans, rows: " in said


def test_a_file_of_a_gigabyte_is_never_in_memory(hub: str, store: Path, tmp_path: Path) -> None:
    run = tmp_path / "fat"
    shutil.copytree(store / "runs" / "big", run, ignore=shutil.ignore_patterns("*.jsonl", "traces.parquet"))
    with (
        pq.ParquetFile(store / "runs" / "big" / "traces.parquet") as whole,
        pq.ParquetWriter(run / "traces.parquet", whole.schema_arrow, compression="none") as fat,
    ):
        column = whole.schema_arrow.get_field_index("llm.tools")
        for batch in whole.iter_batches(batch_size=250):
            noise = pa.array([os.urandom(50_000).hex() for _ in range(len(batch))])
            fat.write_batch(batch.set_column(column, whole.schema_arrow.field(column), noise))
    assert (run / "traces.parquet").stat().st_size > 1_000_000_000
    _, memory, _ = publish(hub, tmp_path, run)
    assert memory < MAX_MB
