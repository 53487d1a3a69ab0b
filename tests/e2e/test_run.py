"""What one command leaves: a summary, four linked datasets, a leaderboard row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.command import smoltrace, smoltrace_here, with_everything
from support.model_server import ModelServer

RUN = "smoltrace-runs/runs/mine"


def rows(folder: Path, dataset: str) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = pq.read_table(folder / RUN / f"{dataset}.parquet").to_pylist()
    return table


def test_the_first_command_runs_the_demonstration_and_says_where_everything_lies(tmp_path: Path) -> None:
    done = smoltrace("eval", "--run-id", "mine", cwd=tmp_path, env=with_everything())
    assert done.returncode == 0, done.stderr
    assert "Success" in done.stdout
    assert RUN in done.stdout
    results = rows(tmp_path, "results")
    assert len(results) >= 30
    assert {row["agent_type"] for row in results} == {"tool", "code"}
    assert {row["difficulty"] for row in results} == {"easy", "medium", "hard"}
    assert 0.5 < sum(row["success"] for row in results) / len(results) < 1
    assert all(row["gen_ai.usage.cost.total"] > 0 for row in results if row["llm_calls"])
    assert all("demonstration price" in row["pricing_source"] for row in results if row["llm_calls"])
    # Without a terminal: one line a test, no colours.
    assert done.stderr.count("\n") == len(results) + 1
    assert "\x1b" not in done.stdout + done.stderr


def test_two_runs_of_the_demonstration_are_alike_but_for_times(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert smoltrace_here("eval", "--run-id", name, "--quiet", cwd=tmp_path).returncode == 0
    first, second = (
        pq.read_table(tmp_path / f"smoltrace-runs/runs/{name}/results.parquet").to_pylist() for name in ("a", "b")
    )
    same = ("test_case_uid", "success", "response", "steps", "gen_ai.usage.total_tokens", "gen_ai.usage.cost.total")
    assert [[row[key] for key in same] for row in first] == [[row[key] for key in same] for row in second]


def test_run_id_and_trace_id_join_all_datasets_without_an_orphan(tmp_path: Path) -> None:
    done = smoltrace_here("eval", "--run-id", "mine", "--repeats", "2", "--limit", "6", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results, traces, spans = (rows(tmp_path, name) for name in ("results", "traces", "spans"))
    metrics, points = rows(tmp_path, "metrics"), rows(tmp_path, "points")
    assert len({row["test_case_uid"] for row in results}) == len(results)
    trace_ids = {row["trace_id"] for row in results}
    assert len(trace_ids) == len(results)
    assert {row["trace_id"] for row in traces} == trace_ids == {row["trace_id"] for row in spans}
    assert {row["test_case_uid"] for row in traces} == {row["test_case_uid"] for row in results}
    for dataset in (results, traces, spans, metrics, points):
        assert {row["run_id"] for row in dataset} == {"mine"}
    leaderboard = json.loads((tmp_path / "smoltrace-runs/leaderboard/rows/mine.json").read_text())
    assert leaderboard["run_id"] == "mine"
    by_id = {span["span_id"]: span for span in spans}
    roots = [span for span in spans if span["parent_span_id"] is None]
    assert len(roots) == len(results)
    assert all(span["parent_span_id"] in by_id for span in spans if span["parent_span_id"] is not None)


def test_no_gpu_means_nulls_and_one_metrics_row(tmp_path: Path) -> None:
    assert smoltrace_here("eval", "--run-id", "mine", "--limit", "1", "--quiet", cwd=tmp_path).returncode == 0
    (row,) = rows(tmp_path, "metrics")
    gpu = [
        value
        for key, value in row.items()
        if key.startswith("gpu_") or key in ("co2_emissions_gco2e", "power_cost_usd")
    ]
    assert gpu
    assert set(gpu) == {None}


def test_an_unpriced_model_costs_null_and_the_total_is_a_bound(tmp_path: Path) -> None:
    with ModelServer() as server:
        done = smoltrace_here(
            *("eval", "--base-url", server.url, "--model", "nobody-knows-me", "--limit", "2"),
            *("--run-id", "mine", "--json"),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["total_cost_usd"] is None
    assert row["unpriced_calls"] > 0
    assert all(result["gen_ai.usage.cost.total"] is None for result in rows(tmp_path, "results"))


def test_parameters_reach_the_model_and_are_recorded(tmp_path: Path) -> None:
    with ModelServer() as server:
        done = smoltrace_here(
            *("eval", "--base-url", server.url, "--model", "m", "--limit", "1", "--run-id", "mine", "--quiet"),
            *("--temperature", "0.25", "--top-p", "0.9", "--max-tokens", "77", "--seed", "7"),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    for row in rows(tmp_path, "results"):
        assert row["gen_ai.request.temperature"] == 0.25
        assert row["gen_ai.request.top_p"] == 0.9
        assert row["gen_ai.request.max_tokens"] == 77
    leaderboard = json.loads((tmp_path / "smoltrace-runs/leaderboard/rows/mine.json").read_text())
    assert leaderboard["common_temperature"] == 0.25


def test_a_configuration_file_sets_options_and_the_command_line_wins(tmp_path: Path) -> None:
    (tmp_path / "eval.toml").write_text('tasks = "basics"\nlimit = 3\nrun-id = "from-file"\n[tags]\nteam = "a"\n')
    done = smoltrace_here("eval", "--config", "eval.toml", "--run-id", "mine", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / RUN / "run.json").read_text())
    assert manifest["config"]["limit"] == 3
    assert manifest["tags"] == {"team": "a"}


@pytest.mark.parametrize("text", ["limt = 3", "limit = [1]", "limit = ", 'limit = "many"'])
def test_a_faulty_configuration_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "eval.toml").write_text(text)
    done = smoltrace_here("eval", "--config", "eval.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "eval.toml" in done.stderr or "limit" in done.stderr


def test_planning_steps_are_traced_and_counted(tmp_path: Path) -> None:
    with ModelServer() as server:
        done = smoltrace_here(
            *("eval", "--base-url", server.url, "--model", "m", "--limit", "1", "--run-id", "mine", "--quiet"),
            *("--planning-interval", "1", "--agent-type", "tool"),
            cwd=tmp_path,
        )
        served = server.ledger()
    assert done.returncode == 0, done.stderr
    assert any(span["name"].startswith("planning") for span in rows(tmp_path, "spans"))
    (row,) = rows(tmp_path, "results")
    assert row["llm_calls"] == len(served)
    assert row["gen_ai.usage.prompt_tokens"] == sum(entry.input for entry in served)


AGENT = """
from smolagents import ToolCallingAgent

def make_agent(model, tools):
    helper = ToolCallingAgent(tools=tools, model=model, name="helper", description="Knows the weather.")
    return ToolCallingAgent(tools=[], model=model, managed_agents=[helper])
"""


def test_an_agent_of_ones_own_with_a_managed_agent(tmp_path: Path) -> None:
    (tmp_path / "agent_with_helper.py").write_text(AGENT)
    task = {"id": "a", "prompt": "[test:a] [manage:helper] What is the weather in Paris?", "agent_type": "tool"}
    (tmp_path / "tasks.jsonl").write_text(json.dumps(task))
    with ModelServer() as server:
        done = smoltrace_here(
            *("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", "--run-id", "mine"),
            *("--agent", "agent_with_helper:make_agent"),
            cwd=tmp_path,
        )
        served = server.ledger()
    assert done.returncode == 0, done.stderr
    (row,) = rows(tmp_path, "results")
    assert row["gen_ai.usage.prompt_tokens"] == sum(entry.input for entry in served)
    agents = [span["name"] for span in rows(tmp_path, "spans") if span["operation"] == "invoke_agent"]
    assert "invoke_agent helper" in agents
    assert len(agents) == 2


def test_from_python_with_a_model_object(tmp_path: Path) -> None:
    import smoltrace as package
    from smoltrace.agents.demo import DemoModel

    run = package.evaluate(
        "basics", model=DemoModel("mine", first_token_s=0, token_s=0), limit=2, store=tmp_path, workers=2
    )
    row = run.leaderboard_row()
    assert row["num_tests"] >= 2
    assert row["total_cost_usd"] is None
    first = next(iter(run.results()))
    assert package.load_trace(run, first["trace_id"])
    assert package.load_run(run.id, tmp_path).id == run.id
