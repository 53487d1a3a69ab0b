/** Sorting and searching of columns that are all here. */

/**
 * @param {any} left
 * @param {any} right
 * @returns {number} nothing known comes last, whichever way the rest is sorted
 */
function compare(left, right, down) {
  const none = (left === null || left === undefined ? 1 : 0) - (right === null || right === undefined ? 1 : 0);
  if (none || left === null || left === undefined) return none;
  const order = typeof left === 'number' && typeof right === 'number' ? left - right : left === right ? 0 : String(left) < String(right) ? -1 : 1;
  return down ? -order : order;
}

/**
 * Indexes in the order of a column; equal ones keep theirs.
 * @param {number[]} indexes
 * @param {(index: number) => any} valueOf
 * @param {boolean} [down]
 * @returns {number[]}
 */
export function sorted(indexes, valueOf, down = false) {
  return [...indexes].sort((a, b) => compare(valueOf(a), valueOf(b), down) || a - b);
}

/**
 * Indexes whose texts have every word of the search in them, in small or capital letters.
 * @param {number} count
 * @param {(string|null|undefined)[][]} columns
 * @param {string} q
 * @returns {number[]}
 */
export function found(count, columns, q) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const all = Array.from({length: count}, (_, index) => index);
  if (!words.length) return all;
  return all.filter((index) => {
    const text = columns.map((column) => column?.[index] ?? '').join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * @param {string[]} values
 * @param {string} value
 * @returns {string[]} without the value where it was in, else with it at the end
 */
export function toggled(values, value) {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}

/**
 * The sort after a press on a column's head: first down for numbers, up for words; again turns it round.
 * @param {string} sort `-key`
 * @param {string} key
 * @param {boolean} [downFirst]
 */
export function nextSort(sort, key, downFirst = true) {
  const first = downFirst ? '-' + key : key;
  const second = downFirst ? key : '-' + key;
  return sort === first ? second : first;
}
