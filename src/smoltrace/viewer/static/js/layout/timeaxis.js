/**
 * The waterfall's time axis: one scale for all that is busy, and a column of fixed width for each idle gap that would
 * else take most of the room. A gap keeps its length in words at the head of its column.
 *
 * @typedef {{from: number, to: number, x0: number, x1: number, gap: boolean}} Piece   times in ms, places in px
 * @typedef {{from: number, to: number, width: number, pieces: Piece[], at: (ms: number) => number, invert: (px: number) => number}} TimeAxis
 */
import {linear, niceStep} from './coords.js';
import {count, duration} from '../model/format.js';

export const GAP_WIDTH = 34;
/** A gap is drawn short where it would be three times as wide as its column, and is a good part of the view. */
const LEAST_TIMES = 3;
const LEAST_SHARE = 0.08;
/** The columns take no more than this of the width. */
const MOST_WIDTH = 0.4;
const TICK_ROOM = 38;
const LABEL_CHAR = 6.2;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** name, ms, from which step on @type {[string, number, number][]} */
const UNITS = [['d', DAY, DAY], ['h', HOUR, HOUR], ['min', MINUTE, MINUTE], ['s', SECOND, SECOND / 2], ['ms', 1, 0]];
const CLOCK_STEPS = [1, 2, 5, 10, 15, 20, 30].flatMap((k) => [k * SECOND, k * MINUTE]).concat([1, 2, 3, 6, 12].map((k) => k * HOUR)).sort((a, b) => a - b);

/** The next step that reads well on a clock and is not less than this. @param {number} rough ms */
export function timeStep(rough) {
  if (rough <= SECOND / 2) return niceStep(Math.max(rough, 1e-6));
  return CLOCK_STEPS.find((step) => step >= rough) ?? niceStep(rough / DAY) * DAY;
}

/** A tick in the unit that its step is a round number of, so that an axis keeps to one: 60 s beside 90 s. */
export function timeLabel(ms, step) {
  const [unit, size] = UNITS.find(([, , from]) => step >= from) ?? UNITS[UNITS.length - 1];
  const value = Number((ms / size).toFixed(6));
  return `${count(value, Number.isInteger(value) ? 0 : Math.min(6, decimals(value)))} ${unit}`;
}

const decimals = (value) => (String(value).split('.')[1] ?? '').length;

/** The round times of a plain axis. @returns {number[]} */
export function timeTicks(length, width, room) {
  const step = timeStep((Math.max(length, 1e-6) / Math.max(width, 1)) * room);
  return Array.from({length: Math.floor(length / step + 1e-9) + 1}, (_, k) => k * step);
}

/**
 * @param {{from: number, to: number, width: number, gaps?: {from: number, to: number}[]}} view
 *   the part of the trace in sight (ms), its place (px), and the idle gaps that may be drawn short
 * @returns {TimeAxis}
 */
export function timeAxis({from, to, width, gaps = []}) {
  const last = to > from ? to : from + 1;
  const pieces = places(split(from, last, chosen(from, last, width, gaps)), width);
  const scales = pieces.map((piece) => linear([piece.from, piece.to], [piece.x0, piece.x1]));
  const find = (test) => {
    const index = pieces.findIndex(test);
    return index < 0 ? pieces.length - 1 : index;
  };
  return {
    from,
    to: last,
    width,
    pieces,
    at: (ms) => scales[find((piece) => ms <= piece.to)].at(ms),
    invert: (px) => scales[find((piece) => px <= piece.x1)].invert(px),
  };
}

/** The gaps to draw short, by time: of those in sight the longest, so long as there is width for them. */
function chosen(from, to, width, gaps) {
  const least = Math.max((LEAST_TIMES * GAP_WIDTH) / Math.max(width, 1), LEAST_SHARE) * (to - from);
  return gaps
    .map((gap) => ({from: Math.max(gap.from, from), to: Math.min(gap.to, to)}))
    .filter((gap) => gap.to - gap.from >= least && gap.to - gap.from < to - from)
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, Math.floor((MOST_WIDTH * width) / GAP_WIDTH))
    .sort((a, b) => a.from - b.from);
}

function split(from, to, gaps) {
  const pieces = [];
  let cursor = from;
  for (const gap of gaps) {
    if (gap.from > cursor) pieces.push({from: cursor, to: gap.from, gap: false});
    pieces.push({from: gap.from, to: gap.to, gap: true});
    cursor = gap.to;
  }
  if (to > cursor) pieces.push({from: cursor, to, gap: false});
  return pieces;
}

function places(pieces, width) {
  const busy = pieces.filter((piece) => !piece.gap);
  const columns = (pieces.length - busy.length) * GAP_WIDTH;
  const time = busy.reduce((sum, piece) => sum + piece.to - piece.from, 0);
  let x = 0;
  return pieces.map((piece) => {
    const x0 = x;
    x += piece.gap ? GAP_WIDTH : ((piece.to - piece.from) / time) * Math.max(width - columns, 0);
    return {...piece, x0, x1: x};
  });
}

/**
 * Ticks at the same round steps in all busy pieces; a label that would touch its neighbour, a gap or the edge is left out.
 * @param {TimeAxis} axis
 * @returns {{x: number, label: string, anchor: 'start'|'middle'|'end'}[]}
 */
export function axisTicks(axis) {
  const busy = axis.pieces.filter((piece) => !piece.gap && piece.x1 > piece.x0);
  if (busy.length === 0) return [];
  const perPx = (busy[0].to - busy[0].from) / (busy[0].x1 - busy[0].x0);
  const step = timeStep(perPx * TICK_ROOM);
  const found = [];
  let clear = -Infinity;
  for (const piece of busy) {
    clear = Math.max(clear, piece.x0 - (piece.x0 > 0 ? 0 : LABEL_CHAR));
    for (let k = Math.ceil(piece.from / step - 1e-9); k * step <= piece.to + step * 1e-9; k++) {
      const tick = placed(axis, piece, k * step, step);
      if (tick.left < clear || tick.right > piece.x1 + (piece.x1 >= axis.width - 0.5 ? 1 : 0)) continue;
      clear = tick.right + 8;
      found.push({x: tick.x, label: tick.label, anchor: tick.anchor});
    }
  }
  return found;
}

function placed(axis, piece, value, step) {
  const x = axis.at(Math.min(Math.max(value, piece.from), piece.to));
  const label = timeLabel(value, step);
  const half = (label.length * LABEL_CHAR) / 2;
  const anchor = x < half ? 'start' : x > axis.width - half ? 'end' : 'middle';
  const left = anchor === 'start' ? x : anchor === 'end' ? x - 2 * half : x - half;
  return {x, label, anchor, left, right: left + 2 * half};
}

/** The columns drawn short, with their lengths in words. @param {TimeAxis} axis */
export function gapColumns(axis) {
  return axis.pieces
    .filter((piece) => piece.gap)
    .map((piece) => ({x0: piece.x0, x1: piece.x1, label: duration(piece.to - piece.from) ?? ''}));
}
