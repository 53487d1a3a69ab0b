"""The documented evaluation functions, on a model server and on spans of a caller's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.model_server import ModelServer

from smoltrace.core import DocumentedOptions, extract_metrics, extract_traces, generation_of, run_evaluation
from smoltrace.errors import ConfigError, ModelRefusedError, UsageError
from smoltrace.otel import InMemorySpanExporter, setup_inmemory_otel
from smoltrace.records.schema import RESULTS, TRACES
from smoltrace.store.read import load_run

TASKS = 3


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_server: ModelServer) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    rows = [
        {
            "id": f"t{n}",
            "prompt": f"[test:t{n}] What is the weather in Paris?",
            "expected_tool": "get_weather",
            "difficulty": "hard" if n else "easy",
        }
        for n in range(TASKS)
    ]
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def evaluate(**options: Any) -> Any:
    return run_evaluation(
        "scripted-model", **{"dataset_name": "tasks.jsonl", "provider": "openai", "enable_otel": True, **options}
    )


# --- run_evaluation -------------------------------------------------------------------------------------------------


def test_an_evaluation_returns_its_five_documented_values(model_server: ModelServer) -> None:
    all_results, trace_data, metric_data, dataset_name, run_id = evaluate(run_id="my-run", parallel_workers=4)
    assert {agent_type: len(rows) for agent_type, rows in all_results.items()} == {"tool": TASKS, "code": TASKS}
    rows = all_results["tool"] + all_results["code"]
    assert {tuple(row) for row in rows} == {RESULTS.names}
    assert {tuple(sorted(trace)) for trace in trace_data} == {tuple(sorted(TRACES.names))}
    assert sorted(row["test_index"] for row in rows) == list(range(2 * TASKS))
    assert {row["run_id"] for row in rows} == {trace["run_id"] for trace in trace_data} == {"my-run"}
    assert {row["trace_id"] for row in rows} == {trace["trace_id"] for trace in trace_data}
    assert (metric_data["run_id"], metric_data["resourceMetrics"]) == ("my-run", [])
    assert (dataset_name, run_id) == ("tasks.jsonl", "my-run")


def test_its_tokens_are_those_that_the_server_served(model_server: ModelServer) -> None:
    all_results, trace_data, metric_data, *_ = evaluate()
    ledger = model_server.ledger()
    served = sum(entry.input + entry.output for entry in ledger)
    rows = all_results["tool"] + all_results["code"]
    assert sum(row["gen_ai.usage.total_tokens"] for row in rows) == served
    assert sum(trace["total_tokens"] for trace in trace_data) == served
    aggregates = {metric["name"]: metric for metric in metric_data["aggregates"]}
    assert sum(point["value"] for point in aggregates["llm.token_count.total"]["data_points"]) == served
    assert sum(point["value"] for point in aggregates["gen_ai.requests"]["data_points"]) == len(ledger)


def test_the_run_is_in_the_store_too() -> None:
    all_results, *_, run_id = evaluate()
    kept = {row["test_case_uid"] for row in load_run(run_id).results()}
    assert kept == {row["test_case_uid"] for rows in all_results.values() for row in rows}


def test_agent_types_and_difficulty_choose_the_tests() -> None:
    all_results, *_ = evaluate(agent_types=["tool"], test_subset="easy")
    assert [row["test_id"] for row in all_results["tool"]] == ["t0"]
    assert all_results["code"] == []


def test_without_otel_traces_and_metrics_are_not_returned_but_kept() -> None:
    _, trace_data, metric_data, _, run_id = evaluate(enable_otel=False, agent_types=["tool"])
    assert trace_data == []
    assert metric_data == {"run_id": run_id, "resourceMetrics": [], "aggregates": []}
    assert len(list(load_run(run_id).traces())) == TASKS


def test_money_is_float_and_the_spans_are_dictionaries() -> None:
    _, (trace,), _, _, _ = evaluate(agent_types=["tool"], test_subset="easy")
    spans = trace["spans"]
    assert len(spans) == trace["span_count"]
    assert all(isinstance(span["attributes"], dict) and isinstance(span["events"], list) for span in spans)
    assert [span["name"] for span in spans if span["parent_span_id"] is None] == ["test t0"]
    assert {span["resource"]["run_id"] for span in spans} == {trace["run_id"]}


def test_prompts_may_be_given_as_a_mapping(model_server: ModelServer) -> None:
    seen: list[str] = []
    original = model_server.script

    def script(request: dict[str, Any], index: int) -> Any:
        seen.append(json.dumps(request["messages"][0]))
        return original(request, index)

    model_server.script = script
    evaluate(agent_types=["tool"], test_subset="easy", prompt_config={"system_prompt": "You are a careful clerk."})
    assert all("careful clerk" in prompt for prompt in seen)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"agent_types": []}, UsageError, "agent_types"),
        ({"agent_types": ["robot"]}, UsageError, "robot"),
        ({"colour": "red"}, UsageError, "colour"),
        ({"model_args": {"warmth": 1}}, UsageError, "warmth"),
        ({"model_args": {"temperature": "hot"}}, UsageError, "hot"),
        ({"dataset_revision": "v1"}, UsageError, "only a dataset on the Hub"),
        ({"prompt_config": {"no_such_prompt": "x"}}, ConfigError, "no_such_prompt"),
        ({"prompt_config": "absent.yaml"}, ConfigError, "absent.yaml"),
        ({"dataset_name": "absent.jsonl"}, UsageError, "absent.jsonl"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_spent(
    options: dict[str, Any], error: type[Exception], words: str, model_server: ModelServer
) -> None:
    with pytest.raises(error, match=words):
        evaluate(**options)
    assert model_server.ledger() == []


def test_a_refused_key_ends_the_run(model_server: ModelServer) -> None:
    model_server.api_key = "another"
    with pytest.raises(ModelRefusedError):
        evaluate()


def test_sampling_parameters_are_sent_and_recorded(model_server: ModelServer) -> None:
    all_results, *_ = evaluate(
        agent_types=["tool"], test_subset="easy", model_args={"temperature": "0.25", "max_tokens": 512}
    )
    (row,) = all_results["tool"]
    assert (row["gen_ai.request.temperature"], row["gen_ai.request.max_tokens"]) == (0.25, 512)


def test_a_name_with_an_owner_is_a_dataset_on_the_hub() -> None:
    tasks = DocumentedOptions(model_name="m", dataset_name="ann/tasks", dataset_revision="v1").config().tasks
    assert tasks == "hf:ann/tasks@v1"


def test_options_reach_the_agent() -> None:
    config = DocumentedOptions(
        model_name="m",
        mcp_server_url="http://localhost:1/mcp",
        enabled_smolagents_tools=["visit_webpage"],
        additional_authorized_imports=["numpy"],
        request_timeout=0,
    ).config()
    assert config.agent.mcp == ("http://localhost:1/mcp",)
    assert config.agent.tools == ("default", "visit_webpage")
    assert config.agent.authorized_imports == ("numpy",)
    assert config.model.request_timeout is None


def test_model_arguments_become_numbers() -> None:
    params = generation_of({"temperature": "0.7", "top_p": 1, "max_tokens": "2048", "seed": 42})
    assert (params.temperature, params.top_p, params.max_tokens, params.seed) == (0.7, 1.0, 2048, 42)


# --- extract_traces and extract_metrics -----------------------------------------------------------------------------

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.provider.name": "openai"}


def call_attributes(tokens: tuple[int, int], **more: Any) -> Mapping[str, Any]:
    usage = {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
    return {**CHAT, **usage, **{key.replace("__", "."): value for key, value in more.items()}}


def recorded(*calls: Mapping[str, Any], **root: Any) -> tuple[InMemorySpanExporter, Any]:
    """An exporter with one trace: a test, an agent that repeats the sum, and its calls."""
    tracer, _, spans, metrics, aggregator, _ = setup_inmemory_otel(enable_otel=True, run_id="r1")
    assert tracer is not None
    assert spans is not None
    about = {key.replace("__", "."): value for key, value in root.items()}
    with tracer.start_as_current_span("test t1", attributes={"test.id": "t1", "agent.type": "tool", **about}):
        sums = {
            name: sum(call.get(name, 0) for call in calls)
            for name in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
        }
        with tracer.start_as_current_span(
            "invoke_agent a", attributes={"gen_ai.operation.name": "invoke_agent", **sums}
        ):
            for call in calls:
                tracer.start_span("chat", attributes=call).end()
    return spans, (metrics, aggregator)


def test_traces_of_own_spans_count_each_token_once() -> None:
    spans, _ = recorded(call_attributes((100, 10)), call_attributes((200, 20)))
    (trace,) = extract_traces(spans, "r1")
    assert (trace["run_id"], trace["test_id"], trace["agent_type"]) == ("r1", "t1", "tool")
    assert (trace["total_tokens"], trace["gen_ai.usage.prompt_tokens"]) == (330, 300)
    assert trace["gen_ai.usage.completion_tokens"] == 30
    assert (trace["span_count"], trace["model"]) == (4, "gpt-4o-mini")
    assert trace["total_duration_ms"] == max(span["duration_ms"] for span in trace["spans"])
    assert tuple(sorted(trace)) == tuple(sorted(TRACES.names))


def test_traces_of_own_spans_are_priced_exactly() -> None:
    spans, _ = recorded(call_attributes((1_000_000, 0)), call_attributes((0, 1_000_000)))
    (trace,) = extract_traces(spans, "r1")
    parts = [trace[f"gen_ai.usage.cost.{part}"] for part in ("prompt", "completion")]
    assert trace["total_cost_usd"] == sum(parts)
    assert trace["total_cost_usd"] > 0


def test_an_unknown_model_costs_what_its_spans_say_or_an_unknown_amount() -> None:
    priced = call_attributes((1, 1), gen_ai__request__model="nobody-knows", gen_ai__usage__cost__total=0.25)
    unpriced = call_attributes((1, 1), gen_ai__request__model="nobody-knows")
    assert extract_traces(recorded(priced, priced)[0], "r1")[0]["total_cost_usd"] == 0.5
    assert extract_traces(recorded(priced, unpriced)[0], "r1")[0]["total_cost_usd"] is None


def test_traces_are_apart_and_in_order() -> None:
    tracer, _, spans, *_ = setup_inmemory_otel(enable_otel=True)
    assert tracer is not None
    for name in ("one", "two"):
        tracer.start_span(name).end()
    first, second = extract_traces(spans, "r1")
    assert [trace["spans"][0]["name"] for trace in (first, second)] == ["one", "two"]
    assert first["trace_id"] != second["trace_id"]
    assert (first["test_id"], first["test_case_uid"], first["total_tokens"]) == (None, None, None)


def test_without_an_exporter_there_are_no_traces_and_no_metrics() -> None:
    assert extract_traces(None, "r1") == []
    assert extract_metrics(None, None, [], {}, "r1") == {"run_id": "r1", "resourceMetrics": [], "aggregates": []}


def test_metrics_have_their_time_series_and_aggregates() -> None:
    spans, (metric_exporter, aggregator) = recorded(call_attributes((100, 10)), call_attributes((200, 20)))
    trace_data = extract_traces(spans, "r1")
    results = {"tool": [{"test_id": "t1", "success": True, "steps": 2}], "code": []}
    metrics = extract_metrics(metric_exporter, aggregator, trace_data, results, "r1")
    assert set(metrics) == {"run_id", "resourceMetrics", "aggregates"}
    found = {metric["name"]: metric for metric in metrics["aggregates"]}
    assert found["tests.successful"]["type"] == "counter"
    assert found["tests.successful"]["data_points"] == [{"value": 1, "attributes": {"agent_type": "tool"}}]
    assert found["tests.steps"]["data_points"][0]["value"]["avg"] == 2
    assert found["llm.token_count.total"]["data_points"][0]["value"] == 330
    assert found["llm.token_count.total"]["unit"] == "tokens"
    assert found["gen_ai.requests"]["data_points"][0]["value"] == 2


def test_what_the_exporter_collected_is_the_time_series() -> None:
    _, meter, _, metric_exporter, aggregator, run_id = setup_inmemory_otel(enable_otel=True)
    assert meter is not None
    meter.create_counter("gen_ai.co2.emissions").add(0.5)
    metrics = extract_metrics(metric_exporter, aggregator, [], {}, run_id)
    names = [m["name"] for b in metrics["resourceMetrics"] for s in b["scopeMetrics"] for m in s["metrics"]]
    assert names == ["gen_ai.co2.emissions"]
