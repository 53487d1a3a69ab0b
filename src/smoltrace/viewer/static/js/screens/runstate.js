/** What the address of a run's page can hold, and the filter that it means. */

import {FIRST_LANES} from '../model/lanes.js';
import {WAYS} from '../model/failures.js';

/** `gpu`: all, an id, or each:LANE. `by`: what failures are counted by. `cols`: [] for the usual ones. */
export const DEFAULTS = {
  id: null,
  status: [],
  error: [],
  category: [],
  success: '',
  q: '',
  sort: '',
  from: null,
  to: null,
  zoom: false,
  test: null,
  lanes: FIRST_LANES,
  gpu: 'all',
  by: 'error',
  cols: [],
};

/** @param {object} state @returns {[number, number]|null} ms */
export function windowOf({from, to}) {
  const [a, b] = [from, to].map((text) => (text === null || text === '' ? NaN : Number(text)));
  return Number.isFinite(a) && Number.isFinite(b) && a < b ? [a, b] : null;
}

/** @param {object} state @returns {import('../model/tests.js').Filter} */
export function filterOf(state) {
  const window = windowOf(state);
  const {q, success, status, error, category} = state;
  return {q, success, status, error, category, from: window?.[0] ?? null, to: window?.[1] ?? null};
}

/** @param {object} state @returns {'error'|'category'|'status'} */
export function wayOf({by}) {
  return WAYS.includes(by) ? by : 'error';
}

/** What pressing a column's head means: rising, falling, and the order of the run again. @param {string} sort @param {string} key */
export function nextSort(sort, key) {
  if (sort === key) return `-${key}`;
  return sort === `-${key}` ? '' : key;
}
