/**
 * A span's bar on the time axis: its solid and its dotted pieces, where it leaves the view, and the place of its words.
 *
 * @typedef {import('./timeaxis.js').TimeAxis} TimeAxis
 * @typedef {object} Bar
 * @property {'in'|'before'|'after'} place   `before` and `after`: wholly beyond the zoom
 * @property {number} x0
 * @property {number} x1
 * @property {[number, number][]} solid      the pieces beside short gaps, or the whole bar
 * @property {[number, number][]} dotted     the pieces that cross a short gap
 * @property {boolean} cutLeft               goes on before the view
 * @property {boolean} cutRight
 * @property {{x: number, anchor: 'start'|'end', text: string}|null} label
 */

const LEAST_BAR = 2;
const BESIDE = 6;
const CHAR = 6.7;
const ARROW = 7;

/**
 * @param {TimeAxis} axis
 * @param {number} start ms
 * @param {number} end ms
 * @param {string} words its duration
 * @returns {Bar}
 */
export function barOf(axis, start, end, words) {
  if (end < axis.from || (end === axis.from && start < end)) return beyond(axis, 'before', words);
  if (start > axis.to || (start === axis.to && start < end)) return beyond(axis, 'after', words);
  const cutLeft = start < axis.from;
  const cutRight = end > axis.to;
  let x0 = cutLeft ? 0 : axis.at(start);
  let x1 = cutRight ? axis.width : axis.at(end);
  if (x1 - x0 < LEAST_BAR) {
    x0 = Math.max(0, Math.min(x0, axis.width - LEAST_BAR));
    x1 = x0 + LEAST_BAR;
  }
  const {solid, dotted} = acrossGaps(axis, x0, x1);
  return {place: 'in', x0, x1, solid, dotted, cutLeft, cutRight, label: beside(axis, x0, x1, cutLeft, cutRight, words)};
}

function beyond(axis, place, words) {
  const x = place === 'before' ? ARROW + 4 : axis.width - ARROW - 4;
  const label = {x, anchor: place === 'before' ? 'start' : 'end', text: `${words}, ${place} the zoom`};
  return {place, x0: x, x1: x, solid: [], dotted: [], cutLeft: place === 'before', cutRight: place === 'after', label};
}

/** Solid beside the gaps, dotted through them. */
function acrossGaps(axis, x0, x1) {
  const solid = [];
  const dotted = [];
  let cursor = x0;
  for (const piece of axis.pieces) {
    if (!piece.gap || piece.x1 <= x0 || piece.x0 >= x1) continue;
    if (piece.x0 > cursor) solid.push([cursor, piece.x0]);
    dotted.push([Math.max(piece.x0, x0), Math.min(piece.x1, x1)]);
    cursor = piece.x1;
  }
  if (x1 > cursor) solid.push([cursor, x1]);
  return {solid, dotted};
}

/** The words go right of the bar, else left of it, beside gaps where that can be; without room there are none. */
function beside(axis, x0, x1, cutLeft, cutRight, words) {
  const room = words.length * CHAR;
  const right = x1 + BESIDE;
  const left = x0 - BESIDE;
  const atRight = !cutRight && right + room <= axis.width;
  const atLeft = !cutLeft && left - room >= 0;
  // over a gap only where there is no other place
  if (atRight && (free(axis, right, right + room) || !(atLeft && free(axis, left - room, left)))) return {x: right, anchor: 'start', text: words};
  return atLeft ? {x: left, anchor: 'end', text: words} : null;
}

function free(axis, from, to) {
  return !axis.pieces.some((piece) => piece.gap && piece.x0 < to && piece.x1 > from);
}

/**
 * Stretches of time as px pieces within the view; pieces that touch become one, thinner than `least` px they are left out.
 * @param {TimeAxis} axis
 * @param {ArrayLike<number>} times [from, to, from, to, …] by time
 * @returns {[number, number][]}
 */
export function stretches(axis, times, least = 1) {
  const merged = [];
  for (let k = 0; k + 1 < times.length; k += 2) {
    if (times[k + 1] < axis.from || times[k] > axis.to) continue;
    const x0 = axis.at(Math.max(times[k], axis.from));
    const x1 = axis.at(Math.min(times[k + 1], axis.to));
    const before = merged[merged.length - 1];
    if (before && x0 - before[1] < 0.5) before[1] = Math.max(before[1], x1);
    else merged.push([x0, x1]);
  }
  return merged.filter(([x0, x1]) => x1 - x0 >= least);
}
