import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gridTemplate, tableWidth} from '../../../src/smoltrace/viewer/static/js/layout/columns.js';
import {MAX_HEIGHT, rowsWindow, scrollTopFor} from '../../../src/smoltrace/viewer/static/js/layout/rows.js';

test('only rows in sight and a few more are in the window', () => {
  const view = rowsWindow({count: 100_000, rowHeight: 36, scrollTop: 36_000, viewport: 720, overscan: 8});
  assert.deepEqual(view, {first: 992, last: 1028, offset: 992 * 36, height: 3_600_000, scale: 1});
});

test('the window ends where the table ends', () => {
  assert.deepEqual(rowsWindow({count: 3, rowHeight: 30, scrollTop: 0, viewport: 600}), {first: 0, last: 3, offset: 0, height: 90, scale: 1});
  assert.equal(rowsWindow({count: 0, rowHeight: 30, scrollTop: 500, viewport: 600}).last, 0);
  const beyond = rowsWindow({count: 50, rowHeight: 30, scrollTop: 1e9, viewport: 300});
  assert.deepEqual([beyond.first, beyond.last], [32, 50]);
});

test('a table higher than a browser can be is scrolled faster, and its last row is reached', () => {
  const table = {count: 2_000_000, rowHeight: 30, viewport: 600, overscan: 0};
  const end = rowsWindow({...table, scrollTop: MAX_HEIGHT - 600});
  assert.equal(end.height, MAX_HEIGHT);
  assert.equal(end.last, table.count);
  // The last row's lower edge is the body's lower edge.
  assert.ok(Math.abs(end.offset + (end.last - end.first) * 30 - MAX_HEIGHT) < 1);
  const start = rowsWindow({...table, scrollTop: 0});
  assert.deepEqual([start.first, start.offset], [0, 0]);
});

test('every row is in sight at some place of a table that is scaled', () => {
  const table = {count: 1_000_000, rowHeight: 36, viewport: 700};
  for (const index of [0, 1, 17, 499_999, 999_998, 999_999]) {
    const scrollTop = scrollTopFor({...table, scrollTop: 4_000_000, index});
    const view = rowsWindow({...table, scrollTop, overscan: 0});
    const top = view.offset + (index - view.first) * 36;
    assert.ok(view.first <= index && index < view.last, `row ${index} is in ${view.first}–${view.last}`);
    assert.ok(top >= scrollTop - 1 && top + 36 <= scrollTop + 700 + 1, `row ${index} stands at ${top - scrollTop}`);
  }
});

test('a row that is in sight moves nothing', () => {
  const table = {count: 1000, rowHeight: 30, viewport: 300, scrollTop: 3000};
  assert.equal(scrollTopFor({...table, index: 105}), 3000);
  assert.equal(scrollTopFor({...table, index: 99}), 2970);
  assert.equal(scrollTopFor({...table, index: 110}), 3030);
  assert.equal(scrollTopFor({...table, index: -5}), 0);
  assert.equal(scrollTopFor({...table, index: 5000}), 1000 * 30 - 300);
});

test('columns in px are fixed, others share the rest and keep a least width', () => {
  const columns = [{width: 36}, {width: '120px'}, {width: '2fr', min: 80}, {}, {width: 'minmax(150px, 3fr)'}];
  assert.equal(gridTemplate(columns), '36px 120px minmax(80px, 2fr) minmax(96px, 1fr) minmax(150px, 3fr)');
  assert.equal(tableWidth(columns), 36 + 120 + 80 + 96 + 150);
});
