/**
 * The metrics that runs are compared by: how each is read from a test, and what more of it means.
 */

/**
 * @typedef {object} Metric
 * @property {string} key
 * @property {string} label
 * @property {'rate' | 'mean' | 'median'} statistic
 * @property {'more' | 'less' | null} better null: neither is better
 * @property {'difference' | 'ratio'} shown
 * @property {((row: any) => Reading) | null} ofRun what the leaderboard's row tells per test where the tests don't
 * @property {string} about what is read, in words
 * @property {(columns: Record<string, any[]>, i: number) => Reading} read
 * @typedef {{value: number | null, est?: boolean, reason?: string | null, known?: number | null, low?: number | null,
 *   high?: number | null}} Reading  `known`: the part of an unknown sum that is known
 */

const ENDED_BY_ERROR = new Set(['error', 'timeout', 'limit']);

/** @type {Metric[]} */
export const METRICS = [
  metric('success', 'Success', 'rate', 'more', 'executions that did what the task expects', readSuccess),
  metric('cost', 'Cost / test', 'mean', 'less', 'USD of an execution', readCost, { shown: 'ratio' }),
  metric('duration', 'p50 duration', 'median', 'less', 'wall time of an execution', plain('execution_time_ms')),
  metric('tokens', 'Tokens / test', 'mean', 'less', 'input and output of all calls', plain('gen_ai.usage.total_tokens')),
  metric('steps', 'Steps / test', 'mean', 'less', 'steps in which an agent acted', plain('steps')),
  metric('energy', 'Energy / test', 'mean', 'less', 'Wh of the GPUs, or estimated', readEnergy),
  metric('co2', 'CO₂e / test', 'mean', 'less', 'grams of that energy', readCo2, { ofRun: (row) => row._co2 ?? {} }),
  metric('errors', 'Errors', 'rate', 'less', 'executions ended by an error, a timeout or a limit', readError),
  metric('calls', 'Tool calls / test', 'mean', null, 'tool calls, final_answer not counted', readCalls, { ofRun: (row) => ({ value: row.avg_tool_calls_per_test }) }),
];

function metric(key, label, statistic, better, about, read, more = {}) {
  return { key, label, statistic, better, shown: 'difference', ofRun: null, about, read, ...more };
}

function plain(name) {
  return (columns, i) => ({ value: columns[name]?.[i] ?? null, reason: 'not recorded' });
}

function readSuccess(columns, i) {
  const success = columns.success[i];
  return { value: success === null || success === undefined ? null : Number(success), reason: 'not judged' };
}

function readError(columns, i) {
  const status = columns.status?.[i] ?? null;
  const ended = ENDED_BY_ERROR.has(status) || Boolean(columns.error_type?.[i]);
  return { value: status === null ? null : Number(ended), reason: 'status unknown' };
}

/** A test that called no model cost nothing: that is known, not missing. */
function readCost(columns, i) {
  const cost = columns._cost?.[i];
  if (!cost) return { value: null, reason: 'price unknown' };
  if (cost.value === null && cost.calls === 0) return { value: 0, est: false };
  return { value: cost.value, est: cost.est, reason: cost.reason ?? 'price unknown', known: cost.bound };
}

function readEnergy(columns, i) {
  const energy = columns._energy?.[i];
  if (energy) return energy;
  return { value: columns.gpu_energy_wh?.[i] ?? null, reason: 'no GPU' };
}

function readCo2(columns, i) {
  const co2 = columns._co2?.[i];
  if (co2) return co2;
  return { value: columns.co2_emissions_g?.[i] ?? null, reason: 'not told by test' };
}

function readCalls(columns, i) {
  const calls = (columns._tool_calls ?? columns.tool_calls)?.[i] ?? null;
  return { value: Array.isArray(calls) ? calls.length : calls, reason: 'not told by test' };
}

/**
 * One metric of a run's tests, as typed arrays.
 * @param {Metric} what
 * @param {import('./match.js').Tests} tests
 * @returns {{values: Float64Array, est: Uint8Array, known: Float64Array, low: Float64Array, high: Float64Array,
 *   reasons: Map<number, string>}} NaN where unknown; `reasons` of these
 */
export function readMetric(what, tests) {
  const { count, columns } = tests;
  const made = { values: new Float64Array(count), est: new Uint8Array(count), reasons: new Map() };
  const ends = { known: new Float64Array(count), low: new Float64Array(count), high: new Float64Array(count) };
  for (let i = 0; i < count; i += 1) {
    const reading = what.read(columns, i);
    const value = reading.value ?? NaN;
    made.values[i] = value;
    made.est[i] = reading.est ? 1 : 0;
    ends.known[i] = Number.isNaN(value) ? reading.known ?? 0 : value;
    ends.low[i] = reading.low ?? value;
    ends.high[i] = reading.high ?? value;
    if (Number.isNaN(value)) made.reasons.set(i, reading.reason ?? 'unknown');
  }
  return { ...made, ...ends };
}
