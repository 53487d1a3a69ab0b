/** What the leaderboard's address says, and the query that follows from it. */

import {DEFAULT_COLUMNS} from './columns.js';

export const MOST_PINS = 10;
const FILTERS = ['model', 'agent', 'provider', 'price', 'status', 'country', 'tag'];
const DEFAULT_SORT = '-success_rate';

/** Names and defaults of the address. */
export const DEFAULTS = {
  tasks: '',
  model: [],
  agent: [],
  provider: [],
  price: [],
  status: [],
  country: [],
  tag: [],
  since: '',
  until: '',
  q: '',
  sort: DEFAULT_SORT,
  group: '',
  axis: 'cost',
  cols: DEFAULT_COLUMNS,
  pins: [],
};

/**
 * The query of the data API; what is empty is left out.
 *
 * @param {typeof DEFAULTS} state
 * @returns {Record<string, string|string[]>}
 */
export function queryOf(state) {
  const query = {};
  for (const name of ['tasks', ...FILTERS, 'since', 'until', 'q', 'sort', 'group']) {
    const value = state[name];
    if (value !== null && value !== undefined && value.length > 0) query[name] = value;
  }
  return query;
}

/** @param {typeof DEFAULTS} state @returns {number} how many filters are set */
export function filterCount(state) {
  const lists = FILTERS.filter((name) => state[name].length > 0).length;
  return lists + Number(state.since !== '' || state.until !== '') + Number(state.q !== '');
}

/** What empties all filters. The task set, sort, axis and pins stay. */
export function withoutFilters() {
  return {...Object.fromEntries(FILTERS.map((name) => [name, []])), since: '', until: '', q: ''};
}

/**
 * Why the pinned runs cannot be compared now; null where they can.
 *
 * @param {string[]} pins
 * @returns {string|null}
 */
export function compareReason(pins) {
  if (pins.length < 2) return pins.length === 0 ? 'Pin 2 to 10 runs to compare them' : 'Pin one more run to compare';
  return pins.length > MOST_PINS ? `At most ${MOST_PINS} runs are compared; unpin ${pins.length - MOST_PINS}` : null;
}
