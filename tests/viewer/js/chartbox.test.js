import assert from 'node:assert/strict';
import {test} from 'node:test';
import {chartBox, nearest, neighbour, stripGroups, tipPlace} from '../../../src/smoltrace/viewer/static/js/layout/chartbox.js';
import {overlaps, within} from '../../../src/smoltrace/viewer/static/js/layout/labels.js';

function point(run_id, x, y, more = {}) {
  return {run_id, model: `maker/${run_id}`, agent_type: 'tool', x, y, ci_low: y - 8, ci_high: Math.min(100, y + 8), n: 50, est: false, frontier: true, dominated: false, ...more};
}

const UNPLACED = {run_id: 'no-price', model: 'm/no-price', agent_type: 'code', y: 82, ci_low: 75, ci_high: 88, n: 50, strip: 'unknown', why: 'price unknown: 3 of 50 calls', bound: null};

function chart(more = {}) {
  return {
    axis: 'cost',
    points: [point('cheap', 0.00004, 54, {est: true}), point('middle', 0.0009, 88), point('worse', 0.001, 70, {frontier: false, dominated: true}), point('best', 0.0038, 93)],
    frontier: ['cheap', 'middle', 'best'],
    best: 'best',
    band: [85, 100],
    unplaced: [UNPLACED],
    not_shown: 0,
    ...more,
  };
}

function box(more = {}, options = {}) {
  return chartBox({
    chart: chart(more), width: 1060, height: 322, phone: false, pins: new Set(['middle']),
    measure: (text) => 6 * text.length, tickText: (value) => `$${value}`, bandText: 'interval of the best', ...options,
  });
}

const byId = (made, id) => made.marks.find((mark) => mark.run_id === id);

test('more success is higher, more cost is further right, and everything lies within the plot', () => {
  const made = box();
  assert.ok(byId(made, 'best').y < byId(made, 'cheap').y);
  assert.ok(byId(made, 'best').x > byId(made, 'middle').x && byId(made, 'middle').x > byId(made, 'cheap').x);
  for (const mark of made.marks) {
    assert.ok(mark.top >= made.plot.y0 - 0.5 && mark.bottom <= made.plot.y1 + 0.5);
    assert.ok(mark.strip || (mark.x > made.plot.x0 && mark.x < made.plot.x1));
  }
});

test('a decade takes the same width everywhere', () => {
  const made = box({points: [point('a', 0.001, 50), point('b', 0.01, 60), point('c', 0.1, 70)], frontier: ['a', 'b', 'c'], best: 'c'});
  const [a, b, c] = ['a', 'b', 'c'].map((id) => byId(made, id).x);
  assert.ok(Math.abs(b - a - (c - b)) < 1e-6);
});

test('shapes tell the agent, and flags what is estimated, dominated, pinned and best', () => {
  const made = box();
  assert.equal(byId(made, 'cheap').shape, 'circle');
  assert.equal(byId(made, 'no-price').shape, 'square');
  assert.equal(byId(box({points: [point('x', 1, 50, {agent_type: 'both'})]}), 'x').shape, 'diamond');
  assert.equal(byId(box({points: [point('x', 1, 50, {agent_type: 'constructor'})]}), 'x').shape, 'diamond');
  assert.deepEqual(made.marks.filter((mark) => mark.hollow).map((mark) => mark.run_id).sort(), ['cheap', 'no-price']);
  assert.ok(byId(made, 'worse').dominated && byId(made, 'middle').pinned && byId(made, 'best').best);
});

test('runs without a price stand in a strip of their own, at their success', () => {
  const made = box();
  assert.equal(made.strips.length, 1);
  assert.equal(made.strips[0].label, 'price unknown');
  const mark = byId(made, 'no-price');
  assert.ok(mark.strip && mark.x > made.strips[0].x0 && mark.x < made.strips[0].x1);
  assert.ok(made.strips[0].x0 > made.plot.x1);
});

test('free runs come first, and more reasons than fit share a strip', () => {
  const run = (why, strip = 'unknown') => ({...UNPLACED, why, strip});
  assert.deepEqual(stripGroups([run('no GPU'), run('free: declared 0', 'free')]).map((group) => group.label), ['free', 'no GPU']);
  const many = stripGroups([run('a'), run('b'), run('c'), run('d'), run('a')]);
  assert.deepEqual(many.map((group) => [group.label, group.runs.length]), [['a', 2], ['b', 1], ['other reasons', 2]]);
});

test('runs at the same place of a strip do not hide one another', () => {
  const made = box({unplaced: [1, 2, 3].map((i) => ({...UNPLACED, run_id: `u${i}`}))});
  const places = made.marks.filter((mark) => mark.strip).map((mark) => mark.x);
  assert.equal(new Set(places).size, 3);
  assert.ok(places.every((x) => x > made.strips[0].x0 && x < made.strips[0].x1));
});

test('the frontier is steps from its first run to the end of the axis', () => {
  const {frontier, plot} = box();
  assert.equal(frontier.length, 6);
  for (let i = 1; i < frontier.length; i += 1) {
    const [[x0, y0], [x1, y1]] = [frontier[i - 1], frontier[i]];
    assert.ok((x0 === x1) !== (y0 === y1) && x1 >= x0 && y1 <= y0);
  }
  assert.equal(frontier.at(-1)[0], plot.x1);
});

test('the band of the best run goes across plot and strip; its words cover no mark', () => {
  const made = box();
  assert.equal(made.band.x, made.plot.x0);
  assert.equal(made.band.x + made.band.w, made.strips[0].x1);
  const words = {x: made.band.text.x, y: made.band.text.y, w: 120, h: 16};
  for (const mark of made.marks) assert.ok(!overlaps(words, {x: mark.x - 5, y: mark.y - 5, w: 10, h: 10}));
  assert.equal(box({band: null}).band, null);
});

test('labels name the run, keep inside the chart and cover no mark', () => {
  const made = box();
  assert.deepEqual(byId(made, 'best').label.lines, ['best · tool']);
  assert.deepEqual(byId(made, 'no-price').label.lines, ['no-price', 'code']);
  const whole = {x: 0, y: 0, w: made.width, h: made.height};
  for (const {label} of made.marks) {
    if (label === null) continue;
    assert.ok(within(label, whole));
    for (const mark of made.marks) assert.ok(!overlaps(label, {x: mark.x - 5, y: mark.y - 5, w: 10, h: 10}));
  }
});

test('ticks stand at round values and their texts do not touch', () => {
  const made = box();
  assert.ok(made.yTicks.every((tick) => tick.value % 10 === 0));
  const texts = made.xTicks.filter((tick) => tick.text !== null);
  assert.ok(texts.length >= 3);
  for (let i = 1; i < texts.length; i += 1) {
    assert.ok(texts[i].x - texts[i - 1].x > 3 * (texts[i].text.length + texts[i - 1].text.length));
  }
});

test('a phone has no strips, and its plot takes the whole width', () => {
  const made = box({}, {width: 390, height: 226, phone: true, bandText: ''});
  assert.deepEqual(made.strips, []);
  assert.equal(byId(made, 'no-price'), undefined);
  assert.ok(made.plot.x1 > 370);
  assert.equal(made.band.text, null);
});

test('nothing to draw, one run, and equal runs are no special cases', () => {
  const empty = box({points: [], unplaced: [], frontier: [], best: null, band: null});
  assert.deepEqual([empty.marks, empty.frontier, empty.xTicks], [[], [], []]);
  const one = box({points: [point('only', 0.5, 100, {ci_low: 20, ci_high: 100})], frontier: ['only'], best: 'only', unplaced: []});
  assert.ok(Number.isFinite(byId(one, 'only').x) && byId(one, 'only').y >= one.plot.y0 - 0.5);
  const same = box({points: [point('a', 1, 50), point('b', 1, 50)], frontier: ['a', 'b'], unplaced: []});
  assert.ok(same.marks.every((mark) => Number.isFinite(mark.x)));
  const noInterval = box({points: [point('x', 1, 50, {ci_low: null, ci_high: null})], frontier: ['x']});
  assert.equal(byId(noInterval, 'x').top, byId(noInterval, 'x').y);
});

test('of many runs only those that matter have whiskers and labels', () => {
  const points = Array.from({length: 300}, (_, i) => point(`r${i}`, 0.001 * (i + 1), 40 + (i % 30), {frontier: i === 0, dominated: i !== 0}));
  const made = box({points, frontier: ['r0'], best: 'r29', unplaced: []});
  assert.ok(made.marks.filter((mark) => mark.whisker).length <= 3);
  assert.ok(made.marks.filter((mark) => mark.label).length <= 3);
});

test('a pointer means the nearest mark within its reach', () => {
  const {marks} = box();
  const best = marks.find((mark) => mark.run_id === 'best');
  assert.equal(nearest(marks, best.x + 6, best.y - 4, 20), best);
  assert.equal(nearest(marks, best.x + 300, best.y - 300, 20), null);
});

test('arrow keys go along the chart and stop at its ends', () => {
  const {marks} = box();
  const along = [];
  for (let id = null; along.length < 7; ) {
    id = neighbour(marks, id, 1).run_id;
    along.push(id);
  }
  assert.deepEqual(along, ['cheap', 'middle', 'worse', 'best', 'no-price', 'no-price', 'no-price']);
  assert.equal(neighbour(marks, 'middle', -1).run_id, 'cheap');
  assert.equal(neighbour([], null, 1), null);
});

test('the tooltip stays inside the chart', () => {
  const outer = {width: 400, height: 300};
  for (const [x, y] of [[5, 5], [395, 295], [200, 150], [395, 5]]) {
    const place = tipPlace({x, y}, {w: 180, h: 120}, outer);
    assert.ok(within({...place, w: 180, h: 120}, {x: 0, y: 0, w: 400, h: 300}));
  }
});
