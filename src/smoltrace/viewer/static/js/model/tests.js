/** The tests of a run as columns: added to by pages, filtered, searched, sorted. No DOM, no coordinates. */

import {failureClass} from './failures.js';

/** @typedef {{count: number, columns: Record<string, Array<unknown>>}} Tests */
/** @typedef {{q?: string, success?: string, status?: string[], error?: string[], category?: string[], from?: number|null, to?: number|null}} Filter */

const SEARCHED = ['test_id', 'prompt', 'expected', 'response', 'error', 'error_type', 'category', 'agent_type', 'tools_used'];
const collator = new Intl.Collator('en', {numeric: true, sensitivity: 'base'});

/** What each sort name of the address sorts by. */
const SORTS = {
  status: (c, i) => statusRank(c, i),
  test: (c, i) => c.test_id[i],
  agent: (c, i) => c.agent_type[i],
  attempt: (c, i) => c.attempt[i],
  category: (c, i) => c.category[i],
  difficulty: (c, i) => difficultyRank(c.difficulty[i]),
  task: (c, i) => c.prompt[i],
  expected: (c, i) => c.expected[i],
  answer: (c, i) => c.response[i],
  steps: (c, i) => c.steps[i],
  calls: (c, i) => c.llm_calls[i],
  tokens: (c, i) => c['gen_ai.usage.total_tokens'][i],
  cost: (c, i) => costOf(c, i),
  energy: (c, i) => energyOf(c, i),
  co2: (c, i) => c._co2?.[i]?.value ?? c.co2_emissions_g?.[i],
  duration: (c, i) => c.execution_time_ms[i],
  start: (c, i) => c._start_ms[i],
  error: (c, i) => classAt(c, i),
};

/** Names that the table can be sorted by. */
export const SORT_NAMES = Object.keys(SORTS);

/** @returns {Tests} */
export function noTests() {
  return {count: 0, columns: {}};
}

/**
 * Adds a page behind the tests; a column that only one of both has is filled with null.
 * @param {Tests} tests changed in place @param {Tests} page
 */
export function addPage(tests, page) {
  for (const name of Object.keys(page.columns)) {
    tests.columns[name] ??= new Array(tests.count).fill(null);
  }
  for (const [name, values] of Object.entries(tests.columns)) {
    const added = page.columns[name];
    for (let i = 0; i < page.count; i += 1) values.push(added?.[i] ?? null);
  }
  tests.count += page.count;
}

/**
 * Puts newer values of the same tests in the place of the old: a run's end settles what its tests used.
 * Tests that are not there yet are not added, and no test changes its place.
 * @param {Tests} tests changed in place @param {Tests} page
 */
export function renew(tests, page) {
  const places = new Map(tests.columns.test_case_uid?.map((uid, i) => [uid, i]));
  for (let k = 0; k < page.count; k += 1) {
    const i = places.get(page.columns.test_case_uid[k]);
    if (i === undefined) continue;
    for (const [name, values] of Object.entries(page.columns)) {
      tests.columns[name] ??= new Array(tests.count).fill(null);
      tests.columns[name][i] = values[k];
    }
  }
}

/** One test as an object. @param {Tests} tests @param {number} i @returns {object|undefined} */
export function testAt(tests, i) {
  if (!(i >= 0 && i < tests.count)) return undefined;
  const row = {_place: i};
  for (const [name, values] of Object.entries(tests.columns)) row[name] = values[i];
  return row;
}

/** @param {Tests} tests @param {string} uid @returns {number} −1: no such test */
export function placeOf(tests, uid) {
  return tests.columns.test_case_uid?.indexOf(uid) ?? -1;
}

/** The class of failure of test `i`, null where it succeeded. */
export function classAt(columns, i) {
  return failureClass({
    success: columns.success?.[i] ?? null,
    status: columns.status?.[i] ?? null,
    error_type: columns.error_type?.[i] ?? null,
  });
}

/**
 * Places of the tests that a filter lets through, in the order of the journal.
 * @param {Tests} tests @param {Filter} filter @returns {number[]}
 */
export function matching(tests, filter) {
  const {columns} = tests;
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  for (let i = 0; i < tests.count; i += 1) {
    if (passes(columns, i, filter) && (!words.length || says(columns, i, words))) found.push(i);
  }
  return found;
}

function passes(columns, i, {success, status, error, category, from, to}) {
  if (success === 'passed' && columns.success[i] !== true) return false;
  if (success === 'failed' && classAt(columns, i) === null) return false;
  if (status?.length && !status.includes(columns.status[i])) return false;
  if (error?.length && !error.includes(classAt(columns, i))) return false;
  if (category?.length && !category.includes(columns.category[i] ?? 'no category')) return false;
  return inWindow(columns._start_ms?.[i] ?? null, columns._end_ms?.[i] ?? null, from ?? null, to ?? null);
}

/** Whether a test ran at any moment of the window; one whose times are unknown is in no window. */
function inWindow(start, end, from, to) {
  if (from === null && to === null) return true;
  if (start === null) return false;
  return (to === null || start < to) && (from === null || (end ?? start) > from);
}

function says(columns, i, words) {
  const text = SEARCHED.map((name) => columns[name]?.[i] ?? '').join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * The places in the order of a sort, unknown values last whichever way; equal ones keep the order of the journal.
 * @param {Tests} tests @param {number[]} places @param {string} sort a name, '-name', or '' for the journal's order
 * @returns {number[]}
 */
export function sorted(tests, places, sort) {
  const name = sort.replace(/^-/, '');
  if (!Object.hasOwn(SORTS, name)) return places;
  const key = SORTS[name];
  const sign = sort.startsWith('-') ? -1 : 1;
  const {columns} = tests;
  const keyed = places.map((place) => ({place, value: key(columns, place) ?? null}));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.place - b.place;
    return sign * compare(a.value, b.value) || a.place - b.place;
  });
  return keyed.map((item) => item.place);
}

function compare(a, b) {
  return typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
}

function statusRank(columns, i) {
  const name = classAt(columns, i);
  if (name === null) return columns.success[i] === true ? 0 : null;
  return name === 'wrong_answer' ? 1 : 2;
}

function difficultyRank(name) {
  const rank = ['easy', 'medium', 'hard'].indexOf(name);
  return rank < 0 ? (name ?? null) : rank;
}

function costOf(columns, i) {
  return columns._cost?.[i]?.value ?? columns['gen_ai.usage.cost.total']?.[i] ?? null;
}

function energyOf(columns, i) {
  return columns._energy?.[i]?.value ?? columns.gpu_energy_wh?.[i] ?? null;
}

/** How many tests passed and failed. @param {Tests} tests @param {number[]} places */
export function outcome(tests, places) {
  const failed = places.reduce((sum, i) => sum + (classAt(tests.columns, i) !== null), 0);
  const passed = places.reduce((sum, i) => sum + (tests.columns.success[i] === true), 0);
  return {all: places.length, passed, failed};
}
