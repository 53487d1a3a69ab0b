import assert from 'node:assert/strict';
import {test} from 'node:test';
import {criticalOwn, criticalPath, criticalPieces, criticalStops} from '../../../src/smoltrace/viewer/static/js/model/critical.js';
import {selfPieces, selfTimes} from '../../../src/smoltrace/viewer/static/js/model/selftime.js';
import {buildTree, within} from '../../../src/smoltrace/viewer/static/js/model/tree.js';
import {random, randomForest, spansOf} from './support/traces.js';

const pathOf = (spans) => {
  const tree = buildTree(spansOf(spans));
  const path = criticalPath(tree);
  return {tree, path, own: (i) => [...criticalPieces(path, i, false)], all: (i) => [...criticalPieces(path, i, true)]};
};

/** Who holds each unit of time, found by walking back through time one unit a step, whole numbers only. */
function walkedBack(tree) {
  const owner = new Array(tree.length).fill(null);
  const frames = [{node: -1, low: 0, high: tree.length, used: new Set()}];
  let t = tree.length;
  while (frames.length > 0) {
    const frame = frames[frames.length - 1];
    if (t === frame.low) {
      frames.pop();
      continue;
    }
    let best = null;
    for (let child = 0; child < tree.count; child++) {
      if (tree.parent[child] !== frame.node || frame.used.has(child)) continue;
      const low = Math.max(tree.start[child], frame.low);
      const high = Math.min(tree.end[child], frame.high);
      if (high <= low || high !== t) continue;
      if (!best || low < best.low) best = {node: child, low, high, used: new Set()};
    }
    if (best) {
      frame.used.add(best.node);
      frames.push(best);
      continue;
    }
    t -= 1;
    if (frame.node >= 0) owner[t] = frame.node;
  }
  return owner;
}

test('in a row each child holds its time, the parent what lies between', () => {
  const {own, all} = pathOf([[-1, 0, 10], [0, 1, 4], [0, 5, 9]]);
  assert.deepEqual(own(0), [0, 1, 4, 5, 9, 10]);
  assert.deepEqual(own(1), [1, 4]);
  assert.deepEqual(all(0), [0, 10]);
});

test('of children side by side the one that ends last is critical, before it the one that had ended by its start', () => {
  const {own} = pathOf([[-1, 0, 10], [0, 0, 6], [0, 2, 9], [0, 0, 2], [0, 1, 3]]);
  assert.deepEqual([own(1), own(2), own(3), own(4)], [[], [2, 9], [0, 2], []]);
});

test('a child beyond its parent is cut to it, one wholly outside is left out', () => {
  const {own} = pathOf([[-1, 0, 10], [0, 2, 8], [1, 5, 20], [1, 9, 12]]);
  assert.deepEqual([own(2), own(3), own(1)], [[5, 8], [], [2, 5]]);
});

test('spans of no length, unfinished ones and circles change nothing for the others', () => {
  const {own, tree, path} = pathOf([[-1, 0, 10], [0, 5, 5], [0, 6, null], [4, 0, 1], [3, 0, 1]]);
  assert.deepEqual([own(1), own(2), own(0)], [[], [6, 10], [0, 6]]);
  assert.ok(Number.isNaN(path.from[tree.orphans]));
  assert.deepEqual(criticalStops(tree, path), [0, 2]);
});

test('the path is what a walk back through time finds, unit by unit', () => {
  const next = random(11);
  for (let round = 0; round < 600; round++) {
    const tree = buildTree(randomForest(next, {count: 2 + Math.floor(next() * 9)}));
    const path = criticalPath(tree);
    const owner = new Array(tree.length).fill(null);
    for (let i = 0; i < tree.count; i++) {
      const pieces = criticalPieces(path, i, false);
      for (let k = 0; k < pieces.length; k += 2) for (let t = pieces[k]; t < pieces[k + 1]; t++) owner[t] = i;
    }
    assert.deepEqual(owner, walkedBack(tree));
  }
});

test('each moment of the root belongs to one span, and a subtree holds one stretch', () => {
  const next = random(5);
  for (let round = 0; round < 200; round++) {
    const tree = buildTree(randomForest(next, {count: 12, length: 60}));
    const path = criticalPath(tree);
    let sum = 0;
    for (let i = 0; i < tree.count; i++) {
      sum += criticalOwn(path, i);
      if (Number.isNaN(path.from[i])) continue;
      let below = 0;
      for (let j = 0; j < tree.count; j++) if (within(tree, j, i)) below += criticalOwn(path, j);
      assert.equal(below, path.to[i] - path.from[i]);
    }
    assert.equal(sum, tree.length);
  }
});

test('own time is what no child covers, counted unit by unit', () => {
  const next = random(3);
  for (let round = 0; round < 400; round++) {
    const tree = buildTree(randomForest(next, {count: 2 + Math.floor(next() * 9)}));
    const times = selfTimes(tree);
    for (let i = 0; i < tree.count; i++) {
      let units = 0;
      for (let t = tree.start[i]; t < tree.end[i]; t++) {
        const covered = [...tree.parent].some((up, child) => up === i && child < tree.count && tree.start[child] <= t && tree.end[child] > t);
        units += covered ? 0 : 1;
      }
      assert.equal(times[i], units);
      const pieces = selfPieces(tree, i);
      let length = 0;
      for (let k = 0; k < pieces.length; k += 2) length += pieces[k + 1] - pieces[k];
      assert.equal(length, units);
    }
  }
});

test('10,000 spans in a chain, in a row and at once take no stack and little time', () => {
  for (const shape of [(i) => [i - 1, i, 20_000 - i], (i) => [i ? 0 : -1, i ? i : 0, i ? i + 1 : 10_001], (i) => [i ? 0 : -1, 0, 5]]) {
    const tree = buildTree(spansOf(Array.from({length: 10_000}, (_, i) => shape(i))));
    assert.equal(criticalPath(tree).to[0], tree.length);
    assert.equal(selfTimes(tree).length, 10_000);
  }
});
