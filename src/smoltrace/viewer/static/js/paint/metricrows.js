/** The metric rows: each run's value, its difference to the baseline, and what can be said of it. */
import {dotScale, pointOf} from '../layout/dots.js';
import {asRatio, asideText, changeWords, differenceText, intervalText, isSignificant, pText, unitOf, valueText, verdictWords, wholeSentence} from '../model/comparewords.js';
import {count} from '../model/format.js';
import {METRICS} from '../model/metrics.js';
import {dotPlot} from './dotplot.js';
import {h} from './dom.js';
import {figure} from './number.js';
import {runHead} from './runhead.js';

/**
 * @typedef {object} Shown
 * @property {import('../screens/comparedata.js').ComparedRun[]} runs
 * @property {ReturnType<import('../model/paired.js').comparison>} numbers
 * @property {import('./runhead.js').ColumnActions} actions
 * @property {ReturnType<import('../layout/metricgrid.js').metricGrid>} grid
 * @property {string} paired what was paired, in words
 * @property {(metric: import('../model/metrics.js').Metric) => void} onMetric
 * @property {() => void} onHow
 */

/** @param {Shown} shown */
export function metricRows(shown) {
  return shown.grid.form === 'stacked' ? stacked(shown) : table(shown);
}

function table(shown) {
  const { runs, grid, actions } = shown;
  const widths = [grid.label, grid.base, ...runs.slice(1).map(() => grid.other)];
  return h(
    'div',
    { class: 'cmp-box', tabindex: grid.total > innerWidth ? '0' : null, role: 'group', 'aria-label': 'Metrics' },
    h(
      'table',
      { class: `cmp-metrics cmp-${grid.form}`, style: { width: `${grid.total}px` }, 'aria-label': 'Metrics of the compared runs' },
      h('colgroup', null, widths.map((width) => h('col', { style: { width: `${width}px` } }))),
      h('thead', null, h('tr', null, pairedHead(shown), runs.map((run, i) => h('th', { scope: 'col' }, runHead(run, i, runs.length, actions, grid.form === 'wide'))))),
      h('tbody', null, METRICS.map((metric) => metricRow(metric, shown))),
    ),
  );
}

function pairedHead({ paired, onHow }) {
  return h('th', { scope: 'col', class: 'cmp-paired' }, h('button', { type: 'button', class: 'cmp-how', title: 'How the numbers are made', on: { click: onHow } }, paired));
}

function metricRow(metric, shown) {
  const { runs, numbers } = shown;
  const value = (i) => numbers.value(metric, i);
  const plots = plotsOf(metric, shown);
  return h(
    'tr',
    { 'data-metric': metric.key },
    h('th', { scope: 'row' }, metricButton(metric, shown)),
    h('td', { class: 'cmp-base' }, h('div', { class: 'cmp-cell' }, valueFigure(metric, value(0)), h('span', { class: 'cmp-aside', title: asideText(metric, value(0)) }, asideText(metric, value(0))))),
    runs.slice(1).map((_, k) => h('td', null, differenceCell(metric, value(k + 1), plots[k]))),
  );
}

function metricButton(metric, { onMetric }) {
  const unit = unitOf(metric);
  return h('button', { type: 'button', class: 'cmp-metric', title: `${metric.about}: all its numbers`, on: { click: () => onMetric(metric) } }, metric.label, unit ? h('span', { class: 'cmp-unit' }, unit) : null);
}

/** A value of a metric: its digits, `est.`, a bound, or why there is none. */
export function valueFigure(metric, value, options = { hang: true }) {
  if (value.value !== null) return figure(valueText(metric, value.value), { ...options, est: value.est });
  if (value.bound !== null) return figure(valueText(metric, value.bound), { ...options, bound: true, title: `at least: ${value.reason}` });
  return figure(null, { ...options, why: value.reason });
}

/** The comparisons of a metric with their dots on one scale. */
function plotsOf(metric, { runs, numbers, grid }) {
  const found = runs.slice(1).map((_, k) => numbers.difference(metric, k + 1));
  const points = found.map((one) => pointOf(one, asRatio(metric, one)));
  const place = dotScale(points, grid.plot);
  return found.map((one, k) => {
    const words = verdictWords(metric, one);
    const label = `${differenceText(metric, one) ?? 'no difference known'}, interval ${intervalText(metric, one) ?? 'not known'}`;
    const plot = dotPlot(points[k] && place(points[k]), { width: grid.plot, tone: words.tone, filled: isSignificant(one), label });
    return { found: one, words, plot };
  });
}

function differenceCell(metric, value, { found, words, plot }) {
  const told = differenceText(metric, found);
  return h(
    'div',
    { class: 'cmp-cell', title: wholeSentence(metric, found) },
    valueFigure(metric, value),
    h('span', { class: `cmp-diff tone-${words.tone}` }, told ?? ''),
    plot,
    verdictBlock(metric, found, words),
    h('span', { class: 'cmp-n' }, found.n ? `n ${count(found.n)}` : ''),
  );
}

function verdictBlock(metric, found, words) {
  const range = intervalText(metric, found);
  const rate = metric.statistic === 'rate' && found.n > 0;
  const said = h('span', { class: `tone-${words.tone}` }, words.text);
  const line = words.told && !rate ? [h('span', { class: 'cmp-range' }, range), ' ', said] : said;
  return h('span', { class: 'cmp-words' }, h('span', { class: 'cmp-line' }, line), rate ? h('span', { class: 'cmp-line cmp-changes' }, changeWords(metric, found)) : null);
}

/** On a narrow screen: one block a run, each metric on two lines. */
function stacked(shown) {
  const { runs, paired, onHow } = shown;
  return h(
    'div',
    { class: 'cmp-stack' },
    h('p', { class: 'cmp-paired' }, h('button', { type: 'button', class: 'cmp-how', on: { click: onHow } }, paired)),
    runs.map((run, i) => stackedRun(run, i, shown)),
  );
}

function stackedRun(run, index, shown) {
  const rows = METRICS.map((metric) => (index === 0 ? stackedBase(metric, shown) : stackedMetric(metric, index, shown)));
  const head = h('h2', { class: 'cmp-stack-head' }, runHead(run, index, shown.runs.length, shown.actions, true));
  return h('section', { class: 'cmp-run', 'aria-label': run.name }, head, h('dl', { class: index ? 'cmp-list' : 'cmp-list cmp-list-base' }, rows));
}

function stackedBase(metric, shown) {
  const value = shown.numbers.value(metric, 0);
  return h('div', { 'data-metric': metric.key }, h('dt', null, metricButton(metric, shown)), h('dd', { class: 'cmp-value' }, valueFigure(metric, value)), h('dd', { class: 'cmp-aside' }, asideText(metric, value)));
}

function stackedMetric(metric, index, shown) {
  const { found, words, plot } = plotsOf(metric, shown)[index - 1];
  const range = intervalText(metric, found);
  return h(
    'div',
    { 'data-metric': metric.key },
    h('dt', null, metricButton(metric, shown)),
    h('dd', { class: 'cmp-value' }, valueFigure(metric, shown.numbers.value(metric, index))),
    h('dd', { class: `cmp-diff tone-${words.tone}` }, differenceText(metric, found) ?? ''),
    h('dd', { class: 'cmp-plot' }, plot),
    h('dd', { class: 'cmp-words' }, h('span', { class: `cmp-line tone-${words.tone}` }, words.text), range ? h('span', { class: 'cmp-line cmp-changes' }, [range, found.p === null ? null : `p ${pText(found.p)}`, `n ${count(found.n)}`].filter(Boolean).join(', ')) : null),
  );
}
