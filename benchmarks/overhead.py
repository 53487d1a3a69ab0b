"""What smoltrace adds to a bare smolagents loop: processor time, wall time and memory, on the same scripted server.

    python benchmarks/overhead.py                      the full table, written to its section of docs/benchmarks.md
    python benchmarks/overhead.py --tests 40 --repeats 1 --no-write

Each measurement is a process of its own; the bare loop and smoltrace take turns on the same server (a process of its
own, too), and the table quotes the median of the ratios pair by pair: a machine whose speed drifts does not decide.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import document

HERE = Path(__file__).resolve().parent
SERVER = HERE.parent / "tests" / "support" / "model_server.py"
MODEL = "gpt-4o-mini"


@dataclass(frozen=True)
class Sample:
    """One measured process: seconds and MB. What is loaded before the work begins is not counted as its time."""

    cpu: float
    wall: float
    peak_mb: float
    before_mb: float
    successes: int


def tasks(count: int) -> list[dict[str, Any]]:
    """Tasks that the scripted server answers with two tool calls and a final answer, half for each agent kind."""
    return [
        {
            "id": f"t{number}",
            "prompt": f"[test:t{number}] What is the weather in Paris, and what is 6 * 7?",
            "agent_type": "tool" if number % 2 else "code",
        }
        for number in range(count)
    ]


def bare(url: str, count: int, workers: int) -> int:
    """The loop one would write by hand: a fresh agent a test, one shared model, a pool of threads."""
    from smolagents import CodeAgent, LogLevel, OpenAIModel, ToolCallingAgent

    from smoltrace.agents.tools import build_tools

    model = OpenAIModel(MODEL, api_base=url, api_key="none", retry=False, client_kwargs={"max_retries": 0})

    def one(task: dict[str, Any]) -> bool:
        kind = ToolCallingAgent if task["agent_type"] == "tool" else CodeAgent
        agent = kind(tools=build_tools(()), model=model, verbosity_level=LogLevel.OFF)
        return agent.run(task["prompt"]) is not None

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, tasks(count)))


def traced(url: str, count: int, workers: int) -> int:
    """The same tests through smoltrace: traced, priced, judged, journalled and finished to Parquet."""
    import smoltrace

    folder = Path(tempfile.mkdtemp(prefix="smoltrace-benchmark-"))
    try:
        file = folder / "tasks.jsonl"
        file.write_text("\n".join(json.dumps(task) for task in tasks(count)))
        spec = smoltrace.ModelSpec(model_id=MODEL, base_url=url, api_key="none")
        run = smoltrace.evaluate(file, model=spec, workers=workers, store=folder / "store")
        return int(run.leaderboard_row()["successful_tests"])
    finally:
        shutil.rmtree(folder)


LOOPS = {"bare": bare, "smoltrace": traced}


def child(loop: str, url: str, count: int, workers: int) -> None:
    """Run one loop in this process and print its sample. A first small round loads and warms everything."""
    LOOPS[loop](url, 2, 1)
    before_mb = resident_mb()
    cpu, wall = time.process_time(), time.perf_counter()
    successes = LOOPS[loop](url, count, workers)
    print(
        json.dumps(
            {
                "cpu": time.process_time() - cpu,
                "wall": time.perf_counter() - wall,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "before_mb": before_mb,
                "successes": successes,
            }
        )
    )


def resident_mb() -> float:
    """Memory of this process now, in MB (Linux); the peak so far elsewhere."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(loop: str, url: str, count: int, workers: int) -> Sample:
    work = ["--url", url, "--tests", str(count), "--workers", str(workers)]
    command = [sys.executable, __file__, "--child", loop, *work]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    sample = Sample(**json.loads(done.stdout.splitlines()[-1]))
    if sample.successes != count:
        raise SystemExit(f"{loop}: only {sample.successes} of {count} tests came out right; nothing is compared.")
    return sample


def compare(url: str, count: int, workers: int, repeats: int) -> dict[str, float]:
    """Medians over `repeats` pairs: milliseconds a test, ratios pair by pair, MB above the warm process."""
    pairs = [(measure("bare", url, count, workers), measure("smoltrace", url, count, workers)) for _ in range(repeats)]
    return {
        "tests": count,
        "workers": workers,
        "bare_cpu": statistics.median(b.cpu for b, _ in pairs) / count * 1000,
        "our_cpu": statistics.median(s.cpu for _, s in pairs) / count * 1000,
        "cpu_ratio": statistics.median(s.cpu / b.cpu for b, s in pairs),
        "bare_wall": statistics.median(b.wall for b, _ in pairs),
        "our_wall": statistics.median(s.wall for _, s in pairs),
        "wall_ratio": statistics.median(s.wall / b.wall for b, s in pairs),
        "bare_mb": statistics.median(b.peak_mb - b.before_mb for b, _ in pairs),
        "our_mb": statistics.median(s.peak_mb - s.before_mb for _, s in pairs),
        "our_peak": statistics.median(s.peak_mb for _, s in pairs),
    }


def sizes(counts: list[int] | None, workers: list[int] | None) -> list[tuple[int, int]]:
    """Numbers of tests and workers to measure. The last of the standard ones shows that memory does not grow on."""
    chosen = [(count, worker) for count in counts or (100, 400) for worker in workers or (1, 8, 32)]
    return chosen if counts or workers else [*chosen, (1600, 32)]


def table(rows: list[dict[str, float]], repeats: int, delay: float) -> str:
    lines = [
        "## What smoltrace adds to a bare smolagents loop",
        "",
        "Made by `python benchmarks/overhead.py`. The same tests (three model calls each, half tool and half code "
        "agents, a fresh agent a test) run against the same scripted server, a process of its own that answers a call "
        f"after {delay * 1000:.0f} ms. The bare loop keeps only the answers. smoltrace has everything on: every span, "
        "prices, judging, a journal that is synced to disk for each test, and the finished Parquet datasets. Loading "
        "Python packages is not counted on either side.",
        "",
        f"Median of {repeats} pairs on {platform.machine()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}.",
        "",
        "| tests | workers | bare CPU, ms a test | smoltrace CPU, ms a test | CPU ratio | bare wall, s "
        "| smoltrace wall, s | wall ratio | memory the bare loop adds, MB | memory smoltrace adds, MB |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {r['tests']:.0f} | {r['workers']:.0f} | {r['bare_cpu']:.1f} | {r['our_cpu']:.1f} | {r['cpu_ratio']:.2f} "
        f"| {r['bare_wall']:.2f} | {r['our_wall']:.2f} | {r['wall_ratio']:.2f} "
        f"| {r['bare_mb']:.0f} | {r['our_mb']:.0f} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--tests", type=int, action="append", help="numbers of tests [default: 100 and 400, and 1600 once]"
    )
    parser.add_argument("--workers", type=int, action="append", help="numbers of workers [default: 1, 8 and 32]")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of measurements")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds before the server answers a call")
    parser.add_argument("--no-write", action="store_true", help=f"do not write {document.FILE.name}")
    parser.add_argument("--child", choices=LOOPS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.url, options.tests[0], options.workers[0])
        return
    with subprocess.Popen(
        [sys.executable, str(SERVER), "--port", "0", "--latency", str(options.delay)], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            rows = []
            for count, workers in sizes(options.tests, options.workers):
                rows.append(compare(url, count, workers, options.repeats))
                print(json.dumps(rows[-1]), file=sys.stderr)
            text = table(rows, options.repeats, options.delay)
        finally:
            server.terminate()
    print(text)
    if not options.no_write:
        document.write_section(Path(__file__).name, text)


if __name__ == "__main__":
    main()
