import {test} from 'node:test';
import assert from 'node:assert/strict';
import {testFeed} from '../../../src/smoltrace/viewer/static/js/model/runfeed.js';

/** A journal that grows, served in pages of three. */
function journal(size) {
  const rows = Array.from({length: size}, (_, i) => `t${i}`);
  const page = async (start) => {
    const uids = rows.slice(start, start + 3);
    return {next: start + 3 < rows.length ? start + 3 : null, count: uids.length, columns: {test_case_uid: uids, energy: uids.map(() => rows.energy ?? null)}};
  };
  return {rows, page};
}

test('the first reading takes every page there is', async () => {
  const {page} = journal(10);
  let told = 0;
  const feed = testFeed({page, onChange: () => (told += 1)});
  await feed.read();
  assert.deepEqual([feed.tests.count, feed.waiting(), feed.tests.columns.test_case_uid[9]], [10, 0, 't9']);
  assert.ok(told >= 4);
});

test('what comes later waits until it is taken', async () => {
  const {rows, page} = journal(4);
  const feed = testFeed({page, onChange: () => {}});
  await feed.read();
  rows.push('t4', 't5');
  await feed.read();
  assert.deepEqual([feed.tests.count, feed.waiting(), feed.all.count], [4, 2, 6]);
  rows.push('t6');
  await feed.read();
  assert.deepEqual([feed.tests.count, feed.waiting()], [4, 3]);
  feed.take();
  assert.deepEqual([feed.tests.count, feed.waiting()], [7, 0]);
  assert.deepEqual(feed.tests.columns.test_case_uid, ['t0', 't1', 't2', 't3', 't4', 't5', 't6']);
});

test('readings at the same time read nothing twice', async () => {
  const {rows, page} = journal(7);
  const feed = testFeed({page, onChange: () => {}});
  await Promise.all([feed.read(), feed.read(), feed.read()]);
  rows.push('t7');
  await Promise.all([feed.read(), feed.read()]);
  assert.deepEqual([feed.tests.count, feed.waiting()], [7, 1]);
});

test('settling renews what is shown and what waits, and moves nothing', async () => {
  const {rows, page} = journal(5);
  const feed = testFeed({page, onChange: () => {}});
  await feed.read();
  rows.push('t5');
  rows.energy = 0.5;
  await feed.settle();
  assert.deepEqual([feed.tests.count, feed.waiting()], [5, 1]);
  assert.deepEqual(feed.all.columns.energy, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
});

test('a page that cannot be had leaves what is there', async () => {
  const {rows, page} = journal(2);
  let broken = false;
  const feed = testFeed({page: (start) => (broken ? Promise.reject(new Error('gone')) : page(start)), onChange: () => {}});
  await feed.read();
  broken = true;
  rows.push('t2');
  await assert.rejects(feed.read(), /gone/);
  broken = false;
  await feed.read();
  assert.deepEqual([feed.tests.count, feed.waiting(), feed.reading()], [2, 1, false]);
});
