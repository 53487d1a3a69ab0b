from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smoltrace.books.cost import exact_sum
from smoltrace.books.energy import uj_of
from smoltrace.cli import cli, run_command
from smoltrace.errors import UsageError
from smoltrace.records.messages import MISSING, restore
from smoltrace.records.otlp import from_otlp_json
from smoltrace.records.text import json_text
from smoltrace.samples.runs import DEFAULT_RUNS, sample_runs
from smoltrace.samples.script import script
from smoltrace.samples.store import make_sample_store
from smoltrace.scoring.documented import Attempt, Judge
from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.store.read import Run, load_run
from smoltrace.tasks.loaders import load_tasks

JOURNALS = ("results.jsonl", "traces.jsonl", "metrics.jsonl", "spending.jsonl")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One run of each of the first eight kinds, of a third of the tasks."""
    return make_sample_store(tmp_path_factory.mktemp("sample"), runs=8, tests=10).store


def runs_of(store: Store) -> list[Run]:
    return [load_run(run_id, store.path) for run_id in store.run_ids()]


def run_of(store: Store, name: str) -> Run:
    return load_run(next(run_id for run_id in store.run_ids() if run_id.endswith(name)), store.path)


def journals(store: Store) -> dict[str, bytes]:
    files = (store.runs_path / run_id / name for run_id in store.run_ids() for name in JOURNALS)
    return {str(file.relative_to(store.path)): file.read_bytes() for file in files if file.exists()}


# What it is for


def test_every_dataset_of_every_run_can_be_read_and_those_that_are_whole_are_on_the_leaderboard(store: Store) -> None:
    for run in runs_of(store):
        results = list(run.results())
        assert len(results) == run.summary().finished > 0
        assert sum(1 for _ in run.traces()) == len(results)
        assert run.metrics()
        assert run.points()
        assert {row["trace_id"] for row in run.spans()} == {row["trace_id"] for row in results}

    ids = {row["run_id"] for row in leaderboard.rows(store)}
    assert set(store.run_ids()) - ids == {"sample-06-demo-interrupted"}


def test_the_tests_add_up_to_the_run(store: Store) -> None:
    for run in runs_of(store):
        results, row = list(run.results()), run.summary().leaderboard
        assert row["total_tokens"] == sum(each["gen_ai.usage.total_tokens"] or 0 for each in results)
        assert row["cost_known_usd"] == exact_sum(each["cost_known_usd"] for each in results)
        costs = [each["gen_ai.usage.cost.total"] for each in results]
        assert row["total_cost_usd"] == (None if None in costs else exact_sum(costs))
        assert row["unpriced_calls"] == sum(each["unpriced_calls"] for each in results)


def test_the_spans_of_a_test_add_up_to_it(store: Store) -> None:
    for run in runs_of(store):
        tokens: dict[str, int] = {}
        for span in run.spans():
            used = (span["input_tokens"] or 0) + (span["output_tokens"] or 0)
            tokens[span["trace_id"]] = tokens.get(span["trace_id"], 0) + used
        for row in run.results():
            assert tokens[row["trace_id"]] == (row["gen_ai.usage.total_tokens"] or 0)


def test_things_go_wrong_in_every_way(store: Store) -> None:
    rows = [row for run in runs_of(store) for row in run.results()]

    assert {row["error_type"] for row in rows} >= {
        "timeout", "tool_error", "parse_error", "max_steps", "budget", "rate_limit", "llm_error", None,
    }  # fmt: skip
    assert {row["status"] for row in rows} == {"completed", "failed", "error", "timeout", "limit"}
    failed = [row for row in rows if row["status"] == "failed"]
    assert any(row["response_correct"] is False for row in failed)
    assert any(row["correct_tool"] is False and not row["tool_called"] for row in failed)
    assert any(row["retries"] for row in rows if row["success"])
    assert any(row["retries"] == 4 and row["error_type"] == "rate_limit" for row in rows)
    assert {row["agent_type"] for row in rows} == {"tool", "code"}
    assert {row["attempt"] for row in rows} == {1, 2, 3}
    assert len({row["category"] for row in rows}) >= 3
    assert all(row["success"] == (row["status"] == "completed") for row in rows)


def test_a_test_that_timed_out_has_unfinished_spans_and_a_failed_root(store: Store) -> None:
    run = run_of(store, "03-llama-8b")
    test = next(test for test in run.tests() if test.result["status"] == "timeout")

    assert {span.name.split()[0] for span in test.spans if span.attributes.get("smoltrace.unfinished")} >= {
        "invoke_agent", "step", "chat",
    }  # fmt: skip
    root = next(span for span in test.spans if span.parent_span_id is None)
    assert (root.status, root.attributes["error.type"]) == ("ERROR", "timeout")
    assert test.result["execution_time_ms"] >= 60_000


# Spans as the tracing makes them


def test_spans_form_one_tree_and_lie_within_their_parents(store: Store) -> None:
    for run in runs_of(store):
        for test in run.tests():
            by_id = {span.span_id: span for span in test.spans}
            assert len(by_id) == len(test.spans)
            assert [span.end_ns for span in test.spans] == sorted(span.end_ns for span in test.spans)
            for span in test.spans:
                if span.parent_span_id is not None:
                    parent = by_id[span.parent_span_id]
                    assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns


def test_prompts_can_be_put_together_again(store: Store) -> None:
    for run in runs_of(store):
        for test in run.tests():
            for span in restore(test.spans):
                assert json_text(MISSING) not in str(span.attributes.get("gen_ai.input.messages"))


def test_tests_are_traced_like_real_ones(store: Store, tmp_path: Path) -> None:
    assert run_command(cli, "smoltrace", ["eval", "--store", str(tmp_path), "--limit", "3", "--quiet"]) == 0
    real = {test.result["test_case_uid"]: shape(test) for test in load_run("latest", tmp_path).tests()}

    played = [test for test in run_of(store, "interrupted").tests() if test.result["success"]]
    found = {test.result["test_case_uid"]: shape(test) for test in played if not test.result["retries"]}

    both = real.keys() & found.keys()
    assert both
    assert {uid: found[uid] for uid in both} == {uid: real[uid] for uid in both}


def shape(test: Any) -> list[tuple[str, str, frozenset[str], tuple[str, ...]]]:
    """Of each span its name, kind, attributes and events."""
    return [
        (span.name, span.kind, frozenset(span.attributes), tuple(event.name for event in span.events))
        for span in sorted(test.spans, key=lambda span: (span.start_ns, -span.end_ns))
    ]


# Kinds of runs


def test_one_model_caches_reasons_and_streams(store: Store) -> None:
    row = run_of(store, "01-large").summary().leaderboard

    assert row["total_cache_read_tokens"] > 0
    assert row["total_cache_write_tokens"] > 0
    assert row["total_reasoning_tokens"] > 0
    assert row["p95_ttft_seconds"] > row["p50_ttft_seconds"] > 0
    assert row["total_cost_usd"] > 0
    assert row["energy_estimated_wh_max"] > row["energy_estimated_wh_min"] > 0


def test_one_model_has_calls_without_a_price(store: Store) -> None:
    row = run_of(store, "preview").summary().leaderboard

    assert row["total_cost_usd"] is None
    assert row["cost_known_usd"] > 0
    assert row["unpriced_calls"] > 0


@pytest.mark.parametrize(("name", "gpus"), [("03-llama-8b", 1), ("llama-70b", 4)])
def test_a_model_on_gpus_has_series_and_energy(store: Store, name: str, gpus: int) -> None:
    run = run_of(store, name)
    rows, summary = run.metrics(), run.summary()

    assert {row["gpu_id"] for row in rows} == {str(index) for index in range(gpus)}
    columns = ("gpu_utilization_percent", "gpu_memory_used_mib", "gpu_temperature_celsius", "gpu_power_watts")
    assert all(row[column] is not None for row in rows for column in columns)
    assert summary.energy is not None
    total = summary.energy["gpu_uj"]
    assert uj_of(summary.leaderboard["total_gpu_energy_wh"]) == total
    shares = [uj_of(row["gpu_energy_wh"]) for row in run.results()]
    assert sum(shares) + summary.energy["unattributed_uj"] == total
    assert 0 < summary.leaderboard["gpu_energy_idle_wh"] < summary.leaderboard["total_gpu_energy_wh"]
    assert summary.leaderboard["co2_emissions_g"] > 0
    assert summary.leaderboard["power_cost_total_usd"] > 0
    assert summary.leaderboard["total_cost_usd"] == Decimal(0)
    assert summary.leaderboard["country"] == "FRA"


def test_a_model_behind_an_api_has_no_gpu(store: Store) -> None:
    run = run_of(store, "02-small")

    assert run.summary().energy is None
    assert run.summary().leaderboard["total_gpu_energy_wh"] is None


def test_an_interrupted_run_can_be_gone_on_with(tmp_path: Path) -> None:
    store = make_sample_store(tmp_path, runs=6, tests=3).store
    run = run_of(store, "interrupted")
    before = run.summary()
    assert (before.status, before.planned) == ("incomplete", 5)
    assert before.finished < 5
    assert before.discarded.calls > 0

    assert run_command(cli, "smoltrace", ["resume", run.id, "--store", str(tmp_path), "--quiet"]) == 0

    after = run_of(store, "interrupted").summary()
    assert (after.status, after.finished) == ("completed", 5)


def test_runs_of_one_model_lie_days_apart_and_get_better() -> None:
    runs = [run for run in sample_runs(40) if run.model.model_id == "acme/piccolo-2"]

    hours = [run.hour for run in runs]
    assert hours == sorted(set(hours))
    assert hours[-1] > 24 * 20
    assert runs[-1].skill > runs[0].skill
    assert len({run.run_id for run in sample_runs(40)}) == 40


def test_the_first_runs_are_the_same_however_many_there_are() -> None:
    assert sample_runs(DEFAULT_RUNS + 5)[:3] == sample_runs(3)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_number_of_runs_that_cannot_be_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="--runs"):
        sample_runs(count)


# Seeds, and stores that are there


def test_the_same_seed_makes_the_same_journals(tmp_path: Path) -> None:
    one, two = (
        journals(make_sample_store(tmp_path / name, runs=6, tests=2, seed=5, big_trace_spans=40).store)
        for name in ("one", "two")
    )
    other = journals(make_sample_store(tmp_path / "other", runs=3, tests=2, seed=6).store)

    assert one == two
    assert other.keys() < one.keys()
    assert all(one[name] != other[name] for name in other if name.endswith("traces.jsonl"))
    assert any(name.endswith("metrics.jsonl") for name in one)
    assert any(name.endswith("spending.jsonl") for name in one)


def test_a_run_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    make_sample_store(tmp_path, runs=2, tests=1)
    before = journals(Store(tmp_path))

    with pytest.raises(UsageError, match=r"has a run 'sample-01-large' already and 1 more of these"):
        make_sample_store(tmp_path, runs=3, tests=1, seed=9)

    assert journals(Store(tmp_path)) == before


@pytest.mark.parametrize("spans", [5, 6, 7, 8, 9, 10, 11, 60, 500])
def test_a_big_trace_has_exactly_so_many_spans(tmp_path: Path, spans: int) -> None:
    made = make_sample_store(tmp_path, runs=1, tests=1, big_trace_spans=spans)

    line = made.runs[-1].traces_journal.read_bytes()
    found = from_otlp_json(line)
    assert len(found) == len({span.span_id for span in found}) == spans
    (row,) = load_run("sample-big-trace", tmp_path).results()
    assert row["final_answer_called"]


def test_a_trace_cannot_be_smaller_than_a_test(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 5 spans"):
        make_sample_store(tmp_path, runs=1, big_trace_spans=4)

    assert not Store(tmp_path).run_ids()


# The script


def test_every_task_of_the_suite_has_a_right_and_a_wrong_answer() -> None:
    tasks = load_tasks("basics").tasks
    assert {task.id for task in tasks} == set(script().solutions)
    for task in tasks:
        solution = script().solutions[task.id]
        right, wrong = (
            Judge().judge(Attempt(task=task, agent_type="code", answer=answer, final_answer_called=True))
            for answer in (solution.answer, solution.wrong)
        )
        assert (right.success, wrong.success) == (True, False), task.id


def test_the_tools_really_say_what_the_script_has_them_say() -> None:
    from smoltrace.agents.tools import build_tools

    tools = {tool.name: tool for tool in build_tools([])}
    for solution in script().solutions.values():
        for call in solution.calls:
            try:
                said, error = str(tools[call.tool](**call.arguments)), None
            except ValueError as problem:
                said, error = "", str(problem)
            assert (said, error) == (call.result, call.error)
