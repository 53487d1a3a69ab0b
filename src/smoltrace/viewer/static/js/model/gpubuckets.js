/** The samples of a run's GPUs in buckets of time, as the server makes them: to the nanosecond. */
import {refused} from './refused.js';

const NS = 1e6;
const WIDTH = 600;
const WIDEST = 4000;

/**
 * Throws an Error with `status` 400 for a window that is none.
 *
 * @param {{gpus: any[], end_ms: number, reason: string|null}} samples
 * @param {number|null|undefined} from ms of the run; by default all of it
 * @param {number|null|undefined} to
 * @param {number} [width] buckets
 * @returns {object} as `/api/run/ID/gpu`
 */
export function bucketed(samples, from, to, width = WIDTH) {
  const [start, end, count] = [from ?? 0, to ?? samples.end_ms, Math.min(width, WIDEST)];
  if (!(count >= 1)) throw refused(`width=${width}: give 1 to ${WIDEST} buckets.`);
  if (!(start <= end)) throw refused(`from=${from} to=${to}: give two times of the run in milliseconds, the earlier first.`);
  return {
    gpus: samples.gpus.map(({id, name, at_ms: at, lanes}) => ({id, name, lanes: lanesOf(at, lanes, start, end, count)})),
    from: start,
    to: end,
    width: count,
    reason: samples.reason,
  };
}

function lanesOf(at, lanes, from, to, width) {
  // Up to a hundred days of nanoseconds are whole numbers here.
  const times = at.map((ms) => Math.round(ms * NS));
  const [start, end] = [Math.round(from * NS), Math.round(to * NS)];
  return Object.fromEntries(Object.entries(lanes).map(([lane, of]) => [lane, laneOf(times, of, start, end, width)]));
}

/** The lowest, highest and last value of each bucket; the last bucket includes the end. */
function laneOf(times, {unit, max, values}, start, end, width) {
  const made = {unit, max, min: empty(width), max_values: empty(width), last: empty(width)};
  const limitOf = limits(start, end - start, width);
  let bucket = 0;
  for (let i = 0; i < times.length && times[i] <= end; i += 1) {
    const value = values[i];
    if (value === null || times[i] < start) continue;
    while (bucket < width - 1 && end > start && times[i] >= limitOf(bucket + 1)) bucket += 1;
    made.min[bucket] = Math.min(made.min[bucket] ?? Infinity, value);
    made.max_values[bucket] = Math.max(made.max_values[bucket] ?? -Infinity, value);
    made.last[bucket] = value;
  }
  return made;
}

/**
 * Where a bucket begins: start + ⌈bucket · length / width⌉. The length is divided first, because the product of both
 * would be too large for a whole number.
 */
function limits(start, length, width) {
  const rest = length % width;
  const each = (length - rest) / width;
  return (bucket) => start + bucket * each + Math.ceil((bucket * rest) / width);
}

/** @param {number} width @returns {(number|null)[]} */
function empty(width) {
  return new Array(width).fill(null);
}
