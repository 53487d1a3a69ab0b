"""A real Phoenix shows what the store has: every span, its kind, its messages, and every token once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.backends import asked, free_port, python_with, served
from support.command import smoltrace
from support.model_server import ModelServer
from support.processes import wait_until

from smoltrace.store.read import Run, load_run

pytestmark = pytest.mark.slow

EVAL = ("eval", "--agent-type", "tool", "--limit", "11", "--repeats", "2", "--store", "store")
EXECUTIONS = 20
PROJECTS = "{projects{edges{node{name recordCount traceCount tokenCountPrompt tokenCountCompletion}}}}"


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    python = python_with("arize-phoenix==20.26.1", "SMOLTRACE_TEST_PHOENIX", pytestconfig.cache)
    folder, url = tmp_path_factory.mktemp("phoenix"), f"http://127.0.0.1:{free_port()}"
    environment = {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": url.rpartition(":")[2],
        "PHOENIX_GRPC_PORT": str(free_port()),
    }
    with served([str(python.parent / "phoenix"), "serve"], folder, environment, f"{url}/healthz"):
        yield url


def project(url: str, name: str) -> dict[str, Any]:
    edges = asked(f"{url}/graphql", {"query": PROJECTS})["data"]["projects"]["edges"]
    return next((edge["node"] for edge in edges if edge["node"]["name"] == name), {"recordCount": 0})


def spans_of(url: str, name: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = asked(f"{url}/v1/projects/{name}/spans?limit=100{cursor}")
        found += page["data"]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={quote(page['next_cursor'])}"


def check(url: str, name: str, run: Run) -> None:
    """Phoenix stores after it has answered."""
    tests = list(run.tests())
    assert len(tests) == EXECUTIONS
    kept = {span.span_id: span for test in tests for span in test.spans}
    assert wait_until(lambda: project(url, name)["recordCount"] >= len(kept))
    row = run.leaderboard_row()
    about = project(url, name)
    shown = spans_of(url, name)
    print(f"{name}: {about}")
    assert {each["context"]["span_id"] for each in shown} == set(kept)
    assert about["traceCount"] == len(tests)
    prompt = sum(test.result["gen_ai.usage.prompt_tokens"] or 0 for test in tests)
    completion = sum(test.result["gen_ai.usage.completion_tokens"] or 0 for test in tests)
    assert (about["tokenCountPrompt"], about["tokenCountCompletion"]) == (prompt, completion)
    assert prompt + completion == row["total_tokens"]
    kinds = Counter(each["span_kind"] for each in shown)
    assert kinds["LLM"] == sum(test.result["llm_calls"] or 0 for test in tests)
    assert kinds["AGENT"] >= len(tests)
    assert kinds["TOOL"] > 0
    assert "UNKNOWN" not in kinds
    for each in shown:
        if each["span_kind"] == "LLM":
            own = kept[each["context"]["span_id"]].attributes
            said = each["attributes"]
            assert said["llm.token_count.prompt"] == own["gen_ai.usage.input_tokens"]
            assert said["llm.token_count.completion"] == own["gen_ai.usage.output_tokens"]
            assert said.get("llm.cost.total") == own.get("gen_ai.usage.cost.total")
            assert said["llm.input_messages.0.message.role"] == "system"
            assert said["llm.output_messages.0.message.role"] == "assistant"
            assert any(name.startswith("llm.input_messages.1.message.content") for name in said)


def test_a_run_is_shown_while_it_goes_on(phoenix: str, tmp_path: Path) -> None:
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": "x-project-name=live"}
    done = smoltrace(*EVAL, "--run-id", "live", "--otlp", phoenix, cwd=tmp_path, env=headers)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    run = load_run("live", tmp_path / "store")
    check(phoenix, "live", run)


def test_a_finished_run_is_shown_and_sending_it_twice_changes_nothing(phoenix: str, tmp_path: Path) -> None:
    assert smoltrace(*EVAL, "--run-id", "after", "--quiet", cwd=tmp_path).returncode == 0
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": "x-project-name=after", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    for _ in range(2):
        done = smoltrace(
            *("publish", "after", "--to", "otlp", "--url", phoenix, "--store", "store"), cwd=tmp_path, env=headers
        )
        assert done.returncode == 0, done.stderr
        assert "this receiver takes no metrics" in done.stdout
    check(phoenix, "after", load_run("after", tmp_path / "store"))


def test_other_instrumentations_count_no_token_twice(phoenix: str, tmp_path: Path) -> None:
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": "x-project-name=others", "OPENAI_API_KEY": "k"}
    with ModelServer() as server:
        model = ("--base-url", server.url, "--model", "m", "--instrument", "openinference,genai-otel")
        done = smoltrace(*EVAL, "--run-id", "o", *model, "--otlp", phoenix, cwd=tmp_path, env=headers)
    assert done.returncode == 0, done.stderr
    run = load_run("o", tmp_path / "store")
    assert {span.scope for test in run.tests() for span in test.spans} > {"smoltrace"}
    check(phoenix, "others", run)
