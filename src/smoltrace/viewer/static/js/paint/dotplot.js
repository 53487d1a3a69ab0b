/** A paired difference as a dot with its interval: filled where it is significant, hollow where not. */
import {s} from './svg.js';

const HEIGHT = 20;
const MIDDLE = HEIGHT / 2;
const CAP = 3;

/**
 * @param {import('../layout/dots.js').Place | null} place px; null: nothing to draw, only the zero line
 * @param {{width: number, tone: string, filled: boolean, label: string}} options
 * @returns {SVGElement}
 */
export function dotPlot(place, { width, tone, filled, label }) {
  const zero = place ? place.zero : width / 2;
  const box = { class: `dots dots-${tone}`, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': label };
  return s(
    'svg',
    box,
    s('path', { class: 'dots-axis', d: `M0 ${MIDDLE}H${width}` }),
    s('path', { class: 'dots-zero', d: `M${zero} 1V${HEIGHT - 1}` }),
    place ? [s('path', { class: 'dots-range', d: whisker(place) }), dot(place.x, filled)] : null,
  );
}

function whisker({ low, high }) {
  if (high - low < 1) return '';
  const cap = (x) => `M${x.toFixed(1)} ${MIDDLE - CAP}V${MIDDLE + CAP}`;
  return `M${low.toFixed(1)} ${MIDDLE}H${high.toFixed(1)}${cap(low)}${cap(high)}`;
}

function dot(x, filled) {
  return s('circle', { class: filled ? 'dots-dot' : 'dots-dot dots-hollow', cx: x.toFixed(1), cy: MIDDLE, r: filled ? 4.5 : 4 });
}
