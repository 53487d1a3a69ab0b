import {test} from 'node:test';
import assert from 'node:assert/strict';
import {bandBox, bandHeights, stack, testsAt, testUnder} from '../../../src/smoltrace/viewer/static/js/layout/bands.js';
import {axisEnd, brushed, bucketAt, bucketX, centredX, lanesBox, laneY, nudged, tagX, tickStep} from '../../../src/smoltrace/viewer/static/js/layout/lanesbox.js';

const scale = {at: (ms) => ms, invert: (px) => px};

test('tests one after the other share one row', () => {
  const {row, rows} = stack([0, 10, 20], [10, 20, 30], 3);
  assert.deepEqual([[...row], rows], [[0, 0, 0], 1]);
});

test('tests side by side are stacked, each in the first free row', () => {
  const {row, rows} = stack([0, 5, 6, 12, 15], [10, 20, 9, 30, 16], 5);
  assert.deepEqual([[...row], rows], [[0, 1, 2, 0, 2], 3]);
});

test('no two tests of a row overlap, whatever the order they come in', () => {
  const starts = Array.from({length: 500}, (_, i) => (i * 7919) % 1000);
  const ends = starts.map((start, i) => start + ((i * 31) % 90));
  const {row, rows} = stack(starts, ends, 500);
  for (let r = 0; r < rows; r += 1) {
    const mine = [...row.keys()].filter((i) => row[i] === r).sort((a, b) => starts[a] - starts[b] || ends[a] - ends[b]);
    mine.slice(1).forEach((i, k) => assert.ok(starts[i] >= ends[mine[k]]));
  }
});

test('a test without times has no row', () => {
  assert.deepEqual([...stack([null, 0, undefined], [null, null, 1], 3).row], [-1, 0, -1]);
});

test('a failed band is higher than a passed one, and many rows stay low', () => {
  for (const rows of [1, 2, 8, 64]) {
    const heights = bandHeights(rows);
    assert.ok(heights.failed > heights.passed && heights.failed <= heights.pitch);
    assert.ok(heights.height <= 96 + 1e-9);
  }
  assert.deepEqual([bandHeights(1).passed, bandHeights(1).failed], [8, 16]);
});

test('a short test is still one px wide and failed ones are centred in their row', () => {
  const heights = bandHeights(1);
  assert.deepEqual(bandBox(scale, heights, {start: 5, end: 5.01, row: 0, failed: true}), {x: 5, y: 1, width: 1, height: 16});
  assert.equal(bandBox(scale, heights, {start: 0, end: 50, row: 0, failed: false}).width, 49);
  assert.equal(bandBox(scale, heights, {start: 7, end: null, row: 0, failed: false}).width, 1);
});

test('the test under the pointer is the one of its row, the nearest within reach', () => {
  const starts = [0, 20, 0];
  const ends = [10, 30, 40];
  const {row} = stack(starts, ends, 3);
  const bands = {scale, heights: bandHeights(2), starts, ends, row};
  assert.equal(testUnder(bands, 5, 2), 0);
  assert.equal(testUnder(bands, 18, 2), 1);
  assert.equal(testUnder(bands, 15, 2), -1);
  assert.equal(testUnder(bands, 5, 14), 2);
  assert.deepEqual(testsAt(bands, 25), [1, 2]);
});

const box = lanesBox({width: 1440, from: 0, to: 1000, lanes: 4, rows: 1, narrow: false});

test('lanes are 46 px high and 8 apart, bands and axis below them on the same time', () => {
  assert.deepEqual(box.lanes.map((lane) => lane.y), [4, 58, 112, 166]);
  assert.ok(box.lanes.every((lane) => lane.height === 46));
  assert.ok(box.bands.y >= 212 && box.axis.y >= box.bands.y + box.bands.heights.height && box.height > box.axis.y);
  assert.ok(box.axis.ticks.every((tick) => tick.x >= box.left && tick.x <= box.right + 1e-6));
});

test('on a phone the plot has the whole width, and without a GPU the bands stand alone', () => {
  const narrow = lanesBox({width: 390, from: 0, to: 1000, lanes: 1, rows: 3, narrow: true});
  assert.ok(narrow.left === 16 && narrow.lanes[0].y > narrow.lanes[0].labelY);
  const alone = lanesBox({width: 1440, from: 0, to: 1000, lanes: 0, rows: 1, narrow: false});
  assert.ok(alone.height < 70 && alone.bands.y >= 0);
});

test('ticks stand at round times', () => {
  assert.equal(tickStep(21 * 60_000, 6), 5 * 60_000);
  assert.equal(tickStep(250_000, 10), 30_000);
  assert.equal(tickStep(4, 4), 1);
  assert.ok(tickStep(1e12, 5) > 240 * 3_600_000);
});

test('the axis of a live run ends at a round time after now, that of a finished one at its end', () => {
  assert.equal(axisEnd(1234, false), 1234);
  assert.equal(axisEnd(0, true), 1000);
  const end = axisEnd(21 * 60_000, true);
  assert.ok(end > 21 * 60_000 && end % 60_000 === 0);
  assert.equal(axisEnd(21.2 * 60_000, true), end);
});

test('values lie between the bottom of the lane and its top', () => {
  assert.equal(laneY({y: 10, height: 46}, 0, 100), 56);
  assert.equal(laneY({y: 10, height: 46}, 100, 100), 11);
  assert.equal(laneY({y: 10, height: 46}, 500, 100), 11);
  assert.equal(laneY({y: 10, height: 46}, 5, null), 56);
});

test('buckets and times are each other’s inverse', () => {
  const asked = {from: 0, to: 1000, width: 100};
  for (const bucket of [0, 42, 99]) assert.equal(bucketAt(asked, box.scale.invert(bucketX(box, asked, bucket))), bucket);
  assert.deepEqual([bucketAt(asked, -1), bucketAt(asked, 1000), bucketAt(asked, 1001)], [-1, 99, -1]);
});

test('tags stay in the strip', () => {
  assert.equal(tagX(box, 100, 60), 107);
  assert.ok(tagX(box, box.right, 120) + 120 <= box.right);
  assert.ok(centredX(box, 0, 200) >= 0 && centredX(box, 1440, 200) + 200 <= 1440);
});

test('a brush goes either way, ends at the axis, and a click is none', () => {
  assert.equal(brushed(box, 300, 301), null);
  const [a, b] = brushed(box, 600, 300);
  assert.ok(a < b);
  assert.deepEqual(brushed(box, -50, 5000), [0, 1000]);
});

test('handles move by keys and stop at each other and at the ends', () => {
  const axis = {from: 0, to: 1000};
  assert.deepEqual(nudged(axis, [0, 1000], 0, 'ArrowRight', false), [10, 1000]);
  assert.deepEqual(nudged(axis, [0, 1000], 1, 'ArrowLeft', true), [0, 900]);
  assert.deepEqual(nudged(axis, [500, 505], 0, 'ArrowRight', false), [504, 505]);
  assert.deepEqual(nudged(axis, [500, 600], 1, 'End', false), [500, 1000]);
  assert.deepEqual(nudged(axis, [500, 600], 0, 'Home', false), [0, 600]);
  assert.equal(nudged(axis, [0, 1000], 0, 'x', false), null);
});
