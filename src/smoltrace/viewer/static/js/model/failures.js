/** How tests went wrong: one class a failed test, and how many tests there are of each. */

/** What the classes are called on the page. A class without an entry is shown by its own name. */
const LABELS = {
  wrong_answer: 'Wrong answer',
  tool_error: 'Tool error',
  max_steps: 'Max steps reached',
  parse_error: 'Unreadable output',
  timeout: 'Timeout',
  rate_limit: 'Rate limit',
  llm_error: 'Model error',
  agent_error: 'Agent error',
  auth: 'Not authorised',
  budget: 'Budget reached',
  cancelled: 'Cancelled',
  no_answer: 'No answer',
};

/** The ways to count failures, by the name each has in the address. */
export const WAYS = ['error', 'category', 'status'];

const NO_CATEGORY = 'no category';

/**
 * The class of a test that did not succeed, null for one that did.
 * A test that ran to its end with another answer than the expected one has no error_type: its class is wrong_answer.
 * @param {{success: boolean|null, status: string|null, error_type: string|null}} test
 * @returns {string|null}
 */
export function failureClass({success, status, error_type: type}) {
  if (success === true) return null;
  if (type) return type;
  if (status === 'failed') return 'wrong_answer';
  if (success === null || success === undefined) return null;
  return status && status !== 'completed' ? status : 'wrong_answer';
}

/** @param {string|null} name @returns {string|null} */
export function classLabel(name) {
  if (name === null || name === undefined) return null;
  if (Object.hasOwn(LABELS, name)) return LABELS[name];
  const words = name.replaceAll('_', ' ').trim();
  return words ? words[0].toUpperCase() + words.slice(1) : name;
}

/**
 * What a test is counted under.
 * @param {object} columns columns of tests @param {number} i @param {'error'|'category'|'status'} way
 * @returns {string|null} null: it is not counted
 */
export function groupOf(columns, i, way) {
  if (way === 'category') return columns.category?.[i] ?? NO_CATEGORY;
  const status = columns.status?.[i] ?? null;
  if (way === 'status') return status;
  return failureClass({success: columns.success?.[i] ?? null, status, error_type: columns.error_type?.[i] ?? null});
}

/**
 * The failed tests by class, category or status, most first; `of` is how many tests the group has in all.
 * @param {{count: number, columns: object}} tests
 * @param {'error'|'category'|'status'} way
 * @param {number[]} [among] the tests that are counted; all by default
 * @param {string[]} [chosen] values that have a bar also where no failed test is of them
 * @returns {{way: string, failed: number, of: number, bars: {value: string, label: string, count: number, of: number}[]}}
 */
export function histogram(tests, way, among, chosen = []) {
  const {columns} = tests;
  const bars = new Map(chosen.map((value) => [value, emptyBar(way, value)]));
  const total = among ? among.length : tests.count;
  let failed = 0;
  for (let k = 0; k < total; k += 1) {
    const i = among ? among[k] : k;
    const isFailed = groupOf(columns, i, 'error') !== null;
    if (isFailed) failed += 1;
    const value = groupOf(columns, i, way);
    if (value === null) continue;
    let bar = bars.get(value);
    if (!bar) bars.set(value, (bar = emptyBar(way, value)));
    bar.of += 1;
    if (isFailed) bar.count += 1;
  }
  const sorted = [...bars.values()].filter((bar) => bar.count > 0 || chosen.includes(bar.value));
  sorted.sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1));
  return {way, failed, of: total, bars: sorted};
}

function emptyBar(way, value) {
  return {value, label: way === 'category' ? value.replaceAll('_', ' ') : classLabel(value), count: 0, of: 0};
}
