import assert from 'node:assert/strict';
import {test} from 'node:test';
import {found, nextSort, sorted, toggled} from '../../../src/smoltrace/viewer/static/js/model/listing.js';
import {oneAtATime} from '../../../src/smoltrace/viewer/static/js/model/once.js';
import {pagedRows} from '../../../src/smoltrace/viewer/static/js/model/paging.js';

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

/** A list of so many rows that answers when it is told to. @param {{total: number}} list */
function server(list) {
  const asked = [];
  const heard = [];
  const rows = pagedRows({
    size: 10,
    load: async (offset, limit) => {
      asked.push(offset);
      return {total: list.total, rows: Array.from({length: Math.max(Math.min(limit, list.total - offset), 0)}, (_, index) => ({id: offset + index + (list.shift ?? 0), state: list.state}))};
    },
    onRows: () => heard.push('rows'),
    onError: (error) => heard.push(error),
  });
  return {rows, asked, heard};
}

test('pages are asked for once, as they come in sight', async () => {
  const {rows, asked} = server({total: 95});
  await rows.restart();
  rows.need(5, 25);
  rows.need(8, 25);
  await new Promise(setImmediate);
  assert.deepEqual([asked, rows.count(), rows.at(19).id, rows.at(30)], [[0, 10, 20], 95, 19, undefined]);
});

test('answers to an older question are forgotten', async () => {
  /** @type {((answer: any) => void)[]} */
  const waiting = [];
  const rows = pagedRows({size: 2, load: () => new Promise((done) => waiting.push(done)), onRows: () => {}, onError: () => {}});
  const first = rows.restart();
  const second = rows.restart();
  waiting[1]({total: 1, rows: ['new']});
  waiting[0]({total: 2, rows: ['old', 'old']});
  await Promise.all([first, second]);
  assert.deepEqual([rows.count(), rows.at(0)], [1, 'new']);
});

test('a page that failed is asked for again', async () => {
  let fail = true;
  const heard = [];
  const rows = pagedRows({
    size: 2,
    load: async () => {
      if (fail) throw new Error('no');
      return {total: 1, rows: ['row']};
    },
    onRows: () => {},
    onError: (error) => heard.push(error.message),
  });
  await rows.restart();
  fail = false;
  rows.need(0, 1);
  await new Promise(setImmediate);
  assert.deepEqual([heard, rows.at(0)], [['no'], 'row']);
});

test('rows take new values in their places, and nothing moves under the reader', async () => {
  const list = {total: 12, state: 'running', shift: 0};
  const {rows} = server(list);
  await rows.restart();
  list.state = 'completed';
  assert.deepEqual(await rows.renew((row) => String(row.id)), {moved: false, more: 0});
  assert.deepEqual(rows.at(3), {id: 3, state: 'completed'});
  list.total = 14;
  list.shift = 1;
  assert.deepEqual(await rows.renew((row) => String(row.id)), {moved: true, more: 2});
  assert.equal(rows.at(3).id, 3);
});
