"""Every token and every cent that the server served stands in the books, once, whatever the number of workers."""

from __future__ import annotations

import importlib.util
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.command import smoltrace
from support.ledger import Sum, served, served_by_test, write_price_file
from support.model_server import ModelServer

MODEL = "scripted-model"
TESTS = 100


def write_tasks(folder: Path, count: int = TESTS) -> Path:
    file = folder / "tasks.jsonl"
    rows = [
        {"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris, and what is 6 * 7?"} for n in range(count)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def evaluate(folder: Path, url: str, *options: str, count: int = TESTS) -> dict[str, Any]:
    """Run the evaluation and return its leaderboard row."""
    done = smoltrace(
        *("eval", write_tasks(folder, count), "--base-url", url, "--model", MODEL),
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


def assert_books_balance(folder: Path, leaderboard: dict[str, Any], server: ModelServer, count: int = TESTS) -> None:
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


@pytest.mark.parametrize("workers", [1, 8, 32])
def test_tokens_and_cost_equal_the_ledger(tmp_path: Path, workers: int) -> None:
    with ModelServer() as server:
        leaderboard = evaluate(tmp_path, server.url, "--workers", str(workers))
        assert leaderboard["success_rate"] == 100
        assert_books_balance(tmp_path, leaderboard, server)


def test_streamed_answers_are_counted_alike_and_timed(tmp_path: Path) -> None:
    with ModelServer() as server:
        leaderboard = evaluate(tmp_path, server.url, "--workers", "8", "--stream", count=20)
        assert_books_balance(tmp_path, leaderboard, server, count=20)
        assert leaderboard["avg_ttft_seconds"] > 0


FOREIGN = {"openinference": "openinference.instrumentation.smolagents", "genai-otel": "genai_otel"}


def missing(instrumentation: str) -> bool:
    try:
        return importlib.util.find_spec(FOREIGN[instrumentation]) is None
    except ModuleNotFoundError:
        return True


BOTH = "openinference,genai-otel"


@pytest.mark.parametrize(
    ("instrument", "workers", "count"),
    [("openinference", 8, 10), ("genai-otel", 8, 10), (BOTH, 1, TESTS), (BOTH, 8, TESTS), (BOTH, 32, TESTS)],
)
def test_books_stay_exact_beside_other_instrumentations(
    tmp_path: Path, instrument: str, workers: int, count: int
) -> None:
    for name in instrument.split(","):
        if missing(name):
            pytest.skip(f"needs pip install 'smoltrace[{name}]'")
    with ModelServer() as server:
        options = ("--workers", str(workers), "--instrument", instrument)
        leaderboard = evaluate(tmp_path, server.url, *options, count=count)
        assert_books_balance(tmp_path, leaderboard, server, count)
        spans = pq.read_table(tmp_path / "smoltrace-runs/runs/balance/spans.parquet", columns=["scope"])
        assert set(spans["scope"].to_pylist()) - {"smoltrace"}, "the other instrumentation made no span"
