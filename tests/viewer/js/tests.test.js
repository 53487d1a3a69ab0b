import {test} from 'node:test';
import assert from 'node:assert/strict';
import {addPage, matching, noTests, outcome, placeOf, renew, SORT_NAMES, sorted, testAt} from '../../../src/smoltrace/viewer/static/js/model/tests.js';

function page(rows) {
  const names = ['test_case_uid', 'test_id', 'agent_type', 'attempt', 'category', 'difficulty', 'status', 'success', 'error_type', 'error', 'prompt',
    'expected', 'response', 'steps', 'llm_calls', 'gen_ai.usage.total_tokens', 'gen_ai.usage.cost.total', 'gpu_energy_wh', 'co2_emissions_g',
    'execution_time_ms', 'tools_used', '_start_ms', '_end_ms', '_cost', '_energy'];
  return {count: rows.length, columns: Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)]))};
}

function sample() {
  const tests = noTests();
  addPage(tests, page([
    {test_case_uid: 'a', test_id: 'paris', success: true, status: 'completed', category: 'weather', difficulty: 'hard', prompt: 'Weather in Paris?', steps: 2, 'gen_ai.usage.total_tokens': 900, _cost: {value: 0.2}, _start_ms: 0, _end_ms: 100},
    {test_case_uid: 'b', test_id: 'rome', success: false, status: 'failed', category: 'weather', difficulty: 'easy', response: 'Turin', steps: 3, _cost: {value: null}, _start_ms: 50, _end_ms: 250},
  ]));
  addPage(tests, page([
    {test_case_uid: 'c', test_id: 'sum-10', success: false, status: 'error', error_type: 'tool_error', error: 'ZeroDivisionError', difficulty: 'medium', steps: 1, 'gen_ai.usage.total_tokens': 10, _cost: {value: 0.1}, _start_ms: 250, _end_ms: 300},
    {test_case_uid: 'd', test_id: 'sum-9', success: true, status: 'completed', category: 'time', steps: 1, 'gen_ai.usage.total_tokens': 10, _cost: {value: 0.3}},
  ]));
  return tests;
}

const uids = (tests, places) => places.map((i) => tests.columns.test_case_uid[i]).join('');
const found = (filter) => { const tests = sample(); return uids(tests, matching(tests, filter)); };

test('pages are added behind each other', () => {
  const tests = sample();
  assert.equal(tests.count, 4);
  assert.deepEqual([testAt(tests, 2).test_id, testAt(tests, 2)._place, placeOf(tests, 'd')], ['sum-10', 2, 3]);
  assert.equal(testAt(tests, 4), undefined);
  assert.equal(testAt(tests, -1), undefined);
  assert.equal(placeOf(noTests(), 'a'), -1);
});

test('a column that only one page has is null for the tests of the other', () => {
  const tests = noTests();
  addPage(tests, {count: 1, columns: {test_id: ['x'], old: [1]}});
  addPage(tests, {count: 1, columns: {test_id: ['y'], fresh: [2]}});
  assert.deepEqual(tests.columns, {test_id: ['x', 'y'], old: [1, null], fresh: [null, 2]});
});

test('renewing changes values in their places and adds no test', () => {
  const tests = sample();
  renew(tests, {count: 2, columns: {test_case_uid: ['c', 'new'], gpu_energy_wh: [0.5, 9]}});
  assert.equal(tests.count, 4);
  assert.deepEqual(tests.columns.gpu_energy_wh, [null, null, 0.5, null]);
  assert.equal(tests.columns.test_id[2], 'sum-10');
});

test('outcome and class filter', () => {
  assert.equal(found({}), 'abcd');
  assert.equal(found({success: 'passed'}), 'ad');
  assert.equal(found({success: 'failed'}), 'bc');
  assert.equal(found({error: ['wrong_answer']}), 'b');
  assert.equal(found({error: ['wrong_answer', 'tool_error']}), 'bc');
  assert.equal(found({status: ['error']}), 'c');
  assert.equal(found({category: ['no category', 'time']}), 'cd');
});

test('every word of a search must be somewhere in the test, in any case of letters', () => {
  assert.equal(found({q: 'WEATHER'}), 'ab');
  assert.equal(found({q: 'weather turin'}), 'b');
  assert.equal(found({q: 'zerodiv'}), 'c');
  assert.equal(found({q: 'paris turin'}), '');
});

test('a window of time lets through what ran in it, and nothing whose time is unknown', () => {
  assert.equal(found({from: 0, to: 60}), 'ab');
  assert.equal(found({from: 100, to: 250}), 'b');
  assert.equal(found({from: 250, to: null}), 'c');
  assert.equal(found({from: null, to: 1e9}), 'abc');
});

test('sorting puts unknown values last whichever way', () => {
  const tests = sample();
  const by = (sort) => uids(tests, sorted(tests, [0, 1, 2, 3], sort));
  assert.equal(by('cost'), 'cadb');
  assert.equal(by('-cost'), 'dacb');
  assert.equal(by('tokens'), 'cdab');
  assert.equal(by('-tokens'), 'acdb');
  assert.equal(by('difficulty'), 'bcad');
});

test('names with numbers are sorted as people count, and unknown sorts keep the journal’s order', () => {
  const tests = sample();
  assert.equal(uids(tests, sorted(tests, [2, 3], 'test')), 'dc');
  assert.equal(uids(tests, sorted(tests, [3, 1], 'toString')), 'db');
  assert.equal(uids(tests, sorted(tests, [0, 1, 2, 3], '')), 'abcd');
});

test('failures come first or last by status', () => {
  const tests = sample();
  assert.equal(uids(tests, sorted(tests, [0, 1, 2, 3], 'status')), 'adbc');
  assert.equal(uids(tests, sorted(tests, [0, 1, 2, 3], '-status')), 'cbad');
});

test('every sort name sorts, without any column too', () => {
  const tests = sample();
  for (const name of SORT_NAMES) assert.equal(sorted(tests, [0, 1, 2, 3], `-${name}`).length, 4);
});

test('passed and failed are counted', () => {
  const tests = sample();
  assert.deepEqual(outcome(tests, [0, 1, 2]), {all: 3, passed: 1, failed: 2});
});
