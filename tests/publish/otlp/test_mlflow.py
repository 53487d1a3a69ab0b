"""A real MLflow shows what the store has: every trace and span, tokens and dollars."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.backends import QUIET, asked, free_port, python_with, served
from support.command import smoltrace
from support.ledger import write_price_file
from support.model_server import ModelServer

from smoltrace.store.read import Run, load_run

pytestmark = pytest.mark.slow

EVAL = ("eval", "--agent-type", "tool", "--limit", "11", "--repeats", "2", "--store", "store")
EXECUTIONS = 20
ASK = """
import json, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
traces = mlflow.search_traces(locations=[sys.argv[2]], return_type="list", max_results=500)
print(json.dumps([
    {
        "id": trace.info.trace_id.removeprefix("tr-"),
        "tokens": trace.info.token_usage,
        "cost": json.loads(trace.info.trace_metadata.get("mlflow.trace.cost", "null")),
        "session": trace.info.trace_metadata.get("mlflow.trace.session"),
        "spans": [[span.name, span.span_type, bool(span.inputs)] for span in trace.data.spans],
    }
    for trace in traces
]))
"""


class MLflow:
    def __init__(self, url: str, python: Path) -> None:
        self.url, self.python = url, python

    def experiment(self, name: str) -> str:
        made = asked(f"{self.url}/api/2.0/mlflow/experiments/create", {"name": name})
        return str(made["experiment_id"])

    def traces(self, experiment: str) -> dict[str, dict[str, Any]]:
        command = [str(self.python), "-c", ASK, self.url, experiment]
        done = subprocess.run(command, capture_output=True, text=True, env=QUIET, check=False)
        assert done.returncode == 0, done.stderr
        return {each["id"]: each for each in json.loads(done.stdout.splitlines()[-1])}


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[MLflow]:
    python = python_with("mlflow==3.17.2", "SMOLTRACE_TEST_MLFLOW", pytestconfig.cache)
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [str(python.parent / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", str(folder / "art")]
    url = f"http://127.0.0.1:{port}"
    # Asked for prices of its own, it looks for them in the network.
    with served(command, folder, {"MLFLOW_MODEL_CATALOG_URI": ""}, f"{url}/health"):
        yield MLflow(url, python)


def check(shown: dict[str, dict[str, Any]], run: Run) -> None:
    tests = list(run.tests())
    assert len(tests) == EXECUTIONS
    assert set(shown) == {test.result["trace_id"] for test in tests}
    for test in tests:
        result, trace = test.result, shown[test.result["trace_id"]]
        assert trace["session"] == run.id
        assert len(trace["spans"]) == len(test.spans)
        assert trace["tokens"]["input_tokens"] == result["gen_ai.usage.prompt_tokens"]
        assert trace["tokens"]["output_tokens"] == result["gen_ai.usage.completion_tokens"]
        if result["gen_ai.usage.cost.total"] is not None:
            assert trace["cost"]["total_cost"] == pytest.approx(float(result["gen_ai.usage.cost.total"]), rel=1e-12)
        types = [kind for _, kind, _ in trace["spans"]]
        assert types.count("LLM") == result["llm_calls"]
        assert {"AGENT", "TOOL", "CHAIN"} <= set(types)
        assert all(inputs for _, kind, inputs in trace["spans"] if kind in ("LLM", "AGENT"))
    tokens = sum(trace["tokens"]["total_tokens"] for trace in shown.values())
    print(f"{len(shown)} traces, {tokens:,} tokens")
    assert tokens == run.leaderboard_row()["total_tokens"]


def test_a_run_is_shown_while_it_goes_on_and_sending_it_again_changes_nothing(mlflow: MLflow, tmp_path: Path) -> None:
    experiment = mlflow.experiment("live")
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"x-mlflow-experiment-id={experiment}", "OPENAI_API_KEY": "k"}
    with ModelServer(latency_s=1.0) as server:  # as long as models take: the end of a run does not wait for MLflow
        given = ("--base-url", server.url, "--model", "scripted-model", "--workers", "4", "--otlp", mlflow.url)
        given += ("--price-file", str(write_price_file(tmp_path)))
        done = smoltrace(*EVAL, "--run-id", "live", *given, cwd=tmp_path, env=headers)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    run = load_run("live", tmp_path / "store")
    check(mlflow.traces(experiment), run)
    again = smoltrace(
        *("publish", "live", "--to", "otlp", "--url", mlflow.url, "--store", "store"), cwd=tmp_path, env=headers
    )
    assert again.returncode == 0, again.stderr
    check(mlflow.traces(experiment), run)


def test_a_finished_run_with_other_instrumentations_counts_no_token_twice(mlflow: MLflow, tmp_path: Path) -> None:
    experiment = mlflow.experiment("others")
    with ModelServer() as server:
        model = ("--base-url", server.url, "--model", "scripted-model", "--instrument", "openinference,genai-otel")
        model += ("--price-file", str(write_price_file(tmp_path)))
        assert smoltrace(*EVAL, "--run-id", "o", *model, cwd=tmp_path, env={"OPENAI_API_KEY": "k"}).returncode == 0
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"x-mlflow-experiment-id={experiment}"}
    done = smoltrace("publish", "o", "--to", "otlp", "--url", mlflow.url, "--store", "store", cwd=tmp_path, env=headers)
    assert done.returncode == 0, done.stderr
    check(mlflow.traces(experiment), load_run("o", tmp_path / "store"))


def test_a_missing_experiment_is_said(mlflow: MLflow, tmp_path: Path) -> None:
    assert smoltrace("eval", "--limit", "1", "--run-id", "r", "--quiet", cwd=tmp_path).returncode == 0
    done = smoltrace("publish", "r", "--to", "otlp", "--url", mlflow.url, cwd=tmp_path)
    assert done.returncode == 4
    assert "x-mlflow-experiment-id" in done.stderr
