import { test } from 'node:test';
import assert from 'node:assert/strict';
import { dotScale, pointOf } from '../../../src/smoltrace/viewer/static/js/layout/dots.js';
import { bracket, matrixColumns, stripLayout } from '../../../src/smoltrace/viewer/static/js/layout/matrix.js';
import { metricGrid } from '../../../src/smoltrace/viewer/static/js/layout/metricgrid.js';
import { caseRows, categoriesOf, cellWords, countCases, filterCases } from '../../../src/smoltrace/viewer/static/js/model/cases.js';
import { matchTests } from '../../../src/smoltrace/viewer/static/js/model/match.js';
import { run } from './support/runs.js';

const rowsOf = (...runs) => caseRows(matchTests(runs), runs);
const keys = (rows) => rows.map((row) => row.testId);

const FIRST = run([
  { id: 'agree', more: { category: 'easy' } },
  { id: 'lost', more: { prompt: 'Sum the invoices', category: 'hard' } },
  { id: 'none', success: false },
  { id: 'won', success: false },
  { id: 'alone' },
]);
const SECOND = run([{ id: 'won' }, { id: 'none', success: false, more: { error_type: 'max_steps' } }, { id: 'lost', success: false }, { id: 'agree' }]);

test('disagreements come first, then what all failed, what all passed, and what is not in every run', () => {
  const rows = rowsOf(FIRST, SECOND);
  assert.deepEqual(rows.map((row) => [row.testId, row.group]), [['lost', 'disagree'], ['won', 'disagree'], ['none', 'failed'], ['agree', 'passed'], ['alone', 'partial']]);
  assert.deepEqual(rows.map((row) => [row.regressed, row.improved]), [[true, false], [false, true], [false, false], [false, false], [false, false]]);
});

test('filters keep what their counts say', () => {
  const rows = rowsOf(FIRST, SECOND);
  const counts = countCases(rows);
  for (const show of ['all', 'disagree', 'regressed', 'improved', 'failed']) assert.equal(filterCases(rows, { show }).length, counts[show], show);
  assert.deepEqual([counts.all, counts.disagree, counts.passed, counts.partial], [5, 2, 1, 1]);
  assert.deepEqual(keys(filterCases(rows, { q: 'INVOICES  hard' })), ['lost']);
  assert.deepEqual(keys(filterCases(rows, { category: 'easy' })), ['agree']);
  assert.deepEqual(categoriesOf(rows), [{ value: 'easy', count: 1 }, { value: 'hard', count: 1 }]);
});

test('a cell tells its attempts, those that all runs have', () => {
  const attempts = (...outcomes) => run(outcomes.map((success, i) => ({ id: 'a', attempt: i + 1, success })));
  const [row] = rowsOf(attempts(true, false, true), attempts(false, false));
  assert.deepEqual(row.cells.map(cellWords), ['1 of 2 attempts passed', 'failed, all 2 attempts']);
  assert.deepEqual(rowsOf(FIRST, SECOND)[2].cells.map(cellWords), ['failed', 'failed: max steps']);
  assert.deepEqual(rowsOf(FIRST, SECOND)[4].cells.map(cellWords), ['passed', 'not in this run']);
});

test('what was not judged is neither passed nor failed', () => {
  const [row] = rowsOf(run([{ id: 'a' }]), run([{ id: 'a', more: { success: null } }]));
  assert.deepEqual([row.group, row.cells[1].state, row.regressed], ['partial', 'unknown', false]);
});

test('the strip has a mark for each test, failures higher, and finds a test by its place', () => {
  const cells = (states) => states.map((state) => ({ state }));
  const strip = stripLayout([cells(['passed', 'failed', 'missing']), cells(['failed', 'passed', 'passed'])], 300);
  assert.equal(strip.per, 1);
  assert.equal(strip.marks.length, 5);
  assert.ok(strip.marks.find((mark) => mark.state === 'failed').height > strip.marks.find((mark) => mark.state === 'passed').height);
  for (let i = 0; i < 3; i += 1) assert.equal(strip.index(strip.at(i) + 1), i);
  assert.deepEqual([strip.index(-50), strip.index(9999)], [0, 2]);
});

test('more tests than there is room for are joined, and no failure is lost', () => {
  const cells = Array.from({ length: 5000 }, (_, i) => ({ state: i === 4321 ? 'failed' : 'passed' }));
  const strip = stripLayout([cells], 400);
  assert.ok(strip.per >= 25 && strip.marks.length <= 200);
  const failed = strip.marks.filter((mark) => mark.state === 'failed');
  assert.equal(failed.length, 1);
  assert.ok(Math.abs(failed[0].x - strip.at(4321)) <= 2.1);
  assert.ok(strip.marks.at(-1).x + strip.marks.at(-1).width <= 400.5);
});

test('the bracket is where the rows in sight are, and not there when all are', () => {
  const strip = stripLayout([Array.from({ length: 100 }, () => ({ state: 'passed' }))], 500);
  assert.equal(bracket(strip, 0, 100, 100), null);
  const found = bracket(strip, 10, 30, 100);
  assert.deepEqual([found.x, found.width], [strip.at(10), strip.at(30) - strip.at(10)]);
});

test('the matrix leaves out what has no room, never the tests or the runs', () => {
  const wide = matrixColumns(1440, 3, true);
  const panel = matrixColumns(576, 3, true);
  const phone = matrixColumns(390, 3, true);
  assert.deepEqual([wide.task, wide.category > 0, panel.task, phone.category], [true, true, false, 0]);
  assert.ok(phone.test + phone.agent + 3 * phone.run + 24 <= 390);
  assert.ok(matrixColumns(390, 10, false).run >= 56);
});

test('zero is in the middle, all runs share one scale, and × 2 lies as far as × ½', () => {
  const found = (difference, interval, ratio = null, ratioInterval = null) => ({ difference, interval, ratio, ratioInterval });
  const points = [pointOf(found(1, [-1, 3]), false), pointOf(found(-2, [-4, 0]), false), pointOf(found(null, null), false)];
  const place = dotScale(points, 110);
  assert.deepEqual(points[2], null);
  assert.equal(place(points[0]).zero, 55);
  assert.deepEqual([place(points[1]).low, place(points[0]).x > 55, place(points[1]).high], [5, true, 55]);
  const ratios = [2, 0.5].map((ratio) => pointOf(found(0, null, ratio, [ratio, ratio]), true));
  const scale = dotScale(ratios, 100);
  assert.ok(Math.abs(scale(ratios[0]).x - 50 - (50 - scale(ratios[1]).x)) < 1e-9);
  assert.equal(dotScale([null], 100)({ value: 0, low: 0, high: 0 }).x, 50);
});

test('comparisons stand on one line where there is room, on two where there is less, one above the other on a phone', () => {
  assert.deepEqual([metricGrid(1440, 1).form, metricGrid(1440, 2).form, metricGrid(1440, 4).form, metricGrid(390, 2).form], ['wide', 'wide', 'narrow', 'stacked']);
  for (const [width, others] of [[1440, 2], [1440, 9], [1000, 1], [768, 2], [390, 3]]) {
    const grid = metricGrid(width, others);
    assert.ok(grid.plot >= 72 && grid.total >= Math.min(width, 700) - others, `${width} ${others}`);
  }
});
