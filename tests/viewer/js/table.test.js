import assert from 'node:assert/strict';
import {test} from 'node:test';
import {counted, grouped, sortedRows} from '../../../src/smoltrace/viewer/static/js/model/table.js';

test('what is unknown comes last, whichever way the rest is sorted', () => {
  const rows = [{v: null}, {v: 2}, {v: undefined}, {v: 1}];
  const sorted = (down) => sortedRows(rows, [{value: (row) => row.v, down}]).map((row) => row.v ?? null);
  assert.deepEqual(sorted(false), [1, 2, null, null]);
  assert.deepEqual(sorted(true), [2, 1, null, null]);
});

test('a later order decides where the earlier ones are equal, and equal rows keep their places', () => {
  const rows = [{id: 1, a: 1, b: 'x'}, {id: 2, a: 2, b: 'z'}, {id: 3, a: 1, b: 'y'}, {id: 4, a: 1, b: 'x'}];
  const orders = [{value: (row) => row.a, down: true}, {value: (row) => row.b, down: false}];
  assert.deepEqual(sortedRows(rows, orders).map((row) => row.id), [2, 1, 4, 3]);
});

test('a group stands where its first row stood', () => {
  const rows = [{m: 'b', i: 1}, {m: 'a', i: 2}, {m: 'b', i: 3}];
  const found = grouped(rows, (row) => row.m).map(({row, runs, first}) => [row.i, runs, first]);
  assert.deepEqual(found, [[1, 2, true], [3, 2, false], [2, 1, true]]);
});

test('values are counted, the most frequent first, equal ones by name', () => {
  const rows = [{v: ['b']}, {v: ['a', 'c']}, {v: ['b']}, {v: [null]}];
  assert.deepEqual(counted(rows, (row) => row.v), [{value: 'b', count: 2}, {value: 'a', count: 1}, {value: 'c', count: 1}]);
});
