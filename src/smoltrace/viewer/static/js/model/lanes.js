/**
 * GPU measurements as lanes: for each bucket of time the lowest, highest and last value of one GPU, or of all together.
 * No DOM and no pixels: a bucket is a bucket of the request.
 */

/**
 * @typedef {{min: (number|null)[], max_values: (number|null)[], last: (number|null)[], unit: string, max: number|null}} RawLane
 * @typedef {{key: string, title: string, unit: string, how: string|null, low: (number|null)[], high: (number|null)[],
 *   line: (number|null)[], spread: boolean, top: number|null, total: boolean, parts: [number, number][], gpus: number}} Lane
 */

/** Every lane there can be: its title, its unit, and what the lanes of several GPUs make together. */
export const KINDS = [
  {key: 'utilisation', title: 'Utilisation', unit: '%', together: 'mean', total: false},
  {key: 'memory', title: 'Memory', unit: 'MiB', together: 'sum', total: false},
  {key: 'temperature', title: 'Temperature', unit: '°C', together: 'highest', total: false},
  {key: 'power', title: 'Power', unit: 'W', together: 'sum', total: false},
  {key: 'energy', title: 'Energy, total', unit: 'Wh', together: 'sum', total: true},
  {key: 'co2', title: 'CO₂e, total', unit: 'g', together: 'sum', total: true},
  {key: 'cost', title: 'Electricity', unit: 'USD', together: 'sum', total: true},
];

/** The lanes shown until others are chosen. */
export const FIRST_LANES = ['utilisation', 'memory', 'power', 'co2'];

/** Names of the lanes that any GPU has, in the order of the page. @param {{gpus: object[]}} gpu @returns {string[]} */
export function laneNames(gpu) {
  return KINDS.map((kind) => kind.key).filter((key) => gpu.gpus.some((each) => each.lanes[key]));
}

/**
 * The lanes to show. Of several GPUs either one is chosen, or all are shown together, or one kind lane by lane.
 * @param {{gpus: {id: string, name: string, lanes: Record<string, RawLane>}[]}} gpu
 * @param {string} which 'all', the id of a GPU, or 'each:KIND'
 * @param {string[]} wanted names of lanes
 * @returns {Lane[]}
 */
export function lanesOf(gpu, which, wanted) {
  const kinds = KINDS.filter((kind) => wanted.includes(kind.key));
  if (which.startsWith('each:')) {
    const kind = KINDS.find((each) => each.key === which.slice(5)) ?? KINDS[0];
    return sameTop(gpu.gpus.filter((each) => each.lanes[kind.key]).map((each) => gpuLane(each, kind)));
  }
  const one = gpu.gpus.length === 1 ? gpu.gpus[0] : gpu.gpus.find((each) => each.id === which);
  if (one) return kinds.filter((kind) => one.lanes[kind.key]).map((kind) => single(one.lanes[kind.key], kind));
  return kinds.map((kind) => together(gpu.gpus.map((each) => each.lanes[kind.key]).filter(Boolean), kind)).filter(Boolean);
}

function gpuLane(each, kind) {
  return {...single(each.lanes[kind.key], kind), key: `${kind.key}:${each.id}`, title: `GPU ${each.id}`, how: each.name};
}

/** Lanes beside each other are compared, so they have one scale. */
function sameTop(lanes) {
  const top = Math.max(...lanes.map((lane) => lane.top ?? 0));
  return lanes.map((lane) => ({...lane, top: top || null}));
}

/** @param {RawLane} raw @returns {Lane} */
function single(raw, kind) {
  const lane = {low: raw.min, high: raw.max_values, line: raw.last, spread: false, how: null, gpus: 1};
  return finish(lane, kind, raw.max);
}

/** @param {RawLane[]} raws @returns {Lane|null} */
function together(raws, kind) {
  if (!raws.length) return null;
  if (raws.length === 1) return single(raws[0], kind);
  const filled = raws.map((raw) => ({min: held(raw.min), max: held(raw.max_values), last: held(raw.last)}));
  const seen = filled[0].min.map((_, i) => raws.some((raw) => raw.min[i] !== null));
  const over = (part, join) => seen.map((yes, i) => (yes ? join(filled.map((each) => each[part][i])) : null));
  const maxima = raws.map((raw) => raw.max);
  const top = maxima.includes(null) ? null : kind.together === 'sum' ? sum(maxima) : Math.max(...maxima);
  const joins = {sum, mean, highest};
  const line = over('last', joins[kind.together]);
  const spread = kind.together !== 'sum';
  const low = over('min', spread ? lowest : sum);
  const high = over('max', spread ? highest : sum);
  const how = {sum: `sum of ${raws.length} GPUs`, mean: `mean of ${raws.length} GPUs`, highest: `highest of ${raws.length} GPUs`};
  return finish({low, high, line, spread, how: how[kind.together], gpus: raws.length}, kind, top);
}

function finish(lane, kind, max) {
  const highest = largest(lane.high);
  const top = max !== null && max !== undefined && !(highest > max) ? max : highest === null ? null : roundedUp(highest);
  return {key: kind.key, title: kind.title, unit: kind.unit, total: kind.total, ...lane, top, parts: partsOf(lane.line)};
}

/** Values with each gap inside a part filled with the value before it: GPUs are read one after the other. */
function held(values) {
  const filled = new Array(values.length).fill(null);
  for (const [first, last] of partsOf(values)) {
    let value = values[first];
    for (let i = first; i <= last; i += 1) filled[i] = value = values[i] ?? value;
  }
  return filled;
}

/**
 * The stretches of buckets that belong together: a gap of many sampling intervals splits them.
 * @param {(number|null)[]} values @returns {[number, number][]} first and last bucket of each
 */
export function partsOf(values) {
  const places = [];
  for (let i = 0; i < values.length; i += 1) if (values[i] !== null) places.push(i);
  if (!places.length) return [];
  const steps = places.slice(1).map((place, k) => place - places[k]);
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 1;
  const parts = [];
  let first = places[0];
  steps.forEach((step, k) => {
    if (step <= Math.max(4 * usual, 3)) return;
    parts.push([first, places[k]]);
    first = places[k + 1];
  });
  parts.push([first, places[places.length - 1]]);
  return parts;
}

/**
 * What a lane showed at a bucket: the sample in it or the one before it in the same part; null outside of all parts.
 * @param {Lane} lane @param {number} bucket
 * @returns {{value: number, low: number, high: number}|null}
 */
export function valueAt(lane, bucket) {
  const part = lane.parts.find(([first, last]) => bucket >= first && bucket <= last);
  if (!part) return null;
  let i = bucket;
  while (i > part[0] && lane.line[i] === null) i -= 1;
  return {value: lane.line[i], low: lane.low[i] ?? lane.line[i], high: lane.high[i] ?? lane.line[i]};
}

/** The highest value, and the last one. @param {Lane} lane @returns {{peak: number|null, last: number|null}} */
export function extremes(lane) {
  const end = lane.parts.at(-1);
  return {peak: largest(lane.high), last: end ? lane.line[end[1]] : null};
}

function largest(values) {
  let found = null;
  for (const value of values) if (value !== null && (found === null || value > found)) found = value;
  return found;
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten. @param {number} value @returns {number} */
export function roundedUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.999999);
  return Number((factor * power).toPrecision(3));
}

/* A value that one GPU lacks makes the sum unknown, and the mean and the limits those of the others. */
function sum(values) {
  return values.includes(null) ? null : values.reduce((total, value) => total + value, 0);
}

function mean(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? sum(known) / known.length : null;
}

function highest(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.max(...known) : null;
}

function lowest(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.min(...known) : null;
}
