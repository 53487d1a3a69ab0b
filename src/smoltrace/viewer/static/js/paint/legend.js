/** The legend of the leaderboard's chart: only what the chart shows. */

import {AXES} from '../model/axes.js';
import {count} from '../model/format.js';
import {isOpen, shape} from './chartsvg.js';
import {h} from './dom.js';
import {s} from './svg.js';

/**
 * @param {import('../layout/chartbox.js').ChartBox} box
 * @param {object} chart
 * @returns {HTMLElement}
 */
export function legend(box, chart) {
  const {marks} = box;
  const shapes = new Set(marks.map((mark) => mark.shape));
  const placed = marks.filter((mark) => !mark.strip);
  const {title, estimated} = AXES[chart.axis];
  return h(
    'ul',
    {class: 'legend', 'aria-label': 'Legend'},
    shapes.has('circle') ? entry(sample('circle'), 'tool agent') : null,
    shapes.has('square') ? entry(sample('square'), 'code agent') : null,
    shapes.has('diamond') ? entry(sample('diamond'), 'both agents') : null,
    placed.some((mark) => mark.hollow) ? entry(sample('circle', 'mark-hollow'), estimated) : null,
    placed.some((mark) => mark.dominated) ? entry(sample('circle', 'mark-dominated'), 'dominated') : null,
    marks.some(isOpen) ? entry(sample('circle', 'mark-open'), 'not finished') : null,
    box.frontier.length > 1 ? entry(drawing(s('path', {class: 'frontier', d: 'M1 11H7V5H15'})), 'Pareto frontier') : null,
    marks.some((mark) => mark.pinned) ? entry(drawing(s('circle', {class: 'mark-ring', cx: 8, cy: 8, r: 6})), 'pinned') : null,
    entry(drawing(s('path', {class: 'whisker', d: 'M8 2V14M5 2H11M5 14H11'})), '95 % Wilson interval'),
    leftOut(chart).map((text) => entry(null, text)),
    h('li', {class: 'legend-axis'}, `${title}, log scale`),
  );
}

/**
 * What the chart leaves out, in words.
 *
 * @param {{not_shown: number, unplaced_not_shown?: number, no_result?: number}} chart
 * @returns {string[]}
 */
export function leftOut({not_shown: points, unplaced_not_shown: unplaced = 0, no_result: empty = 0}) {
  const more = points + unplaced;
  return [
    more > 0 ? `${count(more)} more ${more === 1 ? 'run is' : 'runs are'} only in the table` : null,
    empty > 0 ? `${count(empty)} without a success rate` : null,
  ].filter((text) => text !== null);
}

function entry(picture, text) {
  return h('li', null, picture, text);
}

function sample(name, extra = '') {
  return drawing(s('g', {class: ['mark', 'mark-sample', extra]}, shape(name, 8, 8)));
}

function drawing(...parts) {
  return s('svg', {width: 16, height: 16, viewBox: '0 0 16 16', 'aria-hidden': 'true'}, parts);
}
