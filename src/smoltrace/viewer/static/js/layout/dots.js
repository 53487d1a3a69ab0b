/**
 * Where a paired difference stands: zero in the middle, the same scale for all runs of a metric.
 */
import {linear} from './coords.js';

/** Room for half a dot at either end, px. */
const EDGE = 5;

/**
 * @typedef {{value: number, low: number, high: number}} Point  differences, or logarithms of ratios
 * @typedef {{zero: number, x: number, low: number, high: number}} Place  px
 */

/**
 * The difference that is drawn of a comparison; ratios by their logarithm, so that × 2 and × ½ lie equally far.
 * @param {import('../model/paired.js').Difference} found
 * @param {boolean} ratio
 * @returns {Point | null} null where nothing can be drawn
 */
export function pointOf(found, ratio) {
  const value = ratio ? Math.log(found.ratio ?? NaN) : found.difference ?? NaN;
  if (!Number.isFinite(value)) return null;
  const ends = ratio ? found.ratioInterval?.map(Math.log) : found.interval;
  const [low, high] = ends?.every(Number.isFinite) ? ends : [value, value];
  return { value, low: Math.min(low, value), high: Math.max(high, value) };
}

/**
 * @param {(Point | null)[]} points of all runs of a metric
 * @param {number} width px
 * @returns {(point: Point) => Place}
 */
export function dotScale(points, width) {
  const reach = Math.max(0, ...points.filter(Boolean).flatMap((point) => [-point.low, point.high]));
  const { at } = linear([-(reach || 1), reach || 1], [EDGE, width - EDGE]);
  return (point) => ({ zero: at(0), x: at(point.value), low: at(point.low), high: at(point.high) });
}
