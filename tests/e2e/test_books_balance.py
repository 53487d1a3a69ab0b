"""Every token and every cent that the server served stands in the books, once, whatever the number of workers.

The slow line has the same for a hundred tasks and for more of what may stand beside, in processes of their own.
"""

from __future__ import annotations

import importlib.util
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.command import smoltrace, smoltrace_here
from support.ledger import Sum, served, served_by_test, write_price_file
from support.model_server import ModelServer

MODEL = "scripted-model"
TESTS = 100


def write_tasks(folder: Path, count: int) -> Path:
    file = folder / "tasks.jsonl"
    rows = [
        {"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris, and what is 6 * 7?"} for n in range(count)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def slow(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


def evaluate(
    folder: Path, url: str, *options: str, count: int, model: str = MODEL, command: Callable[..., Any] = smoltrace_here
) -> dict[str, Any]:
    """Run the evaluation and return its leaderboard row."""
    done = command(
        *("eval", write_tasks(folder, count), "--base-url", url, "--model", model),
        *("--price-file", write_price_file(folder), "--run-id", "balance", "--json", *options),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def journal(folder: Path) -> list[dict[str, Any]]:
    """The results as the journal keeps them: money as exact decimal text."""
    lines = (folder / "smoltrace-runs/runs/balance/results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def assert_tokens_and_cost(row: dict[str, Any], truth: Sum) -> None:
    assert row["llm_calls"] == truth.calls
    assert row["gen_ai.usage.prompt_tokens"] == truth.input
    assert row["gen_ai.usage.completion_tokens"] == truth.output
    assert row["gen_ai.usage.total_tokens"] == truth.input + truth.output
    assert row["cache_read_input_tokens"] == truth.cached
    assert row["completion_tokens_details.reasoning_tokens"] == truth.reasoning
    for part, amount in truth.cost.items():
        assert Decimal(row[f"gen_ai.usage.cost.{part}"]) == amount, part


def assert_books_balance(folder: Path, leaderboard: dict[str, Any], server: ModelServer, count: int) -> None:
    entries = server.ledger()
    truth, whole = served_by_test(entries), served(entries)
    rows = journal(folder)
    assert len(rows) == 2 * count == len(truth)
    assert whole.cached > 0
    assert whole.reasoning > 0
    for row in rows:
        assert_tokens_and_cost(row, truth[row["agent_type"], row["test_id"]])
    total_cost = whole.cost
    assert sum(Decimal(row["gen_ai.usage.cost.total"]) for row in rows) == total_cost["total"]
    assert leaderboard["total_tokens"] == whole.input + whole.output
    assert leaderboard["total_prompt_tokens"] == whole.input
    assert leaderboard["total_completion_tokens"] == whole.output
    assert leaderboard["total_cache_read_tokens"] == whole.cached
    assert leaderboard["total_reasoning_tokens"] == whole.reasoning
    for part in ("prompt", "completion", "reasoning", "cache_read"):
        assert Decimal(str(leaderboard[f"total_cost_{part}_usd"])) == total_cost[part]
    assert Decimal(str(leaderboard["total_cost_usd"])) == total_cost["total"]
    assert leaderboard["unpriced_calls"] == 0
    traces = pq.read_table(folder / "smoltrace-runs/runs/balance/traces.parquet").to_pylist()
    assert sum(trace["total_tokens"] for trace in traces) == whole.input + whole.output
    spans = pq.read_table(folder / "smoltrace-runs/runs/balance/spans.parquet").to_pylist()
    assert sum(span["input_tokens"] or 0 for span in spans) == whole.input


@pytest.mark.parametrize(
    ("workers", "count", "command"),
    [
        (1, 15, smoltrace_here),
        (32, 32, smoltrace_here),
        *(slow(workers, TESTS, smoltrace) for workers in (1, 8, 32)),
    ],
)
def test_tokens_and_cost_equal_the_ledger(
    tmp_path: Path, workers: int, count: int, command: Callable[..., Any]
) -> None:
    with ModelServer() as server:
        leaderboard = evaluate(tmp_path, server.url, "--workers", str(workers), count=count, command=command)
        assert leaderboard["success_rate"] == 100
        assert_books_balance(tmp_path, leaderboard, server, count)


@pytest.mark.slow
@pytest.mark.parametrize("count", [16, 40])
def test_worker_processes_keep_the_same_books(tmp_path: Path, count: int) -> None:
    with ModelServer() as server:
        leaderboard = evaluate(tmp_path, server.url, "--engine", "processes", "--workers", "8", count=count)
        assert leaderboard["success_rate"] == 100
        assert_books_balance(tmp_path, leaderboard, server, count)


def test_streamed_answers_are_counted_alike_and_timed(tmp_path: Path) -> None:
    with ModelServer() as server:
        leaderboard = evaluate(tmp_path, server.url, "--workers", "8", "--stream", count=20)
        assert_books_balance(tmp_path, leaderboard, server, count=20)
        assert leaderboard["avg_ttft_seconds"] > 0


FOREIGN = {
    "openinference": "openinference.instrumentation.smolagents",
    "genai-otel": "genai_otel",
    "litellm": "litellm",
}
SCOPES = {"openinference": "openinference.instrumentation.smolagents", "genai-otel": "genai_otel.instrumentors.base"}
BOTH = "openinference,genai-otel"


def skip_without(*parts: str) -> None:
    for part in parts:
        try:
            found = importlib.util.find_spec(FOREIGN[part])
        except ModuleNotFoundError:
            found = None
        if found is None:
            pytest.skip(f"needs pip install 'smoltrace[{part}]'")


@contextmanager
def hostile_environment() -> Iterator[dict[str, str]]:
    """OTEL_* variables that switch spans off, cut them short and send them away. Fails if anything is sent."""
    with socket.create_server(("127.0.0.1", 0)) as collector:
        yield {
            "OTEL_SDK_DISABLED": "true",
            "OTEL_TRACES_SAMPLER": "always_off",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.getsockname()[1]}",
        }
        collector.setblocking(False)
        with pytest.raises(BlockingIOError):
            collector.accept()


def assert_recorded(folder: Path, instrument: str) -> None:
    spans = pq.read_table(folder / "smoltrace-runs/runs/balance/spans.parquet", columns=["scope"])
    assert set(spans["scope"].to_pylist()) == {"smoltrace", *(SCOPES[name] for name in instrument.split(","))}


@pytest.mark.parametrize(
    ("instrument", "workers", "count", "command"),
    [
        ("openinference", 8, 10, smoltrace_here),
        ("genai-otel", 8, 10, smoltrace_here),
        slow("openinference", 8, 10, smoltrace),
        slow("genai-otel", 8, 10, smoltrace),
        slow(BOTH, 8, TESTS, smoltrace),
        slow(BOTH, 1, 20, smoltrace),
        slow(BOTH, 32, TESTS, smoltrace),
    ],
)
def test_books_stay_exact_beside_other_instrumentations(
    tmp_path: Path, instrument: str, workers: int, count: int, command: Callable[..., Any]
) -> None:
    skip_without(*instrument.split(","))
    with ModelServer() as server:
        options = ("--workers", str(workers), "--instrument", instrument)
        leaderboard = evaluate(tmp_path, server.url, *options, count=count, command=command)
        assert_books_balance(tmp_path, leaderboard, server, count)
        assert_recorded(tmp_path, instrument)


def test_streamed_books_stay_exact_beside_both_whatever_the_environment_says(tmp_path: Path) -> None:
    skip_without(*BOTH.split(","))
    with ModelServer() as server, hostile_environment() as env:
        command = partial(smoltrace, env=env)
        leaderboard = evaluate(tmp_path, server.url, "--stream", "--instrument", BOTH, count=10, command=command)
        assert_books_balance(tmp_path, leaderboard, server, count=10)
        assert_recorded(tmp_path, BOTH)
        assert leaderboard["avg_ttft_seconds"] > 0


@pytest.mark.parametrize(
    ("stream", "count", "command"),
    [
        pytest.param((), 4, smoltrace_here, id="whole"),
        pytest.param((), 10, smoltrace, id="whole in a process", marks=pytest.mark.slow),
        pytest.param(("--stream",), 10, smoltrace, id="streamed in a process", marks=pytest.mark.slow),
    ],
)
def test_books_of_litellm_stay_exact_beside_both(
    tmp_path: Path, stream: tuple[str, ...], count: int, command: Callable[..., Any]
) -> None:
    """LiteLLM's call, OpenAI's client below it and smolagents' model above: three records of one call, beside ours."""
    skip_without("litellm", *BOTH.split(","))
    options = ("--provider", "litellm", "--instrument", BOTH, *stream)
    with ModelServer() as server:
        model = f"openai/{MODEL}"
        leaderboard = evaluate(tmp_path, server.url, *options, count=count, model=model, command=command)
        assert_books_balance(tmp_path, leaderboard, server, count)
        assert_recorded(tmp_path, BOTH)


def test_an_unknown_instrumentation_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with ModelServer() as server:
        options = ("--base-url", server.url, "--model", MODEL, "--instrument", "openinference,langsmith")
        done = smoltrace_here("eval", write_tasks(tmp_path, 1), *options, cwd=tmp_path)
        assert done.returncode == 2
        assert "'langsmith' is unknown: choose of genai-otel, openinference" in done.stderr
        assert done.stdout == ""
        assert server.ledger() == []
    assert [file.name for file in tmp_path.iterdir()] == ["tasks.jsonl"]
