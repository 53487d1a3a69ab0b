import {test} from 'node:test';
import assert from 'node:assert/strict';
import {classLabel, failureClass, groupOf, histogram} from '../../../src/smoltrace/viewer/static/js/model/failures.js';

const of = (success, status, error_type = null) => failureClass({success, status, error_type});

test('a failed test has the class of its error, and without one it gave a wrong answer', () => {
  assert.equal(of(true, 'completed'), null);
  assert.equal(of(false, 'failed'), 'wrong_answer');
  assert.equal(of(false, 'error', 'tool_error'), 'tool_error');
  assert.equal(of(false, 'timeout'), 'timeout');
  assert.equal(of(false, 'limit'), 'limit');
  assert.equal(of(false, 'completed'), 'wrong_answer');
});

test('a test that nothing judged has not failed, one with an error has', () => {
  assert.equal(of(null, 'completed'), null);
  assert.equal(of(null, 'error', 'auth'), 'auth');
});

test('classes are named in words, unknown ones by their own name', () => {
  assert.equal(classLabel('max_steps'), 'Max steps reached');
  assert.equal(classLabel('gpu_fell_off'), 'Gpu fell off');
  assert.equal(classLabel('constructor'), 'Constructor');
  assert.equal(classLabel(null), null);
});

const tests = {
  count: 6,
  columns: {
    success: [true, false, false, false, true, false],
    status: ['completed', 'failed', 'error', 'failed', 'completed', 'timeout'],
    error_type: [null, null, 'tool_error', null, null, 'timeout'],
    category: ['time', 'time', 'weather', null, 'weather', null],
  },
};

test('the histogram counts failed tests by class, most first', () => {
  const {bars, failed, of: all} = histogram(tests, 'error');
  assert.deepEqual(bars.map((bar) => [bar.value, bar.count]), [['wrong_answer', 2], ['timeout', 1], ['tool_error', 1]]);
  assert.deepEqual([failed, all], [4, 6]);
});

test('by category each bar tells how many tests the category has', () => {
  const {bars} = histogram(tests, 'category');
  assert.deepEqual(bars.map((bar) => [bar.label, bar.count, bar.of]), [['no category', 2, 2], ['time', 1, 2], ['weather', 1, 2]]);
});

test('only the tests asked for are counted', () => {
  const {bars, failed, of: all} = histogram(tests, 'status', [0, 1, 2]);
  assert.deepEqual(bars.map((bar) => [bar.value, bar.count]), [['error', 1], ['failed', 1]]);
  assert.deepEqual([failed, all], [2, 3]);
});

test('what was chosen keeps its bar when nothing is left of it', () => {
  const {bars} = histogram(tests, 'error', [0, 4], ['timeout', 'gone']);
  assert.deepEqual(bars.map((bar) => [bar.value, bar.count, bar.of]), [['gone', 0, 0], ['timeout', 0, 0]]);
});

test('columns that are not there are unknown', () => {
  assert.equal(groupOf({}, 0, 'status'), null);
  assert.equal(histogram({count: 0, columns: {}}, 'error').bars.length, 0);
});
