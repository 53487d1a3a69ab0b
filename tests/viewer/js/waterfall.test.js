import assert from 'node:assert/strict';
import {test} from 'node:test';
import {axisTicks, gapColumns, GAP_WIDTH, timeAxis, timeLabel, timeStep, timeTicks} from '../../../src/smoltrace/viewer/static/js/layout/timeaxis.js';
import {barOf, stretches} from '../../../src/smoltrace/viewer/static/js/layout/waterfall.js';
import {random} from './support/traces.js';

const GAP = [{from: 20_000, to: 60_000}];
const axis = (more = {}) => timeAxis({from: 0, to: 100_000, width: 434, gaps: GAP, ...more});

test('without gaps the axis is even', () => {
  const plain = axis({gaps: []});
  assert.equal(plain.at(50_000), 217);
  assert.equal(plain.invert(217), 50_000);
});

test('a long gap takes a column, the rest shares one scale', () => {
  const short = axis();
  assert.deepEqual(gapColumns(short).map((gap) => [Math.round(gap.x0), Math.round(gap.x1), gap.label]), [[133, 167, '40.0 s']]);
  assert.ok(Math.abs(short.at(10_000) - short.at(0) - (short.at(80_000) - short.at(70_000))) < 1e-9);
  assert.ok(Math.abs(short.at(100_000) - 434) < 1e-9);
});

test('gaps that are hardly wider than a column stay in true time, and there is always room for what is busy', () => {
  assert.equal(gapColumns(axis({gaps: [{from: 0, to: 5_000}]})).length, 0);
  const many = Array.from({length: 9}, (_, i) => ({from: i * 11_000, to: i * 11_000 + 10_000}));
  const columns = gapColumns(timeAxis({from: 0, to: 100_000, width: 200, gaps: many}));
  assert.ok(columns.length * GAP_WIDTH <= 0.4 * 200);
});

test('the zoom cuts gaps at its edges; a view of nothing but a gap is in true time', () => {
  assert.equal(gapColumns(axis({from: 40_000})).length, 1);
  assert.equal(gapColumns(axis({from: 30_000, to: 40_000})).length, 0);
});

test('places grow with time and lead back to it', () => {
  const next = random(9);
  for (let round = 0; round < 200; round++) {
    const gaps = [{from: 10 + next() * 20, to: 40 + next() * 20}, {from: 70, to: 70 + next() * 25}];
    const any = timeAxis({from: next() * 30, to: 60 + next() * 60, width: 100 + next() * 900, gaps});
    let before = -Infinity;
    for (let k = 0; k <= 50; k++) {
      const ms = any.from + ((any.to - any.from) * k) / 50;
      const x = any.at(ms);
      assert.ok(x >= before - 1e-9 && x >= -1e-9 && x <= any.width + 1e-6);
      assert.ok(Math.abs(any.invert(x) - ms) < 1e-6 * any.to + 1e-9);
      before = x;
    }
  }
});

test('ticks stand at round times, in order, apart from each other and from gaps', () => {
  const ticks = axisTicks(axis());
  assert.deepEqual(ticks[0], {x: 0, label: '0 s', anchor: 'start'});
  assert.ok(ticks.length >= 3);
  for (let k = 1; k < ticks.length; k++) assert.ok(ticks[k].x - ticks[k - 1].x >= 20);
  assert.ok(ticks.every((tick) => !(tick.x > 134 && tick.x < 166)));
  assert.ok(axisTicks(timeAxis({from: 0, to: 0, width: 0})).length <= 1);
});

test('a bar crosses a gap dotted', () => {
  const bar = barOf(axis(), 0, 100_000, '100 s');
  assert.deepEqual(bar.solid.map((piece) => piece.map(Math.round)), [[0, 133], [167, 434]]);
  assert.deepEqual(bar.dotted.map((piece) => piece.map(Math.round)), [[133, 167]]);
  assert.equal(bar.label, null);
});

test('words stand on the side that has room, never over a gap', () => {
  assert.equal(barOf(axis({gaps: []}), 0, 10_000, '10.0 s').label?.anchor, 'start');
  assert.equal(barOf(axis({gaps: []}), 80_000, 100_000, '20.0 s').label?.anchor, 'end');
  assert.equal(barOf(axis(), 15_000, 20_000, '5.0 s').label?.anchor, 'end');
  assert.equal(barOf(axis(), 60_000, 65_000, '5.0 s').label?.anchor, 'start');
});

test('bars beyond the zoom say where they lie, those across its edge end in an arrow', () => {
  const zoomed = timeAxis({from: 10_000, to: 20_000, width: 400});
  const before = barOf(zoomed, 0, 5_000, '5.0 s');
  const after = barOf(zoomed, 25_000, 30_000, '5.0 s');
  assert.deepEqual([before.place, before.label?.text, before.cutLeft], ['before', '5.0 s, before the zoom', true]);
  assert.deepEqual([after.place, after.label?.text, after.cutRight], ['after', '5.0 s, after the zoom', true]);
  const across = barOf(zoomed, 0, 15_000, '15.0 s');
  assert.deepEqual([across.cutLeft, across.cutRight, across.x0, across.x1], [true, false, 0, 200]);
});

test('what is too short to see is 2 px wide and within the view', () => {
  for (const at of [0, 50_000, 100_000]) {
    const bar = barOf(axis(), at, at, '0 ms');
    assert.ok(bar.x1 - bar.x0 === 2 && bar.x0 >= 0 && bar.x1 <= 434);
  }
});

test('stretches that touch are one, specks are left out', () => {
  assert.deepEqual(stretches(timeAxis({from: 0, to: 100, width: 100}), [0, 10, 10, 20, 30, 30.2, 90, 200]), [[0, 20], [90, 100]]);
});

test('words stand over a gap only where there is no other place', () => {
  const short = axis({from: 0, to: 66_000});
  const bar = barOf(short, 61_000, 66_000, 'no end recorded');
  assert.equal(bar.label?.anchor, 'end');
});

test('an axis keeps to one unit and to steps that a clock knows', () => {
  assert.deepEqual([700, 12_000, 25_000, 70_000, 1_000_000, 5_000_000, 90_000_000].map(timeStep), [1000, 15_000, 30_000, 120_000, 1_200_000, 7_200_000, 172_800_000]);
  assert.deepEqual([0, 30_000, 90_000].map((ms) => timeLabel(ms, 30_000)), ['0 s', '30 s', '90 s']);
  assert.deepEqual([timeLabel(2.5, 0.5), timeLabel(5_400_000, 1_800_000), timeLabel(7_200_000, 3_600_000)], ['2.5 ms', '90 min', '2 h']);
  assert.deepEqual(timeTicks(100_000, 500, 100), [0, 20_000, 40_000, 60_000, 80_000, 100_000]);
  assert.ok(timeTicks(0, 500, 70).length >= 1);
});
