"""A run that leaves as OpenTelemetry traces comes back with the same books: every token, every cent, every verdict."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace_here
from support.ledger import served, write_price_file
from support.model_server import ModelServer
from support.runs import NO_PRICES, chat, execution, failed, make_run, trace_of

from smoltrace.books.calls import calls_in
from smoltrace.importing.listening import Until, listen
from smoltrace.importing.options import Options
from smoltrace.records.schema import Row
from smoltrace.records.traces import in_order
from smoltrace.store.export import export
from smoltrace.store.read import Run, load_run

TOKENS = ("tokens", "details.", "cache_", "llm_calls", "retries", "cost", "pricing_source", "ttft", "tbt")
TOLD = (
    *("test_case_uid", "test_index", "trace_id", "agent_type", "attempt", "provider", "success", "response"),
    *("prompt", "status", "error_type", "tools_used", "tool_calls", "steps", "execution_time_ms", "model_time_ms"),
    *("gen_ai.response.id", "gen_ai.response.model", "gen_ai.response.finish_reasons", "final_answer_called"),
)
OF_THE_BOARD = (*TOKENS, "num_tests", "successful", "failed_tests", "success_rate", "attempts", "pass_", "duration_ms")
NOT_TOLD = ("wall_time_ms",)
"""What took place outside of any test."""


def books(row: Row, names: tuple[str, ...]) -> Row:
    return {name: value for name, value in row.items() if any(part in name for part in names) and name not in NOT_TOLD}


def assert_same_books(before: Run, after: Run) -> None:
    there, here = list(before.results()), list(after.results())
    assert [row["test_case_uid"] for row in here] == [row["test_case_uid"] for row in there]
    for one, other in zip(there, here, strict=True):
        assert books(other, TOKENS) == books(one, TOKENS)
        assert {name: other[name] for name in TOLD} == {name: one[name] for name in TOLD}
    assert books(after.leaderboard_row(), OF_THE_BOARD) == books(before.leaderboard_row(), OF_THE_BOARD)
    spans, again = list(before.spans()), list(after.spans())
    assert len(again) == len(spans)
    hot = ("span_id", "input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "cost_usd")
    assert [[row[name] for name in hot] for row in again] == [[row[name] for name in hot] for row in spans]
    for test, repeated in zip(before.tests(), after.tests(), strict=True):
        assert calls_in(repeated.spans) == calls_in(test.spans)
        assert in_order(repeated.spans) == in_order(test.spans)


def exported_and_imported(run: Run, folder: Path) -> Run:
    files = export(run, "otlp", folder / "exported")
    done = smoltrace_here("import", "otlp", *files, "--store", folder / "again", "--json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["runs"]
    assert told["run_id"] == told["imported_run_id"] == run.id
    return load_run(run.id, folder / "again")


def test_a_demonstration_run_comes_back(tmp_path: Path) -> None:
    done = smoltrace_here("eval", "--limit", "2", "--run-id", "demo", "--store", tmp_path, "--quiet")
    assert done.returncode == 0, done.stderr
    run = load_run("demo", tmp_path)
    assert_same_books(run, exported_and_imported(run, tmp_path))


def evaluated(folder: Path, server: ModelServer, *options: str) -> Run:
    """Six tests on the scripted server, of which some calls fail, are retried, or report no usage."""
    prompts = [f"[test:t{n}] What is the weather in Paris, and what is 6 * 7?" for n in range(3)]
    tasks = folder / "tasks.jsonl"
    tasks.write_text("\n".join(json.dumps({"id": f"t{n}", "prompt": text}) for n, text in enumerate(prompts)))
    server.add_fault(500, test="t0", times=1)
    server.add_fault(400, test="t1", times=1, after=1)
    server.add_fault("no_usage", test="t2", times=1)
    done = smoltrace_here(
        *("eval", tasks, "--base-url", server.url, "--model", "scripted-model", "--run-id", "served", "--repeats", "2"),
        *("--price-file", write_price_file(folder), "--store", folder, "--workers", "1", "--quiet", *options),
    )
    assert done.returncode == 0, done.stderr
    return load_run("served", folder)


FOREIGN = ("openinference.instrumentation.smolagents", "genai_otel")


def installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


beside_others = pytest.param(
    ("--instrument", "openinference,genai-otel"),
    marks=pytest.mark.skipif(
        not all(map(installed, FOREIGN)), reason="needs pip install 'smoltrace[openinference,genai-otel]'"
    ),
    id="beside others",
)


@pytest.mark.parametrize(
    "options",
    [pytest.param((), id="whole"), pytest.param(("--stream",), id="streamed"), beside_others],
)
def test_a_served_run_comes_back_with_cache_reasoning_failures_and_retries(
    tmp_path: Path, model_server: ModelServer, options: tuple[str, ...]
) -> None:
    run = evaluated(tmp_path, model_server, *options)
    rows = list(run.results())
    assert {row["status"] for row in rows} >= {"completed", "error"}
    assert any(row["retries"] for row in rows)
    assert any(row["unpriced_calls"] for row in rows)
    again = exported_and_imported(run, tmp_path)
    assert_same_books(run, again)
    truth = served(entry for entry in model_server.ledger() if entry.status == 200)
    row = again.leaderboard_row()
    assert (row["total_prompt_tokens"], row["total_completion_tokens"]) == (truth.input, truth.output)
    assert (row["total_cache_read_tokens"], row["total_reasoning_tokens"]) == (truth.cached, truth.reasoning)
    assert row["cost_known_usd"] == truth.cost["total"]


def test_hand_written_spans_come_back(tmp_path: Path) -> None:
    foreign = [*trace_of(3, at=2000), chat(3, 99, 11, (2015, 2020), (100, 10), scope="other.instrumentation")]
    about = {"model": "m", "prompt": "", "response": None, "expected": None}
    tests = [execution(1, **about), failed(2, "timeout", **about), execution(3, spans=foreign, **about)]
    unpriced = execution(4, spans=trace_of(4, tokens=[(7, 3)], at=3000), price_book=NO_PRICES, **about)
    run = Run(make_run(tmp_path, [*tests, unpriced], run_id="made"))
    files = export(run, "otlp", tmp_path / "exported")
    done = smoltrace_here("import", "otlp", *files, "--store", tmp_path / "again", "--run-id", "other", "--json")
    assert done.returncode == 0, done.stderr
    again = load_run("other", tmp_path / "again")
    for one, other in zip(run.results(), again.results(), strict=True):
        assert (one["trace_id"], one["gen_ai.usage.total_tokens"]) == (
            other["trace_id"],
            other["gen_ai.usage.total_tokens"],
        )
        assert other["gen_ai.usage.cost.total"] == Decimal("0.000003") * one["gen_ai.usage.prompt_tokens"] + (
            Decimal("0.000015") * one["gen_ai.usage.completion_tokens"]
        )


@contextmanager
def listening(store: Path, **until: Any) -> Iterator[Callable[[], tuple[int, list[Any]]]]:
    """A receiver in a thread; what is given returns its port, and after the block the runs that it made."""
    opened, made, port = threading.Event(), [], []

    def ready(number: int) -> None:
        port.append(number)
        opened.set()

    options, until_ = Options(store=store), Until(grace_s=0.3, **until)
    thread = threading.Thread(target=lambda: made.extend(listen(options, until=until_, ready=ready)))
    thread.start()
    assert opened.wait(30)
    yield lambda: (port[0], made)
    thread.join(60)


def test_what_is_published_to_a_receiver_comes_back(tmp_path: Path, model_server: ModelServer) -> None:
    publishing = pytest.importorskip("smoltrace.publish.otlp.runs")
    run = evaluated(tmp_path, model_server)
    with listening(tmp_path / "again", traces=6) as told:
        publishing.publish_run(run, url=f"http://localhost:{told()[0]}")
    assert [each.run.id for each in told()[1]] == ["served"]
    assert_same_books(run, load_run("served", tmp_path / "again"))
