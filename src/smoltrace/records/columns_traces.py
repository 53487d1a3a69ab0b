"""The columns of `traces`, one row per test execution, and of `spans`, one row per span."""

from __future__ import annotations

from smoltrace.records import columns_shared as shared
from smoltrace.records.column import Column, Dataset

TRACES = Dataset(
    "traces",
    "One row per test execution, its spans nested. Prompts that repeat are stored once and referenced; "
    "`smoltrace.load_trace()` gives them back whole.",
    (
        shared.TRACE_ID,
        shared.RUN_ID,
        shared.TEST_ID,
        shared.TEST_CASE_UID,
        shared.MODEL,
        shared.AGENT_TYPE,
        shared.PROVIDER,
        shared.SYSTEM,
        Column("total_tokens", "int64", "Input and output of all calls, each counted once.", "tokens"),
        Column("total_duration_ms", "float64", "Wall time of the root span.", "ms"),
        Column("total_cost_usd", "money", "Cost of all calls; null when any of them has no known price.", "USD"),
        *shared.COST_COMPONENTS,
        shared.PROMPT_TOKENS,
        shared.COMPLETION_TOKENS,
        shared.REASONING_TOKENS,
        shared.CACHE_READ_TOKENS,
        shared.CACHE_WRITE_TOKENS,
        shared.TTFT,
        Column("avg_tbt", "float64", "Time between tokens, mean over the calls that tell it.", "s"),
        Column("llm.tools", "json", "Definitions of the tools that the model was offered."),
        Column("tool_call_count", "int64", "Tool calls, final_answer not counted.", "calls"),
        shared.TEMPERATURE,
        shared.TOP_P,
        shared.MAX_TOKENS,
        shared.RESPONSE_ID,
        shared.FINISH_REASONS,
        shared.RESPONSE_MODEL,
        Column("timestamp", "timestamp", "Start of the root span.", "UTC"),
        Column("span_count", "int64", "Spans in the trace, those of other instrumentations included.", "spans"),
        Column(
            "spans",
            "spans",
            "The spans in order of their start: span_id, parent_span_id, name, kind, start_time and end_time (ns since "
            "1970), duration_ms, attributes (JSON), events (JSON), status {code, description}, resource (JSON).",
        ),
    ),
)

SPANS = Dataset(
    "spans",
    "One row per span, the attributes that are asked for most as columns. Tokens and cost stand only on the spans that "
    "the books count, so their sums are the run's.",
    (
        shared.RUN_ID,
        shared.TRACE_ID,
        Column("span_id", "string", "The span, 16 hex digits."),
        Column("parent_span_id", "string", "The span around it; null for a root."),
        shared.TEST_CASE_UID,
        Column("name", "string", "The span's name."),
        Column("kind", "string", "INTERNAL, CLIENT, SERVER, PRODUCER or CONSUMER."),
        Column("operation", "string", "gen_ai.operation.name: chat, execute_tool, invoke_agent, …"),
        Column("start_time", "int64", "Start.", "ns since 1970"),
        Column("end_time", "int64", "End.", "ns since 1970"),
        Column("duration_ms", "float64", "Wall time.", "ms"),
        Column("status", "string", "UNSET, OK or ERROR."),
        Column("status_description", "string", "What went wrong, in words."),
        Column("model", "string", "The model of a call: the one that answered, else the one asked for."),
        Column("tool", "string", "The tool of a tool call."),
        Column("input_tokens", "int64", "Input, cached input included; null on spans that are not counted.", "tokens"),
        Column("output_tokens", "int64", "Output, reasoning included; null on spans that are not counted.", "tokens"),
        Column("cache_read_tokens", "int64", "The part of the input read from a cache.", "tokens"),
        Column("cache_write_tokens", "int64", "The part of the input written to a cache.", "tokens"),
        Column("reasoning_tokens", "int64", "The part of the output that was reasoning.", "tokens"),
        Column("cost_usd", "money", "Cost of the call; null on spans that are not counted or not priced.", "USD"),
        Column(
            "gpu_energy_wh",
            "float64",
            "GPU energy allocated to this span and to none within it; the spans of a test sum to the test's.",
            "Wh",
        ),
        Column("co2_emissions_g", "float64", "Emissions of that energy; null without a carbon intensity.", "g CO2e"),
        Column("power_cost_usd", "money", "Price of that energy.", "USD"),
        Column("error_type", "string", "The class of what went wrong."),
        Column("scope", "string", "The instrumentation that made the span; smoltrace for ours."),
        Column("attributes", "json", "All attributes."),
        Column("events", "json", "The events: name, time (ns since 1970), attributes."),
        Column("resource", "json", "Attributes of the process that made the span."),
    ),
)
