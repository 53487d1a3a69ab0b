/** Paints the leaderboard's chart from its coordinates. Nothing is reckoned here but how a shape is drawn. */

import {percent} from '../model/format.js';
import {href} from '../model/state.js';
import {s} from './svg.js';

const CAP = 3;

/** @typedef {import('../layout/chartbox.js').ChartBox} ChartBox */
/** @typedef {import('../layout/marks.js').Mark} Mark */

/**
 * @param {ChartBox} box
 * @param {{phone: boolean, bandText: string, nameOf: (mark: Mark) => string, current: string|null}} words
 *   `nameOf` is what a mark is called for readers, `current` the run that Tab reaches
 * @returns {SVGElement[]}
 */
export function chartParts(box, {phone, bandText, nameOf, current}) {
  return [
    s('g', {class: 'chart-back', 'aria-hidden': 'true'}, band(box), grid(box, phone), strips(box)),
    s('g', {class: 'chart-frontier', 'aria-hidden': 'true'}, frontier(box.frontier)),
    s('g', {'aria-hidden': 'true'}, box.marks.filter((mark) => mark.whisker).map(whisker)),
    box.band?.text ? s('text', {class: 'band-text', x: box.band.text.x, y: box.band.text.y + 12, 'aria-hidden': 'true'}, bandText) : null,
    s('g', null, box.marks.map((mark) => markLink(mark, nameOf(mark), mark.run_id === current))),
    s('g', {class: 'mark-labels', 'aria-hidden': 'true'}, box.marks.filter((mark) => mark.label !== null).map(label)),
  ];
}

function band({band: area}) {
  if (area === null) return null;
  return s('rect', {class: 'band', x: area.x, y: area.y, width: Math.max(area.w, 0), height: Math.max(area.h, 1)});
}

function grid({plot, right, strips: places, yTicks, xTicks}, phone) {
  const bottom = plot.y1;
  const lines = yTicks.flatMap(({y, value}) => [
    s('line', {class: 'grid', x1: plot.x0, x2: plot.x1, y1: y, y2: y}),
    places.length > 0 ? s('line', {class: 'grid', x1: places[0].x0, x2: right, y1: y, y2: y}) : null,
    s('text', {class: 'tick', x: plot.x0 - 8, y: y + 4, 'text-anchor': 'end'}, yText(value, phone)),
  ]);
  const uprights = xTicks.flatMap(({x, text, major}) => [
    s('line', {class: major ? 'grid' : 'grid grid-minor', x1: x, x2: x, y1: plot.y0, y2: bottom}),
    s('line', {class: 'axis', x1: x, x2: x, y1: bottom, y2: bottom + 4}),
    text === null ? null : s('text', {class: 'tick', x, y: bottom + 17, 'text-anchor': 'middle'}, text),
  ]);
  const axis = s('line', {class: 'axis', x1: plot.x0, x2: plot.x1, y1: bottom, y2: bottom});
  const title = phone ? null : s('text', {class: 'axis-title', x: plot.x0, y: plot.y0 - 10}, 'Success %');
  return [uprights, lines, axis, title];
}

function yText(value, phone) {
  return value === 100 && !phone ? '100 %' : String(value);
}

function strips({plot, strips: places}) {
  return places.flatMap(({x0, x1, label: text}) => [
    s('line', {class: 'strip-line', x1: x0, x2: x0, y1: plot.y0, y2: plot.y1}),
    s('line', {class: 'axis', x1: x0, x2: x1, y1: plot.y1, y2: plot.y1}),
    s('text', {class: 'tick', x: (x0 + x1) / 2, y: plot.y1 + 17, 'text-anchor': 'middle'}, text),
  ]);
}

function frontier(corners) {
  if (corners.length < 2) return null;
  return s('path', {class: 'frontier', d: corners.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`).join('')});
}

/** @param {Mark} mark @returns {SVGElement} */
export function whisker({x, top, bottom, dominated}) {
  const caps = [top, bottom].map((y) => `M${px(x - CAP)} ${px(y)}H${px(x + CAP)}`).join('');
  return s('path', {class: dominated ? 'whisker whisker-dominated' : 'whisker', d: `M${px(x)} ${px(top)}V${px(bottom)}${caps}`});
}

/** Neither on the frontier nor beaten: a run that is not whole yet stands outside of the contest. @param {Mark} mark */
export function isOpen(mark) {
  return !mark.strip && !mark.frontier && !mark.dominated;
}

/** A run is a link: it opens in a new tab as any link does, and Tab reaches one of them; arrows go to the others. */
function markLink(mark, name, current) {
  const flags = {hollow: mark.hollow, dominated: mark.dominated, strip: mark.strip, open: isOpen(mark)};
  const classes = ['mark', ...Object.keys(flags).filter((flag) => flags[flag]).map((flag) => `mark-${flag}`)];
  return s(
    'a',
    {
      class: classes,
      href: href('run', {id: mark.run_id}),
      tabindex: current ? '0' : '-1',
      'aria-label': name,
      'data-run': mark.run_id,
    },
    s('circle', {class: 'mark-hit', cx: mark.x, cy: mark.y, r: 12}),
    mark.pinned ? s('circle', {class: 'mark-ring', cx: mark.x, cy: mark.y, r: 9}) : null,
    shape(mark.shape, mark.x, mark.y, mark.scale),
  );
}

/**
 * @param {'circle'|'square'|'diamond'} name
 * @param {number} x centre
 * @param {number} y
 * @param {number} [scale]
 * @returns {SVGElement}
 */
export function shape(name, x, y, scale = 1) {
  const [radius, half, reach] = [4.75, 4.5, 6].map((size) => size * scale);
  if (name === 'circle') return s('circle', {class: 'mark-shape', cx: x, cy: y, r: radius});
  if (name === 'square') return s('rect', {class: 'mark-shape', x: x - half, y: y - half, width: 2 * half, height: 2 * half});
  const corners = [[0, -reach], [reach, 0], [0, reach], [-reach, 0]].map(([dx, dy]) => `${px(x + dx)} ${px(y + dy)}`);
  return s('path', {class: 'mark-shape', d: `M${corners.join('L')}Z`});
}

function label({label: place, dominated, strip}) {
  const centred = strip && place.lines.length > 1;
  const x = centred ? place.x + place.w / 2 : place.x;
  return s(
    'text',
    {class: dominated || strip ? 'mark-label mark-label-quiet' : 'mark-label', 'text-anchor': centred ? 'middle' : 'start'},
    place.lines.map((line, i) => s('tspan', {x, y: place.y + 11 + 14 * i}, line)),
  );
}

/** What a mark is called: the numbers that its place shows. @param {object} point @param {string} x */
export function spokenName(point, x) {
  const interval = point.ci_low === null ? '' : `, interval ${percent(point.ci_low)} to ${percent(point.ci_high)}`;
  return `${point.model ?? 'unnamed'}, ${point.agent_type ?? 'unknown'} agent: ${percent(point.y)} % success${interval}, ${x}`;
}

function px(value) {
  return Number(value.toFixed(1));
}
