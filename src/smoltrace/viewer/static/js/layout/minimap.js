/**
 * The overview above the tree: all spans by kind in true time, whatever their number: at most one mark a px and lane.
 */
import {linear} from './coords.js';

/** Lanes from top to bottom, px. Tools that failed stand out by height too. */
export const LANES = {agent: {y: 6, height: 6}, step: {y: 15, height: 5}, chat: {y: 23, height: 6}, tool: {y: 31, height: 6}, failed: {y: 31, height: 9}};
export const SPANS_HEIGHT = 42;
const MOST_BOXES = 400;

/**
 * @param {import('../model/tree.js').Tree} tree
 * @param {string[]} kinds
 * @param {number} width px
 * @returns {Object<string, number[]>} for each lane [x0, x1, x0, x1, …]; `boxes`: steps that are wide enough for an outline each
 */
export function minimapMarks(tree, kinds, width) {
  const scale = linear([0, tree.length || 1], [0, width]);
  const lanes = {agent: new Uint8Array(width + 1), step: new Uint8Array(width + 1), chat: new Uint8Array(width + 1), tool: new Uint8Array(width + 1), failed: new Uint8Array(width + 1)};
  const boxes = [];
  for (let i = 0; i < tree.count; i++) {
    const lane = laneOf(tree, kinds, i);
    if (!lane) continue;
    const x0 = scale.at(tree.start[i]);
    const x1 = scale.at(tree.end[i]);
    if (lane === 'step' && x1 - x0 >= 3) boxes.push(x0, x1);
    else lanes[lane].fill(1, Math.floor(x0), Math.max(Math.floor(x0) + 1, Math.round(x1)));
  }
  if (boxes.length > 2 * MOST_BOXES) for (let k = 0; k < boxes.length; k += 2) lanes.step.fill(1, Math.floor(boxes[k]), Math.round(boxes[k + 1]));
  const marks = {boxes: boxes.length > 2 * MOST_BOXES ? [] : boxes};
  for (const lane of Object.keys(lanes)) marks[lane] = runs(lanes[lane], width);
  return marks;
}

function laneOf(tree, kinds, i) {
  const kind = kinds[i];
  if (kind === 'tool') return tree.failed[i] ? 'failed' : 'tool';
  if (kind === 'chat' || kind === 'step') return kind;
  // what is of no kind is grey like a step; what only holds others has no mark of its own
  return kind === 'agent' ? 'agent' : tree.first[i] >= 0 ? null : 'step';
}

function runs(filled, width) {
  const found = [];
  for (let x = 0; x < width; x++) {
    if (!filled[x]) continue;
    const from = x;
    while (x < width && filled[x]) x += 1;
    found.push(from, x);
  }
  return found;
}

/** Samples come at a steady pace; where none came for so many of their usual distances, nothing was measured. */
const MISSED = 4;

/**
 * The outline of what lies between the lowest and the highest value of each bucket. Devices are read less often than
 * there are buckets: neighbouring samples are joined, and only a longer silence is a hole.
 * @param {{min: (number|null)[], max_values: (number|null)[]}} lane
 * @param {{width: number, height: number, max: number}} box px; `max`: the value at its top
 * @returns {{top: [number, number][], bottom: [number, number][]}[]}
 */
export function powerAreas(lane, {width, height, max}) {
  const known = lane.min.map((_, k) => k).filter((k) => lane.min[k] != null && lane.max_values[k] != null);
  const across = linear([0, lane.min.length], [0, width]);
  const up = linear([0, max || 1], [height, 0]);
  const most = MISSED * usualDistance(known);
  const areas = [];
  for (let i = 0; i < known.length; i++) {
    const k = known[i];
    if (i === 0 || k - known[i - 1] > most) areas.push({top: [], bottom: []});
    const alone = (i === 0 || k - known[i - 1] > most) && !(known[i + 1] - k <= most);
    const area = areas[areas.length - 1];
    for (const x of alone ? [across.at(k), across.at(k + 1)] : [across.at(k + 0.5)]) {
      area.top.push([x, up.at(lane.max_values[k])]);
      area.bottom.push([x, up.at(lane.min[k])]);
    }
  }
  return areas;
}

function usualDistance(known) {
  const distances = known.slice(1).map((k, i) => k - known[i]).sort((a, b) => a - b);
  return distances.length > 0 ? distances[Math.floor(distances.length / 2)] : 1;
}

/** The lowest and highest value of a lane, null without any. @param {{min: (number|null)[], max_values: (number|null)[]}} lane */
export function powerRange(lane) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of lane.min) if (value != null && value < low) low = value;
  for (const value of lane.max_values) if (value != null && value > high) high = value;
  return high === -Infinity ? null : {low, high};
}

const GRIP = 8;
const LEAST_PX = 4;

/**
 * What a pointer at x takes hold of: a handle, the window, or the ground.
 * @param {{x0: number, x1: number}|null} brush px, null without a zoom
 * @returns {'from'|'to'|'window'|'new'}
 */
export function gripAt(brush, x) {
  if (!brush) return 'new';
  const near = Math.abs(x - brush.x0) <= Math.abs(x - brush.x1) ? 'from' : 'to';
  if (Math.abs(x - brush[near === 'from' ? 'x0' : 'x1']) <= GRIP) return near;
  return x > brush.x0 && x < brush.x1 ? 'window' : 'new';
}

/**
 * The window after a pointer has gone from `down` to `x`; null for a press without a way: that is no zoom.
 * @param {'from'|'to'|'window'|'new'} grip
 * @param {{x0: number, x1: number}|null} brush as it was at `down`
 */
export function dragged(grip, brush, down, x, width) {
  const inside = (value) => Math.min(Math.max(value, 0), width);
  if (grip === 'window') {
    const move = Math.min(Math.max(x - down, -brush.x0), width - brush.x1);
    return {x0: brush.x0 + move, x1: brush.x1 + move};
  }
  const fixed = grip === 'new' ? down : grip === 'from' ? brush.x1 : brush.x0;
  const x0 = inside(Math.min(fixed, x));
  const x1 = inside(Math.max(fixed, x));
  return x1 - x0 < LEAST_PX ? null : {x0, x1};
}
