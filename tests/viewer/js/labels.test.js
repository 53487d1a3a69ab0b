import assert from 'node:assert/strict';
import {test} from 'node:test';
import {overlaps, placeLabels, within} from '../../../src/smoltrace/viewer/static/js/layout/labels.js';

const BOUNDS = {x: 0, y: 0, w: 400, h: 300};

function wanted(id, x, y, more = {}) {
  return {id, x, y, radius: 5, top: y - 30, bottom: y + 30, width: 80, height: 14, kind: 'plain', bounds: BOUNDS, ...more};
}

function dot(x, y) {
  return {x: x - 5, y: y - 5, w: 10, h: 10};
}

test('a label stands beside its mark, inside its bounds', () => {
  const places = placeLabels([wanted('a', 200, 150)], [dot(200, 150)]);
  assert.ok(within(places.get('a'), BOUNDS));
  assert.ok(!overlaps(places.get('a'), dot(200, 150)));
});

test('at the right end it goes to the left', () => {
  const place = placeLabels([wanted('a', 380, 150)], [dot(380, 150)]).get('a');
  assert.ok(place.x + place.w <= 375);
});

test('no label covers a mark, a whisker or another label, and what has no room is left out', () => {
  const marks = [];
  let seed = 11;
  const next = (most) => (seed = (seed * 48271) % 2147483647) % most;
  for (let i = 0; i < 60; i += 1) marks.push(wanted(`m${i}`, 20 + next(360), 20 + next(260)));
  const obstacles = marks.flatMap(({x, y, top, bottom}) => [dot(x, y), {x: x - 3, y: top, w: 6, h: bottom - top}]);
  const places = [...placeLabels(marks, obstacles).values()];
  assert.ok(places.length > 0 && places.length < marks.length);
  for (const place of places) {
    assert.ok(within(place, BOUNDS));
    assert.ok(obstacles.every((obstacle) => !overlaps(place, obstacle)));
    assert.ok(places.every((other) => other === place || !overlaps(place, other)));
  }
});

test('the more important label takes the only place', () => {
  const narrow = {x: 195, y: 140, w: 100, h: 20};
  const both = [wanted('first', 200, 150, {bounds: narrow}), wanted('second', 203, 150, {bounds: narrow})];
  assert.deepEqual([...placeLabels(both, []).keys()], ['first']);
  assert.deepEqual([...placeLabels([both[1], both[0]], []).keys()], ['second']);
});

test('a place off the frontier is preferred to one on it', () => {
  const line = {x1: 0, y1: 150, x2: 400, y2: 150};
  const place = placeLabels([wanted('a', 200, 150)], [dot(200, 150)], [line]).get('a');
  assert.ok(!overlaps(place, {x: 0, y: 149.9, w: 400, h: 0.2}));
});
