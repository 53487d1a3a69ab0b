/** What the filters are called and how each tells what it lets through. */

import {aliveWord} from './alive.js';
import {count, date} from './format.js';
import {shortAgent, shortModel} from './runname.js';

/**
 * @typedef {object} Facet
 * @property {string} name in the address
 * @property {string} key in the data API's facets
 * @property {string} label
 * @property {(value: string) => string} text of a value
 */

const asIs = (value) => value;

/** @type {Facet[]} */
export const FACETS = [
  {name: 'model', key: 'model', label: 'Model', text: asIs},
  {name: 'agent', key: 'agent_type', label: 'Agent', text: shortAgent},
  {name: 'provider', key: 'provider', label: 'Backend', text: asIs},
  {name: 'price', key: 'price', label: 'Price', text: asIs},
];

/** Those behind "+ Filter". @type {Facet[]} */
export const MORE_FACETS = [
  {name: 'status', key: 'status', label: 'Status', text: (value) => (value === 'running' ? aliveWord() : value)},
  {name: 'country', key: 'country', label: 'Country', text: asIs},
  {name: 'tag', key: 'tags', label: 'Tag', text: asIs},
];

/**
 * The values of a facet, those chosen included even where the other filters leave none of them.
 *
 * @param {{value: string, count: number}[]|undefined} found
 * @param {string[]} chosen
 * @returns {{value: string, count: number}[]}
 */
export function facetValues(found, chosen) {
  const values = (found ?? []).filter((one) => one.value !== null);
  const missing = chosen.filter((value) => !values.some((one) => one.value === value));
  return [...values, ...missing.map((value) => ({value, count: 0}))];
}

/**
 * What stands after a facet's name: `all 7`, `2 of 7`, `tool, code`, `9 known, 1 unknown`.
 *
 * @param {Facet} facet
 * @param {{value: string, count: number}[]} values
 * @param {string[]} chosen
 * @returns {string}
 */
export function facetSummary(facet, values, chosen) {
  if (values.length === 0) return 'none';
  if (chosen.length === 1) return facet.name === 'model' ? shortModel(chosen[0], 22) : facet.text(chosen[0]);
  if (facet.name === 'price' && chosen.length === 0) {
    return values.map((one) => `${count(one.count)} ${one.value}`).join(', ') || 'all';
  }
  const texts = (chosen.length > 0 ? chosen : values.map((one) => one.value)).map(facet.text);
  const joined = texts.join(', ');
  if (facet.name !== 'model' && texts.length > 0 && texts.length <= 2 && joined.length <= 16) return joined;
  return chosen.length > 0 ? `${count(chosen.length)} of ${count(values.length)}` : `all ${count(values.length)}`;
}

/**
 * `14 – 20 Nov`, `since 14 Nov`, `until 20 Nov`, `all`.
 *
 * @param {{since: string, until: string}} chosen
 * @param {{first: number, last: number}|null} span of the runs, unix ms, where all of them are at hand
 * @returns {string}
 */
export function dateSummary({since, until}, span) {
  const from = dayStart(since);
  const to = dayStart(until);
  if (from !== null && to !== null) return range(from, to);
  if (from !== null) return `since ${date(from)}`;
  if (to !== null) return `until ${date(to)}`;
  return span === null ? 'all' : range(span.first, span.last);
}

function range(from, to) {
  const [first, last] = [date(from), date(to)];
  if (first === last) return first;
  const [day, ...rest] = first.split(' ');
  return rest.join(' ') === last.split(' ').slice(1).join(' ') ? `${day} – ${last}` : `${first} – ${last}`;
}

/** @param {string} day YYYY-MM-DD @returns {number|null} unix ms of its local midnight */
function dayStart(day) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const [year, month, dayOfMonth] = day.split('-').map(Number);
  return new Date(year, month - 1, dayOfMonth).getTime();
}
