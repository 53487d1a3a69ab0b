/**
 * Where the labels of a scatter stand: beside their marks, never over a mark, a whisker or another label.
 *
 * Greedy by priority: the label that matters most takes its place first. What finds none is left out, the reader gets
 * it by hovering.
 */

/** @typedef {{x: number, y: number, w: number, h: number}} Rect top left corner, width, height, in px */
/** @typedef {{x1: number, y1: number, x2: number, y2: number}} Segment horizontal or vertical */

/**
 * @param {Rect} a
 * @param {Rect} b
 * @returns {boolean} whether they share more than an edge
 */
export function overlaps(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/**
 * @param {Rect} inner
 * @param {Rect} outer
 * @returns {boolean}
 */
export function within(inner, outer) {
  const across = inner.x >= outer.x && inner.x + inner.w <= outer.x + outer.w;
  return across && inner.y >= outer.y && inner.y + inner.h <= outer.y + outer.h;
}

/** Sides in the order in which they are tried: up-left and down-right leave a rising frontier free. */
const SIDES = {
  frontier: [
    ...['upLeft', 'downRight', 'left', 'right', 'upRight', 'downLeft', 'above', 'below'],
    ...['overStart', 'overEnd', 'underStart', 'underEnd'],
  ],
  plain: [
    ...['right', 'downRight', 'left', 'upRight', 'downLeft', 'upLeft', 'below', 'above'],
    ...['underStart', 'underEnd', 'overStart', 'overEnd'],
  ],
  strip: ['below', 'above', 'right', 'left'],
};

/** Sides beyond the end of the whisker: which end, and how much of the label is left of the mark. */
const BEYOND = {
  above: {up: true, share: 0.5},
  overStart: {up: true, share: 0.06},
  overEnd: {up: true, share: 0.94},
  below: {up: false, share: 0.5},
  underStart: {up: false, share: 0.06},
  underEnd: {up: false, share: 0.94},
};

/**
 * @typedef {object} Wanted
 * @property {string} id
 * @property {number} x centre of the mark
 * @property {number} y
 * @property {number} radius of the mark, its ring included
 * @property {number} top where its whisker begins (px, smaller y)
 * @property {number} bottom where its whisker ends
 * @property {number} width of the text
 * @property {number} height of the text
 * @property {'frontier'|'plain'|'strip'} kind
 * @property {Rect} bounds what the label must stay within
 */

/**
 * @param {Wanted[]} wanted the most important first
 * @param {Rect[]} obstacles marks and whiskers, of all points
 * @param {Segment[]} lines what a label should rather not lie on
 * @returns {Map<string, Rect>} the place of each label that found one
 */
export function placeLabels(wanted, obstacles, lines = []) {
  const taken = [];
  const places = new Map();
  for (const label of wanted) {
    const place = bestPlace(label, obstacles, lines, taken);
    if (place !== null) {
      places.set(label.id, place);
      taken.push(grown(place, 2));
    }
  }
  return places;
}

/**
 * @param {Wanted} label
 * @param {Rect[]} obstacles
 * @param {Segment[]} lines
 * @param {Rect[]} taken
 * @returns {Rect|null}
 */
function bestPlace(label, obstacles, lines, taken) {
  let best = null;
  let lowest = Infinity;
  SIDES[label.kind].forEach((side, index) => {
    const place = placeAt(label, side);
    const free = within(place, label.bounds) && ![...obstacles, ...taken].some((other) => overlaps(place, other));
    if (!free) return;
    const price = index + 10 * lines.filter((line) => crosses(place, line)).length;
    if (price < lowest) {
      lowest = price;
      best = place;
    }
  });
  return best;
}

/**
 * @param {Wanted} label
 * @param {string} side
 * @returns {Rect}
 */
function placeAt({x, y, radius, top, bottom, width, height}, side) {
  const gap = radius + 5;
  const rect = {w: width, h: height};
  const beyond = BEYOND[side];
  if (beyond !== undefined) {
    const edge = beyond.up ? Math.min(top, y - radius) - height - 4 : Math.max(bottom, y + radius) + 4;
    return {...rect, x: x - beyond.share * width, y: edge};
  }
  const left = side === 'left' || side === 'upLeft' || side === 'downLeft';
  const lift = {upLeft: -0.85, upRight: -0.85, downLeft: 0.85, downRight: 0.85}[side] ?? 0;
  return {...rect, x: left ? x - gap - width : x + gap, y: y - height / 2 + lift * height};
}

/**
 * @param {Rect} rect
 * @param {Segment} line
 * @returns {boolean}
 */
function crosses(rect, {x1, y1, x2, y2}) {
  const w = Math.abs(x2 - x1) || 0.1;
  const h = Math.abs(y2 - y1) || 0.1;
  return overlaps(rect, {x: Math.min(x1, x2), y: Math.min(y1, y2), w, h});
}

/**
 * @param {Rect} rect
 * @param {number} by
 * @returns {Rect}
 */
function grown({x, y, w, h}, by) {
  return {x: x - by, y: y - by / 2, w: w + 2 * by, h: h + by};
}
