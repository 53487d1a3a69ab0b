"""The names of span attributes, events and operations: the one place that spells them.

The first group follows the OpenTelemetry semantic conventions for generative AI; the second keeps names of older
conventions that existing dashboards and datasets read; the third is smoltrace's own.
"""

from __future__ import annotations

from typing import Final

SCOPE: Final = "smoltrace"
"""The instrumentation scope of the spans that smoltrace itself makes."""

# --- OpenTelemetry GenAI conventions -----------------------------------------------------------------------------

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"

REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"

RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Seconds."""

USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""Includes what was read from and written to the cache."""
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""Includes reasoning tokens."""
USAGE_CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"

INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"

TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"

AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
CONVERSATION_ID: Final = "gen_ai.conversation.id"

EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
"""The name of the event that carries one scorer's verdict."""
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"

EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"

# Values of gen_ai.operation.name.
CHAT: Final = "chat"
TEXT_COMPLETION: Final = "text_completion"
GENERATE_CONTENT: Final = "generate_content"
EMBEDDINGS: Final = "embeddings"
INVOKE_AGENT: Final = "invoke_agent"
CREATE_AGENT: Final = "create_agent"
EXECUTE_TOOL: Final = "execute_tool"

# --- Older names, kept beside the current ones -------------------------------------------------------------------

SYSTEM: Final = "gen_ai.system"
USAGE_PROMPT_TOKENS: Final = "gen_ai.usage.prompt_tokens"
USAGE_COMPLETION_TOKENS: Final = "gen_ai.usage.completion_tokens"
USAGE_TOTAL_TOKENS: Final = "gen_ai.usage.total_tokens"

COST_TOTAL: Final = "gen_ai.usage.cost.total"
"""USD, like the five components."""
COST_PROMPT: Final = "gen_ai.usage.cost.prompt"
COST_COMPLETION: Final = "gen_ai.usage.cost.completion"
COST_REASONING: Final = "gen_ai.usage.cost.reasoning"
COST_CACHE_READ: Final = "gen_ai.usage.cost.cache_read"
COST_CACHE_WRITE: Final = "gen_ai.usage.cost.cache_write"

SERVER_TTFT: Final = "gen_ai.server.ttft"
"""Seconds to the first token."""
SERVER_TBT: Final = "gen_ai.server.tbt"
"""Mean seconds between tokens."""
LLM_TOOLS: Final = "llm.tools"
OPENINFERENCE_SPAN_KIND: Final = "openinference.span.kind"

# Metrics.
METRIC_CO2_EMISSIONS: Final = "gen_ai.co2.emissions"
METRIC_POWER_COST: Final = "gen_ai.power.cost"
METRIC_GPU_PREFIX: Final = "gen_ai.gpu."
METRIC_GPU_ENERGY: Final = "gen_ai.gpu.energy"
"""Whole microjoules since the life of the run began."""
METRIC_GPU_IDLE_POWER: Final = "gen_ai.gpu.power.idle"
"""Watts before the first test of a life."""
METRIC_HOST_ENERGY: Final = "smoltrace.host.energy"
"""Whole microjoules of processors and memory; attribute hw.type is `cpu` or `memory`."""
ENERGY_METHOD: Final = "smoltrace.energy.method"
"""`energy_counter` or `power_trapezoid`."""
ENERGY_SCOPE: Final = "smoltrace.energy.scope"
"""`device`, or `device_shared` where others use the device too (MIG)."""
CLIENT_SCOPE: Final = "smoltrace.client"
"""Scope of the metrics of calls and tests; those of devices have `SCOPE`."""

# --- smoltrace's own ---------------------------------------------------------------------------------------------

RUN_ID: Final = "run.id"
"""Resource attribute."""
RUN_ID_UNDERSCORE: Final = "run_id"
"""Resource attribute: the same value under the name that older readers look for."""
SMOLTRACE_RUN_ID: Final = "smoltrace.run.id"
TEST_ID: Final = "smoltrace.test.id"
TEST_INDEX: Final = "smoltrace.test.index"
TEST_ATTEMPT: Final = "smoltrace.test.attempt"
AGENT_TYPE: Final = "smoltrace.agent.type"
"""`tool` or `code`."""

STEP_NUMBER: Final = "smoltrace.step.number"
STEP_KIND: Final = "smoltrace.step.kind"
"""`action`, `planning` or `final_answer`."""
STEP_FINAL_ANSWER: Final = "smoltrace.step.final_answer"
"""True on the step whose action gave the final answer."""

RETRIES: Final = "smoltrace.retries"
PRICING_SOURCE: Final = "smoltrace.pricing.source"
COST_QUALITY: Final = "smoltrace.cost.quality"
COST_REPORTED: Final = "smoltrace.cost.reported"
"""USD as decimal text: what the provider itself said that the call cost."""
USAGE_SOURCE: Final = "smoltrace.usage.source"
INPUT_REFS: Final = "smoltrace.input.refs"
INPUT_FIRST: Final = "smoltrace.input.first"
UNFINISHED: Final = "smoltrace.unfinished"
"""True on a span that was still open when its test ended and was closed for it."""
LEFT_OPEN: Final = "still open when its test ended"
"""The description of the status of such a span."""
RECORDED: Final = "smoltrace.recorded"
"""On a span that was changed for a receiver: a JSON object of the attributes as they were, null for one that it lacked;
see `smoltrace.books.recorded`."""
COST_OF_CALL: Final = "smoltrace.cost.total"
"""USD, on a span that the books count and that did not price itself by the run's prices: what its call cost by them."""
