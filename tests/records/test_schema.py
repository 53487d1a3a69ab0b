from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoltrace.records.instruments import INSTRUMENTS
from smoltrace.records.schema import (
    DATASETS,
    LEADERBOARD,
    METRICS,
    POINTS,
    RESULTS,
    SPANS,
    TRACES,
    Dataset,
    arrow_schema,
    decode_row,
    empty_row,
    encode_row,
    line_of,
    record_batch,
    rows_of,
)

# Every field that the analysis of the original datasets names, "currently captured" and "missing".
ANALYSED = {
    RESULTS: """
        model evaluation_date test_id agent_type difficulty prompt success tool_called correct_tool final_answer_called
        response_correct tools_used steps response error enhanced_trace_info
        gen_ai.request.temperature gen_ai.request.top_p gen_ai.request.max_tokens gen_ai.request.frequency_penalty
        gen_ai.request.presence_penalty gen_ai.response.id gen_ai.response.finish_reasons gen_ai.response.model
        execution_time_ms gen_ai.usage.prompt_tokens gen_ai.usage.completion_tokens gen_ai.usage.total_tokens
        gen_ai.usage.cost.total gen_ai.usage.cost.prompt gen_ai.usage.cost.completion gen_ai.usage.cost.reasoning
        gen_ai.usage.cost.cache_read gen_ai.usage.cost.cache_write gen_ai.server.ttft gen_ai.server.tbt
        completion_tokens_details.reasoning_tokens cache_read_input_tokens cache_creation_input_tokens
        trace_id run_id start_time end_time start_time_unix_nano end_time_unix_nano error_type
    """,
    TRACES: """
        trace_id model agent_type total_tokens total_duration_ms total_cost_usd spans timestamp
        run_id test_id gen_ai.system provider
        gen_ai.usage.cost.prompt gen_ai.usage.cost.completion gen_ai.usage.cost.reasoning
        gen_ai.usage.cost.cache_read gen_ai.usage.cost.cache_write
        gen_ai.usage.prompt_tokens gen_ai.usage.completion_tokens completion_tokens_details.reasoning_tokens
        cache_read_input_tokens cache_creation_input_tokens gen_ai.server.ttft avg_tbt llm.tools tool_call_count
        gen_ai.request.temperature gen_ai.request.top_p gen_ai.request.max_tokens
        gen_ai.response.id gen_ai.response.finish_reasons gen_ai.response.model
    """,
    METRICS: "run_id",
    POINTS: "run_id test_id trace_id",
    LEADERBOARD: """
        run_id model agent_type provider evaluation_date submitted_by
        results_dataset traces_dataset metrics_dataset dataset_used
        num_tests successful_tests failed_tests success_rate avg_steps avg_duration_ms total_duration_ms total_tokens
        avg_tokens_per_test total_cost_usd avg_cost_per_test_usd co2_emissions_g
        gpu_utilization_avg gpu_utilization_max gpu_memory_avg_mib gpu_memory_max_mib gpu_temperature_avg
        gpu_temperature_max gpu_power_avg_w notes
        gen_ai.system total_prompt_tokens total_completion_tokens avg_prompt_tokens avg_completion_tokens
        total_reasoning_tokens total_cache_read_tokens total_cache_write_tokens
        total_cost_prompt_usd total_cost_completion_usd total_cost_reasoning_usd total_cost_cache_read_usd
        total_cost_cache_write_usd avg_cost_prompt_per_test_usd avg_cost_completion_per_test_usd
        avg_ttft_seconds p50_ttft_seconds p95_ttft_seconds p99_ttft_seconds avg_tbt_seconds
        common_temperature common_top_p common_max_tokens total_errors error_rate error_types
        gpu_memory_total_mib gpu_power_max_w total_gpu_energy_wh electricity_cost_usd
        total_tool_calls avg_tool_calls_per_test unique_tools_used most_used_tool
        smoltrace_version genai_otel_version smolagents_version hf_job_id job_type hardware
    """,
}

# The instruments of its metrics, apart from those that are columns of `metrics`.
ANALYSED_INSTRUMENTS = """
    tests.successful tests.tool_calls tests.steps llm.token_count.total gen_ai.usage.cost.total gen_ai.usage.cost.prompt
    gen_ai.usage.cost.completion gen_ai.usage.cost.reasoning gen_ai.usage.cost.cache_read gen_ai.usage.cost.cache_write
    gen_ai.client.token.usage gen_ai.client.operation.duration gen_ai.server.ttft gen_ai.server.tbt gen_ai.requests
    gen_ai.client.errors
"""
GPU_COLUMNS = {
    "gen_ai.co2.emissions": "co2_emissions_gco2e",
    "gen_ai.power.cost": "power_cost_usd",
    "gen_ai.gpu.utilization": "gpu_utilization_percent",
    "gen_ai.gpu.memory.used": "gpu_memory_used_mib",
    "gen_ai.gpu.memory.total": "gpu_memory_total_mib",
    "gen_ai.gpu.temperature": "gpu_temperature_celsius",
    "gen_ai.gpu.power": "gpu_power_watts",
}
THIRTEEN = """
    run_id service_name timestamp timestamp_unix_nano gpu_id gpu_name co2_emissions_gco2e power_cost_usd
    gpu_utilization_percent gpu_memory_used_mib gpu_memory_total_mib gpu_temperature_celsius gpu_power_watts
"""

# The whole of each published dataset, in order.
RESULTS_IN_ORDER = """
    run_id test_index test_id test_case_uid attempt trace_id model provider agent_type evaluation_date difficulty
    category prompt expected success score scores tool_called correct_tool final_answer_called response_correct
    tools_used tool_calls steps response error error_type status retries enhanced_trace_info gen_ai.system
    gen_ai.request.temperature gen_ai.request.top_p gen_ai.request.max_tokens gen_ai.request.frequency_penalty
    gen_ai.request.presence_penalty gen_ai.response.id gen_ai.response.finish_reasons gen_ai.response.model
    gen_ai.usage.prompt_tokens gen_ai.usage.completion_tokens gen_ai.usage.total_tokens
    completion_tokens_details.reasoning_tokens cache_read_input_tokens cache_creation_input_tokens llm_calls
    gen_ai.usage.cost.total gen_ai.usage.cost.prompt gen_ai.usage.cost.completion gen_ai.usage.cost.reasoning
    gen_ai.usage.cost.cache_read gen_ai.usage.cost.cache_write pricing_source cost_known_usd unpriced_calls
    gen_ai.server.ttft gen_ai.server.tbt execution_time_ms model_time_ms tool_time_ms start_time end_time
    start_time_unix_nano end_time_unix_nano gpu_energy_wh co2_emissions_g power_cost_usd energy_quality
    energy_estimated_wh_min energy_estimated_wh_max co2_estimated_g_min co2_estimated_g_max energy_estimate_method
"""
TRACES_IN_ORDER = """
    trace_id run_id test_id test_case_uid model agent_type provider gen_ai.system total_tokens total_duration_ms
    total_cost_usd gen_ai.usage.cost.prompt gen_ai.usage.cost.completion gen_ai.usage.cost.reasoning
    gen_ai.usage.cost.cache_read gen_ai.usage.cost.cache_write gen_ai.usage.prompt_tokens
    gen_ai.usage.completion_tokens completion_tokens_details.reasoning_tokens cache_read_input_tokens
    cache_creation_input_tokens gen_ai.server.ttft avg_tbt llm.tools tool_call_count gen_ai.request.temperature
    gen_ai.request.top_p gen_ai.request.max_tokens gen_ai.response.id gen_ai.response.finish_reasons
    gen_ai.response.model timestamp span_count spans
"""
LEADERBOARD_IN_ORDER = """
    run_id model agent_type provider gen_ai.system evaluation_date submitted_by notes tags results_dataset
    traces_dataset metrics_dataset dataset_used dataset_fingerprint num_tests successful_tests failed_tests
    success_rate success_rate_ci_low success_rate_ci_high attempts pass_at_1 pass_at_k pass_hat_k avg_steps
    avg_duration_ms total_duration_ms wall_time_ms p50_duration_ms p95_duration_ms total_tokens avg_tokens_per_test
    total_prompt_tokens avg_prompt_tokens total_completion_tokens avg_completion_tokens total_reasoning_tokens
    total_cache_read_tokens total_cache_write_tokens total_cost_usd avg_cost_per_test_usd total_cost_prompt_usd
    total_cost_completion_usd total_cost_reasoning_usd total_cost_cache_read_usd total_cost_cache_write_usd
    avg_cost_prompt_per_test_usd avg_cost_completion_per_test_usd cost_known_usd unpriced_calls avg_ttft_seconds
    p50_ttft_seconds p95_ttft_seconds p99_ttft_seconds avg_tbt_seconds common_temperature common_top_p
    common_max_tokens total_errors error_rate error_types co2_emissions_g power_cost_total_usd electricity_cost_usd
    total_gpu_energy_wh gpu_energy_idle_wh gpu_utilization_avg gpu_utilization_max gpu_memory_avg_mib
    gpu_memory_max_mib gpu_memory_total_mib gpu_temperature_avg gpu_temperature_max gpu_power_avg_w gpu_power_max_w
    carbon_intensity country energy_estimated_wh_min energy_estimated_wh_max co2_estimated_g_min co2_estimated_g_max
    energy_estimate_method total_tool_calls avg_tool_calls_per_test unique_tools_used most_used_tool
    smoltrace_version genai_otel_version smolagents_version python_version hf_job_id job_type hardware
"""


@pytest.mark.parametrize("dataset", ANALYSED, ids=lambda dataset: dataset.name)
def test_every_analysed_field_is_a_column(dataset: Dataset) -> None:
    assert set(ANALYSED[dataset].split()) <= set(dataset.names)


def test_every_analysed_instrument_is_a_point_or_a_column_of_metrics() -> None:
    assert {instrument.name for instrument in INSTRUMENTS} == set(ANALYSED_INSTRUMENTS.split())
    assert set(GPU_COLUMNS.values()) <= set(METRICS.names)


def test_metrics_begin_with_the_thirteen_known_columns() -> None:
    assert METRICS.names == (*THIRTEEN.split(), "gpu_energy_wh", "gpu_uuid")


@pytest.mark.parametrize(
    ("dataset", "names"),
    [(RESULTS, RESULTS_IN_ORDER), (TRACES, TRACES_IN_ORDER), (LEADERBOARD, LEADERBOARD_IN_ORDER)],
    ids=["results", "traces", "leaderboard"],
)
def test_columns_stand_in_their_order(dataset: Dataset, names: str) -> None:
    assert dataset.names == tuple(names.split())


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_columns_are_unique_and_explained(dataset: Dataset) -> None:
    assert len(set(dataset.names)) == len(dataset.names)
    assert all(column.doc.endswith((".", "…")) for column in dataset.columns)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_row_of_nulls_keeps_every_column_in_arrow(dataset: Dataset) -> None:
    batch = record_batch(dataset, [empty_row(dataset)])

    assert batch.schema == arrow_schema(dataset)
    assert batch.to_pylist() == [empty_row(dataset)]


def test_arrow_types_are_the_documented_ones() -> None:
    schema = arrow_schema(RESULTS)

    assert schema.field("evaluation_date").type == pa.timestamp("us", tz="UTC")
    assert schema.field("gen_ai.usage.cost.total").type == pa.float64()
    assert schema.field("start_time_unix_nano").type == pa.string()
    assert schema.field("tools_used").type == pa.list_(pa.string())
    assert schema.field("scores").type == pa.string()
    nested = arrow_schema(TRACES).field("spans").type.value_type
    assert [field.name for field in nested] == [
        *("span_id", "parent_span_id", "name", "kind", "start_time", "end_time", "duration_ms"),
        *("attributes", "events", "status", "resource"),
    ]
    assert [field.name for field in nested.field("status").type] == ["code", "description"]


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(),
    "json": st.text(),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "timestamp": MOMENTS,
    "money": st.decimals(allow_nan=False, allow_infinity=False),
    "list[string]": st.lists(st.text(), max_size=3),
}


@st.composite
def rows(draw: st.DrawFn, dataset: Dataset) -> dict[str, Any]:
    return {c.name: draw(st.none() | BY_TYPE[c.type]) for c in dataset.columns if c.type in BY_TYPE}


@settings(max_examples=30)
@given(rows(LEADERBOARD))
def test_a_row_comes_back_from_the_journal_as_it_was(row: dict[str, Any]) -> None:
    line = line_of(LEADERBOARD, row)

    assert line.count(b"\n") == 1
    assert decode_row(LEADERBOARD, orjson.loads(line)) == row


def test_times_of_another_zone_are_written_in_utc() -> None:
    from datetime import timezone

    there = datetime(2025, 6, 1, 2, 0, tzinfo=timezone(timedelta(hours=2)))

    encoded = encode_row(LEADERBOARD, {"evaluation_date": there})

    assert encoded["evaluation_date"] == "2025-06-01T00:00:00.000000+00:00"


def test_a_key_that_is_no_column_is_refused() -> None:
    with pytest.raises(ValueError, match="not columns of results: shoe_size"):
        encode_row(RESULTS, {"shoe_size": 43})


def test_a_row_of_an_older_version_lacks_columns_and_one_of_a_newer_has_more() -> None:
    row = decode_row(RESULTS, {"run_id": "r", "a_column_of_tomorrow": 1})

    assert row == empty_row(RESULTS) | {"run_id": "r"}


@pytest.mark.parametrize("text", ["\ud83d\ude00", "half \ud83d of a pair", "nul \x00 byte", "two\nlines\u2028three"])
def test_hostile_text_is_one_line_that_can_be_read_back(text: str) -> None:
    line = line_of(RESULTS, {"response": text})

    assert line.count(b"\n") == 1
    read = decode_row(RESULTS, orjson.loads(line))["response"]
    assert read == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def test_money_in_arrow_is_the_nearest_double_and_comes_back_as_the_shortest_decimal() -> None:
    exact = Decimal("0.1000000000000000000000000001")
    table = pa.Table.from_batches([record_batch(RESULTS, [{"gen_ai.usage.cost.total": exact}])])

    assert table["gen_ai.usage.cost.total"].to_pylist() == [0.1]
    assert next(iter(rows_of(RESULTS, table)))["gen_ai.usage.cost.total"] == Decimal("0.1")


def test_columns_that_only_later_rows_fill_are_kept() -> None:
    batch = record_batch(RESULTS, [{"run_id": "r"}, {"run_id": "r", "error": "late"}])

    assert batch.column("error").to_pylist() == [None, "late"]


def test_the_module_prints_the_tables_of_the_documentation() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smoltrace.records.schema"], capture_output=True, text=True, check=True, timeout=60
    )

    for dataset in DATASETS:
        assert f"## {dataset.name}\n" in done.stdout
        assert all(f"| `{column.name}` | {column.type} |" in done.stdout for column in dataset.columns)


def test_the_span_columns_hold_what_a_trace_nests() -> None:
    assert {"attributes", "events", "resource", "scope", "status_description"} <= set(SPANS.names)


def test_a_value_that_its_column_cannot_hold_is_told_by_name() -> None:
    with pytest.raises(ValueError, match="results, column steps: "):
        record_batch(RESULTS, [{"steps": "many"}])
