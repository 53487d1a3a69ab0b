/** Values of the leaderboard's columns as text. What is unknown is null, with its reason beside it. */

import {count, dateTime, duration, gramsPlain, money, percent, tokens, whPlain} from './format.js';

/** Why a rank is a range. */
export const RANK_WHY = 'Runs whose 95 % intervals overlap share a range of ranks: between them the tests do not decide.';

/** @type {Record<string, (value: any) => string|null>} */
const TEXTS = {
  count: (value) => count(value),
  number: (value) => decimals(value, 2),
  percent,
  share: (value) => decimals(value, 3),
  tokens,
  ms: duration,
  s: (value) => duration(known(value) ? 1000 * value : null),
  usd: money,
  wh: whPlain,
  grams: gramsPlain,
  date: (value) => dateTime(value),
  tags: (value) => pairs(value, '='),
  counts: (value) => pairs(value, ' '),
  hash: (value) => (typeof value === 'string' ? value.slice(0, 12) : null),
};

const NUMBERS = new Set(['count', 'number', 'percent', 'share', 'tokens', 'ms', 's', 'usd', 'wh', 'grams']);
const MADE = new Set(['rank', 'cost', 'energy', 'co2', 'date']);

/**
 * @param {string} kind of the column
 * @param {any} value
 * @returns {string|null} null for what is unknown
 */
export function cellText(kind, value) {
  if (value === null || value === undefined || value === '') return null;
  return (TEXTS[kind] ?? String)(value);
}

/** @param {string} kind @returns {'left'|'right'} */
export function alignOf(kind) {
  return NUMBERS.has(kind) || MADE.has(kind) ? 'right' : 'left';
}

/**
 * A rank range: `1–4`, or `3` where no interval overlaps.
 *
 * @param {[number, number]|null} rank
 * @returns {string|null}
 */
export function rankText(rank) {
  if (!rank) return null;
  return rank[0] === rank[1] ? count(rank[0]) : `${count(rank[0])}–${count(rank[1])}`;
}

/** @param {any} value */
function known(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

/** At most so many decimals, without zeros at the end. @param {any} value @param {number} most */
function decimals(value, most) {
  if (!known(value)) return null;
  const rounded = Number(value.toFixed(most));
  const shown = Math.max(0, (String(rounded).split('.')[1] ?? '').length);
  return count(value, Math.min(shown, most));
}

/** @param {any} value an object of names and values @param {string} joint */
function pairs(value, joint) {
  if (typeof value !== 'object') return String(value);
  const names = Object.keys(value);
  return names.length === 0 ? null : names.map((name) => `${name}${joint}${value[name]}`).join(', ');
}
