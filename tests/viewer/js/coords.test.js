import assert from 'node:assert/strict';
import {test} from 'node:test';
import {linear, log, logTicks, niceTicks} from '../../../src/smoltrace/viewer/static/js/layout/coords.js';

test('round ticks within the ends, without binary dust', () => {
  assert.deepEqual(niceTicks(0, 100, 5), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(niceTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(niceTicks(-3, 3, 3), [-2, 0, 2]);
  assert.deepEqual(niceTicks(44, 100, 6), [50, 60, 70, 80, 90, 100]);
  assert.deepEqual(niceTicks(5, 5), [5]);
  assert.deepEqual(niceTicks(NaN, 5), []);
  assert.deepEqual(niceTicks(0, 3e-7, 3), [0, 1e-7, 2e-7, 3e-7]);
});

test('a logarithmic axis has ticks at 1, 2 and 5, full ones at decades', () => {
  assert.deepEqual(logTicks(0.00003, 0.0012).map((tick) => tick.value), [0.00005, 0.0001, 0.0002, 0.0005, 0.001]);
  assert.deepEqual(logTicks(1, 10).map((tick) => tick.decade), [true, false, false, true]);
  assert.deepEqual(logTicks(0, 10), []);
});

test('a linear scale goes there and back', () => {
  const scale = linear([0, 50], [100, 600]);
  assert.equal(scale.at(25), 350);
  assert.equal(scale.invert(350), 25);
  assert.equal(linear([50, 100], [300, 0]).at(100), 0);
  assert.equal(linear([7, 7], [0, 100]).at(7), 50);
  assert.equal(linear([7, 7], [0, 100]).invert(80), 7);
});

test('a logarithmic scale goes there and back, and has no place for nothing', () => {
  const scale = log([0.0001, 1], [0, 400]);
  assert.ok(Math.abs(scale.at(0.01) - 200) < 1e-9);
  assert.ok(Math.abs(scale.invert(200) - 0.01) < 1e-12);
  assert.ok(Number.isNaN(scale.at(0)) && Number.isNaN(scale.at(-3)));
  assert.equal(log([5, 5], [0, 100]).at(5), 50);
});

test('ticks are written by the format that is given', () => {
  const ticks = linear([0, 10], [0, 1], {format: (value, step) => `${value}/${step}`}).ticks(2);
  assert.deepEqual(ticks.map((tick) => tick.label), ['0/5', '5/5', '10/5']);
});

test('where not all ticks have room for words, decades have them, and of many decades some', () => {
  const some = log([0.001, 1000], [0, 400]).ticks(8);
  assert.deepEqual(some.filter((tick) => tick.label).map((tick) => tick.value), [0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  const few = log([1e-6, 1e6], [0, 400]).ticks(5).filter((tick) => tick.label);
  assert.ok(few.length <= 5 && few.length >= 3);
  assert.deepEqual(log([1, 10], [0, 100]).ticks(8).map((tick) => tick.label), ['1', '2', '5', '10']);
});
