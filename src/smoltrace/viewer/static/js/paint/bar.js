/** The success bar of a table: from 0, with the value's tick and its interval's whisker. */
import {linear} from '../layout/coords.js';
import {interval, percent} from '../model/format.js';
import {s} from './svg.js';

/**
 * @param {number|null|undefined} rate per cent
 * @param {number|null|undefined} low of the 95 % interval
 * @param {number|null|undefined} high
 * @param {{width?: number}} [options] px
 * @returns {SVGElement}
 */
export function successBar(rate, low, high, {width = 132} = {}) {
  const x = linear([0, 100], [0, width]);
  const middle = 7;
  const known = typeof rate === 'number';
  const whiskered = known && typeof low === 'number' && typeof high === 'number';
  const label = known ? `${percent(rate)} %${whiskered ? `, interval ${interval(low, high)}` : ''}` : 'no result yet';
  return s(
    'svg',
    {class: 'bar', width, height: 14, viewBox: `0 0 ${width} 14`, role: 'img', 'aria-label': label},
    s('rect', {class: 'bar-back', x: 0, y: middle - 3, width, height: 6}),
    known ? s('rect', {class: 'bar-fill', x: 0, y: middle - 3, width: Math.max(x.at(rate), 0), height: 6}) : null,
    whiskered ? s('path', {class: 'bar-whisker', d: whisker(x.at(low), x.at(high), middle)}) : null,
    known ? s('rect', {class: 'bar-tick', x: Math.min(Math.max(x.at(rate) - 1, 0), width - 2), y: middle - 5, width: 2, height: 10}) : null,
  );
}

/** @param {number} from @param {number} to @param {number} y */
function whisker(from, to, y) {
  return `M${from} ${y}H${to}M${from} ${y - 3}V${y + 3}M${to} ${y - 3}V${y + 3}`;
}
