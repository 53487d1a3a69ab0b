/**
 * The rows of the pass/fail matrix: one a matched test, what each run made of it, disagreements first.
 */

/**
 * @typedef {'passed' | 'failed' | 'mixed' | 'unknown' | 'missing'} State
 * @typedef {{state: State, passed: number, of: number, errorType: string | null}} Cell
 * @typedef {'disagree' | 'failed' | 'mixed' | 'passed' | 'partial'} Group  all failed, all the same share, all passed,
 *   not in every run
 * @typedef {object} CaseRow
 * @property {import('./match.js').Case} case
 * @property {string} key
 * @property {string} testId
 * @property {string | null} agent
 * @property {string | null} category
 * @property {string | null} difficulty
 * @property {string | null} prompt
 * @property {Cell[]} cells one a run
 * @property {Group} group
 * @property {boolean} regressed in a run at least, against the baseline
 * @property {boolean} improved
 */

const ORDER = ['disagree', 'failed', 'mixed', 'passed', 'partial'];
export const FILTERS = ['all', 'disagree', 'regressed', 'improved', 'failed'];

/**
 * @param {ReturnType<import('./match.js').matchTests>} match
 * @param {import('./match.js').Tests[]} runs
 * @returns {CaseRow[]} disagreements first, else in the order of the plan
 */
export function caseRows(match, runs) {
  const rows = match.cases.map((one) => caseRow(one, runs));
  return rows
    .map((row, place) => ({ row, place, rank: ORDER.indexOf(row.group) }))
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .map(({ row }) => row);
}

function caseRow(one, runs) {
  const cells = one.runs.map((attempts, r) => cellOf(attempts, one.attempts, runs[r].columns));
  const about = runs[one.from].columns;
  const fact = (name) => about[name]?.[one.at] ?? null;
  const rates = cells.map((cell) => (cell.of ? cell.passed / cell.of : NaN));
  return {
    case: one,
    key: one.key,
    testId: one.testId,
    agent: one.agent,
    category: fact('category'),
    difficulty: fact('difficulty'),
    prompt: fact('prompt'),
    cells,
    group: groupOf(cells, rates),
    regressed: rates.some((rate) => rate < rates[0]),
    improved: rates.some((rate) => rate > rates[0]),
  };
}

/** What a run made of a test: of the attempts that every run has, or of its own where the test is not in all runs. */
function cellOf(attempts, common, columns) {
  const wanted = common.length ? common : [...attempts.keys()];
  const at = wanted.flatMap((attempt) => attempts.get(attempt) ?? []);
  const judged = at.filter((i) => columns.success[i] !== null && columns.success[i] !== undefined);
  const passed = judged.filter((i) => columns.success[i]).length;
  const failed = judged.find((i) => !columns.success[i]);
  return {
    state: !at.length ? 'missing' : !judged.length ? 'unknown' : passed === judged.length ? 'passed' : passed ? 'mixed' : 'failed',
    passed,
    of: judged.length,
    errorType: failed === undefined ? null : columns.error_type?.[failed] ?? null,
  };
}

function groupOf(cells, rates) {
  if (cells.some((cell) => !cell.of)) return 'partial';
  if (rates.some((rate) => rate !== rates[0])) return 'disagree';
  return rates[0] === 0 ? 'failed' : rates[0] === 1 ? 'passed' : 'mixed';
}

/**
 * How many rows each filter leaves.
 * @param {CaseRow[]} rows
 * @returns {Record<string, number>} by the names of FILTERS, and `passed`, `mixed`, `partial`
 */
export function countCases(rows) {
  const counts = { passed: 0, mixed: 0, partial: 0 };
  for (const name of FILTERS) counts[name] = rows.filter((row) => passes(row, name)).length;
  for (const row of rows) if (row.group in counts && !FILTERS.includes(row.group)) counts[row.group] += 1;
  return counts;
}

function passes(row, show) {
  if (show === 'disagree' || show === 'failed') return row.group === show;
  return show === 'regressed' || show === 'improved' ? row[show] && row.group === 'disagree' : true;
}

/**
 * @param {CaseRow[]} rows
 * @param {{show?: string, q?: string, category?: string | null}} filter `q` is looked for in id, task, category, agent
 */
export function filterCases(rows, { show = 'all', q = '', category = null }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (!passes(row, show) || (category && row.category !== category)) return false;
    if (!words.length) return true;
    const text = [row.testId, row.prompt, row.category, row.agent, row.difficulty].filter(Boolean).join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The categories with their number of rows, by name. @param {CaseRow[]} rows */
export function categoriesOf(rows) {
  const found = new Map();
  for (const row of rows) if (row.category) found.set(row.category, (found.get(row.category) ?? 0) + 1);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([value, count]) => ({ value, count }));
}

/** What a cell says, in words. @param {Cell} cell */
export function cellWords({ state, passed, of, errorType }) {
  if (state === 'missing') return 'not in this run';
  if (state === 'unknown') return 'not judged';
  if (state === 'mixed') return `${passed} of ${of} attempts passed`;
  const many = of > 1 ? `, all ${of} attempts` : '';
  return state === 'passed' ? `passed${many}` : `failed${errorType ? `: ${errorType.replaceAll('_', ' ')}` : ''}${many}`;
}
