/**
 * A comparison as files and as text: the metrics, and the tests.
 */
import {cellWords} from './cases.js';
import {changeWords, differenceText, intervalText, unitOf, valueText, verdictWords} from './comparewords.js';
import {METRICS} from './metrics.js';

export const METRIC_COLUMNS = [
  ...['metric', 'run_id', 'model', 'agent_type', 'baseline', 'value', 'value_n', 'est', 'at_least', 'reason'],
  ...['n_tests', 'n_pairs', 'difference', 'difference_low', 'difference_high', 'ratio', 'ratio_low', 'ratio_high'],
  ...['p', 'verdict', 'improved', 'regressed', 'method'],
];

/**
 * One row a metric and run, numbers as they were worked out. Rates are in per cent, differences of rates in points.
 * @param {{id: string, row: any}[]} runs
 * @param {ReturnType<import('./paired.js').comparison>} numbers
 */
export function metricTable(runs, numbers) {
  return METRICS.flatMap((metric) =>
    runs.map((run, i) => {
      const value = numbers.value(metric, i);
      const made = { metric: metric.key, run_id: run.id, model: run.row.model, agent_type: run.row.agent_type, baseline: i === 0 };
      const shown = { value: value.value, value_n: value.n, est: value.est, at_least: value.bound, reason: value.reason };
      return { ...made, ...shown, ...(i ? differenceColumns(numbers.difference(metric, i)) : {}) };
    }),
  );
}

function differenceColumns(found) {
  const [low, high] = found.interval ?? [null, null];
  const [ratioLow, ratioHigh] = found.ratioInterval ?? [null, null];
  const verdict = { none: 'no significant difference', mixed: 'no verdict', few: 'too few tests' }[found.verdict] ?? found.verdict;
  return {
    ...{ n_tests: found.n, n_pairs: found.pairs, difference: found.difference, difference_low: low, difference_high: high },
    ...{ ratio: found.ratio, ratio_low: ratioLow, ratio_high: ratioHigh, p: found.p, verdict },
    ...{ improved: found.improved, regressed: found.regressed, method: found.method },
    ...(found.reason ? { reason: found.reason } : {}),
  };
}

/**
 * One row a test, one column a run.
 * @param {import('./cases.js').CaseRow[]} rows
 * @param {{id: string}[]} runs
 * @returns {{names: string[], rows: object[]}}
 */
export function caseTable(rows, runs) {
  const names = ['test_id', 'agent_type', 'category', 'difficulty', 'prompt', 'group', 'regressed', 'improved', ...runs.map((run) => run.id)];
  const made = rows.map((row) => ({
    ...{ test_id: row.testId, agent_type: row.agent, category: row.category, difficulty: row.difficulty, prompt: row.prompt },
    ...{ group: row.group, regressed: row.regressed, improved: row.improved },
    ...Object.fromEntries(runs.map((run, r) => [run.id, row.cells[r].state === 'mixed' ? `${row.cells[r].passed}/${row.cells[r].of}` : row.cells[r].state])),
  }));
  return { names, rows: made };
}

/**
 * The comparison as Markdown: one table of the metrics, one of the tests that disagree.
 * @param {{runs: any[], numbers: any, rows: import('./cases.js').CaseRow[], paired: string, banner: string[]}} shown
 */
export function compareMarkdown({ runs, numbers, rows, paired, banner }) {
  const head = ['Metric', ...runs.map((run, i) => `${run.name}${i ? '' : ' (baseline)'}`)];
  const body = METRICS.map((metric) => [metricName(metric), ...runs.map((_, i) => metricCell(metric, numbers, i))]);
  const disagree = rows.filter((row) => row.group === 'disagree');
  const tests = disagree.slice(0, 100).map((row) => [[row.testId, row.agent].filter(Boolean).join(', '), ...row.cells.map(cellWords)]);
  const more = disagree.length > 100 ? [`${disagree.length - 100} more tests disagree.`] : [];
  return `${['# Comparison', `${paired}.`, ...banner, table(head, body), ...(tests.length ? [`${disagree.length} of ${rows.length} tests disagree.`, table(['Test', ...runs.map((run) => run.name)], tests)] : []), ...more].join('\n\n')}\n`;
}

function metricName(metric) {
  const unit = unitOf(metric);
  return unit ? `${metric.label}, ${unit}` : metric.label;
}

function metricCell(metric, numbers, i) {
  const value = numbers.value(metric, i);
  const digits = value.value !== null ? valueText(metric, value.value) + (value.est ? ' est.' : '') : value.bound !== null ? `≥ ${valueText(metric, value.bound)}` : `— (${value.reason})`;
  if (!i) return digits;
  const found = numbers.difference(metric, i);
  const { text } = verdictWords(metric, found);
  const range = intervalText(metric, found);
  const changes = metric.statistic === 'rate' ? changeWords(metric, found) : null;
  return [digits, differenceText(metric, found), range && `[${range}]`, text, changes, found.n ? `n ${found.n}` : null].filter(Boolean).join('; ');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Names and texts are others' words: they must stay one cell. */
function cell(text) {
  return String(text).replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\s+/g, ' ');
}
