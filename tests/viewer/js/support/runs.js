/** Runs for the tests of comparisons: each test as {id, agent, attempt, success, …}, turned into columns. */

/** @param {object[]} tests @returns {{count: number, columns: Record<string, any[]>}} */
export function run(tests) {
  const names = ['test_id', 'agent_type', 'attempt', 'test_index', 'category', 'difficulty', 'prompt', 'success', 'status', 'error_type', 'execution_time_ms', 'steps', 'gen_ai.usage.total_tokens', '_cost', '_energy', 'gpu_energy_wh', 'co2_emissions_g', 'expected', 'test_case_uid'];
  const rows = tests.map((test, i) => ({
    test_id: test.id,
    agent_type: test.agent ?? 'tool',
    attempt: test.attempt ?? 1,
    test_index: i,
    success: test.success ?? true,
    status: test.success === false ? 'failed' : 'completed',
    execution_time_ms: test.ms ?? null,
    steps: test.steps ?? null,
    'gen_ai.usage.total_tokens': test.tokens ?? null,
    _cost: test.cost === undefined ? null : cost(test.cost, test.est),
    _energy: test.wh === undefined ? null : { value: test.wh, est: Boolean(test.est), low: null, high: null, reason: test.wh === null ? 'no GPU' : null },
    ...test.more,
  }));
  return { count: rows.length, columns: Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)])) };
}

function cost(value, est = false) {
  return value === null ? { value: null, est: false, reason: 'price unknown: 1 of 2 calls', bound: 0.001, unpriced: 1, calls: 2 } : { value, est, reason: null, bound: null, unpriced: 0, calls: 2 };
}

/** Two runs of so many tests that passed in both, only in the first, only in the second, in neither. */
export function twoByTwo(both, first, second, neither) {
  const kinds = [[both, true, true], [first, true, false], [second, false, true], [neither, false, false]];
  const pairs = kinds.flatMap(([many, one, two]) => Array.from({ length: many }, () => [one, two]));
  return [0, 1].map((side) => run(pairs.map((pair, i) => ({ id: `t${i}`, success: pair[side] }))));
}
