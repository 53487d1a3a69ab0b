/** Rows that are all at hand: sorting, grouping, counting. */

import {compareText} from './pareto.js';

/**
 * @typedef {object} Order
 * @property {(row: object) => any} value number, text or null
 * @property {boolean} down
 */

/**
 * Sorted by one order after the other. What is unknown is last, whichever way the rest goes. Rows that are equal in all
 * of them keep their order.
 *
 * @template R
 * @param {R[]} rows
 * @param {Order[]} orders
 * @returns {R[]}
 */
export function sortedRows(rows, orders) {
  const keyed = rows.map((row) => ({row, keys: orders.map((order) => order.value(row) ?? null)}));
  keyed.sort((a, b) => {
    for (let i = 0; i < orders.length; i += 1) {
      const difference = compareKnown(a.keys[i], b.keys[i], orders[i].down);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return keyed.map(({row}) => row);
}

function compareKnown(a, b, down) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const difference = typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : a < b ? -1 : Number(a > b);
  return down ? -difference : difference;
}

/**
 * Rows with those of one group side by side. A group stands where its first row stood.
 *
 * @template R
 * @param {R[]} rows
 * @param {(row: R) => any} groupOf
 * @returns {{row: R, group: any, runs: number, first: boolean}[]}
 */
export function grouped(rows, groupOf) {
  const groups = new Map();
  for (const row of rows) {
    const group = groupOf(row);
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(row);
  }
  return [...groups].flatMap(([group, members]) =>
    members.map((row, i) => ({row, group, runs: members.length, first: i === 0})),
  );
}

/**
 * How often each value occurs, the most frequent first, equal ones by name.
 *
 * @param {object[]} rows
 * @param {(row: object) => (string|null)[]} valuesOf
 * @returns {{value: string, count: number}[]}
 */
export function counted(rows, valuesOf) {
  const counts = new Map();
  for (const row of rows) {
    for (const value of valuesOf(row)) {
      if (value !== null && value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const found = [...counts].map(([value, count]) => ({value, count}));
  return found.sort((a, b) => b.count - a.count || compareText(a.value, b.value));
}
