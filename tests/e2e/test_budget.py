"""A budget is kept by the server's own ledger, and what it stopped can be gone on with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command import Done, smoltrace_here
from support.ledger import served, write_price_file
from support.model_server import Entry, ModelServer

TASKS = 12
TESTS = 2 * TASKS


@pytest.fixture(scope="module")
def whole_cost(tmp_path_factory: pytest.TempPathFactory) -> Decimal:
    """USD of the whole suite, undisturbed."""
    folder = tmp_path_factory.mktemp("whole")
    with ModelServer() as server:
        done = evaluate(folder, server)
        assert done.returncode == 0, done.stderr
        return cost_of(server.ledger())


def evaluate(folder: Path, server: ModelServer, *options: str) -> Done:
    lines = [{"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris?"} for n in range(TASKS)]
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return smoltrace_here(
        *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "scripted-model", "--run-id", "r"),
        *("--price-file", write_price_file(folder), "--quiet", *options),
        cwd=folder,
    )


def resume(folder: Path, *options: str) -> Done:
    return smoltrace_here("resume", "r", "--quiet", *options, cwd=folder)


def cost_of(entries: Iterable[Entry]) -> Decimal:
    return served(entries).cost["total"]


def tokens_of(entries: Iterable[Entry]) -> int:
    total = served(entries)
    return total.input + total.output


def rows(folder: Path) -> list[dict[str, Any]]:
    file = folder / "smoltrace-runs/runs/r/results.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def each_once(folder: Path) -> bool:
    """Whether every test of the plan is finished, and none twice."""
    done = Counter((row["agent_type"], row["test_id"]) for row in rows(folder))
    return len(done) == TESTS and set(done.values()) == {1}


def discarded(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "smoltrace-runs/runs/r/summary.json").read_text())
    found: dict[str, Any] = summary.get("discarded") or {}
    return found


@pytest.mark.parametrize(
    ("workers", "engine"),
    [(1, "threads"), pytest.param(8, "threads", marks=pytest.mark.slow), (32, "threads"), (2, "processes")],
)
def test_half_of_what_the_suite_costs_is_not_exceeded(
    tmp_path: Path, whole_cost: Decimal, workers: int, engine: str
) -> None:
    limit = whole_cost / 2
    with ModelServer() as server:
        done = evaluate(tmp_path, server, "--workers", str(workers), "--engine", engine, "--max-cost", str(limit))
        spent = cost_of(server.ledger())
        assert done.returncode == 3, done.stderr
        assert "budget" in done.stderr
        assert "smoltrace resume r" in done.stderr
        assert "--max-cost" in done.stderr
        assert limit / 2 < spent <= limit
        finished = len(rows(tmp_path))
        assert TESTS / 4 < finished < TESTS

        done = resume(tmp_path, "--max-cost", str(2 * whole_cost), "--engine", "threads")
        assert done.returncode == 0, done.stderr
        assert each_once(tmp_path)
        spent = cost_of(server.ledger())
        assert spent <= 2 * whole_cost
    books = sum(Decimal(row["gen_ai.usage.cost.total"]) for row in rows(tmp_path))
    assert books == whole_cost
    assert books + Decimal(discarded(tmp_path).get("cost_usd") or 0) == spent


def test_a_run_goes_on_with_what_its_budget_has_left(tmp_path: Path, whole_cost: Decimal) -> None:
    """Resumed again and again with a little more, it never exceeds what it was given, all its lives together."""
    limit = Decimal(0)
    with ModelServer() as server:
        done = evaluate(tmp_path, server, "--max-cost", str(whole_cost / 4))
        for quarter in range(2, 9):
            assert cost_of(server.ledger()) <= whole_cost * (quarter - 1) / 4
            if done.returncode == 0:
                break
            limit = whole_cost * quarter / 4
            done = resume(tmp_path, "--max-cost", str(limit))
        assert done.returncode == 0, done.stderr
        assert limit < whole_cost * Decimal("1.6")
        assert each_once(tmp_path)


def test_the_same_budget_again_spends_nothing_more(tmp_path: Path, whole_cost: Decimal) -> None:
    with ModelServer() as server:
        limit = whole_cost / 2
        assert evaluate(tmp_path, server, "--max-cost", str(limit)).returncode == 3
        before = len(rows(tmp_path))
        for _ in range(3):
            assert resume(tmp_path).returncode == 3
        assert cost_of(server.ledger()) <= limit
        assert before <= len(rows(tmp_path)) < TESTS


@pytest.mark.parametrize("workers", [1, 32])
def test_a_limit_on_tokens_is_kept_likewise(tmp_path: Path, workers: int) -> None:
    with ModelServer() as server:
        options = ("--workers", str(workers), "--max-tokens", "400", "--max-tokens-total", "70000")
        done = evaluate(tmp_path, server, *options)
        assert done.returncode == 3, done.stderr
        assert "--max-tokens-total" in done.stderr
        assert "makes the bound firm" not in done.stderr
        assert 35_000 < tokens_of(server.ledger()) <= 70_000
        done = resume(tmp_path, "--max-tokens-total", "300000")
        assert done.returncode == 0, done.stderr
        assert each_once(tmp_path)


def test_a_tests_own_budget_ends_that_test_alone(tmp_path: Path) -> None:
    """Code agents are sent longer prompts: their three calls do not fit into what is enough for a tool agent's."""
    with ModelServer() as server:
        done = evaluate(tmp_path, server, "--max-tokens", "200", "--max-tokens-per-test", "6000")
        assert done.returncode == 0, done.stderr
        by_test: Counter[tuple[str, str]] = Counter()
        for entry in server.ledger():
            by_test[entry.agent, str(entry.test)] += tokens_of([entry])
    assert max(by_test.values()) <= 6000
    for row in rows(tmp_path):
        ended = (row["status"], row["error_type"])
        assert ended == (("limit", "budget") if row["agent_type"] == "code" else ("completed", None))
        assert row["gen_ai.usage.total_tokens"] == by_test[row["agent_type"], row["test_id"]]
        assert row["agent_type"] == "tool" or "--max-tokens-per-test" in row["error"]


def test_failed_calls_leave_the_budget_whole(tmp_path: Path, whole_cost: Decimal) -> None:
    """A refused call costs nothing, so what was set aside for it is there for the next."""
    with ModelServer() as server:
        server.add_fault(500, every=2, retry_after=0.01)
        options = ("--max-cost", str(whole_cost * Decimal("1.1")), "--workers", "4", "--retries", "30")
        done = evaluate(tmp_path, server, *options)
        assert done.returncode == 0, done.stderr
        assert cost_of(server.ledger()) == whole_cost


def test_calls_whose_end_nobody_saw_count_as_what_they_may_have_cost(tmp_path: Path, whole_cost: Decimal) -> None:
    with ModelServer() as server:
        server.add_fault("drop", every=2)
        options = ("--max-cost", str(whole_cost / 2), "--workers", "8", "--retries", "0")
        done = evaluate(tmp_path, server, *options)
        assert done.returncode == 3, done.stderr
        assert cost_of(server.ledger()) < whole_cost / 2
    assert discarded(tmp_path) is not None


def test_a_model_without_a_price_is_refused_or_allowed(tmp_path: Path) -> None:
    with ModelServer() as server:
        options = ("--model", "nobody-knows-it", "--max-cost", "1")
        done = evaluate(tmp_path, server, *options)
        assert done.returncode == 2
        assert "--allow-unpriced" in done.stderr
        assert server.ledger() == []
        assert not (tmp_path / "smoltrace-runs").exists()
        done = evaluate(tmp_path, server, *options, "--allow-unpriced")
        assert done.returncode == 0, done.stderr
    assert each_once(tmp_path)
