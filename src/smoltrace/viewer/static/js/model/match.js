/**
 * Which executions of several runs belong together: the same test, the same kind of agent, the same attempt.
 *
 * Where the runs share no kind of agent (one ran tool agents, another code agents), the kind is left out of the match,
 * and what was matched is told. Runs may lack tests, because they were interrupted, are still running or ran others.
 */

/**
 * @typedef {{count: number, columns: Record<string, any[]>}} Tests  as the data API gives them
 * @typedef {object} Case  a row of the matrix: a test, by kind of agent where that was matched
 * @property {string} key `agent:test` or `test`
 * @property {string} testId
 * @property {string | null} agent null where the kind was not matched
 * @property {number} order place in the plan of the first run that has it
 * @property {Map<number, number[]>[]} runs of each run: attempt to the executions' indexes
 * @property {number[]} attempts those that every run has, ascending
 * @typedef {object} Pair  one attempt of a case in every run
 * @property {number} case index
 * @property {number} test index of the cluster, in `testIds`
 * @property {number} attempt
 * @property {number[][]} at of each run the executions' indexes
 */

/**
 * @param {Tests[]} runs the first is the baseline
 * @returns {{by: 'agent' | 'test', agents: string[][], cases: Case[], pairs: Pair[], testIds: string[], common: number,
 *   executions: number[], matched: number[]}} `common`: cases that every run has; `executions`, `matched`: of each run
 */
export function matchTests(runs) {
  const agents = runs.map(kindsOf);
  const by = sharedKinds(agents).length || runs.every((run) => run.count === 0) ? 'agent' : 'test';
  const cases = casesOf(runs, by);
  const testIds = [];
  const places = new Map();
  const pairs = [];
  cases.forEach((one, index) => {
    for (const attempt of one.attempts) {
      if (!places.has(one.testId)) places.set(one.testId, testIds.push(one.testId) - 1);
      pairs.push({ case: index, test: places.get(one.testId), attempt, at: one.runs.map((run) => run.get(attempt)) });
    }
  });
  const matched = runs.map((_, r) => pairs.reduce((total, pair) => total + pair.at[r].length, 0));
  const common = cases.filter((one) => one.attempts.length).length;
  return { by, agents, cases, pairs, testIds, common, executions: runs.map((run) => run.count), matched };
}

function kindsOf(run) {
  return [...new Set(run.columns.agent_type ?? [])].map((kind) => kind ?? 'unknown').sort();
}

/** The kinds that every run has; a run that has no test yet says nothing about it. */
function sharedKinds(agents) {
  const told = agents.filter((kinds) => kinds.length);
  return (told[0] ?? []).filter((kind) => told.every((kinds) => kinds.includes(kind)));
}

function casesOf(runs, by) {
  const found = new Map();
  runs.forEach((run, r) => {
    const { test_id: ids, agent_type: kinds, attempt: attempts } = run.columns;
    for (let i = 0; i < run.count; i += 1) {
      const agent = by === 'agent' ? kinds[i] ?? 'unknown' : null;
      const key = agent === null ? ids[i] : `${agent}:${ids[i]}`;
      if (!found.has(key)) found.set(key, newCase(key, ids[i], agent, runs, r, i));
      const byAttempt = found.get(key).runs[r];
      const attempt = attempts?.[i] ?? 1;
      if (byAttempt.has(attempt)) byAttempt.get(attempt).push(i);
      else byAttempt.set(attempt, [i]);
    }
  });
  const cases = [...found.values()];
  for (const one of cases) {
    const [first, ...others] = one.runs;
    one.attempts = [...first.keys()].filter((attempt) => others.every((run) => run.has(attempt))).sort((a, b) => a - b);
  }
  return cases.sort((a, b) => a.from - b.from || a.order - b.order);
}

function newCase(key, testId, agent, runs, from, i) {
  const order = runs[from].columns.test_index?.[i] ?? i;
  return { key, testId, agent, from, order, at: i, runs: runs.map(() => new Map()), attempts: [] };
}

/** What was matched, in words. */
export function matchedBy(match) {
  const repeats = match.pairs.some((pair) => pair.attempt !== 1);
  const names = match.by === 'agent' ? ['test', 'kind of agent'] : ['test'];
  if (repeats) names.push('attempt');
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}
