/** Tests as bands on the time axis: which row each lies in, and where its rectangle is. */

/** Heights of a band by how many rows there are: `pitch` from row to row, passed and failed in it. */
const ONE_ROW = {pitch: 18, passed: 8, failed: 16};
const FEW_ROWS = {pitch: 12, passed: 6, failed: 10};
/** Rows of any number share this height at most. */
const MOST_HEIGHT = 96;
/** A gap between bands that are wide enough to have one. */
const GAP = 1;

/**
 * Rows for tests that overlap: each takes the first row that is free when it begins.
 * @param {(number|null)[]} starts ms @param {(number|null)[]} ends ms @param {number} count
 * @returns {{row: Int16Array, rows: number}} −1: a test whose times are unknown
 */
export function stack(starts, ends, count) {
  const row = new Int16Array(count).fill(-1);
  const order = [];
  for (let i = 0; i < count; i += 1) if (starts[i] !== null && starts[i] !== undefined) order.push(i);
  order.sort((a, b) => starts[a] - starts[b] || a - b);
  const busyUntil = [];
  for (const i of order) {
    let free = busyUntil.findIndex((end) => end <= starts[i]);
    if (free < 0) free = busyUntil.push(0) - 1;
    busyUntil[free] = Math.max(ends[i] ?? starts[i], starts[i]);
    row[i] = free;
  }
  return {row, rows: busyUntil.length};
}

/** @param {number} rows @returns {{pitch: number, passed: number, failed: number, height: number, rows: number}} */
export function bandHeights(rows) {
  const many = Math.max(rows, 1);
  const usual = many === 1 ? ONE_ROW : FEW_ROWS;
  const pitch = Math.min(usual.pitch, MOST_HEIGHT / many);
  const scale = pitch / usual.pitch;
  return {rows: many, pitch, passed: usual.passed * scale, failed: usual.failed * scale, height: pitch * many};
}

/**
 * The rectangle of a test; at least 1 px wide, so that no test vanishes.
 * @param {{at: (ms: number) => number}} scale @param {ReturnType<typeof bandHeights>} heights
 * @param {{start: number, end: number|null, row: number, failed: boolean}} test
 * @returns {{x: number, y: number, width: number, height: number}} y from the top of the bands
 */
export function bandBox(scale, heights, {start, end, row, failed}) {
  const x = scale.at(start);
  const whole = scale.at(end ?? start) - x;
  const width = Math.max(whole > 3 ? whole - GAP : whole, 1);
  const height = failed ? heights.failed : heights.passed;
  return {x, y: row * heights.pitch + (heights.pitch - height) / 2, width, height};
}

/**
 * The test at a point of the bands: the one whose band is under it, else the nearest in the row within `reach` px.
 * @param {{scale: object, heights: object, starts: number[], ends: number[], row: Int16Array}} bands
 * @param {number} x px @param {number} y px from the top of the bands @param {number} [reach]
 * @returns {number} place of the test, −1 without one
 */
export function testUnder({scale, heights, starts, ends, row}, x, y, reach = 3) {
  const inRow = Math.floor(y / heights.pitch);
  let found = -1;
  let nearest = reach;
  for (let i = 0; i < row.length; i += 1) {
    if (row[i] !== inRow) continue;
    const left = scale.at(starts[i]);
    const right = Math.max(scale.at(ends[i] ?? starts[i]), left + 1);
    const away = Math.max(left - x, x - right, 0);
    if (away < nearest || (away === 0 && found < 0)) {
      found = i;
      nearest = away;
    }
  }
  return found;
}

/**
 * The tests that ran at a moment, by row. @param {{starts: number[], ends: number[], row: Int16Array}} bands
 * @param {number} ms @returns {number[]}
 */
export function testsAt({starts, ends, row}, ms) {
  const found = [];
  for (let i = 0; i < row.length; i += 1) {
    if (row[i] >= 0 && starts[i] <= ms && (ends[i] ?? starts[i]) >= ms) found.push(i);
  }
  return found.sort((a, b) => row[a] - row[b]);
}
