import assert from 'node:assert/strict';
import {test} from 'node:test';
import {compareText, frontierOf, steps} from '../../../src/smoltrace/viewer/static/js/model/pareto.js';

const points = (...places) => places.map(([run_id, x, y]) => ({run_id, x, y}));

test('the frontier is what no other run beats in both ways, by rising x', () => {
  assert.deepEqual(frontierOf(points(['dear', 9, 90], ['cheap', 1, 50], ['worse', 5, 40], ['middle', 3, 70])), ['cheap', 'middle', 'dear']);
  assert.deepEqual(frontierOf([]), []);
});

test('of equal success the cheaper one is on the frontier, of equal cost the better one', () => {
  assert.deepEqual(frontierOf(points(['b', 2, 50], ['a', 1, 50])), ['a']);
  assert.deepEqual(frontierOf(points(['a', 1, 40], ['b', 1, 50])), ['b']);
});

test('runs at the same place beat neither and are both on it, by their ids', () => {
  assert.deepEqual(frontierOf(points(['z', 1, 50], ['a', 1, 50], ['c', 2, 60])), ['a', 'z', 'c']);
});

test('a run is on the frontier exactly when none dominates it', () => {
  const some = [];
  let seed = 7;
  const next = () => (seed = (seed * 48271) % 2147483647) % 9;
  for (let i = 0; i < 400; i += 1) some.push({run_id: `r${String(i).padStart(3, '0')}`, x: next(), y: next()});
  const dominated = (one) => some.some((other) => other.x <= one.x && other.y >= one.y && (other.x < one.x || other.y > one.y));
  assert.deepEqual(new Set(frontierOf(some)), new Set(some.filter((one) => !dominated(one)).map((one) => one.run_id)));
});

test('steps go along first and then up, to the end of the axis', () => {
  assert.deepEqual(steps([{x: 1, y: 10}, {x: 4, y: 3}], 9), [[1, 10], [4, 10], [4, 3], [9, 3]]);
  assert.deepEqual(steps([], 9), []);
});

test('texts are ordered by code points, as the server orders them', () => {
  const names = ['\u{1F600}', '\uFF5E', 'b', 'B', 'a', 'ab'];
  assert.deepEqual([...names].sort(compareText), ['B', 'a', 'ab', 'b', '\uFF5E', '\u{1F600}']);
  assert.equal(compareText('same', 'same'), 0);
});
