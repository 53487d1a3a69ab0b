/**
 * All coordinates of the leaderboard's chart, in px of its box: what is painted where, and what lies under a pointer.
 *
 * Success upwards (linear, cut below the lowest whisker), what it took to the right (log). Runs without an x stand in
 * strips of their own, right of the plot, on the same y. A phone has no room for strips: they are told in words.
 */

import {steps} from '../model/pareto.js';
import {linear, log} from './coords.js';
import {bandBox, xDomain, xTicks, yDomain, yTicks} from './frame.js';
import {marksOf, stripMarks} from './marks.js';
import {giveLabels} from './marklabels.js';

/** Margins in px: the axis title stands in `top`, the tick labels in `left` and `bottom`. */
const DESK = {left: 64, right: 24, top: 26, bottom: 26, strip: 120, stripGap: 16};
const PHONE = {left: 38, right: 12, top: 10, bottom: 22, strip: 0, stripGap: 0};
const MOST_STRIPS = 3;

/** @typedef {import('./marks.js').Mark} Mark */
/** @typedef {{x0: number, x1: number, y0: number, y1: number}} Plot y0 is its top */

/**
 * @typedef {object} ChartBox
 * @property {number} width
 * @property {number} height
 * @property {Plot} plot
 * @property {number} right where the last strip ends, or the plot
 * @property {{y: number, value: number}[]} yTicks
 * @property {{x: number, text: string|null, major: boolean}[]} xTicks
 * @property {[number, number][]} frontier corners of the steps
 * @property {{x: number, y: number, w: number, h: number, text: {x: number, y: number}|null}|null} band
 * @property {{x0: number, x1: number, label: string}[]} strips
 * @property {Mark[]} marks those to paint last are the ones that matter most
 */

/**
 * @param {object} wanted
 * @param {object} wanted.chart what the data API says of the axis
 * @param {number} wanted.width
 * @param {number} wanted.height
 * @param {boolean} wanted.phone
 * @param {Set<string>} wanted.pins
 * @param {(text: string, strong?: boolean) => number} wanted.measure width of a text in px
 * @param {(value: number) => string} wanted.tickText
 * @param {string} wanted.bandText
 * @returns {ChartBox}
 */
export function chartBox({chart, width, height, phone, pins, measure, tickText, bandText}) {
  const margin = phone ? PHONE : DESK;
  const groups = phone ? [] : stripGroups(chart.unplaced);
  const strips = stripPlaces(groups, width, margin);
  const plotRight = strips.length > 0 ? strips[0].x0 - margin.stripGap : width - margin.right;
  const plot = {x0: margin.left, x1: plotRight, y0: margin.top, y1: height - margin.bottom};
  const y = linear(yDomain([...chart.points, ...groups.flatMap((group) => group.runs)]), [plot.y1, plot.y0]);
  const x = chart.points.length > 0 ? log(xDomain(chart.points, plot), [plot.x0, plot.x1]) : null;
  const marks = marksOf(chart, {x, y, pins});
  for (const strip of strips) marks.push(...stripMarks(strip, {y, pins}));
  marks.sort((a, b) => a.rank - b.rank);
  const frontier = frontierCorners(chart.frontier, marks, plot.x1);
  const right = strips.length > 0 ? strips[strips.length - 1].x1 : plot.x1;
  const band = bandBox(chart.band, {plot, right, y, marks, textWidth: measure(bandText)});
  giveLabels(marks, {plot, strips, frontier, band, phone, measure});
  const ticks = x === null ? [] : xTicks(x, plot, {tickText, measure});
  return {width, height, plot, right, yTicks: yTicks(y, plot), xTicks: ticks, frontier, band, strips, marks};
}

/**
 * The runs without an x, by why they have none: free ones first, then the larger groups. More reasons than fit share
 * the last strip.
 *
 * @param {object[]} unplaced
 * @returns {{label: string, runs: object[]}[]}
 */
export function stripGroups(unplaced) {
  const byReason = new Map();
  for (const run of unplaced) {
    const label = (run.why ?? 'unknown').split(':')[0];
    if (!byReason.has(label)) byReason.set(label, {label, free: run.strip === 'free', runs: []});
    byReason.get(label).runs.push(run);
  }
  const rank = (a, b) => Number(b.free) - Number(a.free) || b.runs.length - a.runs.length;
  const groups = [...byReason.values()].sort(rank).map(({label, runs}) => ({label, runs}));
  if (groups.length <= MOST_STRIPS) return groups;
  const rest = groups.slice(MOST_STRIPS - 1);
  return [...groups.slice(0, MOST_STRIPS - 1), {label: 'other reasons', runs: rest.flatMap((group) => group.runs)}];
}

function stripPlaces(groups, width, margin) {
  const each = groups.length > 2 ? 100 : margin.strip;
  const from = width - margin.right - groups.length * each;
  return groups.map((group, i) => ({...group, x0: from + i * each, x1: from + (i + 1) * each}));
}

function frontierCorners(ids, marks, endX) {
  const byId = new Map(marks.map((mark) => [mark.run_id, mark]));
  return steps(
    ids.map((id) => byId.get(id)).filter((mark) => mark !== undefined),
    endX,
  );
}

/**
 * The mark nearest to a place, if it is near enough to be meant.
 *
 * @param {Mark[]} marks
 * @param {number} x
 * @param {number} y
 * @param {number} radius px
 * @returns {Mark|null}
 */
export function nearest(marks, x, y, radius) {
  let found = null;
  let least = radius;
  for (const mark of marks) {
    const distance = Math.hypot(mark.x - x, mark.y - y);
    if (distance <= least) {
      found = mark;
      least = distance;
    }
  }
  return found;
}

/**
 * The next mark for an arrow key: by x, then by y, as the eye goes along the chart.
 *
 * @param {Mark[]} marks
 * @param {string|null} from run id
 * @param {number} by 1 or -1
 * @returns {Mark|null}
 */
export function neighbour(marks, from, by) {
  const ordered = [...marks].sort((a, b) => a.x - b.x || a.y - b.y);
  if (ordered.length === 0) return null;
  const at = ordered.findIndex((mark) => mark.run_id === from);
  if (at < 0) return by > 0 ? ordered[0] : ordered[ordered.length - 1];
  return ordered[Math.min(ordered.length - 1, Math.max(0, at + by))];
}

/**
 * Where the tooltip of a mark stands: right of it, or left where there is no room, inside the box.
 *
 * @param {Mark} mark
 * @param {{w: number, h: number}} size of the tooltip
 * @param {{width: number, height: number}} box
 * @returns {{x: number, y: number}}
 */
export function tipPlace(mark, size, box) {
  const right = mark.x + 18;
  const left = mark.x - 18 - size.w;
  const x = right + size.w <= box.width - 4 || left < 4 ? right : left;
  const y = mark.y - size.h / 2;
  return {
    x: Math.max(4, Math.min(x, box.width - size.w - 4)),
    y: Math.max(4, Math.min(y, box.height - size.h - 4)),
  };
}
