import assert from 'node:assert/strict';
import {test} from 'node:test';
import {dragged, gripAt, minimapMarks, powerAreas, powerRange} from '../../../src/smoltrace/viewer/static/js/layout/minimap.js';
import {buildTree} from '../../../src/smoltrace/viewer/static/js/model/tree.js';
import {spansOf} from './support/traces.js';

test('each kind has its lane, failed tools their own', () => {
  const tree = buildTree(spansOf([[-1, 0, 100], [0, 0, 50], [1, 0, 20], [1, 20, 40], [1, 40, 50]], {error: [null, null, null, null, 'E']}));
  const marks = minimapMarks(tree, ['agent', 'step', 'chat', 'tool', 'tool'], 200);
  assert.deepEqual([marks.agent, marks.boxes, marks.chat, marks.tool, marks.failed], [[0, 200], [0, 100], [0, 40], [40, 80], [80, 100]]);
});

test('however many spans there are, a lane has at most a mark a px', () => {
  const count = 20_000;
  const tree = buildTree(spansOf(Array.from({length: count}, (_, i) => [-1, i, i + 0.4])));
  const marks = minimapMarks(tree, new Array(count).fill('chat'), 500);
  assert.ok(marks.chat.length <= 1000 && marks.chat.length > 0);
  assert.ok(minimapMarks(tree, new Array(count).fill('step'), 500).boxes.length <= 800);
});

test('spans of no time still leave a mark', () => {
  const tree = buildTree(spansOf([[-1, 0, 0]]));
  assert.deepEqual(minimapMarks(tree, ['chat'], 10).chat.length, 2);
});

test('power is drawn between its lowest and highest, samples are joined, a long silence is a hole', () => {
  const dense = powerAreas({min: [10, 20, 30], max_values: [20, 40, 40]}, {width: 6, height: 40, max: 40});
  assert.deepEqual(dense, [{top: [[1, 20], [3, 0], [5, 0]], bottom: [[1, 30], [3, 20], [5, 10]]}]);
  const at = (places) => Array.from({length: 40}, (_, k) => (places.includes(k) ? 5 : null));
  const areas = powerAreas({min: at([0, 3, 6, 30]), max_values: at([0, 3, 6, 30])}, {width: 40, height: 10, max: 10});
  assert.deepEqual(areas.map((area) => area.top.map(([x]) => x)), [[0.5, 3.5, 6.5], [30, 31]]);
  assert.deepEqual(powerAreas({min: [null], max_values: [null]}, {width: 4, height: 4, max: 1}), []);
});

test('the range is that of all samples', () => {
  assert.deepEqual(powerRange({min: [10, null, 30], max_values: [20, null, 40]}), {low: 10, high: 40});
  assert.equal(powerRange({min: [null], max_values: [null]}), null);
});

test('a pointer takes the nearer handle, the window, or the ground', () => {
  const brush = {x0: 100, x1: 200};
  assert.deepEqual([98, 193, 150, 30].map((x) => gripAt(brush, x)), ['from', 'to', 'window', 'new']);
  assert.equal(gripAt(null, 10), 'new');
  assert.equal(gripAt({x0: 100, x1: 104}, 103), 'to');
});

test('dragging stays within the trace, a press is no zoom', () => {
  const brush = {x0: 100, x1: 200};
  assert.deepEqual(dragged('from', brush, 100, 50, 300), {x0: 50, x1: 200});
  assert.deepEqual(dragged('from', brush, 100, 250, 300), {x0: 200, x1: 250});
  assert.deepEqual(dragged('window', brush, 150, 999, 300), {x0: 200, x1: 300});
  assert.deepEqual(dragged('new', null, 10, 500, 300), {x0: 10, x1: 300});
  assert.equal(dragged('new', null, 10, 12, 300), null);
});
