import assert from 'node:assert/strict';
import {test} from 'node:test';
import {idleGaps, idleTotal} from '../../../src/smoltrace/viewer/static/js/model/gaps.js';
import {buildTree} from '../../../src/smoltrace/viewer/static/js/model/tree.js';
import {spansOf} from './support/traces.js';

const gapsOf = (spans, kinds, least) => idleGaps(buildTree(spansOf(spans)), kinds, least);

test('between the steps of an agent nothing is at work', () => {
  const gaps = gapsOf([[-1, 0, 1000], [0, 0, 200], [0, 700, 1000]], ['agent', 'step', 'step']);
  assert.deepEqual(gaps, [{from: 200, to: 700}]);
  assert.equal(idleTotal(gaps), 500);
});

test('a step or a tool is at work even where nothing below it is', () => {
  assert.deepEqual(gapsOf([[-1, 0, 1000], [0, 0, 1000], [1, 0, 300]], ['agent', 'step', 'chat']), []);
});

test('an agent without any span below it is at work', () => {
  assert.deepEqual(gapsOf([[-1, 0, 1000]], ['agent']), []);
});

test('overlapping work leaves a gap only where none of it runs', () => {
  const kinds = ['other', 'chat', 'tool', 'tool', 'tool'];
  assert.deepEqual(gapsOf([[-1, 0, 2000], [0, 0, 900], [0, 100, 400], [0, 800, 1200], [0, 1700, 1800]], kinds), [
    {from: 1200, to: 1700},
    {from: 1800, to: 2000},
  ]);
});

test('short pauses are no gaps', () => {
  assert.deepEqual(gapsOf([[-1, 0, 300], [0, 0, 100], [0, 150, 300]], ['agent', 'step', 'step']), []);
});

test('orphans work too, and spans may come in any order', () => {
  assert.deepEqual(gapsOf([[-2, 600, 1000], [-1, 0, 1000], [1, 0, 200]], ['chat', 'agent', 'step']), [{from: 200, to: 600}]);
});
