/** The samples of a run's GPUs in buckets of time, as the server makes them. */

/**
 * @param {{gpus: any[], end_ms: number, reason: string|null}} samples
 * @param {number|null|undefined} from ms of the run; by default all of it
 * @param {number|null|undefined} to
 * @param {number} [width] buckets
 * @returns {object} as `/api/run/ID/gpu`
 */
export function bucketed(samples, from, to, width = 1000) {
  const [start, end] = [from ?? 0, to ?? samples.end_ms];
  return {
    gpus: samples.gpus.map(({id, name, at_ms: at, lanes}) => ({
      id,
      name,
      lanes: Object.fromEntries(Object.entries(lanes).map(([lane, of]) => [lane, laneOf(at, of, start, end, width)])),
    })),
    from: start,
    to: end,
    width,
    reason: samples.reason,
  };
}

function laneOf(at, {unit, max, values}, from, to, width) {
  const made = {unit, max, min: filled(width), max_values: filled(width), last: filled(width)};
  const scale = width / Math.max(1e-6, to - from);
  for (let i = 0; i < at.length; i += 1) {
    const value = values[i];
    if (value === null || at[i] < from || at[i] > to) continue;
    const place = Math.min(width - 1, Math.floor((at[i] - from) * scale));
    made.min[place] = Math.min(made.min[place] ?? Infinity, value);
    made.max_values[place] = Math.max(made.max_values[place] ?? -Infinity, value);
    made.last[place] = value;
  }
  return made;
}

/** @param {number} width @returns {(number|null)[]} */
function filled(width) {
  return new Array(width).fill(null);
}
