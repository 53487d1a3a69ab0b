/** Where everything of the GPU strip lies: lanes, bands, axis, and time on x. One box for the canvas and what lies on it. */

import {linear} from './coords.js';
import {bandHeights} from './bands.js';

const LANE_HEIGHT = 46;
const LANE_GAP = 8;
const AXIS_HEIGHT = 26;
const LABELS_WIDE = 128;
const BANDS_ABOVE = 10;
/** On a narrow page the label of a lane stands over it. */
const LABEL_ABOVE = 22;
const SIDES = {wide: 24, narrow: 16};
const TAG_GAP = 7;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 96, 240].map((n) => n * HOUR),
];

/**
 * @param {{width: number, from: number, to: number, lanes: number, rows: number, narrow: boolean}} wanted
 *   px, the times at both ends in ms, how many lanes and how many rows of bands
 */
export function lanesBox({width, from, to, lanes, rows, narrow}) {
  const side = narrow ? SIDES.narrow : SIDES.wide;
  const left = narrow ? side : side + LABELS_WIDE;
  const right = width - side - (narrow ? 0 : 8);
  const scale = linear([from, to], [left, Math.max(right, left + 1)]);
  const above = narrow ? LABEL_ABOVE : 0;
  const pitch = LANE_HEIGHT + LANE_GAP + above;
  const boxes = Array.from({length: lanes}, (_, i) => ({y: 4 + i * pitch + above, height: LANE_HEIGHT, labelY: 4 + i * pitch}));
  const heights = bandHeights(rows);
  const bandsTop = 4 + lanes * pitch + (narrow ? LABEL_ABOVE : lanes ? BANDS_ABOVE - LANE_GAP : 2);
  const axisY = bandsTop + Math.max(heights.height, 18) + 6;
  const bands = {y: bandsTop + Math.max(0, (18 - heights.height) / 2), top: bandsTop, heights};
  return {width, narrow, left, right, scale, from, to, lanes: boxes, bands, axis: {y: axisY, ticks: timeTicks(scale, from, to, right - left)}, height: axisY + AXIS_HEIGHT};
}

/**
 * Ticks at round times, far enough apart for their labels.
 * @returns {{ms: number, x: number}[]}
 */
export function timeTicks(scale, from, to, room) {
  const step = tickStep(to - from, Math.max(2, Math.floor(room / 110)));
  const ticks = [];
  for (let ms = Math.ceil(from / step) * step; ms <= to * (1 + 1e-9); ms += step) ticks.push({ms, x: scale.at(ms)});
  return ticks;
}

/** The smallest round step that makes at most `most` of a span. @param {number} span ms @param {number} most */
export function tickStep(span, most) {
  return STEPS.find((step) => span / step <= most) ?? STEPS.at(-1) * Math.ceil(span / most / STEPS.at(-1));
}

/**
 * The end of the axis. While a run goes on it is a round time after now, so that the picture moves seldom.
 * @param {number} end ms @param {boolean} live @returns {number}
 */
export function axisEnd(end, live) {
  if (!(end > 0)) return SECOND;
  if (!live) return end;
  const step = tickStep(end * 1.15, 6);
  return Math.ceil((end * 1.02) / step) * step;
}

/** y of a value in a lane, from the top of the strip. @param {{y: number, height: number}} box @param {number} value @param {number|null} top */
export function laneY(box, value, top) {
  const share = top ? Math.min(Math.max(value / top, 0), 1) : 0;
  return box.y + box.height - share * (box.height - 1);
}

/**
 * The middle of a bucket on x.
 * @param {{scale: {at: (ms: number) => number}}} box @param {{from: number, to: number, width: number}} asked the request
 * @param {number} bucket
 */
export function bucketX(box, asked, bucket) {
  return box.scale.at(asked.from + ((bucket + 0.5) * (asked.to - asked.from)) / asked.width);
}

/** The bucket at a time. @returns {number} not within the request: −1 */
export function bucketAt(asked, ms) {
  const bucket = Math.floor(((ms - asked.from) / (asked.to - asked.from)) * asked.width);
  return bucket >= 0 && bucket < asked.width ? bucket : ms === asked.to ? asked.width - 1 : -1;
}

/** Left edge of a tag of so many px beside a line at x: right of it, or left where it would leave the strip. */
export function tagX(box, x, tagWidth) {
  const right = x + TAG_GAP;
  return right + tagWidth <= box.width - 4 ? right : Math.max(x - TAG_GAP - tagWidth, 4);
}

/** Left edge of a label of so many px that is centred at x and stays in the strip. */
export function centredX(box, x, labelWidth) {
  return Math.min(Math.max(x - labelWidth / 2, 4), Math.max(box.width - labelWidth - 4, 4));
}

/**
 * The brush between two points, in ms, clipped to the axis; null for less than 3 px: a click, no brush.
 * @param {object} box @param {number} x0 @param {number} x1 @returns {[number, number]|null}
 */
export function brushed(box, x0, x1) {
  if (Math.abs(x1 - x0) < 3) return null;
  const clip = (x) => Math.min(Math.max(box.scale.invert(x), box.from), box.to);
  const [a, b] = x0 < x1 ? [clip(x0), clip(x1)] : [clip(x1), clip(x0)];
  return a < b ? [a, b] : null;
}

/**
 * A handle of the brush after a key: steps of 1/100 of the axis, 1/10 with Shift; it stops at the other one.
 * @param {{from: number, to: number}} axis @param {[number, number]} window @param {0|1} side @param {string} key @param {boolean} shift
 * @returns {[number, number]|null} null: not a key of a handle
 */
export function nudged(axis, window, side, key, shift) {
  const step = (axis.to - axis.from) / (shift ? 10 : 100);
  const ends = {Home: axis.from, End: axis.to};
  const moves = {ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageDown: -step * 10, PageUp: step * 10};
  const wanted = ends[key] ?? (key in moves ? window[side] + moves[key] : null);
  if (wanted === null) return null;
  const least = (axis.to - axis.from) / 1000;
  const next = [...window];
  next[side] = side === 0
    ? Math.max(axis.from, Math.min(wanted, window[1] - least))
    : Math.min(axis.to, Math.max(wanted, window[0] + least));
  return next;
}
