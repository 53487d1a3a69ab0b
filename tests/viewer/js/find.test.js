import assert from 'node:assert/strict';
import {test} from 'node:test';
import {finder, marked, matcher, nextMatch, spanLabel} from '../../../src/smoltrace/viewer/static/js/model/find.js';
import {buildTree} from '../../../src/smoltrace/viewer/static/js/model/tree.js';
import {spansOf} from './support/traces.js';

function traced() {
  const spans = spansOf([[-1, 0, 9], [0, 5, 6], [0, 1, 2]], {
    name: ['invoke_agent CodeAgent', 'execute_tool convert', 'chat org/model'],
    error: [null, 'KeyError', null],
    model: [null, null, 'org/model'],
  });
  const tree = buildTree(spans);
  return {tree, search: finder(tree, (node) => ['CodeAgent', 'convert', 'org/model'][node], spans.columns)};
}

test('names, models and errors match without regard to case, from top to bottom', () => {
  const {search} = traced();
  assert.deepEqual(search.find('CONVERT'), [1]);
  assert.deepEqual(search.find('keyerr'), [1]);
  assert.deepEqual(search.find('o'), [0, 2, 1]);
  assert.deepEqual(search.find('  '), []);
  assert.deepEqual(search.find('nowhere'), []);
});

test('what was loaded is found too', () => {
  const {search} = traced();
  assert.deepEqual(search.find('invoices.csv'), []);
  search.add(2, 'Sum the open invoices in invoices.csv');
  assert.deepEqual(search.find('invoices.csv'), [2]);
  assert.equal(search.loaded(), 1);
});

test('the signs of patterns are plain text', () => {
  const {search} = traced();
  search.add(1, 'f(x) = [a.b*]');
  assert.deepEqual(search.find('[a.b*]'), [1]);
  assert.deepEqual(search.find('.*'), []);
});

test('next and previous go round', () => {
  const {tree} = traced();
  const found = [2, 1];
  assert.deepEqual([nextMatch(tree, found, null, 1), nextMatch(tree, found, 2, 1), nextMatch(tree, found, 1, 1)], [0, 1, 0]);
  assert.deepEqual([nextMatch(tree, found, 1, -1), nextMatch(tree, found, 0, -1), nextMatch(tree, [], 0, 1)], [0, 1, -1]);
});

test('marks keep every character of the text', () => {
  const pieces = marked('İstanbul, ISTANBUL \ud800 istanbul', matcher('istanbul'));
  assert.equal(pieces.map((piece) => piece.text).join(''), 'İstanbul, ISTANBUL \ud800 istanbul');
  assert.deepEqual(pieces.filter((piece) => piece.hit).map((piece) => piece.text), ['ISTANBUL', 'istanbul']);
  assert.deepEqual(marked('abc', null), [{text: 'abc', hit: false}]);
});

test('a million matches are not a million marks', () => {
  const pieces = marked('a'.repeat(1_000_000), matcher('a'));
  assert.ok(pieces.length < 5_000);
  assert.equal(pieces.reduce((sum, piece) => sum + piece.text.length, 0), 1_000_000);
});

test('a label leaves out what the mark of the kind says already', () => {
  assert.equal(spanLabel('chat acme/x', 'chat', null, 'x'), 'x')
  assert.equal(spanLabel('call', 'chat', null, 'org/'), 'org');
  assert.equal(spanLabel('execute_tool add', 'tool', 'add', null), 'add');
  assert.equal(spanLabel('invoke_agent CodeAgent', 'agent', null, null), 'CodeAgent');
  assert.equal(spanLabel('step 3', 'step', null, null), 'Step 3');
  assert.equal(spanLabel('test t', 'other', null, null), 'test t');
});
