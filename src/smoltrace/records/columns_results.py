"""The columns of `results`: one row per execution of a test."""

from __future__ import annotations

from smoltrace.records import columns_shared as shared
from smoltrace.records.column import Column, Dataset

_WHAT_RAN = (
    shared.RUN_ID,
    Column("test_index", "int64", "Place of this execution in the run's plan, from 0."),
    shared.TEST_ID,
    shared.TEST_CASE_UID,
    Column("attempt", "int64", "Which repetition of the test this is, from 1."),
    shared.TRACE_ID,
    shared.MODEL,
    shared.PROVIDER,
    shared.AGENT_TYPE,
    Column("evaluation_date", "timestamp", "When this execution began.", "UTC"),
    Column("difficulty", "string", "The task's difficulty, as its author states it."),
    Column("category", "string", "The task's category, as its author states it."),
    Column("prompt", "string", "What the agent was asked."),
    Column("expected", "json", "What the task expects: tool, number of tool calls, keywords, answer."),
)

_VERDICT = (
    Column("success", "bool", "The execution did what the task expects; null where nobody judged it."),
    Column("score", "float64", "1 for a right answer, else 0; null when the task expects none.", "0 to 1"),
    Column("scores", "json", "Each scorer's verdict, by the scorer's name."),
    Column(
        "tool_called", "bool", "At least one tool was called, final_answer not counted; null when nothing was judged."
    ),
    Column("correct_tool", "bool", "The expected tool was called often enough; true also when none is expected."),
    Column("final_answer_called", "bool", "The agent gave a final answer itself."),
    Column("response_correct", "bool", "The answer is right; null when the task expects none."),
    Column("tools_used", "list[string]", "Names of the tools that were called, each once, in order of first use."),
    Column("tool_calls", "json", "Every tool call in order: name, arguments, ok, duration_ms."),
    Column("steps", "int64", "Steps in which an agent acted, managed agents included; planning steps not counted."),
    Column("response", "string", "The final answer."),
    Column("error", "string", "What went wrong, in words."),
    Column(
        "error_type",
        "string",
        "auth, rate_limit, timeout, llm_error, parse_error, tool_error, max_steps or agent_error; null without one.",
    ),
    Column("status", "string", "completed, failed, error, timeout, limit or cancelled."),
    Column("retries", "int64", "Calls to the model that were tried again."),
    Column(
        "enhanced_trace_info",
        "json",
        "trace_id, total_tokens, duration_ms, cost_usd and span_count of the trace, and whether smolagents counted the "
        "same tokens: agrees_with_smolagents.",
    ),
)

_CALLS = (
    shared.SYSTEM,
    shared.TEMPERATURE,
    shared.TOP_P,
    shared.MAX_TOKENS,
    Column("gen_ai.request.frequency_penalty", "float64", "Frequency penalty asked for."),
    Column("gen_ai.request.presence_penalty", "float64", "Presence penalty asked for."),
    shared.RESPONSE_ID,
    shared.FINISH_REASONS,
    shared.RESPONSE_MODEL,
    shared.PROMPT_TOKENS,
    shared.COMPLETION_TOKENS,
    Column("gen_ai.usage.total_tokens", "int64", "Input and output of all calls.", "tokens"),
    shared.REASONING_TOKENS,
    shared.CACHE_READ_TOKENS,
    shared.CACHE_WRITE_TOKENS,
    Column("llm_calls", "int64", "Calls to a model, each counted once.", "calls"),
    shared.COST_TOTAL,
    *shared.COST_COMPONENTS,
    Column("pricing_source", "string", "Where the prices come from, with the version."),
    Column("cost_known_usd", "money", "Cost of the calls whose price is known: a lower bound of the total.", "USD"),
    Column("unpriced_calls", "int64", "Calls whose cost is unknown.", "calls"),
    shared.TTFT,
    Column("gen_ai.server.tbt", "float64", "Time between tokens, mean over the calls that tell it.", "s"),
)

_TIMES = (
    Column("execution_time_ms", "float64", "Wall time of the execution: its root span.", "ms"),
    Column("model_time_ms", "float64", "Sum over the calls to a model.", "ms"),
    Column("tool_time_ms", "float64", "Sum over the tool calls.", "ms"),
    Column("start_time", "timestamp", "Start of the root span.", "UTC"),
    Column("end_time", "timestamp", "End of the root span.", "UTC"),
    Column("start_time_unix_nano", "string", "Start of the root span as decimal text.", "ns since 1970"),
    Column("end_time_unix_nano", "string", "End of the root span as decimal text.", "ns since 1970"),
)

_ENERGY = (
    Column("gpu_energy_wh", "float64", "GPU energy allocated to this execution; null without a measured GPU.", "Wh"),
    Column("co2_emissions_g", "float64", "Emissions of that energy; null without a carbon intensity.", "g CO2e"),
    Column("power_cost_usd", "money", "Price of that energy.", "USD"),
    Column("energy_quality", "string", "Where the energy comes from: measured, allocated, estimated or unknown."),
    *shared.ESTIMATES,
)

RESULTS = Dataset("results", "One row per execution of a test.", (*_WHAT_RAN, *_VERDICT, *_CALLS, *_TIMES, *_ENERGY))
