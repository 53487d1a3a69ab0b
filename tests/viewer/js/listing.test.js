import assert from 'node:assert/strict';
import {test} from 'node:test';
import {found, nextSort, sorted, toggled} from '../../../src/smoltrace/viewer/static/js/model/listing.js';
import {oneAtATime} from '../../../src/smoltrace/viewer/static/js/model/once.js';

test('what is not known comes last, up and down, and equal ones keep their order', () => {
  const values = [3, null, 1, 3, undefined, 2];
  const all = [0, 1, 2, 3, 4, 5];
  assert.deepEqual(sorted(all, (index) => values[index]), [2, 5, 0, 3, 1, 4]);
  assert.deepEqual(sorted(all, (index) => values[index], true), [0, 3, 5, 2, 1, 4]);
});

test('every word must be somewhere in the row', () => {
  const columns = [['Sum the invoices', 'Convert currency', null], ['tool', 'code', 'tool']];
  assert.deepEqual(found(3, columns, ''), [0, 1, 2]);
  assert.deepEqual(found(3, columns, 'TOOL sum'), [0]);
  assert.deepEqual(found(3, columns, 'tool currency'), []);
});

test('a second press turns the order round', () => {
  assert.equal(nextSort('', 'cost'), '-cost');
  assert.equal(nextSort('-cost', 'cost'), 'cost');
  assert.equal(nextSort('-cost', 'model', false), 'model');
  assert.equal(nextSort('model', 'model', false), '-model');
});

test('a value is put behind the others, or taken out', () => {
  assert.deepEqual(toggled(['a', 'b'], 'a'), ['b']);
  assert.deepEqual(toggled(['a'], 'b'), ['a', 'b']);
});

test('work that is asked for while it goes on is done once more at its end, never beside itself', async () => {
  const ends = [];
  let done = 0;
  const work = oneAtATime(() => new Promise((resolve) => ends.push(() => resolve((done += 1)))));
  const first = work();
  void work();
  void work();
  assert.equal(ends.length, 1);
  ends[0]();
  await Promise.resolve();
  await new Promise(setImmediate);
  assert.equal(ends.length, 2);
  ends[1]();
  await first;
  assert.deepEqual([done, ends.length], [2, 2]);
});
