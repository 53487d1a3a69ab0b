/**
 * The columns that the leaderboard can show: every column of the `leaderboard` dataset under its own name, and those
 * that are made from several of them, whose names begin with "_".
 */

/**
 * @typedef {object} Column
 * @property {string} key name in the row, and in the address
 * @property {string} label head of the column
 * @property {string} kind how its values are told, see `model/cells.js`
 * @property {string} group where the chooser lists it
 * @property {string|null} sort what sorts by it; null where nothing does
 */

/** Columns by group: [key, label, kind]. The labels bear the unit where the column has one. */
const GROUPS = {
  Shown: [
    ['_rank', 'Rank', 'rank'],
    ['model', 'Model', 'model'],
    ['agent_type', 'Agent', 'agent'],
    ['success_rate', 'Success %', 'success'],
    ['_interval', '95 % interval', 'interval'],
    ['num_tests', 'n', 'count'],
    ['_cost', '$ / test', 'cost'],
    ['avg_tokens_per_test', 'Tokens', 'tokens'],
    ['p50_duration_ms', 'p50', 'ms'],
    ['_energy', 'Wh / test', 'energy'],
    ['_co2', 'g CO₂e', 'co2'],
    ['_spark', 'GPU power', 'spark'],
    ['evaluation_date', 'Started', 'date'],
  ],
  Run: [
    ['run_id', 'Run', 'text'],
    ['_status', 'Status', 'status'],
    ['provider', 'Backend', 'text'],
    ['gen_ai.system', 'System', 'text'],
    ['dataset_used', 'Tasks', 'text'],
    ['dataset_fingerprint', 'Task fingerprint', 'hash'],
    ['tags', 'Tags', 'tags'],
    ['notes', 'Notes', 'text'],
    ['submitted_by', 'Submitted by', 'text'],
    ['results_dataset', 'Results dataset', 'text'],
    ['traces_dataset', 'Traces dataset', 'text'],
    ['metrics_dataset', 'Metrics dataset', 'text'],
  ],
  Results: [
    ['successful_tests', 'Passed', 'count'],
    ['failed_tests', 'Failed', 'count'],
    ['success_rate_ci_low', 'Interval low %', 'percent'],
    ['success_rate_ci_high', 'Interval high %', 'percent'],
    ['attempts', 'Attempts', 'count'],
    ['pass_at_1', 'pass@1', 'share'],
    ['pass_at_k', 'pass@k', 'share'],
    ['pass_hat_k', 'pass^k', 'share'],
    ['avg_steps', 'Steps / test', 'number'],
    ['total_errors', 'Errors', 'count'],
    ['error_rate', 'Errors %', 'percent'],
    ['error_types', 'Error classes', 'counts'],
  ],
  Time: [
    ['avg_duration_ms', 'Mean time', 'ms'],
    ['p95_duration_ms', 'p95', 'ms'],
    ['total_duration_ms', 'Sum of times', 'ms'],
    ['wall_time_ms', 'Wall time', 'ms'],
    ['avg_ttft_seconds', 'First token, mean', 's'],
    ['p50_ttft_seconds', 'First token, p50', 's'],
    ['p95_ttft_seconds', 'First token, p95', 's'],
    ['p99_ttft_seconds', 'First token, p99', 's'],
    ['avg_tbt_seconds', 'Between tokens', 's'],
  ],
  Tokens: [
    ['total_tokens', 'Tokens of all', 'tokens'],
    ['total_prompt_tokens', 'Input', 'tokens'],
    ['avg_prompt_tokens', 'Input / test', 'tokens'],
    ['total_completion_tokens', 'Output', 'tokens'],
    ['avg_completion_tokens', 'Output / test', 'tokens'],
    ['total_reasoning_tokens', 'Reasoning', 'tokens'],
    ['total_cache_read_tokens', 'Cache read', 'tokens'],
    ['total_cache_write_tokens', 'Cache write', 'tokens'],
  ],
  Cost: [
    ['total_cost_usd', '$ total', 'usd'],
    ['avg_cost_per_test_usd', '$ / test, prices only', 'usd'],
    ['total_cost_prompt_usd', '$ input', 'usd'],
    ['total_cost_completion_usd', '$ output', 'usd'],
    ['total_cost_reasoning_usd', '$ reasoning', 'usd'],
    ['total_cost_cache_read_usd', '$ cache read', 'usd'],
    ['total_cost_cache_write_usd', '$ cache write', 'usd'],
    ['avg_cost_prompt_per_test_usd', '$ input / test', 'usd'],
    ['avg_cost_completion_per_test_usd', '$ output / test', 'usd'],
    ['cost_known_usd', '$ known', 'usd'],
    ['unpriced_calls', 'Unpriced calls', 'count'],
    ['power_cost_total_usd', '$ power', 'usd'],
    ['electricity_cost_usd', '$ electricity', 'usd'],
  ],
  'Energy and GPU': [
    ['total_gpu_energy_wh', 'GPU Wh', 'wh'],
    ['gpu_energy_idle_wh', 'Idle Wh', 'wh'],
    ['co2_emissions_g', 'GPU g CO₂e', 'grams'],
    ['gpu_utilization_avg', 'GPU util. %', 'percent'],
    ['gpu_utilization_max', 'GPU util. max %', 'percent'],
    ['gpu_memory_avg_mib', 'GPU memory MiB', 'count'],
    ['gpu_memory_max_mib', 'GPU memory max MiB', 'count'],
    ['gpu_memory_total_mib', 'GPU memory total MiB', 'count'],
    ['gpu_temperature_avg', 'GPU °C', 'number'],
    ['gpu_temperature_max', 'GPU max °C', 'number'],
    ['gpu_power_avg_w', 'GPU W', 'number'],
    ['gpu_power_max_w', 'GPU max W', 'number'],
    ['carbon_intensity', 'g CO₂e / kWh', 'number'],
    ['country', 'Country', 'text'],
    ['energy_estimated_wh_min', 'Estimated Wh, low', 'wh'],
    ['energy_estimated_wh_max', 'Estimated Wh, high', 'wh'],
    ['co2_estimated_g_min', 'Estimated g, low', 'grams'],
    ['co2_estimated_g_max', 'Estimated g, high', 'grams'],
    ['energy_estimate_method', 'Estimated by', 'text'],
  ],
  Tools: [
    ['total_tool_calls', 'Tool calls', 'count'],
    ['avg_tool_calls_per_test', 'Tool calls / test', 'number'],
    ['unique_tools_used', 'Different tools', 'count'],
    ['most_used_tool', 'Most used tool', 'text'],
  ],
  'Settings and versions': [
    ['common_temperature', 'Temperature', 'number'],
    ['common_top_p', 'Top p', 'number'],
    ['common_max_tokens', 'Max tokens', 'count'],
    ['hardware', 'Hardware', 'text'],
    ['smoltrace_version', 'smoltrace', 'text'],
    ['smolagents_version', 'smolagents', 'text'],
    ['genai_otel_version', 'genai-otel', 'text'],
    ['python_version', 'Python', 'text'],
    ['hf_job_id', 'HF job', 'text'],
    ['job_type', 'Job machine', 'text'],
  ],
};

/** What sorts by a column whose own name the data API cannot sort by. */
const SORTED_BY = {_interval: 'success_rate_ci_low', _spark: 'gpu_power_avg_w', _status: null};
const JSON_KINDS = new Set(['tags', 'counts']);

/** @type {Column[]} */
export const COLUMNS = Object.entries(GROUPS).flatMap(([group, columns]) =>
  columns.map(([key, label, kind]) => {
    const sort = key in SORTED_BY ? SORTED_BY[key] : JSON_KINDS.has(kind) ? null : key;
    return {key, label, kind, group, sort};
  }),
);

/** @type {string[]} shown until the reader chooses others */
export const DEFAULT_COLUMNS = GROUPS.Shown.map(([key]) => key);

const BY_KEY = new Map(COLUMNS.map((column) => [column.key, column]));

/**
 * The columns of an address, in the order of the chooser; unknown names are passed over, as an older address may have
 * some. Model always stays: a row without it says nothing.
 *
 * @param {string[]} keys
 * @returns {Column[]}
 */
export function columnsOf(keys) {
  const wanted = new Set(keys.filter((key) => BY_KEY.has(key)));
  if (wanted.size === 0) return DEFAULT_COLUMNS.map((key) => BY_KEY.get(key));
  wanted.add('model');
  return COLUMNS.filter((column) => wanted.has(column.key));
}

const TEXT_FIRST = new Set(['model', 'agent_type', 'provider', 'country', 'run_id', '_rank']);

/**
 * The sort after a press on a head: the other way round where it is sorted by it, else the better or greater end first
 * (names and ranks from the beginning, and what costs from the least).
 *
 * @param {string} sort
 * @param {Column} column
 * @returns {string}
 */
export function nextSort(sort, column) {
  const [first] = sort.split(',');
  if (first === column.sort) return `-${column.sort}`;
  if (first === `-${column.sort}`) return column.sort;
  const least = ['cost', 'energy', 'co2', 'ms', 's', 'usd'].includes(column.kind);
  return least || TEXT_FIRST.has(column.key) || column.kind === 'text' ? column.sort : `-${column.sort}`;
}
