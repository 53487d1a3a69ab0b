import assert from 'node:assert/strict';
import {test} from 'node:test';
import {buildTree, within, ancestors} from '../../../src/smoltrace/viewer/static/js/model/tree.js';
import {rollUps} from '../../../src/smoltrace/viewer/static/js/model/rollup.js';
import {foldText, MOST_SINGLE_FOLDS, openingLevel, readFolds, reveal, unfolded, visibleRows} from '../../../src/smoltrace/viewer/static/js/model/folds.js';
import {random, spansOf} from './support/traces.js';

const rows = (tree, open) => [...visibleRows(tree, open)];

test('spans come parents first and siblings by start, whatever order they arrive in', () => {
  const tree = buildTree(spansOf([[2, 50, 60], [2, 10, 20], [-1, 0, 100]]));
  assert.deepEqual([...tree.order], [2, 1, 0]);
  assert.deepEqual([...tree.depth], [1, 1, 0]);
  assert.deepEqual([...tree.size], [1, 1, 3]);
  assert.deepEqual(ancestors(tree, 0), [2]);
  assert.ok(within(tree, 0, 2) && !within(tree, 2, 0));
});

test('times count from the first span, ends never lie before starts', () => {
  const tree = buildTree(spansOf([[-1, 1000, 1100], [0, 1050, 1040]]));
  assert.deepEqual([tree.zero, tree.length], [1000, 100]);
  assert.deepEqual([...tree.start], [0, 50]);
  assert.deepEqual([...tree.end], [100, 50]);
});

test('a span without an end lasts as long as its parent, or to the last known moment', () => {
  const tree = buildTree(spansOf([[-1, 0, null], [0, 10, 40], [1, 20, null], [0, 50, null]]));
  assert.deepEqual([...tree.open], [1, 0, 1, 1]);
  assert.deepEqual([...tree.end], [50, 40, 40, 50]);
});

test('spans whose parent is missing are grouped, after all others', () => {
  const tree = buildTree(spansOf([[-2, 5, 9], [-1, 0, 10], [99, 6, 7], [0, 6, 8]]));
  assert.equal(tree.orphans, 4);
  assert.deepEqual([...tree.order], [1, 4, 0, 3, 2]);
  assert.deepEqual([tree.start[4], tree.end[4]], [5, 9]);
});

test('a circle is cut open once and never walked round', () => {
  const tree = buildTree(spansOf([[2, 0, 9], [0, 1, 8], [1, 2, 7], [3, 3, 4], [2, 4, 5]]));
  assert.equal(tree.order.length, 6);
  assert.equal(new Set(tree.order).size, 6);
  assert.equal([0, 1, 2].filter((i) => tree.parent[i] === tree.orphans).length, 1);
  assert.equal(tree.parent[3], tree.orphans);
});

test('any parents make a forest that holds every span once', () => {
  const next = random(7);
  for (let round = 0; round < 300; round++) {
    const count = 1 + Math.floor(next() * 12);
    const spans = spansOf(Array.from({length: count}, () => [Math.floor(next() * (count + 3)) - 2, next() * 9, next() < 0.2 ? null : next() * 9]));
    const tree = buildTree(spans);
    assert.equal(new Set(tree.order).size, tree.nodes);
    for (const node of tree.order) if (tree.parent[node] >= 0) assert.ok(tree.rank[tree.parent[node]] < tree.rank[node]);
    assert.equal([...tree.order].filter((node) => tree.parent[node] < 0).reduce((sum, node) => sum + tree.size[node], 0), tree.nodes);
  }
});

test('10,000 spans below one another and beside one another are no burden', () => {
  const deep = buildTree(spansOf(Array.from({length: 10_000}, (_, i) => [i - 1, i, 20_000 - i])));
  assert.equal(deep.depth[9_999], 9_999);
  const wide = buildTree(spansOf(Array.from({length: 10_000}, (_, i) => [i ? 0 : -1, i, i + 1])));
  assert.equal(wide.size[0], 10_000);
});

test('an empty trace is a tree of nothing', () => {
  const tree = buildTree(spansOf([]));
  assert.deepEqual([tree.nodes, tree.length, tree.order.length], [0, 0, 0]);
});

test('errors count in every ancestor', () => {
  const tree = buildTree(spansOf([[-1, 0, 9], [0, 1, 5], [1, 2, 3], [1, 3, 4], [0, 6, 7]], {error: [null, null, 'A', 'B', 'C']}));
  assert.deepEqual([...tree.errors], [3, 2, 1, 1, 1]);
});

test('sums leave out what is unknown, and are unknown where nothing is known', () => {
  const spans = spansOf([[-1, 0, 9], [0, 1, 5], [1, 2, 3], [0, 6, 7]], {cost: [null, null, 0.5, null], unpriced: [false, false, false, true], tokens_in: [null, null, 7, 5]});
  const {own, total} = rollUps(buildTree(spans), spans.columns);
  assert.deepEqual([total.cost[0], total.unpriced[0], total.priced[0], total.tokensIn[0]], [0.5, 1, 1, 12]);
  assert.ok(Number.isNaN(own.cost[0]) && Number.isNaN(total.cost[3]) && Number.isNaN(total.energy[0]));
});

test('a trace opens as far as its rows stay few', () => {
  const spans = spansOf([[-1, 0, 9], ...Array.from({length: 200}, () => [0, 1, 2]), ...Array.from({length: 200}, (_, i) => [i + 1, 1, 2])]);
  const tree = buildTree(spans);
  assert.equal(openingLevel(tree), 1);
  assert.equal(rows(tree, unfolded(tree, 1)).length, 201);
  assert.equal(rows(tree, unfolded(tree, 99)).length, 401);
  const small = buildTree(spansOf([[-1, 0, 9], [0, 1, 2], [1, 1, 2]]));
  assert.equal(rows(small, unfolded(small, openingLevel(small))).length, 3);
});

test('revealing a span unfolds what hides it and nothing else', () => {
  const tree = buildTree(spansOf([[-1, 0, 9], [0, 1, 2], [1, 1, 2], [0, 3, 4], [3, 3, 4]]));
  const open = unfolded(tree, 1);
  assert.deepEqual(reveal(tree, open, 2), [1]);
  assert.deepEqual(rows(tree, open), [0, 1, 2, 3]);
});

test('folds survive the way through the address, bounded, and unknown ones are passed over', () => {
  const spans = spansOf(Array.from({length: 200}, (_, i) => [i % 2 ? i - 1 : -1, i, i + 1]));
  const tree = buildTree(spans);
  const ids = spans.columns.id;
  assert.equal(foldText(tree, ids, openingLevel(tree), []), '');
  assert.deepEqual(readFolds(tree, ids, foldText(tree, ids, 1, [4, 8])), {level: 1, single: [4, 8]});
  assert.deepEqual(readFolds(tree, ids, 'x,nobody,' + ids[6].slice(0, 8)), {level: openingLevel(tree), single: [6]});
  const many = Array.from({length: 100}, (_, i) => 2 * i);
  const text = foldText(tree, ids, 1, many);
  assert.ok(text.length < 500);
  assert.equal(readFolds(tree, ids, text).single.length, MOST_SINGLE_FOLDS);
});
