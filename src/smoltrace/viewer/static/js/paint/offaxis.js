/** A phone has no strips beside the chart: the runs that have no place on its axis are told in words below it. */

import {count, percent} from '../model/format.js';
import {href} from '../model/state.js';
import {shortAgent, shortModel} from '../model/runname.js';
import {shape} from './chartsvg.js';
import {h} from './dom.js';
import {leftOut} from './legend.js';
import {s} from './svg.js';

const MOST = 2;
const SHAPES = new Map([['tool', 'circle'], ['code', 'square']]);

/**
 * @param {object} chart
 * @returns {HTMLElement|null}
 */
export function offAxis(chart) {
  const rest = chart.unplaced.length - MOST;
  const more = rest > 0 ? `and ${count(rest)} more` : null;
  const hidden = leftOut(chart);
  if (chart.unplaced.length === 0 && hidden.length === 0) return null;
  return h(
    'ul',
    {class: 'off-axis', 'aria-label': 'Not on the axis'},
    chart.unplaced.slice(0, MOST).map((run) => h('li', null, picture(run), words(run))),
    more === null ? null : h('li', null, more),
    hidden.map((text) => h('li', null, text)),
  );
}

function picture(run) {
  const mark = s('g', {class: 'mark mark-strip mark-hollow'}, shape(SHAPES.get(run.agent_type) ?? 'diamond', 8, 8));
  return s('svg', {width: 16, height: 16, viewBox: '0 0 16 16', 'aria-hidden': 'true'}, mark);
}

function words(run) {
  const name = h('a', {href: href('run', {id: run.run_id})}, `${shortModel(run.model, 28)} ${shortAgent(run.agent_type)}`);
  return h('span', null, 'Not on the axis: ', name, `, ${percent(run.y) ?? '—'} %, ${run.why.split(':')[0]}`);
}
