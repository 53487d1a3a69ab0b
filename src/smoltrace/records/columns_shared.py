"""Columns that results and traces have in common, written down once."""

from __future__ import annotations

from smoltrace.records.column import Column

RUN_ID = Column("run_id", "string", "The run; links all datasets.")
TRACE_ID = Column("trace_id", "string", "The trace, 32 hex digits; links results and traces.")
TEST_ID = Column("test_id", "string", "The test's id in its tasks.")
TEST_CASE_UID = Column("test_case_uid", "string", "{agent_type}:{test_id}:{attempt}, unique in a run.")
MODEL = Column("model", "string", "The model that was asked for.")
PROVIDER = Column(
    "provider", "string", "How the model was reached: openai, litellm, inference, transformers, ollama, demo."
)
AGENT_TYPE = Column("agent_type", "string", "The kind of agent: tool or code.")
SYSTEM = Column("gen_ai.system", "string", "Who serves the model: openai, anthropic, …")

TEMPERATURE = Column(
    "gen_ai.request.temperature", "float64", "Sampling temperature asked for; null: the server's default."
)
TOP_P = Column("gen_ai.request.top_p", "float64", "Nucleus sampling asked for; null: the server's default.")
MAX_TOKENS = Column("gen_ai.request.max_tokens", "int64", "Limit on a call's output asked for.", "tokens")

RESPONSE_ID = Column("gen_ai.response.id", "string", "The server's id of the last call's response.")
FINISH_REASONS = Column("gen_ai.response.finish_reasons", "list[string]", "Why the last call stopped.")
RESPONSE_MODEL = Column("gen_ai.response.model", "string", "The model that the last call's response names.")

PROMPT_TOKENS = Column("gen_ai.usage.prompt_tokens", "int64", "Input of all calls, cached input included.", "tokens")
COMPLETION_TOKENS = Column(
    "gen_ai.usage.completion_tokens", "int64", "Output of all calls, reasoning included.", "tokens"
)
REASONING_TOKENS = Column(
    "completion_tokens_details.reasoning_tokens", "int64", "The part of the output that was reasoning.", "tokens"
)
CACHE_READ_TOKENS = Column("cache_read_input_tokens", "int64", "The part of the input read from a cache.", "tokens")
CACHE_WRITE_TOKENS = Column(
    "cache_creation_input_tokens", "int64", "The part of the input written to a cache.", "tokens"
)

COST_TOTAL = Column(
    "gen_ai.usage.cost.total", "money", "Cost of all calls; null when any of them has no known price.", "USD"
)
COST_COMPONENTS = (
    Column("gen_ai.usage.cost.prompt", "money", "Cost of input that no cache touched.", "USD"),
    Column("gen_ai.usage.cost.completion", "money", "Cost of output that was not reasoning.", "USD"),
    Column("gen_ai.usage.cost.reasoning", "money", "Cost of reasoning output.", "USD"),
    Column("gen_ai.usage.cost.cache_read", "money", "Cost of input read from a cache.", "USD"),
    Column("gen_ai.usage.cost.cache_write", "money", "Cost of input written to a cache.", "USD"),
)
"""They sum to the total exactly. A provider that reports only a total leaves them null."""

TTFT = Column("gen_ai.server.ttft", "float64", "Time to the first token, mean over the calls that tell it.", "s")

ESTIMATES = (
    Column("energy_estimated_wh_min", "float64", "Energy of models behind an API, estimated: lower end.", "Wh"),
    Column("energy_estimated_wh_max", "float64", "Energy of models behind an API, estimated: upper end.", "Wh"),
    Column("co2_estimated_g_min", "float64", "Emissions of that energy, lower end.", "g CO2e"),
    Column("co2_estimated_g_max", "float64", "Emissions of that energy, upper end.", "g CO2e"),
    Column("energy_estimate_method", "string", "What estimates, its version, the model as known there, and the place."),
)
"""Null where no estimate was asked for, and where one call cannot be estimated. Never added to what is measured."""
