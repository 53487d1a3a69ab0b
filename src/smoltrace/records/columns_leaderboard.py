"""The columns of `leaderboard`: one row per run."""

from __future__ import annotations

from smoltrace.records import columns_shared as shared
from smoltrace.records.column import Column, Dataset

_IDENTIFICATION = (
    shared.RUN_ID,
    shared.MODEL,
    Column("agent_type", "string", "The kind of agent: tool, code or both."),
    shared.PROVIDER,
    shared.SYSTEM,
    Column("evaluation_date", "timestamp", "Start of the run.", "UTC"),
    Column("submitted_by", "string", "Who ran it."),
    Column("notes", "string", "The runner's own words."),
    Column("tags", "json", "The runner's labels, key to value."),
    Column("results_dataset", "string", "Where the results are published."),
    Column("traces_dataset", "string", "Where the traces are published."),
    Column("metrics_dataset", "string", "Where the metrics are published."),
    Column("dataset_used", "string", "The tasks that were run."),
    Column("dataset_fingerprint", "string", "SHA-256 of the tasks' content: equal means the same questions."),
)

_RESULTS = (
    Column("num_tests", "int64", "Executions, repeated attempts included."),
    Column("successful_tests", "int64", "Executions that succeeded."),
    Column("failed_tests", "int64", "Executions that did not."),
    Column("success_rate", "float64", "Executions that succeeded.", "%"),
    Column("success_rate_ci_low", "float64", "Wilson 95 % interval of the success rate, lower end.", "%"),
    Column("success_rate_ci_high", "float64", "Wilson 95 % interval of the success rate, upper end.", "%"),
    Column("attempts", "int64", "The most attempts that any test had: the k of pass@k."),
    Column("pass_at_1", "float64", "Chance that one attempt succeeds, mean over tests.", "0 to 1"),
    Column("pass_at_k", "float64", "Chance that at least one of k attempts succeeds, mean over tests.", "0 to 1"),
    Column("pass_hat_k", "float64", "Chance that all of k attempts succeed, mean over tests.", "0 to 1"),
    Column("avg_steps", "float64", "Steps per execution."),
    Column("avg_duration_ms", "float64", "Wall time per execution.", "ms"),
    Column("total_duration_ms", "float64", "Sum over the executions.", "ms"),
    Column("wall_time_ms", "float64", "Wall time of the run; less than the sum when tests ran side by side.", "ms"),
    Column("p50_duration_ms", "float64", "Median wall time of an execution.", "ms"),
    Column("p95_duration_ms", "float64", "95th percentile of the wall time of an execution.", "ms"),
)

_TOKENS = (
    Column("total_tokens", "int64", "Input and output of all calls, each counted once.", "tokens"),
    Column("avg_tokens_per_test", "float64", "Tokens per execution that tells them.", "tokens"),
    Column("total_prompt_tokens", "int64", "Input, cached input included.", "tokens"),
    Column("avg_prompt_tokens", "float64", "Input per execution that tells it.", "tokens"),
    Column("total_completion_tokens", "int64", "Output, reasoning included.", "tokens"),
    Column("avg_completion_tokens", "float64", "Output per execution that tells it.", "tokens"),
    Column("total_reasoning_tokens", "int64", "The part of the output that was reasoning.", "tokens"),
    Column("total_cache_read_tokens", "int64", "The part of the input read from a cache.", "tokens"),
    Column("total_cache_write_tokens", "int64", "The part of the input written to a cache.", "tokens"),
)

_COST = (
    Column("total_cost_usd", "money", "Cost of all calls; null when any of them has no known price.", "USD"),
    Column("avg_cost_per_test_usd", "money", "Cost per execution; null when the total is.", "USD"),
    Column("total_cost_prompt_usd", "money", "Cost of input that no cache touched.", "USD"),
    Column("total_cost_completion_usd", "money", "Cost of output that was not reasoning.", "USD"),
    Column("total_cost_reasoning_usd", "money", "Cost of reasoning output.", "USD"),
    Column("total_cost_cache_read_usd", "money", "Cost of input read from a cache.", "USD"),
    Column("total_cost_cache_write_usd", "money", "Cost of input written to a cache.", "USD"),
    Column("avg_cost_prompt_per_test_usd", "money", "Cost of uncached input per execution.", "USD"),
    Column("avg_cost_completion_per_test_usd", "money", "Cost of output per execution.", "USD"),
    Column("cost_known_usd", "money", "Cost of the calls whose price is known: a lower bound of the total.", "USD"),
    Column("unpriced_calls", "int64", "Calls whose cost is unknown.", "calls"),
)

_STREAMING = (
    Column("avg_ttft_seconds", "float64", "Time to the first token, mean over the executions that tell it.", "s"),
    Column("p50_ttft_seconds", "float64", "Time to the first token, median.", "s"),
    Column("p95_ttft_seconds", "float64", "Time to the first token, 95th percentile.", "s"),
    Column("p99_ttft_seconds", "float64", "Time to the first token, 99th percentile.", "s"),
    Column("avg_tbt_seconds", "float64", "Time between tokens, mean over the executions that tell it.", "s"),
    Column("common_temperature", "float64", "The temperature that most executions asked for."),
    Column("common_top_p", "float64", "The nucleus sampling that most executions asked for."),
    Column("common_max_tokens", "int64", "The output limit that most executions asked for.", "tokens"),
)

_ERRORS = (
    Column("total_errors", "int64", "Executions that ended by an error, a timeout or a limit. A wrong answer is none."),
    Column("error_rate", "float64", "Executions that ended so.", "%"),
    Column("error_types", "json", "Number of executions by the class of their error."),
)

_ENERGY = (
    Column("co2_emissions_g", "float64", "Emissions of the GPUs' energy; null without a carbon intensity.", "g CO2e"),
    Column("power_cost_total_usd", "money", "Price of the GPUs' energy.", "USD"),
    Column("electricity_cost_usd", "money", "The same, under the name that older readers look for.", "USD"),
    Column("total_gpu_energy_wh", "float64", "Energy of all GPUs, summed.", "Wh"),
    Column("gpu_energy_idle_wh", "float64", "The part that the idle baseline accounts for.", "Wh"),
    Column("gpu_utilization_avg", "float64", "Utilisation, averaged over time and GPUs.", "%"),
    Column("gpu_utilization_max", "float64", "Utilisation, highest.", "%"),
    Column("gpu_memory_avg_mib", "float64", "Memory in use, averaged over time.", "MiB"),
    Column("gpu_memory_max_mib", "float64", "Memory in use, highest.", "MiB"),
    Column("gpu_memory_total_mib", "float64", "Memory of the GPUs.", "MiB"),
    Column("gpu_temperature_avg", "float64", "Temperature, averaged over time and GPUs.", "°C"),
    Column("gpu_temperature_max", "float64", "Temperature, highest.", "°C"),
    Column("gpu_power_avg_w", "float64", "Power of all GPUs, averaged over time.", "W"),
    Column("gpu_power_max_w", "float64", "Power of all GPUs, highest.", "W"),
    Column("carbon_intensity", "float64", "The carbon intensity that was used.", "g CO2e/kWh"),
    Column("country", "string", "The country it belongs to, ISO 3166 alpha-3."),
    *shared.ESTIMATES,
)

_TOOLS = (
    Column("total_tool_calls", "int64", "Tool calls, final_answer not counted.", "calls"),
    Column("avg_tool_calls_per_test", "float64", "Tool calls per execution.", "calls"),
    Column("unique_tools_used", "int64", "Different tools that were called."),
    Column("most_used_tool", "string", "The tool that was called most."),
)

_WHERE = (
    Column("smoltrace_version", "string", "Version of smoltrace."),
    Column("genai_otel_version", "string", "Version of genai-otel-instrument; null unless it was in use."),
    Column("smolagents_version", "string", "Version of smolagents."),
    Column("python_version", "string", "Version of Python."),
    Column("hf_job_id", "string", "The Hugging Face Job that ran it."),
    Column("job_type", "string", "That job's kind of machine."),
    Column("hardware", "string", "The machine, in words."),
)

LEADERBOARD = Dataset(
    "leaderboard",
    "One row per run.",
    (*_IDENTIFICATION, *_RESULTS, *_TOKENS, *_COST, *_STREAMING, *_ERRORS, *_ENERGY, *_TOOLS, *_WHERE),
)
