/** Which rows of the leaderboard a query lets through, and in which order: for a site of files, the same as the server. */

/**
 * @typedef {object} Query
 * @property {string|null} tasks fingerprint, the beginning of one, "all", or null: the set that most runs are of
 * @property {Record<string, string[]>} filters by their name in an address
 * @property {number|null} since unix ms
 * @property {number|null} until unix ms, excluded
 * @property {string[]} words in small letters
 * @property {{key: string, down: boolean}[]} sort
 * @property {boolean} group
 * @property {number} offset
 * @property {number} limit
 */

import {refused, told} from './refused.js';

const DAY = 86_400_000;
const LIMIT = 100;
const LONGEST = 200;
const FIGURES = new Set(['_cost', '_energy', '_co2']);
/** The filters that have a fixed choice of values. */
const CHOICES = {price: ['known', 'free', 'unknown'], status: ['running', 'incomplete', 'completed']};
/** What can be sorted by besides the columns of the leaderboard. */
const MADE = [...FIGURES, '_rank'];
/** What a search looks into. */
const TOLD = [
  ...['run_id', 'model', 'agent_type', 'provider', 'gen_ai.system', 'notes', 'tags', 'submitted_by', 'hardware'],
  ...['dataset_used', 'country'],
];

/** What each filter looks at: the values of a row, of which one must be wanted. */
export const FILTER_VALUES = {
  model: (row) => [row.model],
  agent: (row) => [row.agent_type],
  provider: (row) => [row.provider],
  price: (row) => [priceOf(row)],
  status: (row) => [row._status],
  country: (row) => [row.country],
  tag: (row) => tagsOf(row.tags),
};

/** @param {object} row @returns {'known'|'free'|'unknown'} */
function priceOf(row) {
  const kind = row._cost?.kind ?? 'unknown';
  return kind === 'measured' || kind === 'electricity' ? 'known' : kind;
}

function tagsOf(tags) {
  if (tags === null || typeof tags !== 'object' || Array.isArray(tags)) return [];
  return Object.entries(tags).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
}

/**
 * Throws an Error with `status` 400 for what is no question.
 *
 * @param {Record<string, any>} asked names and values as in the server's address
 * @param {object|null} [row] one of the leaderboard: it can be sorted by the columns of it
 * @returns {Query}
 */
export function parseBoardQuery(asked, row = null) {
  const until = dayOf('until', asked.until);
  if (asked.group && asked.group !== 'model') throw refused(`group=${told(asked.group)}: runs can be grouped by model only.`);
  return {
    tasks: asked.tasks || null,
    filters: Object.fromEntries(Object.keys(FILTER_VALUES).map((name) => [name, filterOf(name, asked[name])])),
    since: dayOf('since', asked.since),
    until: until === null ? null : until + DAY,
    words: wordsOf(String(asked.q ?? '').trim()),
    sort: sortOf(asked.sort || '-success_rate', row),
    group: asked.group === 'model',
    offset: Math.max(0, Number(asked.offset ?? 0)),
    limit: Number(asked.limit ?? LIMIT),
  };
}

/**
 * The words of what is looked for, in small letters. Throws an Error with `status` 400 where that is too much.
 *
 * @param {string} q
 * @returns {string[]}
 */
export function wordsOf(q) {
  const {length} = [...q];
  if (length > LONGEST) throw refused(`q has ${length} characters. Look for words, in no more than ${LONGEST}.`);
  return q.toLowerCase().split(/\s+/).filter((word) => word !== '');
}

/**
 * @param {object[]} rows
 * @param {Query} query
 * @param {string|null} [but] a filter that is not applied: its own facet must show what else could be chosen
 * @returns {object[]}
 */
export function matching(rows, query, but = null) {
  const names = Object.keys(FILTER_VALUES).filter((name) => name !== but && query.filters[name].length > 0);
  return rows.filter(
    (row) =>
      names.every((name) => FILTER_VALUES[name](row).some((value) => query.filters[name].includes(value))) &&
      isInTime(row.evaluation_date ?? null, query) &&
      hasWords(row, query.words),
  );
}

function isInTime(date, {since, until}) {
  if (since === null && until === null) return true;
  return date !== null && (since === null || date >= since) && (until === null || date < until);
}

function hasWords(row, words) {
  if (words.length === 0) return true;
  const known = TOLD.map((name) => row[name] ?? null).filter((value) => value !== null);
  const text = known.map(asText).join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Columns that hold JSON are text in the store. */
function asText(value) {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/**
 * The orders of a query, and after them what decides between equal rows: the newest first, then the id.
 *
 * @param {{key: string, down: boolean}[]} sort
 * @returns {import('./table.js').Order[]}
 */
export function ordersOf(sort) {
  const orders = sort.flatMap(({key, down}) => {
    if (key !== '_rank') return [{down, value: (row) => sortValue(row, key)}];
    return [0, 1].map((end) => ({down, value: (row) => row._rank?.[end]}));
  });
  return [...orders, ...LAST];
}

/** @type {import('./table.js').Order[]} */
export const LAST = [
  {down: true, value: (row) => row.evaluation_date},
  {down: false, value: (row) => row.run_id},
];

function sortValue(row, key) {
  if (FIGURES.has(key)) return row[key]?.value;
  const value = row[key];
  return value !== null && typeof value === 'object' ? JSON.stringify(value) : value;
}

/** The values that a filter lets through; none let all through. @returns {string[]} */
function filterOf(name, value) {
  if (value === null || value === undefined || value === '') return [];
  const values = Array.isArray(value) ? value : [value];
  for (const each of values) {
    if (CHOICES[name] && !CHOICES[name].includes(each)) throw refused(`${name}=${told(each)}: choose of ${CHOICES[name].join(', ')}.`);
    if (name === 'tag' && !each.includes('=')) throw refused(`tag=${told(each)}: write key=value, as in tag=team%3Dsearch.`);
  }
  return values;
}

/** @param {string} name @param {string|undefined} day YYYY-MM-DD @returns {number|null} unix ms of its beginning, UTC */
function dayOf(name, day) {
  if (!day) return null;
  const found = /^\d{4}-\d\d?-\d\d?$/.test(day) ? Date.parse(`${day.replace(/-(\d)(?=-|$)/g, '-0$1')}T00:00:00Z`) : NaN;
  // February 30 would be a day of March.
  const isDay = Number.isFinite(found) && new Date(found).getUTCDate() === Number(day.split('-')[2]);
  if (!isDay) throw refused(`${name}=${told(day)} is no day. Write YYYY-MM-DD, as in 2026-01-31.`);
  return found;
}

/** Of a column that is named twice the first counts. */
function sortOf(text, row) {
  const keys = new Map();
  for (const part of text.split(',')) {
    const name = part.trim();
    const key = name.replace(/^-/, '');
    if (row !== null && !MADE.includes(key) && (key.startsWith('_') || !Object.hasOwn(row, key))) {
      throw refused(`sort=${told(part)}: the leaderboard has no such column. Any of its columns will do, and ${MADE.join(', ')}.`);
    }
    if (!keys.has(key)) keys.set(key, {key, down: name.startsWith('-')});
  }
  return [...keys.values()];
}
