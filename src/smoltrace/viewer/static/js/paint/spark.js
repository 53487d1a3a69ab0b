/** A line without axes: what went on, at a glance. Where nothing was measured there is a gap. */
import {linear} from '../layout/coords.js';
import {s} from './svg.js';

/**
 * @param {(number|null)[]} values
 * @param {{width?: number, height?: number, title?: string}} [options]
 * @returns {SVGElement}
 */
export function spark(values, {width = 104, height = 20, title = ''} = {}) {
  const high = Math.max(...values.map((value) => value ?? 0), 0) || 1;
  const x = linear([0, Math.max(values.length - 1, 1)], [1, width - 1]);
  const y = linear([0, high], [height - 1, 2]);
  const pieces = parts(values).map((part) => part.map(([index, value]) => `${x.at(index).toFixed(1)} ${y.at(value).toFixed(1)}`));
  const base = (height - 1).toFixed(1);
  const line = pieces.map((part) => 'M' + part.join('L')).join('');
  const area = pieces.map((part) => `M${part[0].split(' ')[0]} ${base}L${part.join('L')}L${part[part.length - 1].split(' ')[0]} ${base}Z`).join('');
  const role = title ? {role: 'img', 'aria-label': title} : {'aria-hidden': 'true'};
  return s(
    'svg',
    {class: 'spark', width, height, viewBox: `0 0 ${width} ${height}`, ...role},
    title ? s('title', null, title) : null,
    s('path', {class: 'spark-area', d: area}),
    s('path', {class: 'spark-line', d: line}),
  );
}

/** Runs of values without a gap. @param {(number|null)[]} values @returns {[number, number][][]} */
function parts(values) {
  /** @type {[number, number][][]} */
  const found = [];
  values.forEach((value, index) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return;
    const last = found[found.length - 1];
    if (last && last[last.length - 1][0] === index - 1) last.push([index, value]);
    else found.push([[index, value]]);
  });
  return found;
}
