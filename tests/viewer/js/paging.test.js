import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Pages} from '../../../src/smoltrace/viewer/static/js/model/paging.js';

/** A list of numbers, and answers that come when the test lets them. */
function source(total) {
  const waiting = [];
  const asked = [];
  const load = (offset, limit) => {
    asked.push(offset);
    const rows = Array.from({length: Math.max(0, Math.min(limit, total - offset))}, (_, i) => offset + i);
    return new Promise((resolve, reject) => waiting.push({answer: () => resolve({version: 'v', total, rows}), fail: () => reject(new Error('no'))}));
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    load,
    asked,
    async answer(i = 0) {
      waiting.splice(i, 1)[0].answer();
      await turn();
    },
    async fail() {
      waiting.splice(0, 1)[0].fail();
      await turn();
    },
  };
}

function list(from, events = {}) {
  return new Pages(from.load, {onRows: () => {}, onError: () => {}, size: 10, ...events});
}

test('rows come with their page, and the next page is got before it is in sight', async () => {
  const from = source(95);
  const rows = list(from);
  const ready = rows.reset();
  await from.answer();
  assert.equal((await ready).total, 95);
  assert.equal(rows.rowAt(3), 3);
  assert.equal(rows.rowAt(12), undefined);
  rows.need(8, 13);
  assert.deepEqual(from.asked, [0, 10, 20]);
  await from.answer();
  assert.equal(rows.rowAt(12), 12);
});

test('nothing is asked twice, and nothing after the end', async () => {
  const from = source(25);
  const rows = list(from);
  const ready = rows.reset();
  await from.answer();
  await ready;
  rows.need(10, 25);
  rows.need(10, 25);
  assert.deepEqual(from.asked, [0, 10, 20]);
});

test('an answer to an older question is dropped, however late it comes', async () => {
  const from = source(50);
  const rows = list(from);
  const first = rows.reset();
  const second = rows.reset();
  await from.answer(1);
  assert.equal((await second).total, 50);
  await from.answer();
  assert.equal(await first, null);
  assert.deepEqual(rows.rows(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('the old rows stay until the new ones are there', async () => {
  const from = source(50);
  const rows = list(from);
  const ready = rows.reset();
  await from.answer();
  await ready;
  const again = rows.reset();
  assert.equal(rows.rowAt(5), 5);
  rows.need(10, 20);
  assert.deepEqual(from.asked, [0, 0]);
  await from.answer();
  await again;
});

test('a page that fails is told and asked again when it is needed again', async () => {
  const from = source(50);
  const errors = [];
  const rows = list(from, {onError: (error) => errors.push(error.message)});
  const ready = rows.reset();
  await from.answer();
  await ready;
  rows.need(30, 31);
  await from.fail();
  assert.deepEqual(errors, ['no']);
  rows.need(30, 31);
  assert.deepEqual(from.asked, [0, 30, 40, 30]);
});

test('a first page that fails raises', async () => {
  const from = source(50);
  const rows = list(from);
  const ready = rows.reset();
  await Promise.all([assert.rejects(ready, /no/), from.fail()]);
});

test('rows take new values in their places, and nothing moves under the reader', async () => {
  const kept = {total: 12, state: 'running', shift: 0};
  const load = async (offset, limit) => ({version: 'v', total: kept.total, rows: Array.from({length: Math.min(limit, kept.total - offset)}, (_, i) => ({id: offset + i + kept.shift, state: kept.state}))});
  const rows = list({load});
  const keyOf = (row) => String(row.id);
  await rows.reset();
  kept.state = 'completed';
  assert.deepEqual(await rows.renew(keyOf), {moved: false, more: 0});
  assert.deepEqual(rows.rowAt(3), {id: 3, state: 'completed'});
  Object.assign(kept, {total: 14, shift: 1});
  assert.deepEqual(await rows.renew(keyOf), {moved: true, more: 2});
  assert.equal(rows.rowAt(3).id, 3);
});
